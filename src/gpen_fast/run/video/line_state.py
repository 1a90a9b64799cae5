"""What must be known of the frames before one, so that a run can begin with it: as a value, as bytes, and as a file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.files import write_file
from gpen_fast.video.fading import Visit
from gpen_fast.video.one_track import Track
from gpen_fast.video.smooth import EuroState
from gpen_fast.video.steady import FaceMemory
from gpen_fast.video.track import TrackState

Arrays = dict[str, NDArray[np.generic]]

_SUFFIX = ".state"


@dataclass(frozen=True, eq=False)
class LineState:
    """Between two frames. It never changes."""

    tracks: TrackState = field(default_factory=TrackState)
    """The faces that are followed."""
    faces: Mapping[int, FaceMemory] = field(default_factory=dict)
    """Track -> what is kept of its pixels."""
    visits: Mapping[int, Visit] = field(default_factory=dict)
    """Track -> since when it is shown."""

    def to_bytes(self) -> bytes:
        """The state as the content of a file."""
        arrays = _named("film", 0, _of_film(self.tracks))
        for track in self.tracks.tracks:
            arrays |= _named("track", track.number, _of_track(track))
        for number, memory in self.faces.items():
            arrays |= _named("face", number, _of_memory(memory))
        for number, visit in self.visits.items():
            arrays |= _named("visit", number, {"numbers": np.array(visit, dtype=np.float64)})
        file = io.BytesIO()
        np.savez(file, **arrays)  # type: ignore[arg-type]  # arrays by name
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, device: torch.device) -> LineState:
        """Reads a state back, its pixels onto a device.

        Raises:
            EOFError, ValueError, KeyError, BadZipFile: The content is none, or is damaged.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            parts = _parts({name: arrays[name] for name in arrays.files})
        tracks = tuple(_to_track(each, of) for each, of in sorted(parts.get("track", {}).items()))
        return cls(
            _to_film(parts["film"][0], tracks),
            {each: _to_memory(of, device) for each, of in parts.get("face", {}).items()},
            {each: _to_visit(of) for each, of in parts.get("visit", {}).items()},
        )


def write_state(folder: Path, frame: int, content: bytes) -> None:
    """Keeps the state before a frame in a folder; only the last one is needed."""
    target = folder / f"{frame:010d}{_SUFFIX}"
    write_file(target, content)
    for other in folder.glob(f"*{_SUFFIX}"):
        if other != target:
            other.unlink(missing_ok=True)


def read_state(folder: Path, frame: int, device: torch.device) -> LineState | None:
    """The state before a frame; None where none was kept, or what was is damaged."""
    try:
        return LineState.from_bytes((folder / f"{frame:010d}{_SUFFIX}").read_bytes(), device)
    except (FileNotFoundError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _named(kind: str, number: int, arrays: Arrays) -> Arrays:
    return {f"{kind}.{number}.{name}": array for name, array in arrays.items()}


def _parts(arrays: Arrays) -> dict[str, dict[int, Arrays]]:
    """Kind -> number -> name -> array, of names such as face.3.crop."""
    parts: dict[str, dict[int, Arrays]] = {}
    for full, array in arrays.items():
        kind, number, name = full.split(".")
        parts.setdefault(kind, {}).setdefault(int(number), {})[name] = array
    return parts


def _floats(of: Arrays, name: str) -> NDArray[np.float64]:
    return np.asarray(of[name], dtype=np.float64)


def _of_film(state: TrackState) -> Arrays:
    numbers = np.array([state.seconds, state.since_detected, state.next_number], dtype=np.float64)
    small = {} if state.thumbnail is None else {"thumbnail": state.thumbnail}
    return {"numbers": numbers, **small}


def _to_film(of: Arrays, tracks: tuple[Track, ...]) -> TrackState:
    seconds, since, number = _floats(of, "numbers").tolist()
    small = np.asarray(of["thumbnail"], dtype=np.float32) if "thumbnail" in of else None
    return TrackState(tracks, small, seconds, int(since), int(number))


def _to_visit(of: Arrays) -> Visit:
    frames, fades_in = _floats(of, "numbers").tolist()
    return Visit(int(frames), bool(fades_in))


def _of_track(track: Track) -> Arrays:
    numbers = [
        *track.box,
        track.score,
        track.offsets,
        track.seen,
        track.missed,
        track.visible,
        track.places.count,
    ]
    return {
        "landmarks": track.landmarks,
        "window": track.window,
        "anchor": track.anchor,
        "places": np.stack([track.places.value, track.places.speed]),
        "look": track.look,
        "offset": track.offset,
        "numbers": np.array(numbers, dtype=np.float64),
    }


def _to_track(number: int, of: Arrays) -> Track:
    x0, y0, x1, y1, score, offsets, seen, missed, visible, count = _floats(of, "numbers").tolist()
    value, speed = _floats(of, "places")
    return Track(
        number,
        _floats(of, "landmarks"),
        _floats(of, "window"),
        np.asarray(of["anchor"], dtype=np.uint8),
        EuroState(value, speed, int(count)),
        np.asarray(of["look"], dtype=np.float32),
        _floats(of, "offset"),
        (x0, y0, x1, y1),
        score,
        int(offsets),
        seen,
        int(missed),
        bool(visible),
    )


def _of_memory(memory: FaceMemory) -> Arrays:
    arrays: Arrays = {
        "crop": memory.crop.cpu().numpy(),
        "restored": memory.restored.cpu().numpy(),
        "noise": np.array(memory.noise),
    }
    return arrays if memory.need is None else {**arrays, "need": memory.need.cpu().numpy()}


def _to_memory(of: Arrays, device: torch.device) -> FaceMemory:
    def tensor(name: str) -> Tensor:
        return torch.from_numpy(of[name]).to(device)

    need = tensor("need") if "need" in of else None
    return FaceMemory(tensor("crop"), tensor("restored"), need, float(of["noise"]))
