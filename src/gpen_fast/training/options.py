"""Arguments and options that the commands of both trainings take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataFolder = Annotated[Path, typer.Option(help="Folder of aligned faces with a manifest.csv.")]
WeightsFile = Annotated[Path, typer.Argument(help="A training state or published weights.")]
RunFolder = Annotated[
    Path, typer.Option(help="Folder of the run's state and log; an unfinished run is resumed.")
]
ConfigFile = Annotated[Path, typer.Option(help="TOML file that describes the run.")]
Processes = Annotated[
    int, typer.Option(min=1, help="Processes, on a CPU only; one for each core is fastest.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the table to this JSON file.")]
