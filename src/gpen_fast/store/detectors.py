"""Where detectors' weights lie. Imports no torch.

A file of the right name proves nothing: others of the same names and shapes load strictly and give wrong boxes,
because they were trained with other anchors. So the hash decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from gpen_fast.errors import CheckpointError, SettingsError, WeightsNotFoundError
from gpen_fast.settings import Settings


@dataclass(frozen=True)
class Published:
    """Detector weights: accepted file names, and accepted hashes; () where nobody publishes one."""

    files: tuple[str, ...]
    sha256: tuple[str, ...] = ()


DETECTORS: dict[str, Published] = {
    "retinaface-resnet50": Published(
        ("detection_Resnet50_Final.pth",),
        ("6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",),
    ),
    "retinaface-mobilenet0.25": Published(
        ("detection_mobilenet0.25_Final.pth",),
        (
            "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
            "38ec7bb3c9cbfe2f40edabc05fab970a6d648747cbc534092be85d5eb9b37ed0",
        ),
    ),
    "yunet": Published(
        ("face_detection_yunet_2023mar.onnx",),
        ("8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",),
    ),
    "yunet-2026may": Published(
        ("face_detection_yunet_2026may.onnx",),
        ("ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",),
    ),
    "yoloface": Published(("yolov3-tiny_face.weights", "yolov3-tiny_face.onnx")),
}


def present(name: str, settings: Settings) -> Path | None:
    """The weights file `name`, if one with an accepted hash is in a folder."""
    return next((path for path in _candidates(name) if _accepted(name, path)), None)


def required(name: str, settings: Settings) -> Path:
    """The weights file `name`. WeightsNotFoundError without one, CheckpointError where its hash is another."""
    found = present(name, settings)
    if found:
        return found
    wrong = next(iter(_candidates(name)), None)
    if wrong:
        raise CheckpointError(
            f"{wrong}: is not the published {name}: its sha256 is {_sha256(wrong, wrong.stat().st_mtime_ns)}, "
            f"accepted is {' or '.join(DETECTORS[name].sha256)}. Files of this name exist that give wrong boxes. "
            f"Try: gpen-fast weights pull {name}"
        )
    files = " or ".join(DETECTORS[name].files)
    places = ", ".join(str(folder.absolute()) for folder in _folders())
    raise WeightsNotFoundError(
        f"no weights for {name}: looked for {files} in {places}. Try: gpen-fast weights pull {name}"
    )


def _candidates(name: str) -> list[Path]:
    if name not in DETECTORS:
        raise SettingsError(f"detector weights {name!r} are not known: there is {', '.join(DETECTORS)}.")
    paths = (folder / file for folder in _folders() for file in DETECTORS[name].files)
    return [path for path in paths if path.is_file()]


def _accepted(name: str, path: Path) -> bool:
    hashes = DETECTORS[name].sha256
    return not hashes or _sha256(path, path.stat().st_mtime_ns) in hashes


def _folders() -> list[Path]:
    """Our own, then the one that facexlib downloads into."""
    from gpen_fast.store.locate import folders

    spec = find_spec("facexlib")
    places = spec.submodule_search_locations if spec else None
    return [*folders(), *(Path(place) / "weights" for place in places or ())]


@cache
def _sha256(path: Path, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
