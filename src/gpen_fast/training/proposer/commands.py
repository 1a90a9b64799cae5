"""`python -m gpen_fast.training proposer`: train, test, export."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gpen_fast.training.export import write_fp16
from gpen_fast.training.options import (
    ConfigFile,
    DataFolder,
    Device,
    JsonFile,
    Processes,
    RunFolder,
    WeightsFile,
)
from gpen_fast.training.proposer.config import read_proposer_config
from gpen_fast.training.proposer.metrics import ProposalRow, proposal_rows
from gpen_fast.training.proposer.task import ProposerTask, held_out_samples, read_proposer_state
from gpen_fast.training.run import TrainingReport, TrainingRun, train

app = typer.Typer(no_args_is_help=True, help="Train the network that proposes windows to the detector lite.")
DEFAULT = Path(__file__).parent / "proposer-lite.toml"


@app.command("train")
def _train(
    data: DataFolder,
    out: RunFolder,
    config: ConfigFile = DEFAULT,
    processes: Processes = 1,
    device: Device = "auto",
) -> None:
    """Train the proposer, or resume an interrupted run."""
    task = ProposerTask(read_proposer_config(config))
    state = train(TrainingRun(task, data, out, processes, device), _print_report)
    typer.echo(f"done: {state}")


@app.command("test")
def _test(
    weights: WeightsFile, data: DataFolder, config: ConfigFile = DEFAULT, json_file: JsonFile = None
) -> None:
    """Count proposed faces and proposals on made-up pictures of held-out portraits."""
    samples = held_out_samples(data, read_proposer_config(config))
    rows = proposal_rows(read_proposer_state(weights), samples)
    Console().print(_table(rows))
    if json_file:
        json_file.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


@app.command("export")
def _export(
    state: WeightsFile,
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    name: Annotated[str, typer.Option(help="Name of the weights.")] = "proposer-lite",
) -> None:
    """Write the averaged weights, batch normalisations folded in, as fp16 .safetensors."""
    size = write_fp16(read_proposer_state(state), out, {"name": name, "licence": "MIT"})
    typer.echo(f"{out}: {size / 1000:.0f} kB")


def _print_report(report: TrainingReport[ProposalRow]) -> None:
    rows = "  ".join(f"turned up to {row.turn}: {row.proposed:.1%} of faces" for row in report.rows)
    windows = f"  {report.rows[0].windows} windows a picture" if report.rows else ""
    typer.echo(
        f"step {report.step}  loss {report.loss:.4f}  {report.pictures_per_second:.0f} pictures/s  {rows}{windows}"
    )


def _table(rows: list[ProposalRow]) -> Table:
    table = Table("turned up to", "proposed", "windows a picture")
    for row in rows:
        table.add_row(f"{row.turn} degrees", f"{row.proposed:.1%}", f"{row.windows:.2f}")
    return table
