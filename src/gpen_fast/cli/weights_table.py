"""The state of weights, printed within 80 columns; only a path may be longer, since it is never cut."""

from __future__ import annotations

import textwrap

from rich.console import Console
from rich.markup import escape

from gpen_fast.store.catalog import KINDS, CatalogEntry
from gpen_fast.store.folders import SearchPlace
from gpen_fast.store.locate import Copy
from gpen_fast.store.status import Status, state_of

_COLOURS = {"verified": "green", "WRONG": "red", "NOT": "red", "partly": "yellow", "missing": "yellow"}
# Stands for the accepted hashes of a file that has none published and none pinned.
_NONE_KNOWN = "none; if you trust the file: gpen-fast weights import --trust"
_HEADINGS = {"landmarks": "landmark networks"}


def print_list(found: list[Status], places: list[SearchPlace]) -> None:
    """Prints the table, each file's path, the folders in search order, the licences, and what to run next."""
    console = Console(highlight=False, soft_wrap=True)
    for line in _table(found):
        console.print(line)
    _print_copies(console, found)
    console.print("\n[bold]searched, in this order[/]")
    for number, place in enumerate(places, 1):
        console.print(f"  {number} {place.why + ':':18} {escape(str(place))}")
    console.print("\n[bold]licences[/]")
    for licence in dict.fromkeys(one.entry.licence for one in found):
        text = f"{licence.short}: {licence.sentence}"
        for line in textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    "):
            console.print(escape(line))
    console.print("\nfetch one:           gpen-fast weights pull NAME")
    console.print("use your own file:   gpen-fast weights import FILE")


def _table(found: list[Status]) -> list[str]:
    name = max(len(one.entry.name) for one in found)
    rows = [f"[bold]  {'name':{name}}  {'size':>7}  {'state':21}  licence[/]"]
    kind = None
    for one in sorted(found, key=lambda one: KINDS.index(one.entry.kind)):
        known = one.entry
        if known.kind != kind:
            kind = known.kind
            rows.append(_HEADINGS.get(kind, f"{kind}s"))
        state = f"{one.state:21}"
        colour = _COLOURS.get(one.state.split()[0])
        rows.append(
            f"  [cyan]{known.name:{name}}[/]  {_size(one):>7}  "
            + (f"[{colour}]{state}[/]" if colour else state)
            + f"  {known.licence.short}"
        )
    return rows


def _size(one: Status) -> str:
    return _shown(one.used.path.stat().st_size) if one.used and not one.entry.size else one.entry.shown_size


def _shown(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1_000_000 else f"{size / 1000:.0f} kB"


def _print_copies(console: Console, found: list[Status]) -> None:
    here = [one for one in found if one.copies or one.partial]
    if here:
        console.print("\n[bold]present[/]")
    for one in here:
        for copy in one.copies:
            used = (
                ""
                if copy is one.used
                else f"  ({state_of(copy) if not copy.usable else 'not used: another was found first'})"
            )
            console.print(f"  {one.entry.name}: {escape(str(copy.path.absolute()))}{used}")
        if one.partial:
            console.print(f"  {one.entry.name}: {_shown(one.partial)} fetched; pull resumes it")


def print_verify(found: list[Status], asked: bool) -> int:
    """Prints the result for each file.

    Args:
        found: The files.
        asked: The user named them, so a missing one counts as wrong.

    Returns:
        How many are wrong.
    """
    console = Console(highlight=False, soft_wrap=True)
    wrong = 0
    for one in found:
        for copy in one.copies:
            wrong += not copy.usable
            _print_checked(console, one.entry, copy)
        if not one.copies and asked:
            wrong += 1
            console.print(f"[red]missing[/]  {one.entry.name}: {one.entry.get_it}")
    if not any(one.copies for one in found) and not asked:
        console.print("no weights are present. Known names: gpen-fast weights list")
    return wrong


def _print_checked(console: Console, known: CatalogEntry, copy: Copy) -> None:
    word = (
        "[green]right[/]" if copy.verified else "[yellow]no hash known[/]" if copy.usable else "[red]WRONG[/]"
    )
    console.print(f"{word}  {known.name}: {escape(str(copy.path.absolute()))}")
    console.print(f"  sha256   {copy.hash.sha256}")
    if not copy.usable:
        console.print(f"  accepted {' or '.join(copy.accepted) or _NONE_KNOWN}")
        console.print(f"  get it   {known.get_it}{' --again' if known.sources else ''}")
