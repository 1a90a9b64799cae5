"""Every option with its default, in one frozen dataclass for each part that takes them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, get_args

from gpen_fast import plugins
from gpen_fast.errors import SettingsError

StageName = Literal["load", "detect", "align", "crop", "generate", "paste", "save"]
PrecisionName = Literal["auto", "fp32", "tf32", "bf16", "fp16", "half"]
TemplateName = Literal["gpen", "ffhq"]
DetectSizeName = Literal["auto", "full"]
PngLevel = Literal["fast", "small"]

STAGES: tuple[StageName, ...] = get_args(StageName)
# `half` is what --fp16 sets; the flag --precision does not offer it.
PRECISIONS = tuple(name for name in get_args(PrecisionName) if name != "half")
TEMPLATES: tuple[TemplateName, ...] = get_args(TemplateName)
PNG_LEVELS: tuple[PngLevel, ...] = get_args(PngLevel)
AUTO_SIZE: Literal["auto"] = "auto"
FULL_SIZE: Literal["full"] = "full"
FAST: Literal["fast"] = "fast"
SMALL: Literal["small"] = "small"
# The output format that keeps each input's own, beside the formats of the plug-ins.
SAME = "same"
# What `WeightsOptions.weights` begins with where the network is to get random weights.
RANDOM = "random:"
# Pixels. The largest phone cameras have 199.8 million; such a picture takes some 2.5 GB from load to save.
MAX_PIXELS = 200_000_000
# Pixels. Below this long side no detector finds a face.
_SMALLEST_SEARCH = 64
_NO_CHOICE_OF_FACES = (
    "without detection each picture is one face: only-largest, only-center, min-face and template "
    "have no meaning there. Leave them out, or --skip-detect."
)


@dataclass(frozen=True)
class LoadOptions:
    """How a picture is read."""

    max_pixels: int = MAX_PIXELS
    """Refuse a picture whose header declares more pixels than this, before it is decoded."""

    gpu_decode: bool = False
    """Decode JPEG with nvJPEG, on CUDA only; its pixels differ slightly from libjpeg's."""

    def __post_init__(self) -> None:
        if self.max_pixels < 1:
            raise SettingsError(f"max pixels {self.max_pixels}: accepted is 1 and up.")


@dataclass(frozen=True)
class DetectOptions:
    """How faces are found, and which of them are restored."""

    detector: str = "auto"
    """What detects the faces; with none, each picture is one aligned face."""

    detect_size: int | DetectSizeName = AUTO_SIZE
    """Long side, in pixels, at which faces are detected; auto is 640, and up to 1600 for small faces."""

    detect_threshold: float | None = None
    """Lowest score, above 0 and up to 1, of a detection that counts as a face.

    None is the detector's own.
    """

    landmarks: str | None = None
    """Read faces from this file (see --save-landmarks); faces are detected only in pictures that it lacks."""

    only_largest: bool = False
    """Restore only the largest face of each picture."""

    only_center: bool = False
    """Restore only the face nearest to the picture's centre."""

    min_face: int = 0
    """Skip faces whose box has a shorter side of fewer pixels than this."""

    def __post_init__(self) -> None:
        size, threshold = self.detect_size, self.detect_threshold
        if self.min_face < 0:
            raise SettingsError(f"min face {self.min_face}: accepted is 0 pixels and up.")
        if self.only_largest and self.only_center:
            raise SettingsError("only-largest and only-center contradict each other: choose one.")
        if self.aligned and (self.only_largest or self.only_center or self.min_face):
            raise SettingsError(_NO_CHOICE_OF_FACES)
        if size not in (AUTO_SIZE, FULL_SIZE) and (isinstance(size, str) or size < _SMALLEST_SEARCH):
            raise SettingsError(
                f"detect size {size!r}: accepted are auto, full, or pixels from {_SMALLEST_SEARCH} up."
            )
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise SettingsError(f"detect threshold {threshold}: accepted is above 0, up to 1.")
        if self.aligned and (size != AUTO_SIZE or threshold is not None or self.landmarks):
            raise SettingsError(
                "without detection there is no use for detect-size, detect-threshold or landmarks. "
                "Leave them out, or --skip-detect."
            )

    @property
    def aligned(self) -> bool:
        """Each picture is one aligned face: nothing to detect, align or paste."""
        return self.detector == "none"


