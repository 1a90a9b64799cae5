"""`gpen-fast profile`: how long each stage takes for one picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import Flag, ProfileOptions, RunOptions
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
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="A picture.")],
    settings: Settings,
    *,
    options: ProfileOptions,
    run: RunOptions,
) -> None:
    """Time every stage on one picture, run after run, without overlap."""
    image = _the_picture(images)
    target = json_target(run.json_file)
    with target.words_elsewhere():
        report = replace(_profiled(image, settings, options, run.yes), budget_ms=options.budget)
        target.write(report.to_dict())
        _check_budget(report)


def _check_budget(report: Report) -> None:
    from gpen_fast.cli.failures import error_console

    if report.over_budget and report.wall_ms:
        error_console().print(
            f"over budget: the p95 of the wall time is {report.wall_ms.p95:.1f} ms, "
            f"--budget {report.budget_ms:g}"
        )
        raise typer.Exit(_FAILED)


def _the_picture(images: list[Path]) -> Path:
    if len(images) > 1:
        raise InputsError(f"profile takes one picture, not {len(images)}: {images[0]}, {images[1]}.")
    image = images[0]
    if not image.is_file():
        what = "is a folder" if image.is_dir() else "no such file"
        raise InputsError(f"{image}: {what}.{nearest_file(image)} profile takes one picture.")
    return image


def _profiled(image: Path, settings: Settings, options: ProfileOptions, yes: bool) -> Report:
    refuse_little_memory()
    lift_pillow_limit()
    from gpen_fast.cli.failures import print_failure
    from gpen_fast.cli.opening import fetch_and_load
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_profile

    runtime = fetch_and_load(settings, yes=yes, quiet=False)
    from gpen_fast.run.profile_run import profile_picture

    try:
        with progress_over(1 + options.warmup + options.runs, quiet=False) as progress:
            report = profile_picture(
                runtime,
                image,
                runs=options.runs,
                warmup=options.warmup,
                target_fps=options.target_fps,
                progress=progress,
            )
    except (PictureError, GenerateError, OSError) as error:
        print_failure(image, reason(error, image))
        raise typer.Exit(_FAILED) from None
    print_profile(report)
    return report
