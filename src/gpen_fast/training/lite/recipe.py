"""The recipe of a run of GPEN-Lite 2, read from one TOML file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from gpen_fast.errors import SettingsError
from gpen_fast.gpen.config import GeneratorConfig
from gpen_fast.training.augment import Variety
from gpen_fast.training.config import AdversaryConfig, OptimiserConfig, read_tables
from gpen_fast.training.degrade import DamageRanges
from gpen_fast.training.lite.damage import CleanInput
from gpen_fast.training.lite.old import OldPhotograph

RECIPE = Path(__file__).parents[1] / "gpen-lite2-256.toml"
"""The recipe that comes with the package."""


@dataclass(frozen=True)
class LiteLoss:
    """The generator's loss without its adversarial terms. The table [loss]."""

    scales: int = 3
    """Sizes that the pixel loss is averaged over, each half of the one before."""

    gradient: float = 1.0
    """Weight of the picture's gradients in the pixel loss."""

    energy: float = 1.0
    """Weight of the loss of local gradient energy."""

    perceptual: float = 0.1
    """Weight of the distance of features of a fixed random network."""

    colour: float = 1.0
    """Weight of the colour's difference in low frequencies: means of 32 x 32 pixels, and of the whole face."""

    fixed_point: float = 0.5
    """Weight of what a second pass changes in a restored face."""

    fixed_point_every: int = 4
    """Steps from one second pass to the next; its weight is multiplied by them."""


@dataclass(frozen=True)
class LiteRecipe:
    """A run. Its plain fields are the table [run]."""

    network: GeneratorConfig
    """The network's size and widths. The table [network]."""

    steps: int
    """Steps of the whole run."""

    batch: int = 8
    """Faces in a step."""

    seed: int = 1
    """Decides the first weights and every random choice."""

    precision: str = "auto"
    """Arithmetic of the convolutions: `fp32`, `bf16`, or `auto` for bf16 where the device multiplies it natively."""

    save_every: int = 250
    """Steps between two saved states, each with a report."""

    test_every: int = 1000
    """Steps between two held-out tests, which run only at steps that save a state too."""

    compiled: bool = False
    """Whether torch.compile is used on a GPU; it takes the first minutes of a run."""

    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """AdamW and its learning rate."""

    loss: LiteLoss = field(default_factory=LiteLoss)
    """The loss without its adversarial terms."""

    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    """The adversarial phase."""

    damage: DamageRanges = field(default_factory=DamageRanges)
    """How faces are damaged."""

    variety: Variety = field(default_factory=Variety)
    """How faces are varied."""

    clean: CleanInput = field(default_factory=CleanInput)
    """How often faces come in clean or nearly clean."""

    old: OldPhotograph = field(default_factory=OldPhotograph)
    """How often faces have the damage of old photographs."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise SettingsError(f"steps {self.steps}, batch {self.batch}: accepted are 1 and up.")
        if self.precision not in {"auto", "fp32", "bf16"}:
            raise SettingsError(f"precision {self.precision!r}: accepted are auto, fp32 and bf16.")
        if self.clean.whole + self.clean.nearly > 1:
            raise SettingsError("[clean]: whole and nearly are probabilities; their sum is at most 1.")

    @property
    def adversarial(self) -> bool:
        """Whether the run has an adversarial phase."""
        return self.adversary.start < self.steps

    def lasting(self, steps: int, batch: int) -> LiteRecipe:
        """Returns the same run in another number of steps: the adversarial phase starts at the same part of it."""
        start = self.adversary.start
        if self.adversarial:
            start = round(start / self.steps * steps)
        return replace(self, steps=steps, batch=batch, adversary=replace(self.adversary, start=start))


_TABLES = {
    "network": GeneratorConfig,
    "optimiser": OptimiserConfig,
    "loss": LiteLoss,
    "adversary": AdversaryConfig,
    "damage": DamageRanges,
    "variety": Variety,
    "clean": CleanInput,
    "old": OldPhotograph,
}


def read_lite_recipe(path: Path) -> LiteRecipe:
    """Reads a recipe.

    Raises:
        SettingsError: The file cannot be read, or a value in it is not accepted.
    """
    return read_tables(path, LiteRecipe, _TABLES)
