"""The sentences that a run ends with, within 80 columns. They show a Report and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from gpen_fast.cli.device_table import device_table, idle_sentence
from gpen_fast.cli.failures import error_console, print_failure, print_notes
from gpen_fast.cli.mix_table import print_mix
from gpen_fast.cli.names import shown
from gpen_fast.cli.stage_table import enhance_table, profile_table
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import LandmarksUse, MemoryPeaks

_MIB = 2**20
# Names of one kind of input, at most, after a run; the JSON and the log have all.
_MOST_NAMES = 5
_LEFT_OUT = "--min-face, --max-face, --only-largest, --only-center or --detect-threshold"


def print_enhance(report: Report, quiet: bool, told: int = 0) -> None:
    """Prints the stage table, what ran, and what became of every input; only failures and notes if `quiet`.

    Args:
        report: The run.
        quiet: The user gave --quiet.
        told: Failures that were printed during the run: the first ones of the report.
    """
    if not quiet:
        console = Console(highlight=False)
        if any(row.count for row in report.stages):
            console.print(enhance_table(report))
            _print_rule(console, report)
        _print_devices(console, report)
        _print_what_ran(console, report)
        _print_outcomes(console, report)
    _print_backend_notes(report)
    for failed in report.failed[told:]:
        print_failure(Path(failed.path), failed.error)
    print_notes(report.notes)
    if report.not_done:
        error_console().print(
            f"interrupted: {_count(report.not_done, 'picture')} not done; run again to continue"
        )


def print_profile(report: Report) -> None:
    """Prints the stage table, wall time, memory, verdict and advice."""
    assert report.wall_ms is not None, "a profile has a wall time"
    console = Console(highlight=False)
    if report.mix:
        print_mix(console, report)
        _print_what_ran(console, report)
        _print_peaks(console, report)
    else:
        console.print(profile_table(report))
        console.print("means are per run and add up to the wall time; medians and p95 do not add up")
        _print_what_ran(console, report)
        _print_times(console, report)
    wall = report.wall_ms
    if report.verdict and report.target_fps:
        console.print(
            f"{1e3 / wall.median:.2f} frames/s: [bold]{report.verdict}[/] "
            f"(p95 against a budget of {1e3 / report.target_fps:.1f} ms at {report.target_fps:g} fps)"
        )
    if report.faces == 0:
        console.print(
            "no face was found: the network did not run. Try --skip-detect if this is an aligned face."
        )
    for line in report.advice:
        console.print(f"advice: {line}")
    _print_backend_notes(report)


def counted_inputs(skipped: int, ignored: int) -> str:
    """How many inputs a run leaves alone, and why."""
    return f"{skipped} skipped (done already), {ignored} ignored (not pictures)"


def _print_times(console: Console, report: Report) -> None:
    """What the stage table leaves out: the first run, and peak memory."""
    load_ms = report.model_load_ms
    first = f"{report.first_call_ms:.1f} ms" if report.first_call_ms is not None else "-"
    console.print(
        f"{_count(report.runs or 0, 'run')} of {_count(report.faces // max(1, report.images), 'face')} "
        f"after {report.warmup} warm-up"
    )
    console.print(
        "not in the table: "
        + ("" if load_ms is None else f"model load {load_ms:.0f} ms, ")
        + f"first run {first}"
    )
    _print_peaks(console, report)


def _print_peaks(console: Console, report: Report) -> None:
    memory = report.memory or MemoryPeaks(None, None)
    console.print(
        f"memory peak: device {_mib(memory.device_peak_bytes)}, host {_mib(memory.host_peak_bytes)}"
    )


def _print_rule(console: Console, report: Report) -> None:
    """How the table's figures add up, and how they compare with the wall time."""
    assert report.wall_ms is not None, "a run with stages has a wall time"
    first = "" if report.first_call_ms is None else f" (generate: {report.first_call_ms:.0f} ms)"
    console.print(f"all calls count, the first too{first}; rows add up to the last")
    rate = f", {report.restored_per_s:.2f} {_done_word(report)} a second" if report.restored_per_s else ""
    overlap = report.overlap_factor
    console.print(
        f"wall {report.wall_ms.mean / 1e3:.2f} s{rate}"
        + (f"; overlap {overlap:.2f}" if overlap is not None else "")
        + (f"; busiest: {report.bound_by}" if report.bound_by else "")
    )


