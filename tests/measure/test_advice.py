"""Verdict and advice."""

from __future__ import annotations

import pytest
from reports import report_of

from gpen_fast.measure.advice import advise, frame_verdict
from gpen_fast.measure.report_parts import WeightsFile


@pytest.mark.parametrize(
    ("p95", "fps", "wanted"),
    [
        (33.3, 30, "live"),
        (33.4, 30, "borderline"),
        (49.9, 30, "borderline"),
        (50.1, 30, "offline"),
        (99, 10, "live"),
    ],
)
def test_verdict(p95: float, fps: float, wanted: str) -> None:
    assert frame_verdict(p95, fps) == wanted


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("detect", "detect is 61%: try --skip-detect"),
        ("generate", "generate is 61%: try a GPU (--device cuda), or half precision (--fp16)"),
        ("save", "save is 61%: enhance saves beside"),
        ("load", "load is 61%: enhance loads ahead"),
        ("paste", "paste is 61%: try --only-largest"),
    ],
)
def test_advice_is_for_the_stage_that_costs_most(stage: str, words: str) -> None:
    assert words in advise(report_of(stage))


def test_half_precision_is_advised_only_where_it_is_another() -> None:
    report = report_of()
    assert "--fp16" in advise(report)
    for already in ("fp32", "bf16"):
        settings = report.settings | {"precision": "bf16"}
        assert "--fp16" not in advise(report_of(half_precision=already, settings=settings))


def test_a_smaller_model_is_advised_as_it_was_named() -> None:
    assert "a smaller model (--model gpen-bfr-256)" in advise(report_of())
    random = [WeightsFile("gpen-bfr-512", None, random=True)]
    assert "a smaller model (--weights random:gpen-bfr-256)" in advise(report_of(weights=random))
    assert "smaller model" not in advise(report_of(face_size=256))


def test_fewer_faces_are_advised_where_pictures_have_several() -> None:
    assert "--only-largest" not in advise(report_of())
    assert "fewer faces (--only-largest, --min-face PX)" in advise(report_of(faces=3))
