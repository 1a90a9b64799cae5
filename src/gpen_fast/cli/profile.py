"""`gpen-fast profile`: how long each stage takes, for one picture or a mix of several."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import Flag, ProfileOptions, RunOptions
from gpen_fast.cli.json_target import json_target
from gpen_fast.cli.options import with_options
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.cli.profiled_pictures import profiled_pictures
from gpen_fast.cli.repeat import in_processes, is_slower, profile_again
from gpen_fast.cli.side_files import refuse_one_file, side_file
from gpen_fast.cli.signals import INTERRUPTED
from gpen_fast.cli.table_targets import table_targets
from gpen_fast.cli.trace_file import check_trace
from gpen_fast.cli.trial import refuse_little_memory
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.settings import Settings

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FAILED = 1
# How a measurement of rows ended -> exit status.
_STATUS = {"some_failed": _FAILED, "interrupted": INTERRUPTED}


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
            metavar="IMAGE...",
            help="A picture; or several, or folders, for what a mix of them takes; with --live a video.",
        ),
    ],
    settings: Settings,
    *,
    options: ProfileOptions,
    run: RunOptions,
) -> None:
    """Time every stage on one picture or a mix of several, run after run, without overlap."""
    target, tables = json_target(run.json_file), table_targets(run)
    run = replace(run, trace=side_file("--trace", run.trace))
    refuse_one_file(trace=run.trace, json=target.path, **tables.files)
    check_trace(run.trace)
    inputs = images if options.live else profiled_pictures(images)
    request = ProfileRequest(inputs, settings, options, run)
    with target.words_elsewhere(), tables.words_elsewhere():
        report = replace(_measured(request), budget_ms=options.budget)
        target.write(report.to_dict())
        tables.write(report)
        _check_budget(report)
    if report.failed or report.verdict in _STATUS:
        raise typer.Exit(_STATUS.get(report.verdict or "", _FAILED))
    if is_slower(report, options):
        raise typer.Exit(_FAILED)


def _measured(request: ProfileRequest) -> Report:
    """Measures what the user asked for, and prints it."""
    if in_processes(request.options):
        return profile_again(request.options)
    refuse_little_memory()
    lift_pillow_limit()
    if request.options.live:
        from gpen_fast.cli.profiled_live import measured_live

        return measured_live(request)
    if request.options.ladder:
        from gpen_fast.cli.ladder import measured_ladder

        return measured_ladder(request)
    if request.options.sweep is not None:
        from gpen_fast.cli.sweep import measured_sweep

        return measured_sweep(request)
    from gpen_fast.cli.profiled_stages import measured_stages

    return measured_stages(request)


def _check_budget(report: Report) -> None:
    from gpen_fast.cli.failures import error_console

    if report.over_budget and report.wall_ms:
        error_console().print(
            f"over budget: the p95 of the wall time is {report.wall_ms.p95:.1f} ms, "
            f"--budget {report.budget_ms:g}"
        )
        raise typer.Exit(_FAILED)
