"""`python -m gpen_fast.training landmarks`: train, test, export, sheet."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gpen_fast.training.export import write
from gpen_fast.training.landmarks.config import read_config
from gpen_fast.training.landmarks.metrics import Row, held_out_rows
from gpen_fast.training.landmarks.sheet import contact_sheet
from gpen_fast.training.landmarks.task import read_state
from gpen_fast.training.options import Config, Data, Device, JsonFile, Processes, RunFolder, Weights
from gpen_fast.training.run import Report, Run, train

app = typer.Typer(no_args_is_help=True, help="The landmark network of the detector lite.")
DEFAULT = Path(__file__).parent / "landmarks-lite.toml"


@app.command("train")
def train_command(
    data: Data,
    out: RunFolder,
    config: Config = DEFAULT,
    processes: Processes = 1,
    device: Device = "auto",
) -> None:
    """Train, or go on with a run that was interrupted."""
    state = train(Run(read_config(config), data, out, processes, device), _say)
    typer.echo(f"done: {state}")


@app.command("test")
def test_command(
    weights: Weights,
    data: Data,
    crop: Annotated[int, typer.Option(min=1, help="Side of the portraits, pixels.")] = 256,
    json_file: JsonFile = None,
) -> None:
    """The held-out test: landmark errors over the eye distance, and faces found."""
    rows = held_out_rows(read_state(weights), data, crop)
    Console().print(_table(rows))
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


@app.command("export")
def export_command(
    state: Weights,
    out: Annotated[Path, typer.Argument(help="The .safetensors to write.")],
    name: Annotated[str, typer.Option(help="What the weights are called.")] = "landmarks-lite",
) -> None:
    """Write the averaged weights, normalisations folded in, as fp16 .safetensors."""
    size = write(read_state(state), out, {"name": name, "licence": "MIT"})
    typer.echo(f"{out}: {size / 1000:.0f} kB")


@app.command("sheet")
def sheet_command(
    data: Data,
    out: Annotated[Path, typer.Argument(help="The picture to write.")],
    config: Config = DEFAULT,
) -> None:
    """Windows as the network is trained on, faces with their landmarks: for looking at, not for publishing."""
    from PIL import Image

    Image.fromarray(contact_sheet(read_config(config), data)).save(out)
    typer.echo(f"{out}: faces have a bar on top")


def _say(what: Report) -> None:
    rows: list[Row] = what.rows
    figures = "  ".join(f"roll {row.roll}: {row.mean:.1%}, p95 {row.p95:.1%}" for row in rows)
    typer.echo(f"step {what.step}  loss {what.loss:.4f}  {what.pictures_per_second:.0f} windows/s  {figures}")


def _table(rows: list[Row]) -> Table:
    table = Table("roll up to", "first reading", "mean", "p95", "found")
    for row in rows:
        values = (row.first_mean, row.mean, row.p95, row.found)
        table.add_row(str(row.roll), *(f"{value:.1%}" for value in values))
    return table
