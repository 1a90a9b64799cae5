"""The sizes of a sweep: which network each runs, what becomes of one that fails, and of an interrupt."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from reports import report_of

from gpen_fast.errors import SettingsError
from gpen_fast.measure.report_parts import MemoryPeaks, WeightsFile
from gpen_fast.measure.stats import Summary
from gpen_fast.run import sweep
from gpen_fast.run.steps import RunsDone
from gpen_fast.run.sweep import SweepTask, run_sweep, sizes_of
from gpen_fast.run.sweep_size import SizeFailed, SizeTask, measure_in_child
from gpen_fast.settings import Settings

PICTURE = Path("face.jpg")


def task(text: str = "256,512", **settings: object) -> SweepTask:
    return SweepTask(Settings.from_flat(**settings), PICTURE, sizes_of(text), 4, 2, 30.0)


class Told:
    """What the progress is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.runs: list[RunsDone] = []

    def began(self, number: int, of: int, name: str) -> None:
        self.steps.append(f"{number}/{of} {name}")

    def ran(self, runs: RunsDone) -> None:
        self.runs.append(runs)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch):
    """Stands in for the processes: each sends what is listed for its network, then ends."""
    sent: dict[str, list[object]] = {}
    made: list[SizeTask] = []
    killed: list[str] = []

    class Child:
        def __init__(self, work: object, size_task: SizeTask, name: str) -> None:
            assert work is measure_in_child
            made.append(size_task)
            self._network = size_task.settings.weights.weights or size_task.settings.weights.model
            self._messages = iter(sent.get(self._network, []))
            self.pipe = self

        def poll(self, seconds: float) -> bool:
            return True

        def recv(self) -> object:
            for message in self._messages:
                return message
            raise EOFError

        def ended_by(self) -> str:
            return "signal 9 (SIGKILL)"

        def kill(self) -> None:
            killed.append(self._network)

    monkeypatch.setattr(sweep, "SpawnedChild", Child)
    return sent, made, killed


def profiled(mean: float, network: str):
    return replace(
        report_of(),
        runs=4,
        wall_ms=Summary(mean, mean - 1, mean + 9, mean - 2, mean + 10, 1.0),
        memory=MemoryPeaks(None, 1000),
        model_load_ms=None,
        weights=[WeightsFile(network, None, random=True)],
    )


def test_each_size_has_a_process_with_its_network(children) -> None:
    sent, made, killed = children
    sent["random:gpen-bfr-256"] = [RunsDone(1, 7), profiled(20.0, "gpen-bfr-256")]
    sent["random:gpen-bfr-512"] = [profiled(80.0, "gpen-bfr-512")]
    told = Told()
    report = run_sweep(task(), told, threading.Event())
    assert [each.settings.weights.weights for each in made] == list(sent)
    assert {(each.runs, each.warmup, each.target_fps, each.picture) for each in made} == {
        (4, 2, 30.0, PICTURE)
    }
    assert told.steps == ["1/2 256 x 256, random:gpen-bfr-256", "2/2 512 x 512, random:gpen-bfr-512"]
    assert told.runs == [RunsDone(1, 7)]
    first, second = report.sweep
    assert (first.size, first.model, first.mean_ms, first.p50_ms, first.p95_ms, first.fps) == (
        256, "random:gpen-bfr-256", 20.0, 19.0, 29.0, 50.0,
    )  # fmt: skip
    assert (first.verdict, second.verdict, first.host_peak_bytes) == ("live", "offline", 1000)
    assert sum(first.shares.values()) == pytest.approx(1.0)
    assert (report.verdict, report.images, report.failed, report.wall_ms) == ("all_done", 8, [], None)
    assert [each.name for each in report.weights or []] == ["gpen-bfr-256", "gpen-bfr-512"]
    assert killed == list(sent), "no process is left"


def test_the_users_weights_run_where_they_are_present(children, monkeypatch: pytest.MonkeyPatch) -> None:
    _, made, _ = children
    monkeypatch.setattr(sweep, "present", lambda name, options: PICTURE if name == "gpen-bfr-512" else None)
    run_sweep(task(weights_dir="w"), Told(), threading.Event())
    first, second = (each.settings.weights for each in made)
    assert (first.weights, first.weights_dir) == ("random:gpen-bfr-256", "w")
    assert (second.weights, second.model) == (None, "gpen-bfr-512")


def test_a_size_that_fails_is_named_and_the_next_is_measured(children) -> None:
    sent, _, _ = children
    sent["random:gpen-bfr-256"] = [SizeFailed("no such file")]
    sent["random:gpen-bfr-1024"] = [profiled(80.0, "gpen-bfr-1024")]
    report = run_sweep(task("256,512,1024"), Told(), threading.Event())
    assert [row.size for row in report.sweep] == [1024]
    assert report.verdict == "some_failed"
    assert [(each.path, each.error) for each in report.failed] == [
        ("256 x 256, random:gpen-bfr-256", "no such file"),
        (
            "512 x 512, random:gpen-bfr-512",
            "its process ended by signal 9 (SIGKILL): the system may lack memory for it.",
        ),
    ]


def test_an_interrupt_keeps_what_is_measured(children) -> None:
    sent, _, killed = children
    stopped = threading.Event()

    class Stops(Told):
        def ran(self, runs: RunsDone) -> None:
            stopped.set()

    sent["random:gpen-bfr-256"] = [profiled(20.0, "gpen-bfr-256")]
    sent["random:gpen-bfr-512"] = [RunsDone(1, 7), profiled(20.0, "gpen-bfr-512")]
    report = run_sweep(task(), Stops(), stopped)
    assert ([row.size for row in report.sweep], report.verdict) == ([256], "interrupted")
    assert killed[-1] == "random:gpen-bfr-512", "the process that runs is ended"


@pytest.mark.parametrize("text", ["256,300", "300", "", "512,", "all", "512;256", "-256"])
def test_a_size_without_a_network_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"there is no network gpen-bfr-.*Accepted are 256, 512, 1024, 2048"
    ):
        sizes_of(text)


def test_sizes_keep_their_order_each_once() -> None:
    assert sizes_of("1024, 256,1024") == [1024, 256]


def test_a_network_of_the_users_contradicts_the_sizes() -> None:
    with pytest.raises(SettingsError, match="leave --model out"):
        task(model="gpen-bfr-512")
    with pytest.raises(SettingsError, match="leave --weights out"):
        task(weights="random:gpen-bfr-512")