@dataclass(frozen=True)
class WeightsOptions:
    """Which network runs, and where its weights are searched."""

    model: str = "auto"
    """Network to run; auto is the best one whose weights are found."""

    weights: str | None = None
    """A checkpoint (.pth, .pt, .safetensors); its size and widths are inferred from its tensors."""

    weights_dir: str | None = None
    """Search this folder for weights before all others."""

    offline: bool = False
    """Never touch the network; GPEN_FAST_OFFLINE=1 does the same."""

    @property
    def random_weights(self) -> bool:
        """The weights have the true shapes and random values: for timing only."""
        return self.weights is not None and self.weights.startswith(RANDOM)


@dataclass(frozen=True)
class GenerateOptions:
    """How the network runs."""

    device: str = "auto"
    """Where to run; a device that is named is never replaced by another."""

    precision: PrecisionName = "auto"
    """Arithmetic of the network."""

    backend: str = "auto"
    """How the network is run."""

    batch_size: int | None = None
    """Faces per network call, at most.

    None is the device's default: 8 on CUDA; on a CPU up to 8 for networks below 512 pixels, else 1.
    """

    def __post_init__(self) -> None:
        if self.batch_size is not None and self.batch_size < 1:
            raise SettingsError(f"batch size {self.batch_size}: accepted is 1 and up.")


@dataclass(frozen=True)
class PasteOptions:
    """How a face is cut out and how it goes back into its picture."""

    template: TemplateName | None = None
    """Where the landmarks lie in a crop.

    None is the template that the network was trained with.
    """

    strength: float = 1.0
    """Blend of input and result: 0 keeps the input, 1 restores fully."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise SettingsError(f"strength {self.strength}: accepted is 0 (the input) to 1 (fully restored).")
        if self.template is not None and self.template not in TEMPLATES:
            raise SettingsError(f"template {self.template!r}: accepted are {', '.join(TEMPLATES)}.")


@dataclass(frozen=True)
class OutputOptions:
    """What `enhance` writes, and where."""

    format: str = "png"
    """Format of the results; same is each input's own, or PNG where that cannot be written."""

    quality: int = 95
    """Quality of JPEG and WebP, 1 to 100."""

    save_faces: bool = False
    """Also write each face, before and after, beside the result."""

    overwrite: bool = False
    """Restore again the pictures whose result exists."""

    suffix: str = ""
    """Append this to each result's name, such as _restored; OUT may then be the input folder."""

    in_place: bool = False
    """Replace each picture by its result; there is no OUT. Copy the pictures first."""

    save_landmarks: Path | None = None
    """Add the detected faces to this file, for --landmarks."""

    png_level: PngLevel = FAST
    """Compression of PNG, lossless at both levels; small makes files about 4 % smaller and is far slower."""

    def __post_init__(self) -> None:
        if self.in_place and self.save_faces:
            raise SettingsError(
                "--save-faces would mix faces with the pictures of --in-place: name an output folder."
            )
        if self.in_place and (self.format != SAME or self.suffix):
            raise SettingsError(
                "--in-place writes each picture under its own name and in its own format: leave --format and "
                "--suffix out."
            )
        if set(self.suffix) & set("/\\\0"):
            raise SettingsError(
                f"suffix {self.suffix!r}: accepted is part of a file's name, such as _restored."
            )
        if self.png_level not in PNG_LEVELS:
            raise SettingsError(f"PNG level {self.png_level!r}: accepted are {', '.join(PNG_LEVELS)}.")
        if self.format not in formats():
            raise SettingsError(f"format {self.format!r}: accepted are {', '.join(formats())}.")


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
            raise SettingsError(_NO_CHOICE_OF_FACES)

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
            raise SettingsError(f"unknown setting {unknown[0]!r}: accepted are {', '.join(_PART_OF)}.")
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


def formats() -> list[str]:
    """What `--format` accepts."""
    return [*plugins.names("save"), SAME]


def suffix_of(path: Path) -> str:
    """The name of the format that the suffix means; the lower-case suffix without its dot where it means none."""
    return plugins.format_of(path.suffix.lower().removeprefix("."))
