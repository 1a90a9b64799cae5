"""What `enhance` does with its plan: print it, or run it from the first word to the summary."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from gpen_fast import __version__
from gpen_fast.cli.backup import print_backup
from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.json_target import JsonTarget
from gpen_fast.cli.names import shown
from gpen_fast.cli.restart import now_ns, start_again
from gpen_fast.cli.row_book import RowBook
from gpen_fast.cli.stall import watched
from gpen_fast.cli.table_targets import TableTargets
from gpen_fast.cli.trace_file import trace_file
from gpen_fast.cli.trial import refuse_little_memory
from gpen_fast.device.pillow import lift_pillow_limit
from gpen_fast.errors import DeviceError
from gpen_fast.settings import OutputOptions

if TYPE_CHECKING:
    from gpen_fast.cli.progress import RunProgress
    from gpen_fast.measure.report import Report
    from gpen_fast.measure.report_rows import PictureRow
    from gpen_fast.run.journal.book import JournalBook
    from gpen_fast.run.plan import Plan
    from gpen_fast.run.runtime import Runtime

_FAILED, _INTERRUPTED = 1, 130


def run_plan(
    work: Plan,
    opened: Callable[[], Runtime],
    output: OutputOptions,
    run: RunOptions,
    book: RowBook,
    target: JsonTarget,
    tables: TableTargets,
    journal: JournalBook,
) -> int:
    """Runs the plan, or prints it with --dry-run.

    Args:
        work: What is to be done.
        opened: Opens what the run works with; called where there is something to do.
        output: How results are written.
        run: What else the user asked for.
        book: Takes the row of each input.
        target: Where the JSON goes.
        tables: Where tables of the stages go.
        journal: Records what becomes of each picture.

    Returns:
        The exit status: 0, 1 where an input failed, 130 where the run was interrupted.
    """
    from gpen_fast.run.planned import planned_rows, undone_rows

    for row in planned_rows(work):
        book.add(row)
    if run.dry_run:
        report = _planned(work, output)
    elif not work.todo:
        report = _nothing_to_do(work, run.quiet)
    else:
        report = _run(work, opened, output, run, book, journal)
    if book.log:
        book.log.remark(_ending(report))
    book.add_undone(undone_rows(work, len(work.todo) - report.not_done))
    target.write(report.to_dict(), book.lines())
    tables.write(report)
    if run.dry_run:
        return 0
    if report.verdict == "interrupted":
        return _INTERRUPTED
    return _FAILED if report.failed or any(device.error for device in report.devices) else 0


class _Told:
    """Hands the row of each picture to the book, then to the progress."""

    def __init__(self, book: RowBook, progress: RunProgress) -> None:
        self._book = book
        self._progress = progress

    def advance(self, row: PictureRow) -> None:
        """One picture has come to its end, restored or not."""
        self._book.add(row)
        self._progress.advance(row)


def _run(
    work: Plan,
    opened: Callable[[], Runtime],
    output: OutputOptions,
    run: RunOptions,
    book: RowBook,
    journal: JournalBook,
) -> Report:
    from gpen_fast.cli.interrupt import first_interrupt_stops
    from gpen_fast.cli.progress import progress_over
    from gpen_fast.cli.table import print_enhance

    _print_start(work, run.quiet)
    if not run.quiet:
        print_backup(work, output, sys.stderr)
    runtime = _loaded(opened, book)
    from gpen_fast.run.enhance import Watchers, run_enhance
    from gpen_fast.run.runtime import runtimes_beside

    beside = runtimes_beside(runtime)
    began_ns = now_ns()
    try:
        with (
            progress_over(len(work.todo), run.quiet) as progress,
            first_interrupt_stops(progress.stopping) as stopped,
            trace_file(run.trace, "enhance", lambda index: str(work.todo[index].source)) as trace,
            watched(output.stall_timeout, trace.close) as watchdog,
        ):
            report = run_enhance(
                runtime,
                work,
                output,
                _Told(book, progress),
                stopped,
                beside=beside,
                journal=journal,
                watchers=Watchers(watchdog, trace.timeline),
            )
    except DeviceError as error:
        journal.close()
        start_again(error, began_ns)
        raise
    print_enhance(report, run.quiet, told=book.failed)
    sys.stdout.flush()
    return report


def _print_start(work: Plan, quiet: bool) -> None:
    """The first line of a log, and what failed before any work."""
    from gpen_fast.cli.failures import error_console, print_failure
    from gpen_fast.cli.table import counted_inputs

    console = error_console()
    if not quiet and not console.is_terminal:
        now = datetime.now().astimezone()
        todo = "1 picture" if len(work.todo) == 1 else f"{len(work.todo)} pictures"
        console.print(f"{now:%Y-%m-%d %H:%M:%S} gpen-fast {__version__}: {todo} to do")
        console.print(counted_inputs(len(work.skipped), len(work.ignored)))
    for path, why in work.failed:
        print_failure(path, why)


def _loaded(opened: Callable[[], Runtime], book: RowBook) -> Runtime:
    refuse_little_memory()
    lift_pillow_limit()
    runtime = opened()
    if book.log:
        book.log.remark(f"gpen-fast {__version__} | {runtime.summary}")
        if runtime.network_note:
            book.log.remark(runtime.network_note)
    return runtime


def _planned(work: Plan, output: OutputOptions) -> Report:
    from gpen_fast.cli.table import counted_inputs
    from gpen_fast.run.planned import nothing_done_report
    from gpen_fast.run.transparent import note_transparent

    note_transparent(work, output)
    for item in work.todo:
        print(f"{shown(item.source)} -> {shown(item.target)}")
    for path, note in work.notes:
        print(f"note {shown(path)}: {note}")
    for path, why in work.failed:
        print(f"failed {shown(path)}: {why}")
    for path in work.ignored:
        print(f"not a picture {shown(path)}")
    print(f"{len(work.todo)} to do, {counted_inputs(len(work.skipped), len(work.ignored))}")
    print_backup(work, output, sys.stdout)
    return nothing_done_report(work, dry_run=True)


def _nothing_to_do(work: Plan, quiet: bool) -> Report:
    from gpen_fast.cli.failures import print_failure, print_notes
    from gpen_fast.cli.table import counted_inputs
    from gpen_fast.run.planned import nothing_done_report

    report = nothing_done_report(work)
    if not quiet:
        print(f"nothing to do: {counted_inputs(len(work.skipped), len(work.ignored))}")
        if work.skipped:
            print("--overwrite restores again what is done already")
    print_notes(report.notes)
    for path, why in work.failed:
        print_failure(path, why)
    return report


def _ending(report: Report) -> str:
    """The end of the log's text: how many inputs came to which end."""
    counts = ", ".join(f"{count} {name}" for name, count in report.outcomes.items() if count)
    undone = f", {report.not_done} not done" if report.not_done else ""
    return f"{report.verdict}: {counts or 'nothing'}{undone}"
