"""Which entries of a file of landmarks a run uses, and how it adds its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import photo, write_photo

from gpen_fast.detections import cache as module
from gpen_fast.detections.cache import DetectionCache, DetectionWriter, content_key
from gpen_fast.detections.file_format import DetectionEntry, Found, json_line, read_detections
from gpen_fast.errors import LandmarksError
from gpen_fast.settings import DetectOptions
from gpen_fast.stages.load import load
from gpen_fast.types import Face, Frame

CPU = torch.device("cpu")
KEYS = ["sha256:" + digit * 64 for digit in "0123"]
PICTURE = Frame(torch.zeros(3, 80, 100, dtype=torch.uint8))


def entry(key: str = KEYS[0], scores: tuple[float, ...] = (0.9, 0.75), **found: object) -> DetectionEntry:
    faces = tuple(Face((1, 2, 30, 40), score) for score in scores)
    how = {"detector": "yunet", "threshold": 0.7, "size": "auto"} | found
    return DetectionEntry(key, 100, 80, Found(faces, **how))  # type: ignore[arg-type]


def known(folder: Path, *entries: DetectionEntry, **settings: object) -> DetectionCache:
    path = folder / "faces.jsonl"
    path.write_text("".join(json_line(e) + "\n" for e in entries))
    return DetectionCache(path, DetectOptions(**settings))  # type: ignore[arg-type]


def test_the_key_is_of_a_files_bytes_or_of_an_arrays_pixels(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png")
    frame = load(path, CPU)
    key = content_key(path, frame)
    assert key == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert content_key(path.rename(tmp_path / "b.png"), frame) == key
    hashed = load(tmp_path / "b.png", CPU, hashed=True)
    (tmp_path / "b.png").write_bytes(b"overwritten since")
    assert content_key(tmp_path / "b.png", hashed) == key, "of the bytes that were decoded"
    one, same = photo(), torch.from_numpy(photo()).permute(2, 0, 1)
    keys = [
        content_key(source, load(source, CPU))
        for source in (one, same, photo(seed=1), one.reshape(80, 60, 3))
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert all(key.startswith("pixels-sha256:") for key in keys)


@pytest.mark.parametrize(
    ("settings", "scores"),
    [
        ({}, [0.9, 0.75]),
        ({"detector": "yunet"}, [0.9, 0.75]),
        ({"detector": "haar"}, None),
        ({"detect_threshold": 0.8}, [0.9, 0.75]),
        ({"detect_threshold": 0.6}, None),
        ({"detect_size": "full"}, None),
        ({"detect_size": 640}, None),
    ],
)
def test_an_entry_applies_unless_the_options_ask_for_another_search(
    tmp_path: Path, settings: dict, scores: list[float] | None
) -> None:
    cache = known(tmp_path, entry(), **settings)
    found = cache.find(KEYS[0], PICTURE)
    assert (found and [face.score for face in found.faces]) == scores
    assert cache.any_applies == (scores is not None)
    assert (cache.hits, cache.incompatible, cache.unmatched) == (
        int(cache.any_applies),
        int(not cache.any_applies),
        0,
    )


def test_an_entry_without_threshold_and_size_applies(tmp_path: Path) -> None:
    cache = known(tmp_path, entry(threshold=None, size=None), detect_threshold=0.1, detect_size="full")
    assert cache.find(KEYS[0], PICTURE) is not None


def test_entries_of_no_picture_are_counted(tmp_path: Path) -> None:
    cache = known(tmp_path, *(entry(key) for key in KEYS[:3]))
    assert cache.find(KEYS[1], PICTURE) is not None
    assert cache.find(KEYS[3], PICTURE) is None
    assert (cache.hits, cache.misses, cache.unmatched) == (1, 1, 2)
    for key in (KEYS[1], KEYS[3]):
        cache.find(key, PICTURE)
    assert (cache.hits, cache.misses, cache.unmatched) == (2, 2, 2), "two pictures of one content are two"


def test_a_picture_of_another_size_is_an_error(tmp_path: Path) -> None:
    turned = Frame(torch.zeros(3, 100, 80, dtype=torch.uint8))
    with pytest.raises(
        LandmarksError, match=r"holds its faces for 100x80 pixels, but the picture has 80x100\. Remove its"
    ):
        known(tmp_path, entry()).find(KEYS[0], turned)


def test_detected_faces_are_added_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    path.write_text(json_line(entry(KEYS[0])) + "\n" + json_line(entry(KEYS[1])))
    writer = DetectionWriter.open(path)
    writer.add(entry(KEYS[1], scores=(1.0,)))
    writer.add(entry(KEYS[2], scores=()))
    writer.write()
    assert writer.added == 2
    assert {key: len(e.found.faces) for key, e in read_detections(path).items()} == {
        KEYS[0]: 2,
        KEYS[1]: 1,
        KEYS[2]: 0,
    }
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == [".faces.jsonl.lock", "faces.jsonl"], "nothing half-written stays"


def test_a_long_run_writes_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    writer = DetectionWriter.open(tmp_path / "faces.jsonl")
    writer.add(entry(KEYS[0]))
    assert not writer.path.exists()
    now[0] = 60.0
    writer.add(entry(KEYS[1]))
    assert len(read_detections(writer.path)) == 2


def test_two_runs_add_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    path.write_text(json_line(entry(KEYS[0])))
    one, other = DetectionWriter.open(path), DetectionWriter.open(path)
    one.add(entry(KEYS[1]))
    other.add(entry(KEYS[2]))
    one.write()
    other.write()
    assert set(read_detections(path)) == set(KEYS[:3])


def test_a_failed_write_is_repeated_and_reported_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    (tmp_path / "disk").mkdir()
    writer = DetectionWriter.open(tmp_path / "disk/faces.jsonl")
    (tmp_path / "disk").rmdir()
    (tmp_path / "disk").write_text("in the way")
    now[0] = 60.0
    writer.add(entry(KEYS[0]))
    with pytest.raises(LandmarksError, match=r"faces\.jsonl: cannot be written: "):
        writer.write()
    assert (writer.added, writer.written) == (1, 0)
    (tmp_path / "disk").unlink()
    now[0] = 120.0
    writer.add(entry(KEYS[1]))
    assert set(read_detections(writer.path)) == set(KEYS[:2])
    assert writer.written == 2


def test_a_face_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    writer = DetectionWriter.open(tmp_path / "faces.jsonl")
    far = Face((1, 2, 30, 40), 0.9, np.full((5, 2), 1e6))
    writer.add(DetectionEntry(KEYS[0], 100, 80, Found((far,), "yunet")))
    writer.write()
    assert writer.added == 0
    assert read_detections(writer.path) == {}


def test_a_file_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n")
    with pytest.raises(LandmarksError, match=r"notes\.txt, line 1: not JSON"):
        DetectionWriter.open(path)
    assert path.read_text() == "dear diary\n"
    with pytest.raises(LandmarksError, match=r"there is no folder .*none\. Create it first"):
        DetectionWriter.open(tmp_path / "none" / "faces.jsonl")
