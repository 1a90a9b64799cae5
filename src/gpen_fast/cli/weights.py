"""`gpen-fast weights`: list, pull, verify, import, path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.help import PanelledCommand, PlainGroup
from gpen_fast.cli.json_target import JsonFile, json_target
from gpen_fast.cli.options import option, with_options
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


@weights.command("list", cls=PanelledCommand)
@_with_folder
def list_weights(options: WeightsOptions, *, json_file: JsonFile = None) -> None:
    """List every known file: present or missing, where, verified or not, size and licence."""
    from gpen_fast.cli.weights_document import weights_document
    from gpen_fast.cli.weights_table import print_list
    from gpen_fast.store.folders import search_places
    from gpen_fast.store.status import statuses

    target = json_target(json_file)
    with target.words_elsewhere():
        found = statuses(options)
        print_list(found, search_places(options))
        target.write(weights_document("list", found, options))


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
    json_file: JsonFile = None,
) -> None:
    """Fetch weights, and verify them by their hash.

    An interrupted download is resumed. Where no hash is published, the hash of
    the first download is pinned, and later ones must have the same.
    GPEN_FAST_MIRROR names other addresses.

    Exit status: 0 all are present, 1 some are not (each is named).
    """
    from gpen_fast.cli.weights_document import weights_document
    from gpen_fast.store.status import statuses

    target = json_target(json_file)
    with target.words_elsewhere():
        chosen = _chosen(names, everything)
        why = {known.name: _pull_one(known, options, yes, again, repin) for known in chosen}
        failed = {name: error for name, error in why.items() if error}
        if target.wanted:
            target.write(weights_document("pull", statuses(options, [*why]), options, failed))
    if failed:
        raise typer.Exit(_FAILED)


def _chosen(names: list[str] | None, everything: bool) -> list[CatalogEntry]:
    if bool(names) == everything:
        raise SettingsError("pull takes names, or --all. Known names: gpen-fast weights list")
    if everything:
        return [known for known in catalog().values() if known.sources]
    return [entry(name) for name in dict.fromkeys(names or [])]


def _pull_one(known: CatalogEntry, options: WeightsOptions, yes: bool, again: bool, repin: bool) -> str:
    """Why the file is not there in the end, "" if it is; prints that or the result."""
    from gpen_fast.cli.consent import agreed
    from gpen_fast.cli.fetching import bar_for, interruptible
    from gpen_fast.store.folders import is_offline
    from gpen_fast.store.locate import copies
    from gpen_fast.store.pull import pull

    wanted = again or repin or not any(copy.usable for copy in copies(known, options))
    try:
        consent = not wanted or is_offline(options) or not known.sources or agreed(known, options, yes)
        if not consent:
            why = f"{known.name}: licence not accepted. To accept it: {known.get_it} --yes"
            print(f"failed: {why}", file=sys.stderr)
            return why
        with interruptible(), bar_for(known.name) as bar:
            done = pull(known.name, options, accept_licence=True, again=again, repin=repin, progress=bar)
    except GpenError as error:
        print(f"failed: {error}", file=sys.stderr)
        return str(error)
    fetched = "fetched and verified" if known.sha256 else "fetched, its contents checked, and its hash pinned"
    print(f"{known.name}: {fetched if done.fetched else 'already present'}\n  {done.path}")
    return ""


@weights.command(cls=PanelledCommand)
@_with_folder
def verify(options: WeightsOptions, *, names: Names = None, json_file: JsonFile = None) -> None:
    """Read every file that is present and compare its hash.

    Exit status: 0 all hashes match, 1 some differ, or a named file is missing.
    """
    from gpen_fast.cli.weights_document import weights_document
    from gpen_fast.cli.weights_table import print_verify
    from gpen_fast.store.status import statuses

    target = json_target(json_file)
    with target.words_elsewhere():
        found = statuses(options, names, fresh=True)
        wrong = print_verify(found, asked=bool(names))
        failed = {one.entry.name: one.state for one in found if one.is_wrong or (names and not one.copies)}
        target.write(weights_document("verify", found, options, failed))
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
    json_file: JsonFile = None,
) -> None:
    """Copy a file of your own into the weights folder.

    It is identified by its hash, or by the shapes of its tensors; its hash is recorded.
    """
    from gpen_fast.cli.weights_document import weights_document
    from gpen_fast.store.importing import import_file
    from gpen_fast.store.status import statuses

    target = json_target(json_file)
    with target.words_elsewhere():
        done = import_file(file, options, trust=trust, overwrite=overwrite)
        how = {"hash": "by its hash", "tensors": "by its tensors' shapes", "trust": "by --trust"}[done.how]
        print(f"{done.name}, identified {how}\n  sha256 {done.sha256}")
        print(f"  {done.path}{'' if done.copied else ' (already present)'}")
        if target.wanted:
            target.write(weights_document("import", statuses(options, [done.name]), options))


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
    *,
    json_file: JsonFile = None,
) -> None:
    """Print a file's path, and nothing else."""
    from gpen_fast.cli.weights_document import weights_document
    from gpen_fast.store.locate import required
    from gpen_fast.store.status import statuses

    target = json_target(json_file)
    with target.words_elsewhere():
        print(required(name, options).absolute())
        if target.wanted:
            target.write(weights_document("path", statuses(options, [name]), options))
