"""Which quality steps a run has, and what each is expected to take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpen_fast.errors import HashError
from gpen_fast.run.live import steps as under_test
from gpen_fast.run.live.steps import EVERY_SECOND, LIVE_NETWORKS, PASS_THROUGH, face_cost, quality_steps
from gpen_fast.run.runtime import Runtime
from gpen_fast.store.locate import Choice


@pytest.fixture
def named(small: Runtime, monkeypatch: pytest.MonkeyPatch):
    """Steps below a network of that name, where some are present; none is loaded."""

    def steps(model: str, present: set[str], broken: str = "") -> list[str]:
        def find(name: str, options: object) -> Path | None:
            if name == broken:
                raise HashError("another file")
            return Path(name) if name in present else None

        monkeypatch.setattr(under_test, "present", find)
        monkeypatch.setattr(under_test, "with_network", lambda first, name: replace(first, model=name))
        monkeypatch.setattr(under_test, "face_cost", lambda runtime: 0.25)
        first = replace(small, model=model, weights=Choice(Path("w"), model))
        return [each.name for each in quality_steps(first)]

    return steps


def test_networks_that_are_present_come_from_the_chosen_one_down(named) -> None:
    everything = set(LIVE_NETWORKS)
    assert named("gpen-bfr-512", everything) == [*LIVE_NETWORKS, EVERY_SECOND, PASS_THROUGH]
    assert named("gpen-bfr-256", everything) == [*LIVE_NETWORKS[1:], EVERY_SECOND, PASS_THROUGH]
    assert named("gpen-bfr-512", {"gpen-lite-256"}) == [
        "gpen-bfr-512", "gpen-lite-256", EVERY_SECOND, PASS_THROUGH,
    ]  # fmt: skip
    assert named("gpen-lite-256", everything) == ["gpen-lite-256", EVERY_SECOND, PASS_THROUGH]


def test_a_file_that_cannot_be_used_is_left_out(named) -> None:
    assert "gpen-bfr-256" not in named("gpen-bfr-512", set(LIVE_NETWORKS), broken="gpen-bfr-256")


def test_below_a_users_own_network_are_those_of_smaller_faces(small: Runtime) -> None:
    """The network of these tests takes faces of 64 pixels: nothing is smaller."""
    made = quality_steps(small)
    assert [each.name for each in made] == [small.model, EVERY_SECOND, PASS_THROUGH]
    assert [each.every for each in made] == [1, 2, 0]
    assert made[0].cost > 0
    assert made[1].cost == made[0].cost / 2
    assert made[2].cost == 0


def test_the_embedded_network_is_opened_below_a_larger_one(small: Runtime) -> None:
    large = replace(small, weights=Choice(Path("w"), "gpen-bfr-256"))
    lite = under_test._smaller(large)[-1]
    assert lite.model == "gpen-lite-256"
    assert lite.size == 256
    assert lite.detector is small.detector
    assert face_cost(lite) > face_cost(small)
