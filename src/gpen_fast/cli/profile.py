"""`gpen-fast profile`: how long each stage takes, for one picture or a mix of several."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import Flag, ProfileOptions, RunOptions
from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.json_target import json_target
from gpen_fast.cli.options import with_options
from gpen_fast.cli.profiled_pictures import profiled_pictures
from gpen_fast.cli.side_files import refuse_one_file, trace_path
from gpen_fast.cli.signals import INTERRUPTED
from gpen_fast.cli.table_targets import table_targets
from gpen_fast.cli.trace_file import check_trace, trace_file
from gpen_fast.cli.trial import refuse_little_memory
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.errors import GenerateError, PictureError, reason
from gpen_fast.settings import Settings

if TYPE_CHECKING:
    from gpen_fast.cli.progress import RunProgress
    from gpen_fast.measure.report import Report

_FAILED = 1


@with_options(
    without={"landmarks", "strength", "devices", "dry_run", "quiet", "log", "log_format"},
    weights=Flag(
        "FILE", help="A checkpoint, or random:NAME for random weights of a network's shapes, to time it."
    ),
)
def profile(
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...", help="A picture; or several, or folders, for what a mix of them takes."
        ),
    ],
    settings: Settings,
    *,
    options: ProfileOptions,
    run: RunOptions,
) -> None:
    """Time every stage on one picture or a mix of several, run after run, without overlap."""
    pictures = profiled_pictures(images)
    target, tables = json_target(run.json_file), table_targets(run)
    run = replace(run, trace=trace_path(run.trace))
    refuse_one_file(trace=run.trace, json=target.path, **tables.files)
    check_trace(run.trace)
    with target.words_elsewhere(), tables.words_elsewhere():
        report = replace(_profiled(pictures, settings, options, run), budget_ms=options.budget)
        target.write(report.to_dict())
        tables.write(report)
        _check_budget(report)
    if report.failed:
        raise typer.Exit(_FAILED)


def _check_budget(report: Report) -> None:
    from gpen_fast.cli.failures import error_console

    if report.over_budget and report.wall_ms:
        error_console().print(
            f"over budget: the p95 of the wall time is {report.wall_ms.p95:.1f} ms, "
            f"--budget {report.budget_ms:g}"
        )
        raise typer.Exit(_FAILED)


def _profiled(
    pictures: Sequence[Path], settings: Settings, options: ProfileOptions, run: RunOptions
) -> Report:
    refuse_little_memory()
    lift_pillow_limit()
    from gpen_fast.cli.failures import print_failure
    from gpen_fast.cli.opening import fetch_and_load
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_profile

    runtime = fetch_and_load(settings, yes=run.yes, quiet=False)
    from gpen_fast.run.profile_run import profile_pictures

    total = (1 + options.warmup + options.runs) * len(pictures)
    try:
        with (
            progress_over(total, quiet=False) as progress,
            _stopped_in_order(run.trace is not None, progress) as stopped,
            trace_file(run.trace, "profile", lambda index: str(pictures[index])) as trace,
        ):
            report = profile_pictures(
                runtime,
                pictures,
                runs=options.runs,
                warmup=options.warmup,
                target_fps=options.target_fps,
                progress=progress,
                timeline=trace.timeline,
                stopped=stopped,
            )
    except (PictureError, GenerateError, OSError) as error:
        print_failure(pictures[0], reason(error, pictures[0]))
        raise typer.Exit(_FAILED) from None
    if report is None:
        raise typer.Exit(_interrupted() if stopped and stopped.is_set() else _FAILED)
    print_profile(report)
    return report


def _stopped_in_order(traced: bool, progress: RunProgress) -> AbstractContextManager[threading.Event | None]:
    """With a trace, the first Ctrl-C lets the run that goes on end, so that its file is whole; else it ends at once."""
    return first_interrupt_stops(progress.stopping) if traced else nullcontext()


def _interrupted() -> int:
    print("interrupted: the file of --trace holds what was timed until then", file=sys.stderr)
    return INTERRUPTED
