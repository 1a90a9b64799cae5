"""The tables and sentences that a run ends with, within 80 columns."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpen_fast.cli.names import shown
from gpen_fast.device.memory import peak_bytes
from gpen_fast.device.select import describe
from gpen_fast.measure.advice import advise, verdict
from gpen_fast.measure.memory import host_peak_bytes
from gpen_fast.measure.report import Report, StageRow
from gpen_fast.measure.stats import Summary
from gpen_fast.settings import Settings

_BAR = 12
_MIB = 2**20
# What `auto` is where no detector's weights were fetched.
_MANY_IN_ONE = frozenset({"detect", "align", "crop", "generate", "paste"})


def print_enhance(report: Report, quiet: bool) -> None:
    """Stage table, what ran, and what happened to every input; only the failures where `quiet`."""
    if not quiet:
        console = Console(highlight=False)
        console.print(_enhance_table(report))
        _print_what_ran(console, report)
        _print_outcomes(console, report)
    _print_backend_notes(report)
    for path, note in report.notes:
        _errors().print(f"[yellow]note[/] {escape(shown(path))}: {escape(note)}")
    for path, cause in report.failed:
        print_failure(path, cause)
    if report.not_done:
        _errors().print(f"interrupted: {_count(report.not_done, 'picture')} not done; run again to go on")


def _print_backend_notes(report: Report) -> None:
    for note in report.runtime.generator.notes:
        _errors().print(f"[yellow]note[/] {report.runtime.generator.backend.name}: {escape(note)}")


def print_failure(path: Path, cause: str) -> None:
    """One line on standard error."""
    _errors().print(f"[red]failed[/] {escape(shown(path))}: {escape(cause)}")


def _errors() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)


def print_profile(report: Report, target_fps: float) -> None:
    """Stage table, wall time, memory, verdict and advice."""
    console = Console(highlight=False)
    console.print(_profile_table(report))
    _print_what_ran(console, report)
    wall = report.wall_summary
    console.print(
        f"wall: median {wall.median:.1f} ms, p95 {wall.p95:.1f}, unaccounted {report.unaccounted_ms:.2f}; "
        f"{_count(report.faces // report.images, 'face')}"
    )
    load_ms = report.runtime.load_ms
    console.print(
        f"{_count(report.runs or 0, 'run')} after {report.warmup} warm-up; apart: "
        + ("" if load_ms is None else f"model load {load_ms:.0f} ms, ")
        + f"first call {report.first_call_ms:.1f} ms"
    )
    console.print(
        f"memory peak: device {_mib(peak_bytes(report.runtime.device))}, host {_mib(host_peak_bytes())}"
    )
    fps = 1e3 / wall.median
    console.print(
        f"{fps:.2f} frames/s: [bold]{verdict(wall.p95, target_fps)}[/] "
        f"(p95 against a budget of {1e3 / target_fps:.1f} ms at {target_fps:g} fps)"
    )
    if report.faces == 0:
        console.print(
            "no face was found: the network did not run. Try --skip-detect if this is an aligned face."
        )
    console.print(f"advice: {advise(report)}")
    _print_backend_notes(report)


def _enhance_table(report: Report) -> Table:
    table = _table("stage", "count", "device ms", "host ms", "share")
    for row in report.stages:
        if row.skipped:
            table.add_row(row.name, "skipped", "", "", "")
            continue
        table.add_row(row.name, _calls(row), _ms(row.device), _ms(row.host), _bar(row.share))
    return table


def _profile_table(report: Report) -> Table:
    table = _table("stage", "device ms", "mean ms", "median", "p95", "share")
    for row in report.stages:
        if row.skipped or row.host is None:
            table.add_row(row.name, "skipped" if row.skipped else "-", "", "", "", "")
            continue
        host = row.host
        times = (f"{value:.2f}" for value in (host.mean, host.median, host.p95))
        table.add_row(row.name, _ms(row.device), *times, _bar(row.share))
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, style="cyan")
    for name in columns:
        table.add_column(name, justify="left" if name == "share" else "right", no_wrap=True)
    return table


def _print_what_ran(console: Console, report: Report) -> None:
    runtime = report.runtime
    console.print(
        f"{describe(runtime.device)} | {runtime.model} ({runtime.generator.backend.name}) | "
        f"detector {runtime.detector.name} | {runtime.precision}"
    )
    if runtime.weights.random:
        console.print("[bold yellow]random weights: timing only[/]")
    if runtime.weights.better:
        console.print(f"[yellow]{runtime.model} ran; a better model:[/] {runtime.weights.better}")
    if runtime.generator.recomputed_fp32:
        console.print(
            f"{_count(runtime.generator.recomputed_fp32, 'face')} redone in fp32: the first try gave none"
        )
    if runtime.settings.detector == "auto":
        _print_auto(console, runtime.settings, runtime.detector.name)


def _print_auto(console: Console, settings: Settings, picked: str) -> None:
    from gpen_fast import plugins
    from gpen_fast.stages.detect.base import is_fallback, passed_over
    from gpen_fast.store.catalog import entry

    if is_fallback(picked):
        best = plugins.facts("detect")[plugins.automatic("detect")[0]].weights[0]
        console.print(f"[yellow]detector {picked} ran; a better one:[/] {entry(best).get_it}")
    for weights, path in passed_over(settings.weights, picked).items():
        console.print(
            f"[yellow]auto passed over {escape(str(path))}:[/] it is not the {weights} that is expected. "
            "Try: gpen-fast weights verify"
        )


def _print_outcomes(console: Console, report: Report) -> None:
    wall = report.wall_summary.mean
    console.print(
        f"wall {wall / 1e3:.2f} s, {report.throughput:.2f} images/s, {_count(report.faces, 'face')}; "
        f"overlap {report.overlap_factor or 0:.2f}; busiest: {report.bound_by or 'none'}"
    )
    if report.first_call_ms is not None:
        console.print(f"first call of generate {report.first_call_ms:.1f} ms, apart from the means above")
    _print_landmarks(console, report.landmarks)
    got = report.outcomes.get
    console.print(
        f"[green]{got('restored', 0)} restored[/], {got('no_face', 0)} no face (copied through), "
        f"{got('failed', 0)} failed"
    )
    console.print(
        f"left alone: {got('skipped', 0)} skipped (done already), {got('ignored', 0)} ignored (no picture)"
    )


def _print_landmarks(console: Console, made: Mapping[str, Any]) -> None:
    if "file" in made:
        used, searched, file = made["used"], made["searched"], escape(made["file"])
        told = (
            f"{used} from {file}, {searched} searched"
            if searched
            else f"all {used} from {file}, none searched"
        )
        console.print(f"landmarks: {told}", soft_wrap=True)
        if made["searched_otherwise"]:
            console.print(
                f"{made['searched_otherwise']} searched anew: the file has them by another detector, size or threshold"
            )
        if made["of_no_picture"]:
            console.print(f"ignored in it: {made['of_no_picture']} of no picture of this run")
    if "saved" in made:
        what = _count(made["saved"], "picture")
        console.print(f"landmarks of {what} saved to {escape(made['saved_to'])}", soft_wrap=True)


def _calls(row: StageRow) -> str:
    """Calls, and the pictures or faces in them where these are not the same."""
    return (
        str(row.count)
        if row.items == row.count or row.name not in _MANY_IN_ONE
        else f"{row.items} in {row.count}"
    )


def _ms(summary: Summary | None) -> str:
    return "-" if summary is None else f"{summary.mean:.2f}"


def _bar(share: float) -> str:
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    return f"{share:6.1%} " + block * round(share * _BAR)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _mib(size: int | None) -> str:
    return "-" if size is None else f"{size / _MIB:.0f} MiB"
