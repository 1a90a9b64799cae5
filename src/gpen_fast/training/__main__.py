"""`python -m gpen_fast.training`: train, test, export, sheet; the same below `landmarks`, `proposer`, `lite`; need."""

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
from gpen_fast.training.config import read_restoration_config
from gpen_fast.training.data import HELD_OUT, read_faces, read_manifest
from gpen_fast.training.export import export_generator
from gpen_fast.training.landmarks.commands import app as landmarks
from gpen_fast.training.lite.commands import app as lite
from gpen_fast.training.metrics import RestorationRow, held_out_table
from gpen_fast.training.need.commands import need_command
from gpen_fast.training.options import (
    ConfigFile,
    DataFolder,
    Device,
    JsonFile,
    Processes,
    RunFolder,
    WeightsFile,
)
from gpen_fast.training.proposer.commands import app as proposer
from gpen_fast.training.restoring import RestorationTask
from gpen_fast.training.run import TrainingReport, TrainingRun, train

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train the embedded weights.")
app.add_typer(landmarks, name="landmarks")
app.add_typer(proposer, name="proposer")
app.add_typer(lite, name="lite")
app.command("need")(need_command)
DEFAULT = Path(__file__).parent / "gpen-lite-256.toml"


@app.command("train")
def _train(
    data: DataFolder,
    out: RunFolder,
    config: ConfigFile = DEFAULT,
    processes: Processes = 1,
    device: Device = "auto",
) -> None:
    """Train the generator, or resume an interrupted run."""
    task = RestorationTask(read_restoration_config(config))
    state = train(TrainingRun(task, data, out, processes, device), _print_report)
    typer.echo(f"done: {state}")


@app.command("test")
def _test(
    weights: WeightsFile,
    data: DataFolder,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    json_file: JsonFile = None,
) -> None:
    """Compare restored held-out faces with their damaged inputs."""
    network = load_network(weights, precision=precision)
    rows = held_out_table(network, read_faces(data, read_manifest(data, HELD_OUT), network.size))  # type: ignore[attr-defined]
    Console().print(_table(rows))
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


@app.command("export")
def _export(
    state: WeightsFile,
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    template: Annotated[
        str, typer.Option(help="Where the landmarks lie in the faces of the training: gpen or ffhq.")
    ] = "ffhq",
    name: Annotated[str, typer.Option(help="Name of the weights.")] = "gpen-lite-256",
) -> None:
    """Write the averaged weights as fp16 .safetensors."""
    size = export_generator(state, out, {"name": name, "template": template, "licence": "MIT"})
    typer.echo(f"{out}: {size / 1e6:.2f} MB")


@app.command("sheet")
def _sheet(
    weights: WeightsFile,
    data: DataFolder,
    out: Annotated[Path, typer.Argument(help="The picture to write.")],
    faces: Annotated[int, typer.Option(min=1, help="Rows.")] = 8,
) -> None:
    """Draw a contact sheet of held-out faces; only public officials are shown."""
    from PIL import Image

    from gpen_fast.training.sheet import restoration_sheet

    network = load_network(weights)
    public = [portrait for portrait in read_manifest(data, HELD_OUT) if portrait.kind != "staff"]
    some = read_faces(data, public[:: max(1, len(public) // faces)][:faces], network.size)  # type: ignore[attr-defined]
    Image.fromarray(restoration_sheet(network, some, (1.5, 3.0, 4.0, 6.0))).save(out)
    typer.echo(f"{out}: damaged and restored at factors 1.5, 3, 4 and 6, then the original")


def _print_report(report: TrainingReport[RestorationRow]) -> None:
    gains = "  ".join(
        f"f{row.factor:g} {row.restored.psnr - row.damaged.psnr:+.2f} dB" for row in report.rows
    )
    typer.echo(
        f"step {report.step}  loss {report.loss:.4f}  {report.pictures_per_second:.1f} pictures/s  {gains}"
    )


def _table(rows: list[RestorationRow]) -> Table:
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


def _main() -> None:
    """Runs the command; a GpenError is printed as one line instead of a traceback."""
    try:
        app()
    except GpenError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    _main()
