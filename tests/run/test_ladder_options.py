"""The settings of a row: the user's, and what the row sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpen_fast.run import ladder_options
from gpen_fast.run.ladder_options import row_settings, small_network
from gpen_fast.run.ladder_steps import LadderWay
from gpen_fast.settings import Settings, WeightsOptions

WAY = LadderWay("lite")
GIVEN = Settings.from_flat(model="gpen-bfr-512", only_largest=True, detect_size=320, upright=True).as_flat()


def test_the_row_sets_its_own_and_keeps_the_users() -> None:
    made = row_settings(GIVEN, replace(WAY, precision="half", batch_size=8), None)
    assert (made.generate.precision, made.generate.backend, made.generate.batch_size) == ("half", "eager", 8)
    assert (made.detect.detector, made.detect.only_largest, made.detect.detect_size) == ("lite", True, 320)
    assert (made.weights.model, made.paste.keep_detail, made.detect.landmarks) == ("gpen-bfr-512", 0.0, None)


def test_cached_landmarks_come_from_the_file() -> None:
    assert (
        row_settings(GIVEN, replace(WAY, landmarks="cached"), Path("f.jsonl")).detect.landmarks == "f.jsonl"
    )


def test_an_aligned_picture_takes_no_choice_of_faces() -> None:
    made = row_settings(GIVEN, replace(WAY, landmarks="aligned"), Path("f.jsonl"))
    assert made.aligned
    assert (made.detect.only_largest, made.detect.landmarks, made.paste.upright) == (False, None, False)


@pytest.mark.parametrize(
    ("there", "wanted"),
    [(["gpen-bfr-256", "gpen-lite-256"], "gpen-bfr-256"), (["gpen-lite-256"], "gpen-lite-256")],
)
def test_the_best_small_network_that_is_there_runs(
    there: list[str], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_options, "present", lambda name, options: name in there)
    weights = WeightsOptions(weights="my-512.pth")
    assert small_network(weights, 512) == {"weights": None, "model": wanted}
    assert small_network(weights, 256) == {}


def test_a_ladder_of_random_weights_stays_one() -> None:
    weights = WeightsOptions(weights="random:gpen-bfr-512")
    assert small_network(weights, 512) == {"weights": "random:gpen-bfr-256", "model": "auto"}
