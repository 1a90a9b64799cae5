"""`gpen-fast profile --ladder`: runs the rows and prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from gpen_fast.cli.failures import error_console
from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.ladder_table import print_ladder
from gpen_fast.cli.loading import loading
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.errors import PictureError

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FAILED = 1


def measured_ladder(request: ProfileRequest) -> Report:
    """Measures the ladder and prints it, also the part of it that was measured before an interrupt.

    Args:
        request: What the user asked for.

    Returns:
        The report.

    Raises:
        typer.Exit: A picture cannot be restored; it is named on standard error.
        GpenError: Nothing can be measured.
    """
    with loading(quiet=False):
        from gpen_fast.cli.step_progress import step_progress
        from gpen_fast.run.ladder import LadderTask, run_ladder

    options = request.options
    task = LadderTask(request.settings, request.images, options.runs, options.warmup)
    try:
        with step_progress("row") as progress, first_interrupt_stops(progress.stopping) as stopped:
            report = run_ladder(task, progress, stopped)
    except PictureError as error:
        error_console().print(f"[red]failed[/] {escape(str(error))}")
        raise typer.Exit(_FAILED) from None
    print_ladder(report, published=options.published)
    return report
