"""The options of each part that restores, in one frozen dataclass a part. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gpen_fast.errors import SettingsError, did_you_mean

StageName = Literal["load", "detect", "align", "crop", "generate", "paste", "save"]
PrecisionName = Literal["auto", "fp32", "tf32", "bf16", "fp16", "half"]
TemplateName = Literal["gpen", "ffhq"]
DetectSizeName = Literal["auto", "full"]
DetectDeviceName = Literal["auto", "cpu"]
BatchSizeName = Literal["auto"]

STAGES: tuple[StageName, ...] = get_args(StageName)
# Those of a video: its frames are decoded before they are loaded, and encoded after they are saved.
VIDEO_STAGES: tuple[str, ...] = ("decode", *STAGES, "encode")
# `half` is what --fp16 sets; the flag --precision does not offer it.
DETECT_DEVICES: tuple[DetectDeviceName, ...] = get_args(DetectDeviceName)
PRECISIONS = tuple(name for name in get_args(PrecisionName) if name != "half")
TEMPLATES: tuple[TemplateName, ...] = get_args(TemplateName)
AUTO_SIZE: Literal["auto"] = "auto"
FULL_SIZE: Literal["full"] = "full"
# What `WeightsOptions.weights` begins with where the network is to get random weights.
RANDOM = "random:"
# Pixels. The largest phone cameras have 199.8 million; such a picture takes some 2.5 GB from load to save.
MAX_PIXELS = 200_000_000
# Pixels. Below this long side no detector finds a face.
_SMALLEST_SEARCH = 64
NO_CHOICE_OF_FACES = (
    "without detection each picture is one face: only-largest, only-center, min-face, max-face and template "
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

    detect_device: DetectDeviceName = "auto"
    """Where a detector's network runs: auto is where the detector is fastest, cpu is beside a GPU's other work."""

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

    max_face: int | None = None
    """Leave faces alone whose box has a shorter side of more pixels than this."""

    any_angle: bool | None = None
    """Where no upright face is found, also search for faces that lie on their side or upside down.

    None is the detector's own: all of them do, except yoloface.
    """

    def __post_init__(self) -> None:
        size, threshold = self.detect_size, self.detect_threshold
        if self.min_face < 0:
            raise SettingsError(f"min face {self.min_face}: accepted is 0 pixels and up.")
        if self.max_face is not None and self.max_face <= self.min_face:
            raise SettingsError(
                f"max face {self.max_face}: accepted is more than min face, {self.min_face} pixels."
            )
        if self.only_largest and self.only_center:
            raise SettingsError("only-largest and only-center contradict each other: choose one.")
        if self.aligned and (self.only_largest or self.only_center or self.min_face or self.max_face):
            raise SettingsError(NO_CHOICE_OF_FACES)
        if size not in (AUTO_SIZE, FULL_SIZE) and (isinstance(size, str) or size < _SMALLEST_SEARCH):
            raise SettingsError(
                f"detect size {size!r}: accepted are auto, full, or pixels from {_SMALLEST_SEARCH} up."
            )
        if self.detect_device not in DETECT_DEVICES:
            raise SettingsError(f"detect device {self.detect_device!r}: accepted are auto and cpu.")
        if threshold is not None and not 0.0 < threshold <= 1.0:
            raise SettingsError(f"detect threshold {threshold}: accepted is above 0, up to 1.")
        searching = size != AUTO_SIZE or self.detect_device != "auto" or threshold is not None
        if self.aligned and (searching or self.landmarks or self.any_angle):
            raise SettingsError(
                "without detection there is no use for detect-size, detect-device, detect-threshold, any-angle or "
                "landmarks. Leave them out, or --skip-detect."
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


def cpu_lanes(asked: str) -> int:
    """The N of `cpu:N`, a value of --devices; 0 for any other."""
    kind, _, number = asked.partition(":")
    return int(number) if kind == "cpu" and number.isdecimal() else 0


@dataclass(frozen=True)
class GenerateOptions:
    """How the network runs."""

    device: str = "auto"
    """Where to run; a device that is named is never replaced by another."""

    devices: str | None = None
    """Run on several devices at once: all, GPU numbers such as 0,1, or cpu:N for N processes on a CPU.

    Each takes the next pictures when it is free. By default one GPU, or, for many pictures and a network below 512
    pixels, a process on each core.
    """

    precision: PrecisionName = "auto"
    """Arithmetic of the network."""

    backend: str = "auto"
    """How the network is run."""

    batch_size: int | BatchSizeName | None = None
    """Faces per network call, at most; auto measures the fastest once and remembers it.

    None is the device's default: 8 on CUDA; on a CPU up to 8 for networks below 512 pixels, else 1.
    """

    deterministic: bool = False
    """Same bits whatever the order, the batches or a restart: faces and detections one by one.

    Without it, results of one precision differ by one grey level in places.
    """

    def __post_init__(self) -> None:
        if self.deterministic and self.batch_size not in (None, 1):
            raise SettingsError(
                f"--deterministic runs faces one by one, and --batch-size is {self.batch_size}: leave one out."
            )
        if self.devices is not None and self.device != "auto":
            raise SettingsError(
                f"--devices {self.devices} and --device {self.device} contradict each other: leave one out."
            )
        size = self.batch_size
        if size not in (None, AUTO_SIZE) and (isinstance(size, str) or size < 1):
            raise SettingsError(f"batch size {size!r}: accepted are auto, or faces from 1 up.")


@dataclass(frozen=True)
class PasteOptions:
    """How a face is cut out and how it goes back into its picture."""

    template: TemplateName | None = None
    """Where the landmarks lie in a crop.

    None is the template that the network was trained with.
    """

    strength: float = 1.0
    """Blend of input and result: 0 keeps the input, 1 restores fully."""

    keep_detail: float = 1.0
    """Keep what a face has beyond the network: 1 restores it as far as it needs, 0 replaces it by the network's result.

    What a face needs is measured from its pixels, by frequency: noise, compression, blur, and its size beside the
    network's.
    """

    keep_colour: bool = False
    """Keep the colour of the face and restore its brightness, for tinted and faded prints."""

    upright: bool = False
    """Turn each picture by 90, 180 or 270 degrees if all its faces lie that way."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise SettingsError(f"strength {self.strength}: accepted is 0 (the input) to 1 (fully restored).")
        if not 0.0 <= self.keep_detail <= 1.0:
            raise SettingsError(
                f"keep detail {self.keep_detail}: accepted is 0 (the network's result) to 1 (as far as needed)."
            )
        if self.template is not None and self.template not in TEMPLATES:
            near = did_you_mean(self.template, TEMPLATES)
            raise SettingsError(f"template {self.template!r}: accepted are {', '.join(TEMPLATES)}.{near}")
