"""`gpen-fast doctor`: what this machine can do, what is missing, and which command repairs it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import typer

from gpen_fast import __version__
from gpen_fast.cli.json_target import JsonFile, json_target
from gpen_fast.cli.options import with_options
from gpen_fast.settings import GenerateOptions, WeightsOptions

if TYPE_CHECKING:
    from rich.console import Console

    from gpen_fast.doctor.findings import Finding

_FAILED = 1
_NAME, _STATE = 24, 8
_COLOURS = {"ok": "green", "absent": "dim", "broken": "red"}


@with_options(
    without={
        "precision",
        "devices",
        "backend",
        "batch_size",
        "model",
        "weights",
        "offline",
        "deterministic",
    },
    panels=False,
)
def doctor(
    generate: GenerateOptions,
    weights: WeightsOptions,
    *,
    json_file: JsonFile = None,
) -> None:
    """Try device, precisions, packages, weights and codecs, without the network.

    Exit status: 0 if pictures can be restored here, 1 if something necessary is missing.
    """
    from gpen_fast.doctor.examine import examine
    from gpen_fast.doctor.findings import works

    target = json_target(json_file)
    with target.words_elsewhere():
        findings = examine(generate.device, weights)
        good = works(findings)
        _print(findings, good)
        target.write(_document(findings, good))
    if not good:
        raise typer.Exit(_FAILED)


def _document(findings: list[Finding], good: bool) -> dict[str, object]:
    return {
        "schema": 1,
        "command": "doctor",
        "version": __version__,
        "verdict": "works" if good else "cannot_restore",
        "advice": list(dict.fromkeys(one.mend for one in findings if one.mend)),
        "works": good,
        "findings": [one.as_dict() for one in findings],
    }


def _print(findings: list[Finding], good: bool) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    group = None
    for one in findings:
        if one.group != group:
            group = one.group
            console.print(f"[bold]{group}[/]")
        first, *rest = _wrapped(one.text, min(console.width, 80) - _NAME - _STATE - 4)
        console.print(f"  [{_COLOURS[one.state]}]{one.state:{_STATE}}[/]{one.name:{_NAME}}  {escape(first)}")
        for line in rest:
            console.print(" " * (_NAME + _STATE + 4) + escape(line))
    _print_verdict(console, findings, good)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, except that words, and so paths, are never cut."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _print_verdict(console: Console, findings: list[Finding], good: bool) -> None:
    from rich.markup import escape

    missing = [one for one in findings if one.needed and one.state != "ok"]
    console.print(
        "\n[bold green]pictures can be restored here[/]" if good else "\n[bold red]cannot restore yet[/]"
    )
    for mend in dict.fromkeys(one.mend or one.text for one in missing):
        names = ", ".join(one.name for one in missing if (one.mend or one.text) == mend)
        console.print(f"  {names}: {escape(mend)}")
    said = {one.mend for one in missing}
    more = {one.mend: one.name for one in findings if one.mend and one.mend not in said}
    if more:
        console.print("optional")
    for mend, name in more.items():
        console.print(f"  {name}: {escape(mend)}")
    console.print("  other weights: gpen-fast weights list")
