"""What a profile says to its reader: fast enough or not, and where to save time."""

from __future__ import annotations

from gpen_fast.device.precision import pick_precision
from gpen_fast.measure.report import Report, StageRow
from gpen_fast.settings import RANDOM

# p95 within the budget is live; within this many budgets borderline.
_BORDERLINE = 1.5
_SMALLEST_MODEL = "gpen-bfr-256"


def verdict(p95_ms: float, target_fps: float) -> str:
    """`live`, `borderline` or `offline` at a frame rate."""
    budget = 1e3 / target_fps
    if p95_ms <= budget:
        return "live"
    return "borderline" if p95_ms <= _BORDERLINE * budget else "offline"


def advise(report: Report) -> str:
    """One line for the stage that costs most."""
    row = report.slowest
    return f"{row.name} is {row.share:.0%}: {_remedy(row, report)}"


def _remedy(row: StageRow, report: Report) -> str:
    if row.name == "detect":
        return "try --skip-detect for pictures that are aligned faces already."
    if row.name == "generate":
        return _faster_network(report)
    if row.name == "save":
        return "enhance saves beside the next picture's work; try --format jpg for smaller files."
    if row.name == "load":
        return "enhance loads ahead, beside the work on earlier pictures."
    return "try --only-largest or --min-face PX if not every face matters."


def _faster_network(report: Report) -> str:
    runtime = report.runtime
    options = []
    if runtime.device.type == "cpu":
        options.append("a GPU (--device cuda)")
    if pick_precision("half", runtime.device).name not in {"fp32", runtime.precision.name}:
        options.append("half precision (--fp16)")
    if report.faces > report.images:
        options.append("fewer faces (--only-largest, --min-face PX)")
    if runtime.size > 256:
        flag = f"--weights {RANDOM}" if runtime.weights.random else "--model "
        options.append(f"a smaller model ({flag}{_SMALLEST_MODEL})")
    if not options:
        return "the network itself is what costs; enhance overlaps the rest."
    return f"try {', or '.join(options)}."
