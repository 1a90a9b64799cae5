"""`gpen-fast live`: restore faces as the frames arrive. PyAV is imported where it is needed, not by other commands."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.json_target import json_target
from gpen_fast.cli.options import with_options
from gpen_fast.cli.table_targets import table_targets
from gpen_fast.errors import InstallError, SettingsError
from gpen_fast.plugins.install import OURS, absent_module
from gpen_fast.settings import LiveOptions, Settings

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FAILED = 1


@with_options(
    without={
        "devices", "landmarks", "upright", "gpu_decode", "max_pixels", "skip_detect", "trace", "dry_run", "log",
        "log_format",
    }
)  # fmt: skip
def live(
    source: Annotated[
        str,
        typer.Argument(
            metavar="[CAMERA|URL|FILE]",
            help="A camera's number or device, the address of a stream, or a file, which plays at its own speed.",
        ),
    ] = "0",
    *,
    settings: Settings,
    options: LiveOptions,
    run: RunOptions,
) -> None:
    """Restore faces live: from a camera, a stream or a file, to a window, a file, a stream or a virtual camera.

    The latest frame wins: late ones are dropped and counted. Quality steps down before latency grows, and up again
    when there is room. Ctrl-C ends it; what was written is whole. Exit status: 0 ended, 1 the source or the output was
    lost or no frame was delivered, 2 wrong usage.
    """
    check_live(settings)
    target, tables = json_target(run.json_file), table_targets(run)
    with target.words_elsewhere(), tables.words_elsewhere():
        report = _run(source, settings, options, run)
        if report is not None:
            target.write(report.to_dict())
            tables.write(report)
    if report is None or report.failed or not report.images:
        raise typer.Exit(_FAILED)


def check_live(settings: Settings) -> None:
    """Refuses what a live run cannot do.

    Raises:
        InstallError: PyAV is missing.
        SettingsError: No face is to be searched.
    """
    if importlib.util.find_spec("av") is None:
        raise InstallError(f"live needs {absent_module('av', OURS, 'video')}")
    if settings.aligned:
        raise SettingsError(
            "live finds the faces of each frame: --detector none and --skip-detect have no meaning there. "
            "Leave them out."
        )


def _run(source: str, settings: Settings, options: LiveOptions, run: RunOptions) -> Report | None:
    if settings.random_weights:
        raise SettingsError(
            "random weights restore nothing: live refuses them. To time this machine, use gpen-fast profile --live."
        )
    from gpen_fast.cli.live_run import LiveRequest, run_and_print
    from gpen_fast.video.live.sink import open_sink
    from gpen_fast.video.live.source import open_source

    return run_and_print(
        LiveRequest(
            source,
            lambda: open_source(source, size=options.picture_size, rate=options.camera_fps),
            lambda facts: open_sink(options.out, facts),
            settings,
            options,
            run,
        )
    )
