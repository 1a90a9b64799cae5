"""The tables and sentences that a run ends with, within 80 columns. They show a Report and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.names import shown
from gpen_fast.measure.advice import advise, verdict
from gpen_fast.measure.report import LandmarksUse, MemoryPeaks, Report, StageRow
from gpen_fast.measure.stats import Summary

# Characters of the bar of a stage that takes all of the time.
_BAR = 12
_MIB = 2**20
# Stages that take several pictures or faces in one call.
_MANY_IN_ONE = frozenset({"detect", "align", "crop", "generate", "paste"})


def print_enhance(report: Report, quiet: bool) -> None:
    """Prints the stage table, what ran, and what became of every input; only failures and notes if `quiet`."""
    if not quiet:
        console = Console(highlight=False)
        console.print(_enhance_table(report))
        _print_what_ran(console, report)
        _print_outcomes(console, report)
    _print_backend_notes(report)
    for told in report.notes:
        _errors().print(f"[yellow]note[/] {escape(shown(Path(told.path)))}: {escape(told.note)}")
    for failed in report.failed:
        print_failure(Path(failed.path), failed.error)
    if report.not_done:
        _errors().print(f"interrupted: {_count(report.not_done, 'picture')} not done; run again to continue")


def _print_backend_notes(report: Report) -> None:
    for note in report.backend_notes:
        _errors().print(f"[yellow]note[/] {report.setting('backend')}: {escape(note)}")


def print_failure(path: Path, cause: str) -> None:
    """Prints one line on standard error."""
    _errors().print(f"[red]failed[/] {escape(shown(path))}: {escape(cause)}")


def _errors() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)


def print_profile(report: Report, target_fps: float) -> None:
    """Prints the stage table, wall time, memory, verdict and advice."""
    console = Console(highlight=False)
    console.print(_profile_table(report))
    _print_what_ran(console, report)
    _print_times(console, report)
    wall = _wall(report)
    console.print(
        f"{1e3 / wall.median:.2f} frames/s: [bold]{verdict(wall.p95, target_fps)}[/] "
        f"(p95 against a budget of {1e3 / target_fps:.1f} ms at {target_fps:g} fps)"
    )
    if report.faces == 0:
        console.print(
            "no face was found: the network did not run. Try --skip-detect if this is an aligned face."
        )
    console.print(f"advice: {advise(report)}")
    _print_backend_notes(report)


def _print_times(console: Console, report: Report) -> None:
    """What the stage table leaves out: wall time, the first run, and peak memory."""
    wall, load_ms, memory = _wall(report), report.model_load_ms, report.memory or MemoryPeaks(None, None)
    console.print(
        f"wall: median {wall.median:.1f} ms, p95 {wall.p95:.1f}, unaccounted {report.unaccounted_ms:.2f}; "
        f"{_count(report.faces // report.images, 'face')}"
    )
    console.print(
        f"{_count(report.runs or 0, 'run')} after {report.warmup} warm-up; apart: "
        + ("" if load_ms is None else f"model load {load_ms:.0f} ms, ")
        + f"first call {report.first_call_ms:.1f} ms"
    )
    console.print(
        f"memory peak: device {_mib(memory.device_peak_bytes)}, host {_mib(memory.host_peak_bytes)}"
    )


def _enhance_table(report: Report) -> Table:
    table = _table("stage", "count", "device ms", "host ms", "share")
    for row in report.stages:
        if row.skipped:
            table.add_row(row.name, "skipped", "", "", "")
            continue
        table.add_row(row.name, _calls(row), _ms(row.device_ms), _ms(row.host_ms), _bar(row.share))
    return table


def _profile_table(report: Report) -> Table:
    table = _table("stage", "device ms", "mean ms", "median", "p95", "share")
    for row in report.stages:
        if row.skipped or row.host_ms is None:
            table.add_row(row.name, "skipped" if row.skipped else "-", "", "", "", "")
            continue
        host = row.host_ms
        times = (f"{value:.2f}" for value in (host.mean, host.median, host.p95))
        table.add_row(row.name, _ms(row.device_ms), *times, _bar(row.share))
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, style="cyan")
    for name in columns:
        table.add_column(name, justify="left" if name == "share" else "right", no_wrap=True)
    return table


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
            f"[yellow]auto passed over {escape(file.path)}:[/] it is not the {file.weights} that is expected. "
            "Try: gpen-fast weights verify"
        )


def _print_outcomes(console: Console, report: Report) -> None:
    wall = _wall(report).mean
    console.print(
        f"wall {wall / 1e3:.2f} s, {report.throughput_per_s:.2f} images/s, {_count(report.faces, 'face')}; "
        f"overlap {report.overlap_factor or 0:.2f}; busiest: {report.bound_by or 'none'}"
    )
    if report.first_call_ms is not None:
        console.print(f"first call of generate {report.first_call_ms:.1f} ms, apart from the means above")
    if report.landmarks:
        _print_landmarks(console, report.landmarks)
    if report.faces_kept:
        console.print(
            f"{report.faces_kept} of {_count(report.faces, 'face')} left as found: the network's result is no better. "
            "--keep-detail 0 uses it all the same."
        )
    got = report.outcomes.get
    console.print(
        f"[green]{got('restored', 0)} restored[/], {got('no_face', 0)} no face (copied through), "
        f"{got('failed', 0)} failed"
    )
    console.print(
        f"left alone: {got('skipped', 0)} skipped (done already), {got('ignored', 0)} ignored (no picture)"
    )


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


def _wall(report: Report) -> Summary:
    assert report.wall_ms is not None, "a run that had nothing to do has no table"
    return report.wall_ms


def _calls(row: StageRow) -> str:
    """The number of calls, and of the pictures or faces in them where that differs."""
    one_each = row.items == row.count or row.name not in _MANY_IN_ONE
    return str(row.count) if one_each else f"{row.items} in {row.count}"


def _ms(summary: Summary | None) -> str:
    return "-" if summary is None else f"{summary.mean:.2f}"


def _bar(share: float) -> str:
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    return f"{share:6.1%} " + block * round(share * _BAR)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def _mib(size: int | None) -> str:
    return "-" if size is None else f"{size / _MIB:.0f} MiB"
