"""`gpen-fast video`: restore the faces in videos. PyAV is imported where it is needed, not by the other commands."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.json_target import JsonTarget, json_target
from gpen_fast.cli.options import with_options
from gpen_fast.cli.row_book import RowBook, row_book
from gpen_fast.cli.side_files import refuse_one_file, side_file
from gpen_fast.cli.table_targets import TableTargets, table_targets
from gpen_fast.cli.trace_file import check_trace, trace_file
from gpen_fast.errors import (
    GenerateError,
    InputsError,
    InstallError,
    PictureError,
    SettingsError,
    VideoError,
    reason,
)
from gpen_fast.plugins.install import OURS, absent_module
from gpen_fast.settings import Settings, VideoOptions

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report
    from gpen_fast.run.video.plan import VideoPlan

_FAILED, _INTERRUPTED = 1, 130


@with_options(without={"devices", "landmarks", "upright", "gpu_decode", "max_pixels", "skip_detect"})
def video(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Videos, folders (with their subfolders), globs, or numbered pictures such as shot_%05d.png (with "
            "--fps); then OUT: a folder, or for one input a file's name.",
        ),
    ],
    settings: Settings,
    *,
    options: VideoOptions,
    run: RunOptions,
) -> None:
    """Restore the faces in videos; sound, subtitles and everything else are copied.

    Faces are followed along the frames, so that they do not flicker. A run that is killed or interrupted is continued
    by the same command. Exit status: 0 all done, 1 some inputs failed or end early (each is named), 2 wrong usage, 130
    interrupted.
    """
    _check(paths, settings)
    target, tables = json_target(run.json_file), table_targets(run)
    with target.words_elsewhere(), tables.words_elsewhere():
        run = replace(run, log=side_file("--log", run.log), trace=side_file("--trace", run.trace))
        refuse_one_file(log=run.log, trace=run.trace, json=target.path, **tables.files)
        check_trace(None if run.dry_run else run.trace)
        status = _planned(paths, settings, options, run, target, tables)
    if status:
        raise typer.Exit(status)


def _check(paths: list[str], settings: Settings) -> None:
    if importlib.util.find_spec("av") is None:
        raise InstallError(f"video needs {absent_module('av', OURS, 'video')}")
    if len(paths) < 2:
        raise InputsError(f"{paths[0]}: missing output. Name a file or a folder after the inputs.")
    if settings.random_weights:
        raise SettingsError(
            "random weights restore nothing: video refuses them. To time this machine, use gpen-fast profile."
        )
    if settings.aligned:
        raise SettingsError(
            "video finds the faces of each frame: --detector none and --skip-detect have no meaning there. "
            "Leave them out."
        )


def _planned(
    paths: list[str],
    settings: Settings,
    options: VideoOptions,
    run: RunOptions,
    target: JsonTarget,
    tables: TableTargets,
) -> int:
    from gpen_fast.run.video.plan import plan_videos

    if options.preview:
        return _preview(paths, settings, options, run, options.preview)
    plan = plan_videos(paths[:-1], Path(paths[-1]), options)
    if run.dry_run:
        return _print_plan(plan)
    with row_book(run) as book:
        report = _run(plan, settings, options, run, book) if plan.todo else _nothing_to_do(plan, run.quiet)
        target.write(report.to_dict(), book.lines())
        tables.write(report)
    if report.verdict == "interrupted":
        return _INTERRUPTED
    return _FAILED if report.failed else 0


def _run(
    plan: VideoPlan, settings: Settings, options: VideoOptions, run: RunOptions, book: RowBook
) -> Report:
    from gpen_fast.cli.interrupt import first_interrupt_stops
    from gpen_fast.cli.opening import fetch_and_load
    from gpen_fast.cli.trial import refuse_little_memory
    from gpen_fast.cli.video_progress import FrameLines
    from gpen_fast.cli.video_table import print_video

    refuse_little_memory()
    os.environ.setdefault(
        "SVT_LOG", "1"
    )  # its AV1 encoder prints what it does, unless told to print errors only
    runtime = fetch_and_load(settings, yes=run.yes, quiet=run.quiet)
    from gpen_fast.run.video.run import run_videos

    progress = FrameLines(book, quiet=run.quiet)
    with (
        trace_file(run.trace, "video", progress.name_of) as trace,
        first_interrupt_stops(progress.stopping) as stopped,
    ):
        report = run_videos([runtime], plan, options, progress, stopped, trace.timeline)
    print_video(report, run.quiet, told=book.failed)
    return report


def _preview(paths: list[str], settings: Settings, options: VideoOptions, run: RunOptions, count: int) -> int:
    """Writes a contact sheet of one video."""
    if len(paths) != 2:
        raise InputsError(
            f"--preview takes one video and the name of a picture, and {len(paths)} names came."
        )
    from gpen_fast.cli.failures import print_failure
    from gpen_fast.cli.opening import fetch_and_load

    source, target = Path(paths[0]), Path(paths[1])
    runtime = fetch_and_load(settings, yes=run.yes, quiet=run.quiet)
    from gpen_fast.run.video.preview import write_preview

    try:
        write_preview(runtime, source, target, options, count)
    except (VideoError, PictureError, GenerateError, OSError) as error:
        print_failure(source, reason(error, source))
        return _FAILED
    return 0


def _print_plan(plan: VideoPlan) -> int:
    for item in plan.todo:
        print(f"{item.source} -> {item.target} ({item.container or 'pictures'})")
    for path, why in plan.failed:
        print(f"failed {path}: {why}")
    for path in plan.ignored:
        print(f"not a video {path}")
    print(
        f"{len(plan.todo)} to do, {len(plan.skipped)} skipped (done already), {len(plan.ignored)} ignored (not videos)"
    )
    return 0


def _nothing_to_do(plan: VideoPlan, quiet: bool) -> Report:
    from gpen_fast import __version__
    from gpen_fast.measure.report import Report
    from gpen_fast.measure.report_rows import OUTCOMES
    from gpen_fast.run.planned import failed_inputs

    if not quiet:
        print(f"nothing to do: {len(plan.skipped)} done already. --overwrite restores them again.")
    outcomes: dict[str, int] = {**dict.fromkeys(OUTCOMES, 0)}
    outcomes |= {"skipped": len(plan.skipped), "ignored": len(plan.ignored)}
    return Report(
        "video",
        __version__,
        outcomes=outcomes,
        failed=failed_inputs(plan.failed),
        ignored=[str(path) for path in plan.ignored],
        verdict="some_failed" if plan.failed else "nothing_to_do",
    )
