"""One training run's figures, read from one TOML file and checked before anything starts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from gpen_fast.errors import SettingsError
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.augment import Variety
from gpen_fast.training.degrade import Ranges

T = TypeVar("T")


@dataclass(frozen=True)
class Optimiser:
    """AdamW on equalised weights, hence the large rate. rate: the peak, reached after `warmup` steps, held, and
    in the last share `cooling` of the steps lowered on a cosine to `floor` of itself, so that a run can be
    lengthened until then. ema: share of the average kept at each step."""

    rate: float = 1e-2
    beta1: float = 0.9
    beta2: float = 0.99
    decay: float = 0.0
    clip: float = 1.0
    warmup: int = 100
    cooling: float = 0.5
    floor: float = 0.01
    ema: float = 0.999

    def __post_init__(self) -> None:
        if not 0 < self.cooling <= 1:
            raise SettingsError(f"cooling {self.cooling}: accepted is above 0, up to 1, of the steps.")


@dataclass(frozen=True)
class Loss:
    """scales: halvings of the size that the pixel loss is summed over. gradient: weight of the gradients in it.
    energy: weight of the gradient energy's own loss."""

    scales: int = 3
    gradient: float = 1.0
    energy: float = 0.0


@dataclass(frozen=True)
class Adversary:
    """The second phase. start: first step with a discriminator, at or past the last step for none.
    weight, matching: of the adversarial and the feature-matching loss. r1: its weight, every `r1_every` steps.
    width: channels of the discriminator at full size. rate: of the discriminator."""

    start: int = 1 << 30
    weight: float = 0.02
    matching: float = 0.5
    r1: float = 1.0
    r1_every: int = 16
    width: int = 16
    rate: float = 2e-3


@dataclass(frozen=True)
class Config:
    """A run. batch: pictures a step, shared by the processes. save_every, test_every: steps."""

    network: GeneratorConfig
    steps: int
    batch: int = 8
    seed: int = 1
    precision: str = "bf16"
    save_every: int = 500
    test_every: int = 1000
    optimiser: Optimiser = field(default_factory=Optimiser)
    loss: Loss = field(default_factory=Loss)
    adversary: Adversary = field(default_factory=Adversary)
    damage: Ranges = field(default_factory=Ranges)
    variety: Variety = field(default_factory=Variety)

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise SettingsError(f"steps {self.steps}, batch {self.batch}: accepted are 1 and up.")
        if self.precision not in {"fp32", "bf16"}:
            raise SettingsError(f"precision {self.precision!r}: training runs in fp32 or bf16.")

    @property
    def adversarial(self) -> bool:
        """Whether the run has a second phase."""
        return self.adversary.start < self.steps


_TABLES = {
    "network": GeneratorConfig,
    "optimiser": Optimiser,
    "loss": Loss,
    "adversary": Adversary,
    "damage": Ranges,
    "variety": Variety,
}


def read_config(path: Path) -> Config:
    """The run that a TOML file describes. Raises SettingsError naming the file and what is wrong in it."""
    return read_tables(path, Config, _TABLES)


def read_tables(path: Path, kind: type[T], tables: dict[str, Any], named: dict[str, str] | None = None) -> T:
    """A `kind` from a TOML file: its table [run], and one field a table of `tables`.

    named: fields that are called otherwise than their tables. Raises SettingsError.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        run = dict(raw.pop("run", {}))
        made = {
            (named or {}).get(name, name): _made(table, name, raw.pop(name, {}))
            for name, table in tables.items()
        }
        if raw:
            raise SettingsError(f"unknown table [{next(iter(raw))}]: accepted are run, {', '.join(tables)}.")
        return _made(kind, "run", {**made, **run})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, SettingsError) as cause:
        raise SettingsError(f"{path}: {cause}") from cause


def _made(kind: type[T], table: str, values: dict[str, Any]) -> T:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(values.keys() - known)
    if unknown:
        raise SettingsError(
            f"[{table}] {unknown[0]}: no such figure. Accepted are {', '.join(sorted(known))}."
        )
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    try:
        return kind(**frozen)
    except TypeError as cause:
        raise SettingsError(f"[{table}]: {cause}") from cause
