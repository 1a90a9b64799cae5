"""The config of a training run of the proposer, read from one TOML file and checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast.errors import SettingsError
from gpen_fast.stages.detect.cascade.proposer_net import PROPOSER_WIDTHS, STRIDE
from gpen_fast.training.augment import Variety
from gpen_fast.training.config import OptimiserConfig, read_tables
from gpen_fast.training.degrade import DamageRanges


@dataclass(frozen=True)
class ProposerNetConfig:
    """The network. The table [network]."""

    widths: tuple[int, ...] = PROPOSER_WIDTHS
    """Channels at a half, a quarter and an eighth of the picture's size."""


@dataclass(frozen=True)
class CanvasConfig:
    """Which pictures are made up: faces pasted onto a background. The table [canvas]."""

    side: int = 128
    """Side of each picture in pixels, a multiple of the network's stride."""

    most: int = 5
    """The most faces in one picture; every number from 0 up is as frequent."""

    sides: tuple[float, float] = (15.0, 56.0)
    """Sides of the faces' windows in pixels, drawn on a logarithmic scale; the network learns a part of them."""

    slack: float = 1.22
    """A window up to this factor smaller or larger than those that the network learns counts neither way."""

    upright: float = 0.5
    """Probability of a face that is turned by at most 15 degrees."""

    rotation: float = 55.0
    """Largest rotation, in degrees, of a face that the network learns to propose."""

    astray: float = 0.12
    """Probability of a face that is turned too far, by 90 degrees and more: it is no proposal."""

    squeeze: float = 0.3
    """Largest part of its width that a face loses, as one that looks aside does."""

    reach: float = 0.22
    """Places this near to a window's centre, as a part of its side, propose it."""

    portrait: float = 0.3
    """Probability of a background that shows a part of a portrait, much enlarged."""

    def __post_init__(self) -> None:
        if self.side < STRIDE or self.side % STRIDE:
            raise SettingsError(f"[canvas] side {self.side}: accepted are multiples of {STRIDE} pixels.")


@dataclass(frozen=True)
class ProposerConfig:
    """A training run of the proposer. Its plain fields are the table [run]."""

    steps: int
    """Steps of the whole run."""

    batch: int = 32
    """Pictures in a step, shared by the processes; batch normalisation needs two."""

    crop: int = 256
    """Side of the portraits in pixels."""

    seed: int = 1
    """Decides the first weights and every random choice."""

    place: float = 1.0
    """Weight of the windows' loss."""

    save_every: int = 250
    """Steps between two saved states, each with a report."""

    test_every: int = 500
    """Steps between two held-out tests, which run only at steps that save a state too."""

    network: ProposerNetConfig = field(default_factory=ProposerNetConfig)
    """The network."""

    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """AdamW and its learning rate."""

    canvas: CanvasConfig = field(default_factory=CanvasConfig)
    """Which pictures are made up."""

    damage: DamageRanges = field(default_factory=DamageRanges)
    """How pictures are damaged."""

    variety: Variety = field(default_factory=Variety)
    """How pictures are varied."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise SettingsError(
                f"steps {self.steps}, batch {self.batch}: accepted are steps from 1 up and a batch from 2 up."
            )


_TABLES = {
    "network": ProposerNetConfig,
    "optimiser": OptimiserConfig,
    "canvas": CanvasConfig,
    "damage": DamageRanges,
    "variety": Variety,
}


def read_proposer_config(path: Path) -> ProposerConfig:
    """Reads the config of a proposer's run from a TOML file.

    Raises:
        SettingsError: The file cannot be read, or a value in it is not accepted.
    """
    return read_tables(path, ProposerConfig, _TABLES)