def _print_devices(console: Console, report: Report) -> None:
    """What each device did, and what the network waited for."""
    if report.devices:
        console.print(device_table(report))
        console.print(
            f"{len(report.devices)} devices, busy {(report.scaling_efficiency or 0.0):.0%} of the wall time"
        )
    for row in report.idle:
        console.print(idle_sentence(row))
    for device in report.devices:
        if device.error:
            error_console().print(
                f"{device.name} failed: {escape(device.error)} The other devices restored its pictures."
            )


def _print_what_ran(console: Console, report: Report) -> None:
    device = report.device.name if report.device else "-"
    precision = report.setting("precision")
    note = f" ({report.precision_note})" if report.precision_note else ""
    console.print(
        f"{device} | {report.setting('model')} ({report.setting('backend')}) | "
        f"detector {report.setting('detector')} | {precision}{note}"
    )
    if any(weights.random for weights in report.weights or []):
        console.print("[bold yellow]random weights: timing only[/]")
    if report.network_note:
        console.print(f"[yellow]{escape(report.network_note)}[/]")
    for better in report.better:
        if better.kind == "model":
            console.print(f"[yellow]{better.ran} ran; a better model:[/] {better.command}")
    if report.redone_in_fp32:
        faces = _count(report.redone_in_fp32, "face")
        console.print(f"{faces} redone in fp32: half precision produced an invalid result")
    for better in report.better:
        if better.kind == "detector":
            console.print(f"[yellow]detector {better.ran} ran; a better one:[/] {better.command}")
    for file in report.passed_over:
        console.print(
            f"[yellow]auto did not use {escape(file.path)}:[/] its content is not that of {file.weights}. "
            "Try: gpen-fast weights verify"
        )


def _print_outcomes(console: Console, report: Report) -> None:
    got, left_out = report.outcomes.get, len(report.left_out)
    if report.landmarks:
        _print_landmarks(console, report.landmarks)
    shut_out = f", {left_out} with all faces left out (unchanged)" if left_out else ""
    kept = f", {report.images_kept} left as found" if report.images_kept else ""
    console.print(
        f"pictures: [green]{got('restored', 0) - report.images_kept} {_done_word(report)}[/]{kept}, "
        f"{got('no_face', 0) - left_out} no face (unchanged){shut_out}, {got('failed', 0)} failed"
    )
    console.print(counted_inputs(got("skipped", 0), got("ignored", 0)))
    console.print(f"faces: {', '.join(_faces(report))}")
    shut = set(report.left_out)
    _print_names(console, "no face found in", [path for path in report.no_face if path not in shut])
    _print_names(console, "all faces left out in", report.left_out)
    _print_names(console, "not a picture", report.ignored)


def _done_word(report: Report) -> str:
    """What the network did to faces, in one word: a network of this project's own does not restore as GPEN does."""
    return "cleaned" if report.network_note else "restored"


def _faces(report: Report) -> Iterator[str]:
    """What became of the faces."""
    yield f"{report.faces - report.faces_kept} {_done_word(report)}"
    if report.faces_kept:
        yield f"{report.faces_kept} left as found (the network's result is no better; --keep-detail 0 uses it)"
    if report.faces_left_out:
        yield f"{report.faces_left_out} left out by {_LEFT_OUT}"


def _print_names(console: Console, what: str, paths: list[str]) -> None:
    """Names the first inputs of a kind, one a line: a path is never cut."""
    if not paths:
        return
    console.print(f"{what}:")
    for path in paths[:_MOST_NAMES]:
        console.print(f"  {escape(shown(Path(path)))}", soft_wrap=True)
    if len(paths) > _MOST_NAMES:
        console.print(f"  and {len(paths) - _MOST_NAMES} more: --json and --log name all")


def _print_landmarks(console: Console, use: LandmarksUse) -> None:
    if use.file is not None:
        file = escape(use.file)
        told = (
            f"{use.used} from {file}, {use.searched} searched"
            if use.searched
            else f"all {use.used} from {file}, none searched"
        )
        console.print(f"landmarks: {told}", soft_wrap=True)
        if use.searched_otherwise:
            console.print(
                f"{use.searched_otherwise} searched again: the file has them by another detector, size or threshold"
            )
        if use.of_no_picture:
            console.print(f"{_count(use.of_no_picture, 'entry', 'entries')} matched no input")
    if use.saved_to is not None:
        pictures = _count(use.saved or 0, "picture")
        console.print(f"landmarks of {pictures} saved to {escape(use.saved_to)}", soft_wrap=True)


def _print_backend_notes(report: Report) -> None:
    for note in report.backend_notes:
        error_console().print(f"[yellow]note[/] {report.setting('backend')}: {escape(note)}")


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def _mib(size: int | None) -> str:
    return "-" if size is None else f"{size / _MIB:.0f} MiB"
