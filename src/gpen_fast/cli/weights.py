"""`gpen-fast weights`: list, pull, verify, import, path."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from gpen_fast.cli.help import PanelledCommand, PlainGroup
from gpen_fast.cli.options import RunOptions, option, with_options
from gpen_fast.errors import GpenError, SettingsError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store.catalog import CatalogEntry, catalog, entry

_FAILED = 1

weights = typer.Typer(
    help="List, fetch, verify and import weights.",
    cls=PlainGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _known_names() -> list[str]:
    return list(catalog())


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME...", help="As `gpen-fast weights list` shows it.", autocompletion=_known_names
    ),
]
# The commands that only look at files take no flag but --weights-dir.
_with_folder = with_options(without={"model", "weights", "offline"}, panels=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@weights.command("list", cls=PanelledCommand)
@_with_folder
def list_weights(options: WeightsOptions, *, as_json: AsJson = False) -> None:
    """List every known file: present or missing, where, verified or not, size and licence."""
    from gpen_fast.cli.weights_table import print_list
    from gpen_fast.store.folders import search_places
    from gpen_fast.store.status import statuses

    found = statuses(options)
    if as_json:
        folders = [
            {"why": place.why, "path": str(place.path) if place.path else None}
            for place in search_places(options)
        ]
        print(
            json.dumps(
                {"schema": 1, "folders": folders, "weights": [one.as_dict() for one in found]}, indent=2
            )
        )
        return
    print_list(found, search_places(options))


@weights.command("pull", cls=PanelledCommand)
@with_options(without={"model", "weights"}, panels=False)
def pull_weights(
    options: WeightsOptions,
    *,
    names: Names = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Fetch every file that has a public address.")
    ] = False,
    yes: Annotated[bool, option(RunOptions, "yes", panel=False)] = False,
    again: Annotated[bool, typer.Option("--again", help="Fetch a file even if it is present.")] = False,
    repin: Annotated[
        bool,
        typer.Option("--repin", help="Accept a file that differs from the one that was pinned."),
    ] = False,
) -> None:
    """Fetch weights, and verify them by their hash.

    An interrupted download is resumed. Where no hash is published, the hash of
    the first download is pinned, and later ones must have the same.
    GPEN_FAST_MIRROR names other addresses.

    Exit status: 0 all are present, 1 some are not (each is named).
    """
    chosen = _chosen(names, everything)
    failed = [known for known in chosen if not _pull_one(known, options, yes, again, repin)]
    if failed:
        raise typer.Exit(_FAILED)


def _chosen(names: list[str] | None, everything: bool) -> list[CatalogEntry]:
    if bool(names) == everything:
        raise SettingsError("pull takes names, or --all. Known names: gpen-fast weights list")
    if everything:
        return [known for known in catalog().values() if known.sources]
    return [entry(name) for name in dict.fromkeys(names or [])]


def _pull_one(known: CatalogEntry, options: WeightsOptions, yes: bool, again: bool, repin: bool) -> bool:
    """Whether the file is present in the end; prints the result or the failure."""
    from gpen_fast.cli.consent import agreed
    from gpen_fast.cli.fetching import bar_for, interruptible
    from gpen_fast.store.folders import is_offline
    from gpen_fast.store.locate import copies
    from gpen_fast.store.pull import pull

    wanted = again or repin or not any(copy.usable for copy in copies(known, options))
    try:
        consent = not wanted or is_offline(options) or not known.sources or agreed(known, options, yes)
        if not consent:
            print(
                f"failed: {known.name}: licence not accepted. To accept it: {known.get_it} --yes",
                file=sys.stderr,
            )
            return False
        with interruptible(), bar_for(known.name) as bar:
            done = pull(known.name, options, accept_licence=True, again=again, repin=repin, progress=bar)
    except GpenError as error:
        print(f"failed: {error}", file=sys.stderr)
        return False
    fetched = "fetched and verified" if known.sha256 else "fetched, its contents checked, and its hash pinned"
    print(f"{known.name}: {fetched if done.fetched else 'already present'}\n  {done.path}")
    return True


@weights.command(cls=PanelledCommand)
@_with_folder
def verify(options: WeightsOptions, *, names: Names = None) -> None:
    """Read every file that is present and compare its hash.

    Exit status: 0 all hashes match, 1 some differ, or a named file is missing.
    """
    from gpen_fast.cli.weights_table import print_verify
    from gpen_fast.store.status import statuses

    wrong = print_verify(statuses(options, names, fresh=True), asked=bool(names))
    if wrong:
        raise typer.Exit(_FAILED)


@weights.command("import", cls=PanelledCommand)
@_with_folder
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A weights file.")],
    options: WeightsOptions,
    *,
    trust: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Take the file for NAME if neither its hash nor its shapes identify it.",
            autocompletion=_known_names,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another file of that name.")
    ] = False,
) -> None:
    """Copy a file of your own into the weights folder.

    It is identified by its hash, or by the shapes of its tensors; its hash is recorded.
    """
    from gpen_fast.store.importing import import_file

    done = import_file(file, options, trust=trust, overwrite=overwrite)
    how = {"hash": "by its hash", "tensors": "by its tensors' shapes", "trust": "by --trust"}[done.how]
    print(f"{done.name}, identified {how}\n  sha256 {done.sha256}")
    print(f"  {done.path}{'' if done.copied else ' (already present)'}")


@weights.command(cls=PanelledCommand)
@_with_folder
def path(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As `gpen-fast weights list` shows it.", autocompletion=_known_names
        ),
    ],
    options: WeightsOptions,
) -> None:
    """Print a file's path, and nothing else."""
    from gpen_fast.store.locate import required

    print(required(name, options).absolute())
