"""`gpen-fast compare`: how alike two pictures are, or the pictures of two folders."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast import __version__
from gpen_fast.cli.json_target import STANDARD_OUTPUT, JsonFile, json_target
from gpen_fast.cli.side_files import refuse_one_file, side_file
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.errors import InputsError, reason
from gpen_fast.run.pairs import match_pictures

if TYPE_CHECKING:
    from gpen_fast.run.likeness_run import LikenessRow

_FAILED = 1


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A picture, or a folder of pictures.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another picture, or another folder.")],
    *,
    min_psnr: Annotated[
        float | None,
        typer.Option(metavar="DB", help="End with status 1 if the PSNR of a pair is below this."),
    ] = None,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Write the table as CSV.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Measure how alike two pictures are: PSNR and SSIM, and NIQE and LPIPS where they are installed.

    Pictures of two folders belong together by their names, whatever their suffixes. NIQE judges each picture by itself.

    Exit status: 0 all pairs were compared, 1 some were not, or are below --min-psnr.
    """
    if csv_file == STANDARD_OUTPUT:
        raise InputsError("--csv -: accepted is a file. --json - writes the same figures to standard output.")
    target = json_target(json_file)
    page = None if csv_file is None else side_file("--csv", Path(csv_file))
    refuse_one_file(csv=page, json=target.path)
    matched = match_pictures(a, b)
    lift_pillow_limit()
    with target.words_elsewhere():
        from gpen_fast.cli.likeness_table import print_likeness
        from gpen_fast.run.likeness_run import likeness_of, mean_row, open_metrics

        metrics = open_metrics()
        rows = [likeness_of(one, other, metrics) for one, other in matched.pairs]
        below = (
            []
            if min_psnr is None
            else [row.b for row in rows if row.psnr is not None and row.psnr < min_psnr]
        )
        print_likeness(rows, mean_row(rows), matched.alone, metrics.missing)
        _tell_below(below, min_psnr)
    if page:
        _write(page, _csv(rows))
    failed = bool(matched.alone or any(row.error for row in rows))
    target.write(
        {
            "schema": 1,
            "command": "compare",
            "version": __version__,
            "verdict": "some_failed" if failed else "below_min_psnr" if below else "all_done",
            "pictures": [asdict(row) for row in rows],
            "mean": mean_row(rows),
            "alone": [{"path": str(path), "error": why} for path, why in matched.alone],
            "min_psnr": min_psnr,
            "below_min_psnr": below,
            "missing": metrics.missing,
        }
    )
    if failed or below:
        raise typer.Exit(_FAILED)


def _tell_below(below: list[str], min_psnr: float | None) -> None:
    if below:
        from gpen_fast.cli.likeness_table import print_below

        print_below(below, min_psnr or 0.0)


def _csv(rows: list[LikenessRow]) -> str:
    """One row for each pair, under a row of names; a figure that was not measured is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows):
        cells = asdict(row) | {"identical": str(row.identical).lower()}
        if number == 0:
            writer.writerow(cells)
        writer.writerow(cells.values())
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    from gpen_fast.files import write_file

    try:
        write_file(path, text.encode())
    except OSError as cause:
        raise InputsError(f"--csv {path}: cannot be written: {reason(cause, path)}.") from cause
