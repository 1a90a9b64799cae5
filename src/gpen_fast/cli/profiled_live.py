"""`gpen-fast profile --live`: plays a video at its own speed through the live path, and prints how that went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from gpen_fast.cli.live import check_live
from gpen_fast.cli.profile_request import ProfileRequest
from gpen_fast.errors import InputsError
from gpen_fast.settings import LiveOptions

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FAILED = 1


def measured_live(request: ProfileRequest) -> Report:
    """Plays the video, and prints the table with the published figures beside it.

    Args:
        request: What the user asked for.

    Returns:
        The report.

    Raises:
        typer.Exit: The video failed, which was printed.
        GpenError: Nothing can be measured.
    """
    check_live(request.settings)
    options, names = request.options, [str(each) for each in request.images]
    if len(names) != 1:
        raise InputsError(f"--live takes one video, not {len(names)}.")
    promise = LiveOptions(
        out="none", target_fps=options.target_fps, max_latency=options.max_latency, seconds=options.seconds
    )
    from gpen_fast.cli.live_run import LiveRequest, run_and_print
    from gpen_fast.run.live.repeat import repeated
    from gpen_fast.video.live.sink import open_sink
    from gpen_fast.video.live.source import open_source

    report = run_and_print(
        LiveRequest(
            names[0],
            lambda: repeated(lambda: open_source(names[0]), options.seconds),
            lambda facts: open_sink(promise.out, facts),
            request.settings,
            promise,
            request.run,
            "profile",
        )
    )
    if report is None or not report.images:
        raise typer.Exit(_FAILED)
    return report
