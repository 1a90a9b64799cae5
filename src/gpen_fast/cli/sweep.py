"""`gpen-fast profile --sweep`: measures the sizes and prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.loading import loading
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.cli.sweep_table import print_sweep
from gpen_fast.errors import InputsError

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report


def measured_sweep(request: ProfileRequest) -> Report:
    """Measures the sizes and prints them, also those that were measured before an interrupt.

    Args:
        request: What the user asked for.

    Returns:
        The report; sizes that failed are in it.

    Raises:
        GpenError: Nothing can be measured.
    """
    with loading(quiet=False):
        from gpen_fast.cli.step_progress import step_progress
        from gpen_fast.run.sweep import SweepTask, run_sweep, sizes_of

    options = request.options
    if len(request.images) > 1:
        raise InputsError(
            f"--sweep takes one picture, not {len(request.images)}: it is resized to each size."
        )
    task = SweepTask(
        request.settings,
        request.images[0],
        sizes_of(options.sweep or ""),
        options.runs,
        options.warmup,
        options.target_fps,
    )
    with step_progress("size") as progress, first_interrupt_stops(progress.stopping) as stopped:
        report = run_sweep(task, progress, stopped)
    print_sweep(report, published=options.published)
    return report
