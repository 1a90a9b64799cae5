"""What each row changes, and which rows a machine cannot run."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from gpen_fast.device import precision
from gpen_fast.run.ladder_steps import LADDER_STEPS, LIGHT_DETECTORS, LadderWay
from gpen_fast.stages.generate.base import auto_backend

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
NAMES = [step.name for step in LADDER_STEPS]


def changed(before: LadderWay, after: LadderWay) -> set[str]:
    return {
        each.name for each in fields(LadderWay) if getattr(before, each.name) != getattr(after, each.name)
    }


def test_every_row_keeps_the_changes_of_those_above_and_adds_its_own() -> None:
    way = LadderWay("retinaface")
    seen = []
    for step in LADDER_STEPS:
        assert step.refuses(way, CUDA) == "", "a GPU runs every row"
        after = step.change(way)
        seen.append(changed(way, after))
        way = after
    assert dict(zip(NAMES, seen, strict=True)) == {
        "baseline": set(),
        "half precision": {"precision"},
        "fast PNG": {"encoder"},
        "PNG on the GPU": {"encoder"},
        "asynchronous save": {"overlap"},
        "light detector": {"detector"},
        "cached landmarks": {"landmarks"},
        "skip detect": {"landmarks"},
        "preload and batch 8": {"overlap", "batch_size"},
        "folded network": {"backend"},
        "CUDA graphs": {"graphs"},
        "ROI at 256, blended": {"network", "landmarks"},
    }
    assert way == LadderWay(
        "lite",
        "half",
        "folded",
        8,
        graphs=True,
        network="256",
        landmarks="cached",
        encoder="device",
        overlap="all",
    )
    assert way.backend == auto_backend("cpu"), "the ladder ends at what runs by default"


def test_the_baseline_is_the_published_way() -> None:
    way = LadderWay("retinaface")
    assert (way.precision, way.backend, way.batch_size, way.encoder) == ("fp32", "eager", 1, "opencv")
    assert (way.overlap, way.landmarks, way.network, way.least_pictures) == ("none", "searched", "own", 1)


@pytest.mark.parametrize("name", ["PNG on the GPU", "CUDA graphs"])
def test_rows_of_a_gpu_say_why_a_cpu_does_not_run_them(name: str) -> None:
    step = LADDER_STEPS[NAMES.index(name)]
    assert step.refuses(LadderWay("lite"), CPU).endswith("on CUDA only, and this runs on cpu")


@pytest.mark.parametrize("native", [False, True])
def test_half_precision_on_a_cpu_needs_native_bf16(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: native)
    why = LADDER_STEPS[NAMES.index("half precision")].refuses(LadderWay("lite"), CPU)
    assert why == (
        "" if native else "this CPU does not multiply bf16 natively: half precision would be slower"
    )


@pytest.mark.parametrize("name", LIGHT_DETECTORS)
def test_a_light_detector_is_not_replaced_by_itself(name: str) -> None:
    step = LADDER_STEPS[NAMES.index("light detector")]
    assert step.refuses(LadderWay(name), CPU).startswith(f"the baseline's detector, {name}, is a light one")
    assert step.refuses(LadderWay("retinaface-mobile"), CPU) == ""
