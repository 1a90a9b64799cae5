"""`gpen-fast enhance`: restore pictures, folders and globs into a folder or a file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.backup import print_backup
from gpen_fast.cli.consent import get_best
from gpen_fast.cli.names import shown
from gpen_fast.cli.options import Flag, RunOptions, option, with_options
from gpen_fast.cli.restart import now_ns, opened_journal, start_again
from gpen_fast.cli.side_files import landmarks_path, refuse_one_file, report_path
from gpen_fast.cli.stall import check_stall_timeout, watched
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.errors import DeviceError, InputsError, SettingsError
from gpen_fast.settings import SAME, OutputOptions, Settings, formats, suffix_of

if TYPE_CHECKING:
    from gpen_fast.run.journal.book import JournalBook
    from gpen_fast.run.plan import Plan

_FAILED, _INTERRUPTED = 1, 130
# Without the flag, OUT's name decides, and with --in-place each input's own format.
_FORMAT = Flag("NAME", accepted=formats, default="png, or as OUT is named")


@with_options(without={"format", "in_place"})
def enhance(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Pictures, folders (with their subfolders) or globs; then OUT: a folder, or a picture's name for "
            "one input file.",
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
    from gpen_fast.run.plan import plan

    _refuse_random(settings)
    check_stall_timeout(run.stall_timeout)
    report_to = report_path(run.json_file)
    if output.no_backup and not in_place:
        raise SettingsError(
            "--no-backup has no meaning without --in-place, which alone replaces originals: leave it out."
        )
    inputs, out = _split(paths, in_place)
    save_to = landmarks_path(output.save_landmarks, settings.detect)
    refuse_one_file(
        report_to, save_to, Path(settings.detect.landmarks) if settings.detect.landmarks else None
    )
    chosen = _chosen_format(format, inputs, out)
    output = replace(output, format=chosen, in_place=in_place, save_landmarks=save_to)
    if in_place:
        lift_pillow_limit()  # the plan opens the pictures to see whether they were restored before
    with opened_journal(settings, output, dry_run=run.dry_run) as journal:
        work = plan(inputs, out, output, journal)
        if run.dry_run:
            _print_plan(work)
            print_backup(work, output, sys.stdout)
            return
        if not run.quiet:
            print_backup(work, output, sys.stderr)
        status = _run(work, settings, output, run, report_to, journal)
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


def _print_plan(work: Plan) -> None:
    for item in work.todo:
        print(f"{shown(item.source)} -> {shown(item.target)}")
    for path, note in work.notes:
        print(f"note {shown(path)}: {note}")
    for path, why in work.failed:
        print(f"failed {shown(path)}: {why}")
    print(
        f"{len(work.todo)} to do, {len(work.skipped)} skipped (done already), {len(work.ignored)} ignored (no picture)"
    )


def _run(
    work: Plan,
    settings: Settings,
    output: OutputOptions,
    run: RunOptions,
    report_to: Path | None,
    journal: JournalBook,
) -> int:
    if not work.todo:
        return _nothing_to_do(work, run.quiet, report_to)
    get_best(settings.weights, run.yes)
    lift_pillow_limit()
    from gpen_fast.cli.interrupt import first_interrupt_stops
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_enhance
    from gpen_fast.measure.export.json import write_report
    from gpen_fast.run.enhance import run_enhance
    from gpen_fast.run.runtime import load_runtime

    runtime, began_ns = load_runtime(settings), now_ns()
    try:
        with (
            progress_over(len(work.todo), run.quiet) as progress,
            first_interrupt_stops(progress.stopping) as stopped,
            watched(run.stall_timeout) as watchdog,
        ):
            report = run_enhance(runtime, work, output, progress, stopped, journal=journal, watchdog=watchdog)
    except DeviceError as error:
        journal.close()
        start_again(error, began_ns)
        raise
    print_enhance(report, run.quiet)
    if report_to:
        write_report(report, report_to)
    if report.not_done and stopped.is_set():
        return _INTERRUPTED
    return _FAILED if report.failed else 0


def _nothing_to_do(work: Plan, quiet: bool, report_to: Path | None) -> int:
    if not quiet:
        print(
            f"nothing to do: {len(work.skipped)} are done already (--overwrite restores them again), "
            f"{len(work.ignored)} ignored (no picture)"
        )
    for path, note in work.notes:
        print(f"note {shown(path)}: {note}", file=sys.stderr)
    for path, why in work.failed:
        print(f"failed {shown(path)}: {why}", file=sys.stderr)
    if report_to:
        from gpen_fast.measure.export.json import write_report
        from gpen_fast.run.report import nothing_done_report

        write_report(nothing_done_report(work), report_to)
    return _FAILED if work.failed else 0
