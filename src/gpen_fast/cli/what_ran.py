"""The lines that say what a measurement of several rows ran on."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from gpen_fast.measure.report import Report


def print_network(console: Console, report: Report) -> None:
    """Prints the device and the network, and what is to be known of both.

    Args:
        console: Where it is printed.
        report: What ran.
    """
    parts = [report.device.name] if report.device else []
    if report.face_size is not None:
        parts.append(report.setting("model"))
    console.print(escape(" | ".join(parts)))
    if any(weights.random for weights in report.weights or []):
        console.print("[bold yellow]random weights: timing only[/]")
    if report.network_note:
        console.print(f"[yellow]{escape(report.network_note)}[/]")
    for better in report.better:
        if better.kind == "model":
            console.print(f"[yellow]a better model:[/] {better.command}")
        else:
            console.print(f"[yellow]a better detector:[/] {better.command}")
