"""What a profile recommends: whether it is fast enough, and where time can be saved."""

from __future__ import annotations

from typing import Literal

from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import StageRow
from gpen_fast.settings import RANDOM

LiveVerdict = Literal["live", "borderline", "offline"]

# A p95 of at most this many frame times is borderline: dropping every third frame would keep up.
_BORDERLINE = 1.5
_SMALLEST_MODEL = "gpen-bfr-256"
# Pixels: the side of a face in that model. A network for smaller faces has no faster replacement.
_SMALLEST_FACE = 256


def frame_verdict(p95_ms: float, target_fps: float) -> LiveVerdict:
    """Whether a picture's time suits a frame rate.

    Args:
        p95_ms: 95th percentile of a picture's wall time, milliseconds.
        target_fps: Frames per second.
    """
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
    options = []
    if report.device and report.device.type == "cpu":
        options.append("a GPU (--device cuda)")
    if report.half_precision not in {None, "fp32", report.setting("precision")}:
        options.append("half precision (--fp16)")
    if report.faces > report.images:
        options.append("fewer faces (--only-largest, --min-face PX)")
    if (report.face_size or 0) > _SMALLEST_FACE:
        random = report.weights and report.weights[0].random
        flag = f"--weights {RANDOM}" if random else "--model "
        options.append(f"a smaller model ({flag}{_SMALLEST_MODEL})")
    if not options:
        return "the network itself takes the time; enhance overlaps the other stages with it."
    return f"try {', or '.join(options)}."
