"""The devices that shared a run, and what the network waited for."""

from __future__ import annotations

from rich.table import Table

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import IdleRow

# Causes of less than this share of the wall time are not printed.
_WORTH_WORDS = 0.01
# From this share of the wall time on, the cause is worth a remedy.
_WORTH_REMEDY = 0.1
_WAITED_FOR = {"load": "reading", "save": "writing", "other": "other work"}
_REMEDIES = {
    "load": "a faster disk would help",
    "detect": "--detect-device, --landmarks or a lighter --detector would help",
    "save": "--png-level fast, --format jpg or a faster disk would help",
}


def device_table(report: Report) -> Table:
    """One row for each device of a run."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("device", style="cyan")
    for name in ("pictures", "faces", "busy"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in report.devices:
        table.add_row(row.name, str(row.pictures), str(row.faces), f"{row.busy:.0%}")
    return table


def idle_sentence(row: IdleRow) -> str:
    """How much of the wall time the network ran, and for what it waited: the largest cause first."""
    causes = [
        f"{share:.0%} {_WAITED_FOR.get(name, name)}"
        for name, share in row.causes.items()
        if share >= _WORTH_WORDS
    ]
    waited = f"; meanwhile: {', '.join(causes)}" if causes else ""
    first = next(iter(row.causes), "")
    remedy = _REMEDIES.get(first, "") if row.causes.get(first, 0.0) >= _WORTH_REMEDY else ""
    return f"the {row.resource} ran {1 - row.share:.0%} of the wall time{waited}" + (
        f" ({remedy})" if remedy else ""
    )
