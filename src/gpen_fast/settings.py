"""Every default in one place, checked together. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.errors import SettingsError

STAGES = ("load", "detect", "align", "crop", "generate", "paste", "save")
PRECISIONS = ("auto", "fp32", "tf32", "bf16", "fp16")
TEMPLATES = ("gpen", "ffhq")
# At what size pictures are searched for faces, beside a number of pixels.
AUTO_SIZE, FULL_SIZE = "auto", "full"
_SMALLEST_LOOK = 64
# The input's own format instead of a plug-in's.
SAME = "same"
RANDOM = "random:"
# How hard PNG is compressed.
FAST, SMALL = "fast", "small"
PNG_LEVELS = (FAST, SMALL)
# The largest phone cameras have 199.8 million; a picture of as many takes some 2.5 GB on its way.
MAX_PIXELS = 200_000_000


@dataclass(frozen=True)
class Settings:
    """How pictures are restored.

    model: a published name or `auto`. weights: a checkpoint file, or `random:NAME` for timing.
    detector: a plug-in's name; `none` takes each picture as one aligned face. device: auto, cpu, cuda, cuda:N.
    precision: one of PRECISIONS or `half`. backend: a generator plug-in's name. batch_size: faces per network
    call, None for the device's default. strength: 0 keeps the input, 1 is the full restoration.
    only_largest, only_center: restore one face of each picture. min_face: pixels of the box's shorter side
    below which a face is left alone. template: where the landmarks lie in a crop, None for the model's own.
    weights_dir: a folder searched for weights before all others. offline: never touch the network.
    max_pixels: pictures that declare more are refused. gpu_decode: JPEG is decoded by nvJPEG, on CUDA only; its
    pixels differ slightly from libjpeg's, which decodes otherwise.
    detect_size: pixels to which a picture's long side is shrunk to find faces; `auto`, `full`. detect_threshold:
    score from which a detection is a face, 0..1, None for the detector's own. landmarks: a file of faces found
    before, whose pictures are not searched again.
    """

    model: str = "auto"
    weights: str | None = None
    detector: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"
    batch_size: int | None = None
    strength: float = 1.0
    only_largest: bool = False
    only_center: bool = False
    min_face: int = 0
    template: str | None = None
    weights_dir: str | None = None
    offline: bool = False
    max_pixels: int = MAX_PIXELS
    gpu_decode: bool = False
    detect_size: int | str = AUTO_SIZE
    detect_threshold: float | None = None
    landmarks: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise SettingsError(f"strength {self.strength}: accepted is 0 (the input) to 1 (fully restored).")
        if self.batch_size is not None and self.batch_size < 1:
            raise SettingsError(f"batch size {self.batch_size}: accepted is 1 and up.")
        if self.min_face < 0:
            raise SettingsError(f"min face {self.min_face}: accepted is 0 pixels and up.")
        if self.max_pixels < 1:
            raise SettingsError(f"max pixels {self.max_pixels}: accepted is 1 and up.")
        if self.only_largest and self.only_center:
            raise SettingsError("only-largest and only-center contradict each other: choose one.")
        if self.aligned and (self.only_largest or self.only_center or self.min_face or self.template):
            raise SettingsError(
                "without detection each picture is one face: only-largest, only-center, min-face and template "
                "have no meaning there. Leave them out, or --skip-detect."
            )
        self._check_detection()
        if self.template is not None and self.template not in TEMPLATES:
            raise SettingsError(f"template {self.template!r}: accepted are {', '.join(TEMPLATES)}.")

    def _check_detection(self) -> None:
        size, threshold = self.detect_size, self.detect_threshold
        if size not in (AUTO_SIZE, FULL_SIZE) and (isinstance(size, str) or size < _SMALLEST_LOOK):
            raise SettingsError(
                f"detect size {size!r}: accepted are auto, full, or pixels from {_SMALLEST_LOOK} up."
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

    @property
    def random_weights(self) -> bool:
        """Weights of true shapes and no meaning: timing only."""
        return self.weights is not None and self.weights.startswith(RANDOM)


@dataclass(frozen=True)
class Output:
    """What `enhance` writes.

    format: one of `formats()`; `same` keeps each input's own. suffix: stands between a result's name and its
    format. in_place: results replace their inputs, in their own formats. save_landmarks: a file to which found
    faces are added. png_level: one of PNG_LEVELS.
    """

    format: str = "png"
    quality: int = 95
    save_faces: bool = False
    overwrite: bool = False
    suffix: str = ""
    in_place: bool = False
    save_landmarks: Path | None = None
    png_level: str = FAST

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


def formats() -> list[str]:
    """What `--format` accepts."""
    return [*plugins.names("save"), SAME]


def suffix_of(path: Path) -> str:
    """The lower-case suffix without its dot, with `jpeg` read as `jpg`."""
    suffix = path.suffix.lower().removeprefix(".")
    return "jpg" if suffix in {"jpeg", "jpe", "jfif"} else suffix
