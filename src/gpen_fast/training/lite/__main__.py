"""`python -m gpen_fast.training.lite`, which needs neither OpenCV nor scikit-image to train."""

from __future__ import annotations

import sys

import typer

from gpen_fast.errors import GpenError
from gpen_fast.training.lite.commands import app

if __name__ == "__main__":
    try:
        app()
    except GpenError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
