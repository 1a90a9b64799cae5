"""A ladder of a small network: what each row ran with, what it called, and what it reports."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import pytest
from helpers import EXAMPLES, SHARED, write_photo

from gpen_fast.device import precision
from gpen_fast.errors import PictureError, SettingsError
from gpen_fast.measure.report import Report
from gpen_fast.run import ladder, ladder_options, ladder_pass, pipeline
from gpen_fast.run.ladder import LadderTask, run_ladder
from gpen_fast.run.ladder_steps import LADDER_STEPS
from gpen_fast.run.ladder_words import UNLIKE
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.steps import RunsDone
from gpen_fast.settings import Settings

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"
HEAVY = "retinaface-mobile"
HAS_HEAVY = (SHARED / "weights" / "detection_mobilenet0.25_Final.pth").exists()
ON_GPU = {"PNG on the GPU", "CUDA graphs"}


@dataclass
class Climbed:
    """A ladder, and by row what ran."""

    report: Report
    runtimes: dict[str, Runtime]
    calls: dict[str, list[str]]
    threads: dict[str, set[str]]
    batches: dict[str, set[int]]


@dataclass
class Told:
    """Knows which row runs."""

    row: str = ""
    began_: list[tuple[int, int, str]] = field(default_factory=list)
    runs: dict[str, list[RunsDone]] = field(default_factory=lambda: defaultdict(list))

    def began(self, number: int, of: int, name: str) -> None:
        self.row = name
        self.began_.append((number, of, name))

    def ran(self, runs: RunsDone) -> None:
        self.runs[self.row].append(runs)


@pytest.fixture(scope="module")
def climbed(tiny_weights: Path) -> Climbed:
    """Every row once, with what it called noted. The last row's network is not the tiny one: 64 pixels are too many."""
    with pytest.MonkeyPatch.context() as patch:
        if HAS_HEAVY:
            patch.setenv("GPEN_FAST_WEIGHTS", str(SHARED / "weights"))
        patch.setattr(precision, "cpu_has_bf16", lambda: True)
        patch.setattr(ladder_options, "_SMALL", 32)
        told = Told()
        made = Climbed(Report("profile", "0"), {}, defaultdict(list), defaultdict(set), defaultdict(set))

        def noted(module: object, name: str) -> None:
            function = getattr(module, name)

            def call(*given: object, **options: object) -> object:
                made.calls[told.row].append(name)
                made.threads[told.row].add(threading.current_thread().name.partition("_")[0])
                return function(*given, **options)

            patch.setattr(module, name, call)

        noted(cv2, "imwrite")
        noted(ladder_pass, "write_file")
        noted(pipeline, "find_all")
        load = ladder.load_runtime

        def loaded(settings: Settings) -> Runtime:
            runtime = load(settings)
            backend = runtime.generator.backend
            launch = runtime.generator.launch_no_sync
            patch.setattr(
                runtime.generator,
                "launch_no_sync",
                lambda crops: made.batches[told.row].add(len(crops)) or launch(crops),
            )
            made.calls[told.row].append(backend.name)
            made.runtimes[told.row] = runtime
            return runtime

        patch.setattr(ladder, "load_runtime", loaded)
        detector = {"detector": HEAVY} if HAS_HEAVY else {}
        settings = Settings.from_flat(weights=str(tiny_weights), detect_size=256, **detector)
        made.report = run_ladder(LadderTask(settings, [HOPPER], 1, 0), told, threading.Event())
        return made


def row(climbed: Climbed, name: str):
    return next(each for each in climbed.report.ladder if each.name == name)


def flat(climbed: Climbed, name: str) -> dict[str, object]:
    return climbed.runtimes[name].settings.as_flat()


def test_every_row_is_in_the_report_in_order(climbed: Climbed) -> None:
    assert [each.name for each in climbed.report.ladder] == [step.name for step in LADDER_STEPS]
    assert (climbed.report.verdict, climbed.report.images, climbed.report.faces) == ("all_done", 1, 1)
    unmeasured = {each.name for each in climbed.report.ladder if each.ms is None}
    assert unmeasured == ON_GPU | (set() if HAS_HEAVY else {"light detector"})
    assert set(climbed.runtimes) == {step.name for step in LADDER_STEPS} - unmeasured


