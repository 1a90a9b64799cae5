"""The sentences that a run of `video` ends with."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from gpen_fast.cli.failures import print_failure, print_notes
from gpen_fast.cli.stage_table import enhance_table
from gpen_fast.measure.report import Report


def print_video(report: Report, quiet: bool, told: int = 0) -> None:
    """Prints the stage table and what became of the videos; only failures and notes if `quiet`.

    Args:
        report: The run.
        quiet: The user gave --quiet.
        told: Failures that were printed during the run: the first ones of the report.
    """
    if not quiet and report.video and report.wall_ms:
        console, figures = Console(highlight=False), report.video
        if any(row.count for row in report.stages):
            console.print(enhance_table(report))
        speed = f", {figures.fps:.2f} frames a second" if figures.fps else ""
        overlap = f"; overlap {report.overlap_factor:.2f}" if report.overlap_factor else ""
        console.print(f"wall {report.wall_ms.mean / 1e3:.2f} s{speed}{overlap}")
        device = report.device.name if report.device else "-"
        console.print(f"{device} | {report.setting('model')} | detector {report.setting('detector')}")
        if report.network_note:
            console.print(f"[yellow]{report.network_note}[/]")
        for better in report.better:
            console.print(f"[yellow]{better.ran} ran; a better {better.kind}:[/] {better.command}")
        _print_frames(console, report)
    for failed in report.failed[told:]:
        print_failure(Path(failed.path), failed.error)
    print_notes(report.notes)
    if report.verdict == "interrupted":
        videos = "1 video is" if report.not_done == 1 else f"{report.not_done} videos are"
        print_stopped(videos)


def print_stopped(videos: str) -> None:
    """Says after an interrupt how the run goes on."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        f"interrupted: {videos} not done; the same command continues after the frames that are"
    )


def _print_frames(console: Console, report: Report) -> None:
    figures = report.video
    assert figures is not None, "a run of video has frames"
    resumed = f", {figures.frames_resumed} of them by an earlier run" if figures.frames_resumed else ""
    console.print(f"frames: {figures.frames_out}, {figures.duration_s:.2f} s{resumed}")
    kept = f", {report.faces_kept} left as found" if report.faces_kept else ""
    left_out = f", {report.faces_left_out} left out" if report.faces_left_out else ""
    console.print(f"faces: {report.faces - report.faces_kept} restored{kept}{left_out}")
    if figures.frames_unrestored:
        console.print(
            f"[yellow]{figures.frames_unrestored} frames could not be restored and are as they were[/]"
        )
    got = report.outcomes.get
    console.print(
        f"videos: [green]{got('restored', 0)} restored[/], {got('no_face', 0)} without a face, "
        f"{got('failed', 0)} failed, {got('skipped', 0)} skipped (done already)"
    )
