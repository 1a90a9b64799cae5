"""Times of single calls that a report keeps, so that two reports can be compared: see measure/compare.py."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gpen_fast.files import sha256_of_file
from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.stats import DECIMALS

# Times that are kept of each stage and process. The noise between processes limits a comparison, not their number.
SAMPLES_KEPT = 512


@dataclass(frozen=True)
class ProcessSamples:
    """Times of the counted runs of one process of `profile`, in their order."""

    ended: str = ""
    """When the last run ended, ISO 8601 in UTC: it tells whether two sides were measured in turns."""
    wall_ms: list[float] = field(default_factory=list)
    """Wall time of each run, at most 512, evenly spaced over the runs."""
    host_ms: dict[str, list[float]] = field(default_factory=dict)
    """Wall time inside each call of each stage that was called, likewise."""
    device_ms: dict[str, list[float]] = field(default_factory=dict)
    """Time on the device's stream, likewise; empty on a CPU."""


def process_samples(recorder: Recorder, wall_ms: Sequence[float]) -> ProcessSamples:
    """The samples of this process.

    Args:
        recorder: What the clock measured in the counted runs.
        wall_ms: Wall time of each of them.
    """
    host, device = {}, {}
    for stage, series in recorder.series.items():
        spans = series.spans
        if spans:
            host[stage] = _kept([span.host_ms for span in spans])
        if times := [span.device_ms for span in spans if span.device_ms is not None]:
            device[stage] = _kept(times)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return ProcessSamples(now, _kept(wall_ms), host, device)


def inputs_sha256(paths: Iterable[Path]) -> str:
    """One hash for all pictures of a run, whatever their names: two reports of other pictures are told apart.

    Args:
        paths: The pictures in their order.

    Returns:
        64 hexadecimal digits; of a single picture the sha256 of its file.

    Raises:
        OSError: A file cannot be read.
    """
    hashes = [sha256_of_file(path) for path in paths]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _kept(times: Sequence[float]) -> list[float]:
    """At most 512 of the times, evenly spaced, rounded as a report's figures are."""
    step = -(-len(times) // SAMPLES_KEPT) or 1
    return [round(ms, DECIMALS) for ms in times[::step]]
