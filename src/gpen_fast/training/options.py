"""Arguments that the commands of both networks take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option(help="Folder of aligned faces with a manifest.csv.")]
Weights = Annotated[Path, typer.Argument(help="A training state or published weights.")]
RunFolder = Annotated[Path, typer.Option(help="Folder of the run: state, log. A run there goes on.")]
Config = Annotated[Path, typer.Option(help="The run's figures.")]
Processes = Annotated[int, typer.Option(min=1, help="On a CPU: one a core.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures.")]