def test_the_baseline_ran_the_published_way(climbed: Climbed) -> None:
    ran = climbed.runtimes["baseline"]
    assert (ran.precision.name, ran.generator.backend.name, ran.generator.batch_size) == ("fp32", "eager", 1)
    assert flat(climbed, "baseline")["keep_detail"] == 0.0
    assert climbed.threads["baseline"] == {"MainThread"}
    assert "imwrite" in climbed.calls["baseline"] and "write_file" not in climbed.calls["baseline"]
    assert climbed.report.setting("precision") == "fp32"
    first = climbed.report.ladder[0]
    assert (first.speedup, first.psnr, first.ssim) == (1.0, None, 1.0)
    assert "cv2.imwrite, one at a time; the published baseline ran RetinaFace-ResNet50" in first.note


def test_half_precision_ran_and_changed_the_picture_a_little(climbed: Climbed) -> None:
    assert climbed.runtimes["half precision"].precision.name == "bf16"
    half = row(climbed, "half precision")
    assert half.psnr is not None and 30 < half.psnr < 100
    assert half.note.endswith("bf16")


def test_png_and_saving_change_no_pixel(climbed: Climbed) -> None:
    half = row(climbed, "half precision").psnr
    for name in ("fast PNG", "asynchronous save"):
        assert row(climbed, name).psnr == half
        assert "write_file" in climbed.calls[name] and "imwrite" not in climbed.calls[name]
    assert climbed.threads["fast PNG"] == {"MainThread"}
    assert "gpen-fast-core" in climbed.threads["asynchronous save"]
    assert climbed.calls["asynchronous save"].count("write_file") == 1 + 4, "four that count at once"


@pytest.mark.skipif(not HAS_HEAVY, reason="the weights of a heavy detector are absent")
def test_the_light_detector_ran(climbed: Climbed) -> None:
    assert climbed.runtimes["asynchronous save"].detector.name == HEAVY
    assert climbed.runtimes["light detector"].detector.name == "lite"
    assert row(climbed, "light detector").psnr != row(climbed, "half precision").psnr


def test_cached_landmarks_are_not_searched_and_change_nothing(climbed: Climbed) -> None:
    before = "light detector" if HAS_HEAVY else "asynchronous save"
    assert "find_all" in climbed.calls[before]
    assert "find_all" not in climbed.calls["cached landmarks"]
    assert str(flat(climbed, "cached landmarks")["landmarks"]).endswith("landmarks-lite.jsonl")
    assert row(climbed, "cached landmarks").psnr == row(climbed, before).psnr


def test_skip_detect_runs_on_the_aligned_crop(climbed: Climbed) -> None:
    assert flat(climbed, "skip detect")["detector"] == "none"
    assert "from here on the 1 aligned crop of 1 picture: " in row(climbed, "skip detect").note
    half = row(climbed, "skip detect").psnr
    assert half is not None and half > 30, "the crop is what the baseline's network was given"


def test_eight_faces_share_a_call_and_are_read_ahead(climbed: Climbed) -> None:
    assert climbed.runtimes["preload and batch 8"].generator.batch_size == 8
    assert max(climbed.batches["preload and batch 8"]) == 8
    assert max(climbed.batches["skip detect"]) == 1
    assert "eager" in climbed.calls["preload and batch 8"]
    assert "folded" in climbed.calls["folded network"]
    assert row(climbed, "folded network").psnr is not None


def test_the_last_row_pastes_another_network_into_the_whole_picture(climbed: Climbed) -> None:
    last = row(climbed, "ROI at 256, blended")
    assert climbed.runtimes[last.name].model == "gpen-lite-256"
    assert climbed.runtimes[last.name].generator.batch_size == 8
    assert flat(climbed, last.name)["landmarks"] is not None
    assert last.psnr is not None and last.psnr < 45
    assert last.note.startswith(
        f"loses quality: {last.psnr:.2f} dB is below 45 dB; gpen-lite-256 on the faces"
    )
    assert last.ssim is not None and last.ssim < row(climbed, "half precision").ssim


def test_every_speed_stands_beside_its_accuracy(climbed: Climbed) -> None:
    for each in climbed.report.ladder:
        assert (each.ms is None) == (each.ssim is None) == (each.speedup is None)
        assert each.ms is not None or each.note.startswith("not measured: ")


