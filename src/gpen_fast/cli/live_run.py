"""What `live` and `profile --live` share: opening, running, printing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpen_fast.cli.failures import print_failure
from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.interrupt import first_interrupt_stops
from gpen_fast.cli.live_progress import live_progress
from gpen_fast.cli.live_table import print_live
from gpen_fast.cli.loading import loading
from gpen_fast.cli.opening import fetch_and_load
from gpen_fast.cli.trial import refuse_little_memory
from gpen_fast.errors import DeviceError, GpenError, VideoError, reason
from gpen_fast.settings import LiveOptions, Settings

if TYPE_CHECKING:
    from gpen_fast.measure.report import CommandName, Report
    from gpen_fast.video.facts import StreamFacts
    from gpen_fast.video.live.arrival import LiveSource
    from gpen_fast.video.live.sink import LiveSink


@dataclass(frozen=True)
class LiveRequest:
    """What the user asked for."""

    name: str
    """The source, as it was typed."""
    open_source: Callable[[], LiveSource]
    """Opens it."""
    open_sink: Callable[[StreamFacts], LiveSink]
    """Opens where frames go."""
    settings: Settings
    """How faces are restored."""
    options: LiveOptions
    """What is promised."""
    run: RunOptions
    """What is printed."""
    command: CommandName = "live"
    """The command."""


def run_and_print(request: LiveRequest) -> Report | None:
    """Opens all, runs, and prints the table.

    Args:
        request: What the user asked for.

    Returns:
        The report; None where the source or the output failed, which is printed.

    Raises:
        GpenError: Nothing can be opened, or the device failed.
    """
    refuse_little_memory()
    from gpen_fast.device.threads import one_core_left

    with one_core_left():
        report = _run(request)
    if report is not None:
        print_live(report, request.run.quiet, published=request.command == "profile")
    return report


def _opened(request: LiveRequest) -> LiveSource:
    """The source; an error names it."""
    try:
        return request.open_source()
    except VideoError as error:
        named = request.name in str(error)
        raise VideoError(f"{'' if named else f'{request.name}: '}{error}") from error


def _run(request: LiveRequest) -> Report | None:
    run = request.run
    # What is no source, or cannot be written, is told before the seconds that the networks take.
    with (
        contextlib.closing(_opened(request)) as source,
        contextlib.closing(request.open_sink(source.facts)) as sink,
    ):
        runtime = fetch_and_load(request.settings, yes=run.yes, quiet=run.quiet)
        with loading(run.quiet, "opening the smaller networks"):
            from gpen_fast.run.live.run import LiveEnds, run_live
            from gpen_fast.run.live.steps import quality_steps

            steps = quality_steps(runtime)
        ends = LiveEnds(source, request.name, sink)
        try:
            with (
                live_progress(run.quiet) as progress,
                first_interrupt_stops(progress.stopping) as stopped,
            ):
                return run_live(steps, ends, request.options, progress, stopped, request.command)
        except DeviceError:
            raise
        except (GpenError, OSError) as error:
            print_failure(request.name, reason(error, Path(request.name)))
            return None
