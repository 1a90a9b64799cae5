"""`gpen-fast enhance`: restore pictures, folders and globs into a folder or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli import flags
from gpen_fast.errors import SettingsError
from gpen_fast.settings import SAME, Output, Settings, formats, suffix_of

if TYPE_CHECKING:
    from gpen_fast.inputs import Plan

_FAILED, _INTERRUPTED = 1, 130


def enhance(
    inputs: Annotated[
        list[str], typer.Argument(metavar="IN...", help="Pictures, folders (recursive) or globs.")
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder; or a picture's name for one input file.")
    ],
    model: flags.Model = "auto",
    weights: flags.Weights = None,
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
    from gpen_fast.inputs import expanded, is_one_file, plan

    settings = flags.settings_from(
        detector=detector, detect_size=detect_size, detect_threshold=detect_threshold, skip_detect=skip_detect,
        landmarks=landmarks, precision=precision, fp16=fp16,
        model=model, weights=weights, device=device, backend=backend, batch_size=batch_size, strength=strength,
        only_largest=only_largest, only_center=only_center, min_face=min_face, template=template,
    )  # fmt: skip
    _refuse_random(settings)
    report_to = flags.report_path(json_file)
    wanted = None if format is None else suffix_of(Path(f"name.{format}"))
    suffix = suffix_of(out) if is_one_file(expanded(inputs, out), out) else None
    if suffix and wanted not in (None, SAME, suffix):
        raise SettingsError(
            f"--format {format} and the output name {out} contradict each other: leave one out."
        )
    save_to = flags.landmarks_path(save_landmarks, settings)
    output = Output(suffix or "png" if wanted is None else wanted, quality, save_faces, overwrite, save_to)
    work = plan(inputs, out, output)
    if dry_run:
        _print_plan(work)
        return
    status = _run(work, settings, output, quiet, report_to)
    if status:
        raise typer.Exit(status)


def _refuse_random(settings: Settings) -> None:
    if settings.random_weights:
        raise SettingsError(
            "random weights restore nothing: enhance refuses them. Use gpen-fast profile to time a machine with them."
        )


def _print_plan(work: Plan) -> None:
    for item in work.todo:
        print(f"{item.source} -> {item.target}")
    for path, why in work.failed:
        print(f"failed {path}: {why}")
    print(
        f"{len(work.todo)} to do, {len(work.skipped)} skipped (result exists), {len(work.ignored)} ignored (no picture)"
    )


def _run(work: Plan, settings: Settings, output: Output, quiet: bool, report_to: Path | None) -> int:
    if not work.todo:
        return _nothing_to_do(work, quiet, report_to)
    from gpen_fast.batch import run_batch
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_enhance
    from gpen_fast.profile.report import as_dict, write_json
    from gpen_fast.tools import open_tools

    tools = open_tools(settings)
    with progress_over(len(work.todo), quiet) as progress:
        report = run_batch(tools, work, output, progress)
    print_enhance(report, quiet)
    if report_to:
        write_json(as_dict(report), report_to)
    if report.not_done:
        return _INTERRUPTED
    return _FAILED if report.failed else 0


def _nothing_to_do(work: Plan, quiet: bool, report_to: Path | None) -> int:
    if not quiet:
        print(
            f"nothing to do: {len(work.skipped)} results exist (--overwrite makes them anew), "
            f"{len(work.ignored)} ignored (no picture)"
        )
    for path, why in work.failed:
        print(f"failed {path}: {why}", file=sys.stderr)
    if report_to:
        from gpen_fast.profile.report import nothing_done, write_json

        write_json(nothing_done(work), report_to)
    return _FAILED if work.failed else 0
