"""`python -m gpen_fast.training`: train, test, export, sheet; the same below `landmarks`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gpen_fast.errors import GpenError
from gpen_fast.gpen import load_network
from gpen_fast.training.config import read_config
from gpen_fast.training.data import HELD_OUT, read_faces, read_manifest
from gpen_fast.training.export import export
from gpen_fast.training.landmarks.commands import app as landmarks
from gpen_fast.training.metrics import Row, held_out_table
from gpen_fast.training.options import Config, Data, Device, JsonFile, Processes, RunFolder, Weights
from gpen_fast.training.run import Report, Run, train

app = typer.Typer(no_args_is_help=True, add_completion=False, help="How the embedded weights are made.")
app.add_typer(landmarks, name="landmarks")
DEFAULT = Path(__file__).parent / "gpen-lite-256.toml"


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
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    json_file: JsonFile = None,
) -> None:
    """The held-out test: restored faces against their damaged inputs."""
    network = load_network(weights, precision=precision)
    rows = held_out_table(network, read_faces(data, read_manifest(data, HELD_OUT), network.size))  # type: ignore[attr-defined]
    Console().print(_table(rows))
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


@app.command("export")
def export_command(
    state: Weights,
    out: Annotated[Path, typer.Argument(help="The .safetensors to write.")],
    template: Annotated[
        str, typer.Option(help="Where the landmarks lie in the faces it was trained on.")
    ] = "ffhq",
    name: Annotated[str, typer.Option(help="What the weights are called.")] = "gpen-lite-256",
) -> None:
    """Write the averaged weights as fp16 .safetensors."""
    size = export(state, out, {"name": name, "template": template, "licence": "MIT"})
    typer.echo(f"{out}: {size / 1e6:.2f} MB")


@app.command("sheet")
def sheet_command(
    weights: Weights,
    data: Data,
    out: Annotated[Path, typer.Argument(help="The picture to write.")],
    faces: Annotated[int, typer.Option(min=1, help="Rows.")] = 8,
) -> None:
    """A contact sheet of held-out faces; people who are no public officials are left out."""
    from PIL import Image

    from gpen_fast.training.sheet import contact_sheet

    network = load_network(weights)
    public = [portrait for portrait in read_manifest(data, HELD_OUT) if portrait.kind != "staff"]
    some = read_faces(data, public[:: max(1, len(public) // faces)][:faces], network.size)  # type: ignore[attr-defined]
    Image.fromarray(contact_sheet(network, some, (1.5, 3.0, 4.0, 6.0))).save(out)
    typer.echo(f"{out}: damaged and restored at 1.5, 3, 4 and 6, then the original")


def _say(what: Report) -> None:
    figures = "  ".join(
        f"f{row.factor:g} {row.restored.psnr - row.damaged.psnr:+.2f} dB" for row in what.rows
    )
    typer.echo(
        f"step {what.step}  loss {what.loss:.4f}  {what.pictures_per_second:.1f} pictures/s  {figures}"
    )


def _table(rows: list[Row]) -> Table:
    table = Table("factor", "PSNR", "gain", "SSIM", "gain", "energy", "correlation")
    for row in rows:
        before, after = row.damaged, row.restored
        table.add_row(
            f"{row.factor:g}",
            f"{after.psnr:.2f}", f"{after.psnr - before.psnr:+.2f}",
            f"{after.ssim:.4f}", f"{after.ssim - before.ssim:+.4f}",
            f"{before.energy:.2f} > {after.energy:.2f}",
            f"{before.correlation:.3f} > {after.correlation:.3f}",
        )  # fmt: skip
    return table


def main() -> None:
    """The entry point: errors that a person can mend are one line."""
    try:
        app()
    except GpenError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
