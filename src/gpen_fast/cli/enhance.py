"""`gpen-fast enhance`: restore pictures, folders and globs into a folder or a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import Flag, RunOptions
from gpen_fast.cli.json_target import STANDARD_OUTPUT, json_target
from gpen_fast.cli.options import option, with_options
from gpen_fast.cli.piped import to_standard_output
from gpen_fast.cli.restart import opened_journal
from gpen_fast.cli.row_book import row_book
from gpen_fast.cli.run_plan import run_plan
from gpen_fast.cli.side_files import landmarks_path, refuse_one_file, side_file
from gpen_fast.cli.table_targets import table_targets
from gpen_fast.cli.trace_file import check_trace
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.errors import InputsError, SettingsError
from gpen_fast.settings import SAME, OutputOptions, Settings, formats, suffix_of

if TYPE_CHECKING:
    from gpen_fast.run.runtime import Runtime

# Without the flag, OUT's name decides, and with --in-place each input's own format.
_FORMAT = Flag("NAME", accepted=formats, default="png, or as OUT is named")


@with_options(without={"format", "in_place"})
def enhance(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Pictures, folders (with their subfolders) or globs; then OUT: a folder, or for one input file a "
            "picture's name, or - for PNG to standard output.",
        ),
    ],
    settings: Settings,
    *,
    format: Annotated[str | None, option(OutputOptions, "format", flag=_FORMAT)] = None,
    in_place: Annotated[bool, option(OutputOptions, "in_place")] = False,
    output: OutputOptions,
    run: RunOptions,
) -> None:
    """Restore the faces in pictures, folders and globs.

    Exit status: 0 all done, 1 some inputs failed (each is named), 2 wrong usage,
    130 interrupted: finished results are kept; the next run continues after them.
    """
    if paths[-1] == STANDARD_OUTPUT and not in_place:
        sides = {"--json": run.json_file, "--csv": run.csv, "--markdown": run.markdown}
        for flag, name in sides.items():
            if name == STANDARD_OUTPUT:
                raise SettingsError(
                    f"the output - and {flag} - both mean standard output: name a file for one of them."
                )
        with to_standard_output(paths[:-1], format, output) as target:
            _enhance([*paths[:-1], target], settings, None, False, output, run)
    else:
        _enhance(paths, settings, format, in_place, output, run)


def _enhance(
    paths: list[str],
    settings: Settings,
    format: str | None,
    in_place: bool,
    output: OutputOptions,
    run: RunOptions,
) -> None:
    from gpen_fast.cli.opening import fetch_and_load
    from gpen_fast.run.journal.keys import SettingsKeys
    from gpen_fast.run.plan import plan

    def opened() -> Runtime:
        return fetch_and_load(settings, yes=run.yes, quiet=run.quiet)

    target, tables = json_target(run.json_file), table_targets(run)
    with target.words_elsewhere(), tables.words_elsewhere():
        _refuse_random(settings)
        if output.no_backup and not in_place:
            raise SettingsError(
                "--no-backup has no meaning without --in-place, which alone replaces originals: leave it out."
            )
        if in_place and settings.paste.upright:
            raise SettingsError(
                "--upright changes the shape of pictures, which --in-place would replace: name an output folder."
            )
        inputs, out = _split(paths, in_place)
        save_to = landmarks_path(output.save_landmarks, settings.detect)
        run = replace(run, log=side_file("--log", run.log), trace=side_file("--trace", run.trace))
        refuse_one_file(
            landmarks=Path(settings.detect.landmarks) if settings.detect.landmarks else None,
            save_landmarks=save_to,
            log=run.log,
            trace=run.trace,
            json=target.path,
            **tables.files,
        )
        check_trace(None if run.dry_run else run.trace)
        chosen = _chosen_format(format, inputs, out)
        output = replace(output, format=chosen, in_place=in_place, save_landmarks=save_to)
        if in_place:
            lift_pillow_limit()  # the plan opens the pictures to see whether they were restored before
        keys = SettingsKeys(
            output,
            weights=settings.weights,
            detect=settings.detect,
            generate=settings.generate,
            load=settings.load,
            paste=settings.paste,
        )
        with opened_journal(keys, output, dry_run=run.dry_run) as journal:
            work = plan(inputs, out, output, journal)
            with row_book(run) as book:
                status = run_plan(work, opened, output, run, book, target, tables, journal)
    if status:
        raise typer.Exit(status)


def _chosen_format(format: str | None, inputs: list[str], out: Path | None) -> str:
    """The format that --format names, or OUT if it is a picture's name; else PNG, or same with --in-place."""
    from gpen_fast.run.plan import is_one_file
    from gpen_fast.run.walk import expanded

    wanted = None if format is None else suffix_of(Path(f"name.{format}"))
    named = suffix_of(out) if out and is_one_file(expanded(inputs, out), out) else None
    if named and wanted not in (None, SAME, named):
        raise SettingsError(
            f"--format {format} and the output name {out} contradict each other: leave one out."
        )
    return wanted or named or ("png" if out else SAME)


def _split(paths: list[str], in_place: bool) -> tuple[list[str], Path | None]:
    """The inputs, and the output: None with --in-place."""
    if in_place:
        return paths, None
    if len(paths) < 2:
        raise InputsError(
            f"{paths[0]}: missing output. Name a folder after the inputs, or use --in-place to replace the inputs."
        )
    return paths[:-1], Path(paths[-1])


def _refuse_random(settings: Settings) -> None:
    if settings.random_weights:
        raise SettingsError(
            "random weights restore nothing: enhance refuses them. To time this machine, use gpen-fast profile."
        )
