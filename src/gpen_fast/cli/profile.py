"""`gpen-fast profile`: how long each stage takes for one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import Flag, RunOptions
from gpen_fast.cli.json_target import json_target
from gpen_fast.cli.options import with_options
from gpen_fast.cli.trial import refuse_little_memory
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.errors import GenerateError, InputsError, PictureError, reason
from gpen_fast.files import nearest_file
from gpen_fast.settings import Settings

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FAILED = 1


@with_options(
    without={"landmarks", "strength", "devices", "dry_run", "quiet", "log", "log_format"},
    weights=Flag(
        "FILE", help="A checkpoint, or random:NAME for random weights of a network's shapes, to time it."
    ),
)
def profile(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture.")],
    settings: Settings,
    *,
    runs: Annotated[
        int, typer.Option(metavar="N", min=1, help="Runs that count.", rich_help_panel="Run")
    ] = 10,
    warmup: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Runs before them that do not count, after the first call.",
            rich_help_panel="Run",
        ),
    ] = 3,
    target_fps: Annotated[
        float,
        typer.Option(
            metavar="X", min=0.001, help="Frames per second that count as live.", rich_help_panel="Run"
        ),
    ] = 30.0,
    run: RunOptions,
) -> None:
    """Time every stage on one picture, run after run, without overlap."""
    if not image.is_file():
        what = "is a folder" if image.is_dir() else "no such file"
        raise InputsError(f"{image}: {what}.{nearest_file(image)} profile takes one picture.")
    target = json_target(run.json_file)
    with target.words_elsewhere():
        report = _profiled(image, settings, runs, warmup, target_fps, run.yes)
        target.write(report.to_dict())


def _profiled(
    image: Path, settings: Settings, runs: int, warmup: int, target_fps: float, yes: bool
) -> Report:
    refuse_little_memory()
    lift_pillow_limit()
    from gpen_fast.cli.failures import print_failure
    from gpen_fast.cli.opening import fetch_and_load
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_profile

    runtime = fetch_and_load(settings, yes=yes, quiet=False)
    from gpen_fast.run.profile_run import profile_picture

    try:
        with progress_over(1 + warmup + runs, quiet=False) as progress:
            report = profile_picture(
                runtime, image, runs=runs, warmup=warmup, target_fps=target_fps, progress=progress
            )
    except (PictureError, GenerateError, OSError) as error:
        print_failure(image, reason(error, image))
        raise typer.Exit(_FAILED) from None
    print_profile(report)
    return report
