"""The options of all parts together. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from gpen_fast.errors import SettingsError, did_you_mean
from gpen_fast.settings.parts import (
    NO_CHOICE_OF_FACES,
    DetectOptions,
    GenerateOptions,
    LoadOptions,
    PasteOptions,
    WeightsOptions,
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How pictures are restored: the options of every part, checked together. Each part receives only its own."""

    weights: WeightsOptions = WeightsOptions()
    """Which network runs."""
    detect: DetectOptions = DetectOptions()
    """How faces are found, and which of them are restored."""
    generate: GenerateOptions = GenerateOptions()
    """How the network runs."""
    paste: PasteOptions = PasteOptions()
    """How a face is cut out and how it goes back."""
    load: LoadOptions = LoadOptions()
    """How a picture is read."""

    def __post_init__(self) -> None:
        if self.aligned and self.paste.template:
            raise SettingsError(NO_CHOICE_OF_FACES)
        if self.aligned and self.paste.upright:
            raise SettingsError(
                "without detection nothing says which way is up: leave upright out, or --skip-detect."
            )

    @classmethod
    def from_flat(cls, **names: object) -> Settings:
        """Settings from the options' own names, whichever part takes them.

        Args:
            **names: Options of any part, such as `detector` or `strength`; the others keep their defaults.

        Returns:
            The settings, checked part by part and then together.

        Raises:
            SettingsError: A name is unknown, a value is not accepted, or two values contradict each other.
        """
        if unknown := sorted(names.keys() - set(_PART_OF)):
            raise SettingsError(
                f"unknown setting {unknown[0]!r}: accepted are {', '.join(_PART_OF)}."
                f"{did_you_mean(unknown[0], _PART_OF)}"
            )
        parts = {
            part: kind(**{name: value for name, value in names.items() if _PART_OF[name] == part})
            for part, kind in _PARTS.items()
        }
        return cls(**parts)

    def as_flat(self) -> dict[str, object]:
        """Every option by its own name: what `from_flat` takes."""
        return {name: getattr(getattr(self, part), name) for name, part in _PART_OF.items()}

    @property
    def aligned(self) -> bool:
        """Each picture is one aligned face: nothing to detect, align or paste."""
        return self.detect.aligned

    @property
    def random_weights(self) -> bool:
        """The weights have the true shapes and random values: for timing only."""
        return self.weights.random_weights


# Part of the settings -> the class of its options; option -> the part that takes it.
_PARTS: Mapping[str, type] = {each.name: type(each.default) for each in fields(Settings)}
_PART_OF: Mapping[str, str] = {each.name: part for part, kind in _PARTS.items() for each in fields(kind)}
