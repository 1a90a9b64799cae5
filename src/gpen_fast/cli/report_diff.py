"""`gpen-fast report diff`: whether one set of reports is slower than another."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gpen_fast import __version__
from gpen_fast.cli.flags import ProfileOptions
from gpen_fast.cli.help import PanelledCommand, PlainGroup
from gpen_fast.cli.json_target import STANDARD_OUTPUT, JsonFile, json_target
from gpen_fast.cli.options import option
from gpen_fast.cli.percent import share_of
from gpen_fast.cli.side_files import side_file
from gpen_fast.errors import InputsError

if TYPE_CHECKING:
    from gpen_fast.measure.compare import Comparison

_FAILED = 1
_WITH = "--with"

report = typer.Typer(
    help="Work on reports that --json has written.",
    cls=PlainGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class SidesCommand(PanelledCommand):
    """A command whose --with takes every file after it, so that the shell may spread a pattern there."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts --with before each file that follows it."""
        spread: list[str] = []
        after = False
        for word in args:
            if word.startswith("-") and word != STANDARD_OUTPUT:
                after = word == _WITH
                spread += [] if after else [word]
            else:
                spread += [_WITH, word] if after else [word]
        return super().parse_args(ctx, spread)


@report.command(cls=SidesCommand)
def diff(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="OLD... [NEW]", help="Reports of profile: the old one, then the new."),
    ],
    *,
    new_files: Annotated[
        list[Path] | None,
        typer.Option(_WITH, metavar="NEW...", help="New reports, if a side has several: all files after it."),
    ] = None,
    fail_over: Annotated[str, option(ProfileOptions, "fail_over", panel=False)] = "10%",
    markdown: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the table as Markdown; - writes it to standard output."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Compare two sides of `profile`, stage by stage.

    A side is one report (made with --repeat 5, so that it holds five processes), or several:
    gpen-fast report diff old*.json --with new*.json

    Exit status: 0 no regression, 1 a stage or the whole is slower by --fail-over, 2 not comparable.
    """
    old, new = _sides(files, new_files or [])
    over = share_of("--fail-over", fail_over)
    if markdown == json_file == STANDARD_OUTPUT:
        raise InputsError("--markdown - and --json - both write to standard output: name a file for one.")
    target = json_target(json_file)
    page = None if markdown in (None, STANDARD_OUTPUT) else side_file("--markdown", Path(str(markdown)))
    from gpen_fast.cli.comparison_table import print_comparison
    from gpen_fast.measure.compare import compare_sides
    from gpen_fast.measure.comparison_text import comparison_markdown
    from gpen_fast.measure.report import Report

    made = compare_sides(
        [Report.from_json(path) for path in old], [Report.from_json(path) for path in new], fail_over=over
    )
    if markdown == STANDARD_OUTPUT:
        print(comparison_markdown(made), end="")
    else:
        with target.words_elsewhere():
            print_comparison(made)
    if page:
        from gpen_fast.files import write_file

        write_file(page, comparison_markdown(made).encode())
    target.write(_document(made))
    if made.regressions:
        raise typer.Exit(_FAILED)


def _sides(files: list[Path], new_files: list[Path]) -> tuple[list[Path], list[Path]]:
    """The files of both sides."""
    if new_files:
        return files, new_files
    if len(files) == 2:
        return files[:1], files[1:]
    raise InputsError(
        f"report diff has {len(files)} file{'s' * (len(files) != 1)} and no --with: accepted are two files, or several "
        "old ones and then --with and the new ones. Try: gpen-fast report diff old*.json --with new*.json"
    )


def _document(made: Comparison) -> dict[str, object]:
    return {
        "schema": 1,
        "command": "report diff",
        "version": __version__,
        "verdict": "regression" if made.regressions else "no_regression",
        "fail_over": made.fail_over,
        "old_processes": made.old_processes,
        "new_processes": made.new_processes,
        "disturbed": made.disturbed,
        "in_turns": made.in_turns,
        "machine": made.machine,
        "notes": made.notes,
        "regressions": [row.stage for row in made.regressions],
        "comparison": [asdict(row) for row in made.rows],
    }