def test_what_a_row_sets_is_not_accepted_from_the_user(tmp_path: Path) -> None:
    for name, value in {"precision": "bf16", "backend": "eager", "batch_size": 4, "keep_detail": 0.5}.items():
        with pytest.raises(SettingsError, match=f"row by row: leave --{name.replace('_', '-')} out"):
            LadderTask(Settings.from_flat(**{name: value}), [HOPPER], 1, 0)
    with pytest.raises(SettingsError, match="leave --skip-detect out"):
        LadderTask(Settings.from_flat(detector="none"), [HOPPER], 1, 0)


def test_a_picture_without_a_face_is_named(tmp_path: Path, tiny_weights: Path) -> None:
    meadow = write_photo(tmp_path / "meadow.png")
    task = LadderTask(Settings.from_flat(weights=str(tiny_weights)), [HOPPER, meadow], 1, 0)
    with pytest.raises(
        PictureError, match=r"meadow.png: lite finds no face in it.*Name a picture with a face"
    ):
        run_ladder(task, Told(), threading.Event())


def test_an_interrupt_in_the_first_row_leaves_an_empty_report(tiny_weights: Path) -> None:
    class Stops(Told):
        def ran(self, runs: RunsDone) -> None:
            stopped.set()

    stopped = threading.Event()
    task = LadderTask(Settings.from_flat(weights=str(tiny_weights)), [HOPPER], 9, 0)
    report = run_ladder(task, Stops(), stopped)
    assert (report.verdict, report.ladder) == ("interrupted", [])


def test_a_later_row_that_fails_says_why_and_the_others_run(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(frame: object, path: Path) -> None:
        raise PictureError("the disk is full. Free some.")

    monkeypatch.setitem(ladder_pass._WRITE, "host", refused)
    monkeypatch.setattr(ladder, "LADDER_STEPS", [LADDER_STEPS[0], LADDER_STEPS[2], LADDER_STEPS[6]])
    task = LadderTask(Settings.from_flat(weights=str(tiny_weights)), [HOPPER], 1, 0)
    baseline, fast, cached = run_ladder(task, Told(), threading.Event()).ladder
    assert fast.note == "not measured: the disk is full. Free some"
    assert (baseline.ms is None, cached.ms is None) == (False, False)


def test_rows_take_turns_so_that_one_busy_moment_changes_no_row(
    tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    slow = {("fast PNG", 0), ("fast PNG", 1), ("fast PNG", 2)}
    passes: dict[str, int] = defaultdict(int)

    def timed(self: object, way: object, pipeline: Pipeline, sources: object) -> float:
        name = told.row.partition(",")[0]
        timed_pass(self, way, pipeline, sources)
        passes[name] += 1
        return 900.0 if (name, passes[name] - 1) in slow else 100.0

    timed_pass = ladder._Climb._timed_pass
    monkeypatch.setattr(ladder._Climb, "_timed_pass", timed)
    monkeypatch.setattr(ladder, "LADDER_STEPS", [LADDER_STEPS[0], LADDER_STEPS[2]])
    task = LadderTask(Settings.from_flat(weights=str(tiny_weights)), [HOPPER], 6, 0)
    baseline, fast = run_ladder(task, told, threading.Event()).ladder
    assert [name for _, _, name in told.began_] == [
        "baseline", "fast PNG", "baseline, round 2 of 3", "fast PNG, round 2 of 3",
        "baseline, round 3 of 3", "fast PNG, round 3 of 3",
    ]  # fmt: skip
    assert passes == {"baseline": 9, "fast PNG": 9}, (
        "a first pass that does not count and two that do, three times"
    )
    assert (baseline.ms, fast.ms, fast.speedup) == (100.0, 100.0, 1.0)


@pytest.mark.skipif(not HAS_HEAVY, reason="the weights of a heavy detector are absent")
def test_random_weights_are_compared_on_the_baselines_crops_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(SHARED / "weights"))
    steps = [step for step in LADDER_STEPS if step.name in ("baseline", "light detector", "skip detect")]
    monkeypatch.setattr(ladder, "LADDER_STEPS", steps)
    settings = Settings.from_flat(weights="random:gpen-lite-256", detector=HEAVY, detect_size=256)
    baseline, light, aligned = run_ladder(
        LadderTask(settings, [HOPPER], 1, 0), Told(), threading.Event()
    ).ladder
    assert (light.psnr, light.ssim) == (None, None)
    assert light.note == f"detector lite; {UNLIKE}"
    assert baseline.ssim == 1.0 and aligned.ssim == pytest.approx(1.0, abs=1e-3)
