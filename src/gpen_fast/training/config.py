"""The config of a training run of the generator, read from one TOML file and checked before anything starts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

from gpen_fast.errors import SettingsError
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.augment import Variety
from gpen_fast.training.degrade import DamageRanges

T = TypeVar("T")


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW and its learning rate. The table [optimiser]."""

    rate: float = 1e-2
    """The peak of the learning rate. It is large because equalised weights are scaled down where they are used."""

    beta1: float = 0.9
    """Decay of the gradients' average."""

    beta2: float = 0.99
    """Decay of the squared gradients' average."""

    decay: float = 0.0
    """Weight decay."""

    clip: float = 1.0
    """Largest norm of the gradients; larger ones are scaled down to it."""

    warmup: int = 100
    """Steps in which the rate rises from 0 to its peak."""

    cooling: float = 0.5
    """Part of the steps, at the end, in which the rate falls on a cosine. Until then a run can be lengthened."""

    floor: float = 0.01
    """The last rate, as a part of the peak."""

    ema: float = 0.999
    """Part of the averaged weights that each step keeps."""

    def __post_init__(self) -> None:
        if not 0 < self.cooling <= 1:
            raise SettingsError(f"cooling {self.cooling}: accepted is above 0, up to 1, of the steps.")


@dataclass(frozen=True)
class LossConfig:
    """The generator's loss without its adversarial terms. The table [loss]."""

    scales: int = 3
    """Sizes that the pixel loss is averaged over, each half of the one before."""

    gradient: float = 1.0
    """Weight of the picture's gradients in the pixel loss."""

    energy: float = 0.0
    """Weight of the loss of local gradient energy."""


@dataclass(frozen=True)
class AdversaryConfig:
    """The adversarial phase. The table [adversary]."""

    start: int = 1 << 30
    """First step with a discriminator; there is no such phase if it is not below the number of steps."""

    weight: float = 0.02
    """Weight of the adversarial loss."""

    matching: float = 0.5
    """Weight of the feature-matching loss."""

    r1: float = 1.0
    """Weight of the discriminator's R1 penalty."""

    r1_every: int = 16
    """Steps from one R1 penalty to the next."""

    width: int = 16
    """Channels of the discriminator at full size."""

    rate: float = 2e-3
    """Learning rate of the discriminator."""


@dataclass(frozen=True)
class RestorationConfig:
    """A training run of the generator. Its plain fields are the table [run]."""

    network: GeneratorConfig
    """The network's size and widths. The table [network]."""

    steps: int
    """Steps of the whole run."""

    batch: int = 8
    """Faces in a step, shared by the processes."""

    seed: int = 1
    """Decides the first weights and every random choice."""

    precision: str = "bf16"
    """Arithmetic of the convolutions: `fp32` or `bf16`."""

    save_every: int = 500
    """Steps between two saved states, each with a report."""

    test_every: int = 1000
    """Steps between two held-out tests, which run only at steps that save a state too."""

    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """AdamW and its learning rate."""

    loss: LossConfig = field(default_factory=LossConfig)
    """The loss without its adversarial terms."""

    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    """The adversarial phase."""

    damage: DamageRanges = field(default_factory=DamageRanges)
    """How faces are damaged."""

    variety: Variety = field(default_factory=Variety)
    """How faces are varied."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise SettingsError(f"steps {self.steps}, batch {self.batch}: accepted are 1 and up.")
        if self.precision not in {"fp32", "bf16"}:
            raise SettingsError(f"precision {self.precision!r}: accepted for training are fp32 and bf16.")

    @property
    def adversarial(self) -> bool:
        """Whether the run has an adversarial phase."""
        return self.adversary.start < self.steps


_TABLES = {
    "network": GeneratorConfig,
    "optimiser": OptimiserConfig,
    "loss": LossConfig,
    "adversary": AdversaryConfig,
    "damage": DamageRanges,
    "variety": Variety,
}


def read_restoration_config(path: Path) -> RestorationConfig:
    """Reads the config of a generator's run from a TOML file.

    Raises:
        SettingsError: The file cannot be read, or a value in it is not accepted.
    """
    return read_tables(path, RestorationConfig, _TABLES)


def read_tables(path: Path, kind: type[T], tables: Mapping[str, type]) -> T:
    """Reads a dataclass of dataclasses from a TOML file.

    Args:
        path: The file.
        kind: The dataclass. The table [run] holds its plain fields, and every other field has a table of its name.
        tables: The dataclass of each such table.

    Raises:
        SettingsError: The file cannot be read, or a value in it is not accepted. The message names the file.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        run = dict(content.pop("run", {}))
        parts: dict[str, object] = {
            name: _built(table, name, content.pop(name, {})) for name, table in tables.items()
        }
        if content:
            raise SettingsError(
                f"unknown table [{next(iter(content))}]: accepted are run, {', '.join(tables)}."
            )
        return _built(kind, "run", {**parts, **run})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, SettingsError) as cause:
        raise SettingsError(f"{path}: {cause}") from cause


def _built(kind: type[T], table: str, values: Mapping[str, object]) -> T:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(values.keys() - known)
    if unknown:
        raise SettingsError(f"[{table}] {unknown[0]}: unknown key. Accepted are {', '.join(sorted(known))}.")
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        return kind(**frozen)
    except TypeError as cause:
        raise SettingsError(f"[{table}]: {cause}") from cause
