"""`enhance` without its command line: a plan becomes files and a report."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import EXAMPLES, write_photo

from gpen_fast.detections.file_format import read_detections
from gpen_fast.errors import DeviceError
from gpen_fast.measure.report_parts import FailedInput, InputNote
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.pictures import load_image
from gpen_fast.run.enhance import run_enhance
from gpen_fast.run.plan import Item, Plan
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import OutputOptions, Settings


class Steps:
    """Notes what it is told, and calls `at` with the number of pictures so far."""

    def __init__(self, at: Callable[[int], None] = lambda number: None) -> None:
        self.paths: list[Path] = []
        self._at = at

    def advance(self, row: PictureRow) -> None:
        self.paths.append(Path(row.input))
        self._at(len(self.paths))


def plan_of(folder: Path, count: int) -> Plan:
    paths = [write_photo(folder / "in" / f"{i:02d}.png", seed=i) for i in range(count)]
    return Plan([Item(path, folder / "out" / path.name) for path in paths])


@pytest.fixture(scope="module")
def haar(tiny_weights: Path) -> Runtime:
    # The result of a network with random weights resembles no face: by default it would not be used.
    return load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="haar", precision="fp32", keep_detail=0.0)
    )


def test_every_picture_of_the_plan_is_accounted_for(haar: Runtime, tmp_path: Path) -> None:
    work = plan_of(tmp_path, 4)
    shutil.copy(EXAMPLES / "astronaut.png", work.todo[1].source)
    work.todo[2].source.write_bytes(b"")
    work.failed.append((Path("pipe.png"), "not a regular file"))
    work.notes.append((Path("a.bmp"), "becomes PNG"))
    work.skipped.append(work.todo[0])
    steps = Steps()
    report = run_enhance(haar, work, OutputOptions(), steps)
    paths = [item.source for item in work.todo]
    assert steps.paths == paths
    assert dict(report.outcomes) == {"restored": 1, "no_face": 2, "failed": 2, "skipped": 1, "ignored": 0}
    assert report.failed == [
        FailedInput("pipe.png", "not a regular file"),
        FailedInput(str(paths[2]), "the file is empty."),
    ]
    assert report.no_face == [str(paths[0]), str(paths[3])]
    assert report.notes == [InputNote("a.bmp", "becomes PNG")]
    assert (report.images, report.faces, report.not_done) == (4, 1, 0)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00.png", "01.png", "03.png"]


def test_stopping_finishes_what_is_in_the_network(runtime: Runtime, tmp_path: Path) -> None:
    stopped = threading.Event()
    steps = Steps(lambda number: stopped.set())
    report = run_enhance(runtime, plan_of(tmp_path, 60), OutputOptions(), steps, stopped)
    assert 1 <= report.images < 60
    assert report.images + report.not_done == 60
    assert len(list((tmp_path / "out").iterdir())) == report.images


def test_an_interrupt_in_the_middle_leaves_no_thread_and_no_half_file(
    runtime: Runtime, tmp_path: Path
) -> None:
    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run_enhance(runtime, plan_of(tmp_path, 60), OutputOptions(), Steps(interrupt))
    assert threading.active_count() <= before
    for path in (tmp_path / "out").iterdir():
        assert load_image(path).pixels.shape == (3, 48, 64)


def test_found_faces_are_kept_though_the_device_fails(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(crops: object) -> None:
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(detecting.generator, "launch_no_sync", lost)
    found = tmp_path / "faces.jsonl"
    with pytest.raises(DeviceError, match="device lost"):
        run_enhance(detecting, plan_of(tmp_path, 3), OutputOptions(save_landmarks=found), Steps())
    assert len(read_detections(found)) == 3


def test_a_file_of_faces_that_cannot_be_written_is_one_of_the_failures(
    detecting: Runtime, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()

    def replace_by_a_file(number: int) -> None:
        if number == 1:
            folder.rmdir()
            folder.touch()

    steps = Steps(replace_by_a_file)
    output = OutputOptions(save_landmarks=folder / "faces.jsonl")
    report = run_enhance(detecting, plan_of(tmp_path, 2), output, steps)
    (failed,) = report.failed
    assert failed.path == str(folder / "faces.jsonl")
    assert failed.error.startswith("cannot be written")
    assert report.outcomes["restored"] == 2
