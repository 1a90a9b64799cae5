"""A landmark run's figures, read from one TOML file and checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast.errors import SettingsError
from gpen_fast.training.augment import Variety
from gpen_fast.training.config import Optimiser, read_tables
from gpen_fast.training.degrade import Ranges


@dataclass(frozen=True)
class Shape:
    """widths: channels of the network at 32, 16, 8 and 4 pixels."""

    widths: tuple[int, ...] = (12, 32, 64, 96)


@dataclass(frozen=True)
class Jitter:
    """How far a window lies from its face. rotation: degrees. scale: most factor. shift: share of the side.
    squeeze: how much narrower a face may be, as one that looks aside is."""

    rotation: float
    scale: float
    shift: float
    squeeze: float = 0.0


@dataclass(frozen=True)
class Windows:
    """Which windows are drawn. Shares are of 1; what `narrow` and `none` leave is wide.

    narrow: around landmarks that are nearly right, as in the second pass. none: windows without a face in place;
    of these, `misplaced` lie on a face but far off, and `mined` are where the cascades saw one, the rest lie
    anywhere. apart: from how far the landmarks are from their places, over the window's side, that is no face.
    pasted: share of faces cut out and laid on something else. squeeze: how much narrower faces may be.
    """

    narrow: float = 0.3
    none: float = 0.4
    misplaced: float = 0.3
    mined: float = 0.4
    apart: float = 0.4
    pasted: float = 0.5
    narrow_rotation: float = 10.0
    narrow_scale: float = 1.15
    narrow_shift: float = 0.06
    wide_rotation: float = 45.0
    wide_scale: float = 1.4
    wide_shift: float = 0.18
    squeeze: float = 0.25

    def jitter(self, *, narrow: bool) -> Jitter:
        """Of one pass."""
        if narrow:
            return Jitter(self.narrow_rotation, self.narrow_scale, self.narrow_shift, self.squeeze)
        return Jitter(self.wide_rotation, self.wide_scale, self.wide_shift, self.squeeze)


@dataclass(frozen=True)
class Config:
    """A run. batch: windows a step. crop: side of the portraits, pixels. points: weight of the landmarks' loss.
    save_every, test_every: steps."""

    steps: int
    batch: int = 64
    crop: int = 256
    seed: int = 1
    points: float = 10.0
    save_every: int = 500
    test_every: int = 1000
    network: Shape = field(default_factory=Shape)
    optimiser: Optimiser = field(default_factory=Optimiser)
    windows: Windows = field(default_factory=Windows)
    damage: Ranges = field(default_factory=Ranges)
    variety: Variety = field(default_factory=Variety)

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise SettingsError(f"steps {self.steps}, batch {self.batch}: accepted are 1, and 2 and up.")


_TABLES = {
    "network": Shape,
    "optimiser": Optimiser,
    "windows": Windows,
    "damage": Ranges,
    "variety": Variety,
}


def read_config(path: Path) -> Config:
    """The run that a TOML file describes. Raises SettingsError naming the file and what is wrong in it."""
    return read_tables(path, Config, _TABLES)
