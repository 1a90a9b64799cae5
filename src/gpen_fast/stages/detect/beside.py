"""`--detect-device cpu`: a detector on the host, beside the network on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpen_fast.stages.detect.around import DetectorAround
from gpen_fast.types import Face, Frame


class DetectorOnHost(DetectorAround):
    """A detector whose network lies on the CPU, for pictures on a GPU: the readers detect, and the GPU only restores.

    Args:
        detector: Opened for the CPU.
    """

    @property
    def on_host(self) -> bool:
        """It is asked by readers, whatever it says of itself."""
        return True

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Detects the faces of each picture, best first."""
        return super().many([replace(frame, pixels=frame.on_host, alpha=None, host=None) for frame in frames])
