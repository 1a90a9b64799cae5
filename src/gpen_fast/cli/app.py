"""The command line's entry point."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from gpen_fast import __version__
from gpen_fast.cli.compare import compare
from gpen_fast.cli.doctor import doctor
from gpen_fast.cli.enhance import enhance
from gpen_fast.cli.explain import explained
from gpen_fast.cli.help import PanelledCommand, PlainGroup
from gpen_fast.cli.live import live
from gpen_fast.cli.profile import profile
from gpen_fast.cli.report_diff import report
from gpen_fast.cli.streams import tolerant_streams
from gpen_fast.cli.undo import undo
from gpen_fast.cli.video import video
from gpen_fast.cli.weights import weights
from gpen_fast.device.opencv import silence_log
from gpen_fast.errors import GpenError

_CANNOT_RUN = 2

app = typer.Typer(
    help="Restore faces in photographs with GPEN, every stage timed.",
    no_args_is_help=True,
    cls=PlainGroup,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=PanelledCommand)(enhance)
app.command(cls=PanelledCommand)(profile)
app.command(cls=PanelledCommand)(compare)
app.command(cls=PanelledCommand)(video)
app.command(cls=PanelledCommand)(live)
app.command(cls=PanelledCommand)(undo)
app.command(cls=PanelledCommand)(doctor)
app.add_typer(weights, name="weights")
app.add_typer(report, name="report")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"gpen-fast {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None: ...


def main() -> None:
    """Runs the command that `sys.argv` names, and exits if it does not end well.

    Raises:
        SystemExit: 1 if some inputs failed or standard output was lost, 2 for wrong usage and for a machine on which
            the command cannot start, 130 if the user interrupted a run. `cli.start` answers an interrupt outside one.
    """
    # Pillow's warnings are about metadata; a picture that cannot be read raises an error.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # OpenCV prints its own message on a damaged TIFF, beside ours that names the file. It reads this on import.
    silence_log()
    with tolerant_streams():
        _run()


def _run() -> None:
    try:
        app()
    except GpenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(_CANNOT_RUN)
    except Exception as error:  # those that are not explained are raised again
        line = explained(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        sys.exit(_CANNOT_RUN)
