"""What was counted in the frames of a video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from gpen_fast.errors import summary
from gpen_fast.run.video.frames import DoneFrame

FRAMES, FACES, KEPT, LEFT_OUT, NO_FACE, FAILED = "frames", "faces", "kept", "left_out", "no_face", "failed"


class FrameCounts:
    """Counts frames one by one; the sums of segments are counted together."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        self.first_error = ""

    def add(self, done: DoneFrame) -> None:
        """Counts one frame."""
        self.numbers[FRAMES] += 1
        self.numbers[FACES] += done.faces
        self.numbers[KEPT] += done.kept
        self.numbers[LEFT_OUT] += done.left_out
        if done.error is not None:
            self.numbers[FAILED] += 1
            self.first_error = self.first_error or summary(done.error)
        elif not done.faces:
            self.numbers[NO_FACE] += 1

    def taken(self) -> dict[str, int]:
        """What was counted since the last call."""
        counted = dict(self.numbers)
        self.numbers.clear()
        return counted


def summed(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """The sums of several counts."""
    whole: Counter[str] = Counter()
    for each in counts:
        whole.update(each)
    return whole
