"""`gpen-fast profile`, its plain form: runs the pictures and prints the stages."""

from __future__ import annotations

import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import typer

from gpen_fast.cli.failures import print_failure
from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.opening import fetch_and_load
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.cli.progress import RunProgress, progress_over
from gpen_fast.cli.signals import INTERRUPTED
from gpen_fast.cli.table import print_profile
from gpen_fast.cli.trace_file import trace_file
from gpen_fast.errors import GenerateError, PictureError, reason

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FAILED = 1


def measured_stages(request: ProfileRequest) -> Report:
    """Times every stage, and prints the table.

    Args:
        request: What the user asked for.

    Returns:
        The report.

    Raises:
        typer.Exit: Every picture has failed, and was named, or the user interrupted the runs.
        GpenError: Nothing can be measured.
    """
    pictures, options, run = request.images, request.options, request.run
    runtime = fetch_and_load(request.settings, yes=run.yes, quiet=False)
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
