"""`python -m gpen_fast.training landmarks`: train, test, export, sheet."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gpen_fast.training.export import write_fp16
from gpen_fast.training.landmarks.config import read_landmark_config
from gpen_fast.training.landmarks.metrics import LandmarkRow, held_out_rows
from gpen_fast.training.landmarks.sheet import window_sheet
from gpen_fast.training.landmarks.task import LandmarkTask, read_landmark_state
from gpen_fast.training.options import (
    ConfigFile,
    DataFolder,
    Device,
    JsonFile,
    Processes,
    RunFolder,
    WeightsFile,
)
from gpen_fast.training.run import TrainingReport, TrainingRun, train

app = typer.Typer(no_args_is_help=True, help="Train the landmark network of the detector lite.")
DEFAULT = Path(__file__).parent / "landmarks-lite.toml"


@app.command("train")
def _train(
    data: DataFolder,
    out: RunFolder,
    config: ConfigFile = DEFAULT,
    processes: Processes = 1,
    device: Device = "auto",
) -> None:
    """Train the landmark network, or resume an interrupted run."""
    task = LandmarkTask(read_landmark_config(config))
    state = train(TrainingRun(task, data, out, processes, device), _print_report)
    typer.echo(f"done: {state}")


@app.command("test")
def _test(
    weights: WeightsFile,
    data: DataFolder,
    crop: Annotated[int, typer.Option(min=1, help="Side of the portraits in pixels.")] = 256,
    json_file: JsonFile = None,
) -> None:
    """Measure landmark errors, as parts of the eye distance, and detected faces on held-out portraits."""
    rows = held_out_rows(read_landmark_state(weights), data, crop)
    Console().print(_table(rows))
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


@app.command("export")
def _export(
    state: WeightsFile,
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    name: Annotated[str, typer.Option(help="Name of the weights.")] = "landmarks-lite",
) -> None:
    """Write the averaged weights, batch normalisations folded in, as fp16 .safetensors."""
    size = write_fp16(read_landmark_state(state), out, {"name": name, "licence": "MIT"})
    typer.echo(f"{out}: {size / 1000:.0f} kB")


@app.command("sheet")
def _sheet(
    data: DataFolder,
    out: Annotated[Path, typer.Argument(help="The picture to write.")],
    config: ConfigFile = DEFAULT,
) -> None:
    """Draw the first training windows, faces with their landmarks; not for publication."""
    from PIL import Image

    Image.fromarray(window_sheet(read_landmark_config(config), data)).save(out)
    typer.echo(f"{out}: faces have a green bar at the top")


def _print_report(report: TrainingReport[LandmarkRow]) -> None:
    errors = "  ".join(f"roll {row.roll}: {row.mean:.1%}, p95 {row.p95:.1%}" for row in report.rows)
    typer.echo(
        f"step {report.step}  loss {report.loss:.4f}  {report.pictures_per_second:.0f} windows/s  {errors}"
    )


def _table(rows: list[LandmarkRow]) -> Table:
    table = Table("roll up to", "first pass", "mean", "p95", "found")
    for row in rows:
        values = (row.first_mean, row.mean, row.p95, row.found)
        table.add_row(str(row.roll), *(f"{value:.1%}" for value in values))
    return table
