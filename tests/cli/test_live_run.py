"""What `live` and `profile --live` share: failures while it runs, and Ctrl-C."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch
from clips import clip_pixels
from live_ends import ListSink, ListSource

from gpen_fast.cli import live_run
from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.live_run import LiveRequest, run_and_print
from gpen_fast.errors import VideoError
from gpen_fast.settings import LiveOptions, Settings


@pytest.fixture
def run(tiny_weights: Path):
    settings = Settings.from_flat(
        weights=str(tiny_weights), detector="lite", precision="fp32", keep_detail=0.0
    )

    def play(source: ListSource, sink: ListSink):
        options = LiveOptions(out="none", max_latency=20_000.0)
        return run_and_print(
            LiveRequest("clip", lambda: source, lambda facts: sink, settings, options, RunOptions(quiet=True))
        )

    return play


FRAMES = clip_pixels("pan", 40, 120)[:12]


def test_ctrl_c_ends_it_in_good_order(run, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(number: int) -> None:
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)

    source, sink = ListSource(FRAMES * 20, gap=0.03), ListSink(each=interrupt)
    report = run(source, sink)
    assert 3 <= report.images < 100
    assert sink.closed
    assert source.closed
    assert not report.failed
    assert "stopping: the frames under way are handed out" in capsys.readouterr().err


def test_an_output_that_fails_is_told_and_the_report_is_none(run, capsys: pytest.CaptureFixture[str]) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    sink = ListSink(each=full)
    assert run(ListSource(FRAMES, gap=0.01), sink) is None
    assert capsys.readouterr().err.startswith("failed clip: ")
    assert sink.closed


def test_an_output_that_cannot_be_is_told_before_the_networks_are_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(facts):
        raise VideoError("there is no display for a window.")

    monkeypatch.setattr(live_run, "fetch_and_load", lambda *given, **options: pytest.fail("opened too early"))
    source = ListSource(FRAMES)
    request = LiveRequest("clip", lambda: source, refuse, Settings(), LiveOptions(), RunOptions(quiet=True))
    with pytest.raises(VideoError, match="no display"):
        run_and_print(request)
    assert source.closed


def test_the_process_computes_on_as_many_cores_as_before(run) -> None:
    before = torch.get_num_threads()
    run(ListSource(FRAMES, gap=0.01), ListSink())
    assert torch.get_num_threads() == before
