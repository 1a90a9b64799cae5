"""`gpen-fast profile`: where the time goes for one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gpen_fast.cli import flags
from gpen_fast.cli.consent import get_best
from gpen_fast.device.pillow import lift_pixel_limit
from gpen_fast.errors import GenerateError, InputsError, PictureError, reason
from gpen_fast.settings import MAX_PIXELS

_FAILED = 1


def profile(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="A picture.")],
    runs: Annotated[int, typer.Option(min=1, help="Counted runs.")] = 10,
    warmup: Annotated[int, typer.Option(min=0, help="Uncounted runs before them, after the first call.")] = 3,
    target_fps: Annotated[float, typer.Option(min=0.001, help="Frame rate that counts as live.")] = 30.0,
    model: flags.Model = "auto",
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|random:NAME", help="Checkpoint, or random weights of a model's shapes for timing."
        ),
    ] = None,
    weights_dir: flags.WeightsDir = None,
    offline: flags.Offline = False,
    yes: flags.Yes = False,
    detector: flags.Detector = None,
    detect_size: flags.DetectSize = "auto",
    detect_threshold: flags.DetectThreshold = None,
    skip_detect: flags.SkipDetect = False,
    device: flags.Device = "auto",
    precision: flags.Precision = None,
    fp16: flags.Fp16 = False,
    backend: flags.Backend = "auto",
    batch_size: flags.BatchSize = None,
    only_largest: flags.OnlyLargest = False,
    only_center: flags.OnlyCenter = False,
    min_face: flags.MinFace = 0,
    template: flags.Template = None,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    gpu_decode: flags.GpuDecode = False,
    json_file: flags.JsonFile = None,
) -> None:
    """Time every stage on one picture, one run after the other, nothing overlapped."""
    settings = flags.settings_from(
        detector=detector, detect_size=detect_size, detect_threshold=detect_threshold, skip_detect=skip_detect,
        precision=precision, fp16=fp16,
        model=model, weights=weights, device=device, backend=backend, batch_size=batch_size,
        only_largest=only_largest, only_center=only_center, min_face=min_face, template=template,
        weights_dir=weights_dir, offline=offline,
        max_pixels=max_pixels, gpu_decode=gpu_decode,
    )  # fmt: skip
    if not image.is_file():
        what = "is a folder" if image.is_dir() else "no such file"
        raise InputsError(f"{image}: {what}. profile takes one picture.")
    report_to = flags.report_path(json_file)
    get_best(settings, yes)
    lift_pixel_limit()
    from gpen_fast.cli.table import print_failure, print_profile
    from gpen_fast.measure.report import as_dict, write_json
    from gpen_fast.run.profile_run import profile_picture
    from gpen_fast.run.runtime import load_runtime

    runtime = load_runtime(settings)
    try:
        report = profile_picture(runtime, image, runs=runs, warmup=warmup)
    except (PictureError, GenerateError, OSError) as error:
        print_failure(image, reason(error, image))
        raise typer.Exit(_FAILED) from None
    print_profile(report, target_fps)
    if report_to:
        write_json(as_dict(report), report_to)
