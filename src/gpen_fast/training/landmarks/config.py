"""The config of a training run of the landmark network, read from one TOML file and checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast.errors import SettingsError
from gpen_fast.training.augment import Variety
from gpen_fast.training.config import OptimiserConfig, read_tables
from gpen_fast.training.degrade import DamageRanges


@dataclass(frozen=True)
class LandmarkNetConfig:
    """The network. The table [network]."""

    widths: tuple[int, ...] = (12, 32, 64, 96)
    """Channels at 32, 16, 8 and 4 pixels."""


@dataclass(frozen=True)
class Jitter:
    """How far a window lies from the one that fits its face."""

    rotation: float
    """Largest rotation in degrees, either way."""

    scale: float
    """Largest factor of the scale, either way."""

    shift: float
    """Largest shift, as a part of the window's side."""

    squeeze: float = 0.0
    """Largest part of its width that a face loses, as one that looks aside does."""


@dataclass(frozen=True)
class WindowConfig:
    """Which windows are drawn. The table [windows].

    Windows are narrow, without a face, or wide; the probabilities of the first two are given.
    """

    narrow: float = 0.3
    """Probability of a window with landmarks almost in place, as the second pass of the detector has it."""

    none: float = 0.4
    """Probability of a window without a face in place."""

    misplaced: float = 0.3
    """Of the windows without a face: the part that lies on a face, but far from its place."""

    mined: float = 0.4
    """Of the windows without a face: the part where a cascade sees a face; the rest lies anywhere."""

    apart: float = 0.4
    """Mean distance of the landmarks from their places, as a part of the window's side, from which there is no face."""

    pasted: float = 0.5
    """Of the windows with a face: the part whose face is cut out and pasted onto another background."""

    narrow_rotation: float = 10.0
    """Largest rotation of a narrow window in degrees, either way."""

    narrow_scale: float = 1.15
    """Largest factor of a narrow window's scale, either way."""

    narrow_shift: float = 0.06
    """Largest shift of a narrow window, as a part of its side."""

    wide_rotation: float = 45.0
    """Largest rotation of a wide window in degrees, either way."""

    wide_scale: float = 1.4
    """Largest factor of a wide window's scale, either way."""

    wide_shift: float = 0.18
    """Largest shift of a wide window, as a part of its side."""

    squeeze: float = 0.25
    """Largest part of its width that a face loses."""

    def jitter(self, *, narrow: bool) -> Jitter:
        """Returns the jitter of narrow or of wide windows."""
        if narrow:
            return Jitter(self.narrow_rotation, self.narrow_scale, self.narrow_shift, self.squeeze)
        return Jitter(self.wide_rotation, self.wide_scale, self.wide_shift, self.squeeze)


@dataclass(frozen=True)
class LandmarkConfig:
    """A training run of the landmark network. Its plain fields are the table [run]."""

    steps: int
    """Steps of the whole run."""

    batch: int = 64
    """Windows in a step, shared by the processes; batch normalisation needs two."""

    crop: int = 256
    """Side of the portraits in pixels."""

    seed: int = 1
    """Decides the first weights and every random choice."""

    points: float = 10.0
    """Weight of the landmarks' loss."""

    save_every: int = 500
    """Steps between two saved states, each with a report."""

    test_every: int = 1000
    """Steps between two held-out tests, which run only at steps that save a state too."""

    network: LandmarkNetConfig = field(default_factory=LandmarkNetConfig)
    """The network."""

    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """AdamW and its learning rate."""

    windows: WindowConfig = field(default_factory=WindowConfig)
    """Which windows are drawn."""

    damage: DamageRanges = field(default_factory=DamageRanges)
    """How windows are damaged."""

    variety: Variety = field(default_factory=Variety)
    """How windows are varied."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise SettingsError(
                f"steps {self.steps}, batch {self.batch}: accepted are steps from 1 up and a batch from 2 up."
            )


_TABLES = {
    "network": LandmarkNetConfig,
    "optimiser": OptimiserConfig,
    "windows": WindowConfig,
    "damage": DamageRanges,
    "variety": Variety,
}


def read_landmark_config(path: Path) -> LandmarkConfig:
    """Reads the config of a landmark network's run from a TOML file.

    Raises:
        SettingsError: The file cannot be read, or a value in it is not accepted.
    """
    return read_tables(path, LandmarkConfig, _TABLES)
