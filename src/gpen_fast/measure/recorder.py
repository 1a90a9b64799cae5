"""What the clock saw, stage by stage."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from gpen_fast.measure.stats import Summary, summarise
from gpen_fast.settings import STAGES


def _floats() -> array[float]:
    return array("d")


@dataclass
class Series:
    """One stage's observations, milliseconds. items: pictures or faces that went through."""

    host: array[float] = field(default_factory=_floats)
    device: array[float] = field(default_factory=_floats)
    items: int = 0

    @property
    def count(self) -> int:
        """Calls."""
        return len(self.host)

    def host_summary(self, skip: int = 0) -> Summary | None:
        """Of all calls but the first `skip`, unless there are no others."""
        return summarise(self.host[skip:] or self.host)

    def device_summary(self, skip: int = 0) -> Summary | None:
        """Likewise; None where the stage does no device work."""
        return summarise(self.device[skip:] or self.device)


class Recorder:
    """Series by stage, in the pipeline's order."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {stage: Series() for stage in STAGES}

    def add_host(self, stage: str, ms: float, items: int) -> None:
        """One call's wall time."""
        self.series[stage].host.append(ms)
        self.series[stage].items += items

    def add_device(self, stage: str, ms: float) -> None:
        """One call's time on its stream."""
        self.series[stage].device.append(ms)

    def total_host_ms(self, *stages: str) -> float:
        """Summed wall time of the named stages, of all where none is named."""
        return sum(sum(self.series[stage].host) for stage in stages or STAGES)
