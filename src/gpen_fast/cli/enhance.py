"""`gpen-fast enhance`: restore pictures, folders and globs into a folder or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli import flags
from gpen_fast.cli.consent import get_best
from gpen_fast.cli.names import shown
from gpen_fast.device.pillow import lift_pixel_limit
from gpen_fast.errors import InputsError, SettingsError
from gpen_fast.settings import FAST, MAX_PIXELS, PNG_LEVELS, SAME, Output, Settings, formats, suffix_of

if TYPE_CHECKING:
    from gpen_fast.run.plan import Plan

_FAILED, _INTERRUPTED = 1, 130


def enhance(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Pictures, folders (recursive) or globs; then a folder, or a picture's name for one input file.",
        ),
    ],
    model: flags.Model = "auto",
    weights: flags.Weights = None,
    weights_dir: flags.WeightsDir = None,
    offline: flags.Offline = False,
    yes: flags.Yes = False,
    detector: flags.Detector = None,
    detect_size: flags.DetectSize = "auto",
    detect_threshold: flags.DetectThreshold = None,
    skip_detect: flags.SkipDetect = False,
    landmarks: flags.Landmarks = None,
    save_landmarks: flags.SaveLandmarks = None,
    device: flags.Device = "auto",
    precision: flags.Precision = None,
    fp16: flags.Fp16 = False,
    backend: flags.Backend = "auto",
    batch_size: flags.BatchSize = None,
    strength: flags.Strength = 1.0,
    only_largest: flags.OnlyLargest = False,
    only_center: flags.OnlyCenter = False,
    min_face: flags.MinFace = 0,
    template: flags.Template = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(formats()),
            help="Of the output; same: each input's own, PNG where that cannot be written.",
            show_default="png",
        ),
    ] = None,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 95,
    png_level: Annotated[
        str,
        typer.Option(
            metavar="|".join(PNG_LEVELS),
            help="Of PNG, lossless always: small is some 4 % smaller and far slower.",
        ),
    ] = FAST,
    suffix: Annotated[
        str, typer.Option(metavar="TEXT", help="Ends each result's name, as _restored; OUT may then be IN.")
    ] = "",
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="Replace each picture by its result; there is no OUT. Copy them first."
        ),
    ] = False,
    max_pixels: flags.MaxPixels = MAX_PIXELS,
    gpu_decode: flags.GpuDecode = False,
    save_faces: Annotated[
        bool, typer.Option("--save-faces", help="Also write each face, before and after, beside the result.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Redo pictures whose result exists.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")] = False,
    json_file: flags.JsonFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print failures and notes only.")] = False,
) -> None:
    """Restore the faces in pictures, folders and globs.

    Exit status: 0 all done, 1 some inputs failed (each is named), 2 wrong usage,

    130 interrupted: what was finished is kept, and the next run goes on from there.
    """
    from gpen_fast.run.plan import is_one_file, plan
    from gpen_fast.run.walk import expanded

    settings = flags.settings_from(
        detector=detector, detect_size=detect_size, detect_threshold=detect_threshold, skip_detect=skip_detect,
        landmarks=landmarks, precision=precision, fp16=fp16,
        model=model, weights=weights, device=device, backend=backend, batch_size=batch_size, strength=strength,
        only_largest=only_largest, only_center=only_center, min_face=min_face, template=template,
        weights_dir=weights_dir, offline=offline,
        max_pixels=max_pixels, gpu_decode=gpu_decode,
    )  # fmt: skip
    _refuse_random(settings)
    report_to = flags.report_path(json_file)
    inputs, out = _split(paths, in_place)
    wanted = None if format is None else suffix_of(Path(f"name.{format}"))
    named = suffix_of(out) if out and is_one_file(expanded(inputs, out), out) else None
    if named and wanted not in (None, SAME, named):
        raise SettingsError(
            f"--format {format} and the output name {out} contradict each other: leave one out."
        )
    chosen = wanted or named or (SAME if in_place else "png")
    save_to = flags.landmarks_path(save_landmarks, settings)
    flags.refuse_one_file(report_to, save_to, Path(landmarks) if landmarks else None)
    output = Output(chosen, quality, save_faces, overwrite, suffix, in_place, save_to, png_level)
    if in_place:
        lift_pixel_limit()  # pictures are opened to see whether they were restored before; --max-pixels bounds them
    work = plan(inputs, out, output)
    if dry_run:
        _print_plan(work)
        return
    status = _run(work, settings, output, quiet, report_to, yes)
    if status:
        raise typer.Exit(status)


def _split(paths: list[str], in_place: bool) -> tuple[list[str], Path | None]:
    """The inputs, and the output where there is one."""
    if in_place:
        return paths, None
    if len(paths) < 2:
        raise InputsError(
            f"{paths[0]}: and where to? Name an output folder after the inputs; or give --in-place, and each picture "
            "is replaced."
        )
    return paths[:-1], Path(paths[-1])


def _refuse_random(settings: Settings) -> None:
    if settings.random_weights:
        raise SettingsError(
            "random weights restore nothing: enhance refuses them. Use gpen-fast profile to time a machine with them."
        )


def _print_plan(work: Plan) -> None:
    for item in work.todo:
        print(f"{shown(item.source)} -> {shown(item.target)}")
    for path, note in work.notes:
        print(f"note {shown(path)}: {note}")
    for path, why in work.failed:
        print(f"failed {shown(path)}: {why}")
    print(
        f"{len(work.todo)} to do, {len(work.skipped)} skipped (done already), {len(work.ignored)} ignored (no picture)"
    )


def _run(
    work: Plan, settings: Settings, output: Output, quiet: bool, report_to: Path | None, yes: bool
) -> int:
    if not work.todo:
        return _nothing_to_do(work, quiet, report_to)
    get_best(settings, yes)
    lift_pixel_limit()
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_enhance
    from gpen_fast.measure.report import as_dict, write_json
    from gpen_fast.run.enhance import run_batch
    from gpen_fast.run.runtime import load_runtime

    runtime = load_runtime(settings)
    with progress_over(len(work.todo), quiet) as progress:
        report = run_batch(runtime, work, output, progress)
    print_enhance(report, quiet)
    if report_to:
        write_json(as_dict(report), report_to)
    if report.not_done:
        return _INTERRUPTED
    return _FAILED if report.failed else 0


def _nothing_to_do(work: Plan, quiet: bool, report_to: Path | None) -> int:
    if not quiet:
        print(
            f"nothing to do: {len(work.skipped)} are done already (--overwrite does them again), "
            f"{len(work.ignored)} ignored (no picture)"
        )
    for path, note in work.notes:
        print(f"note {shown(path)}: {note}", file=sys.stderr)
    for path, why in work.failed:
        print(f"failed {shown(path)}: {why}", file=sys.stderr)
    if report_to:
        from gpen_fast.measure.report import nothing_done, write_json

        write_json(nothing_done(work), report_to)
    return _FAILED if work.failed else 0
