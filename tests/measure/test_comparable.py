"""What forbids a comparison, and what it must say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import report_of

from gpen_fast.errors import ProfileError
from gpen_fast.measure.comparable import comparison_notes, refuse_other_devices
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import WeightsFile


def on(report: Report, **changed: object) -> Report:
    assert report.device is not None
    return replace(report, device=replace(report.device, **changed))


XEON = on(report_of(), processor="Intel(R) Xeon(R)")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (on(XEON, type="cuda", name="cuda:0 NVIDIA H100"), "'cpu, 2 threads' and 'cuda:0 NVIDIA H100'"),
        (on(XEON, name="cpu, 4 threads", threads=4), "'cpu, 2 threads' and 'cpu, 4 threads'"),
        (on(XEON, processor="AMD EPYC"), r"processor 'Intel\(R\) Xeon\(R\)' and 'AMD EPYC'"),
        (on(XEON, threads=4), "2 threads and 4"),
    ],
)
def test_other_devices_are_refused(other: Report, told: str) -> None:
    with pytest.raises(ProfileError, match=f"the reports come from different devices: {told}. Times compare"):
        refuse_other_devices([XEON], [other])
    with pytest.raises(ProfileError, match=told):
        refuse_other_devices([XEON, other], [XEON])


def test_an_architecture_in_an_earlier_report_is_no_other_processor() -> None:
    refuse_other_devices([report_of()], [XEON])


def test_a_report_in_which_nothing_ran_is_refused() -> None:
    with pytest.raises(ProfileError, match="a report of enhance cannot be compared"):
        refuse_other_devices([Report("enhance", "0.1.0")], [XEON])


def test_a_report_without_stages_is_refused() -> None:
    with pytest.raises(ProfileError, match="a report without times of stages cannot be compared"):
        refuse_other_devices([XEON], [replace(XEON, stages=[])])


def test_what_differs_is_named() -> None:
    settings = dict(XEON.settings or {}) | {"detect_size": 1280, "weights_dir": "elsewhere"}
    other = replace(
        on(XEON, torch="2.12.0", python="3.13.1"),
        settings=settings, input_sha256="2" * 64, faces=8, weights=[WeightsFile("x", "3" * 64, False)],
    )  # fmt: skip
    size = (XEON.settings or {})["detect_size"]
    assert comparison_notes([replace(XEON, input_sha256="1" * 64)], [other, other]) == [
        "torch differs: 2.11.0 and 2.12.0.",
        "python differs: 3.12.1 and 3.13.1.",
        "The pictures differ: the ratios are of two pictures, not of two versions.",
        "Faces in a picture differ: 1 and 4.",
        "The weights differ.",
        f"Setting detect_size differs: {size} and 1280.",
    ]


def test_equal_sides_have_no_notes() -> None:
    assert comparison_notes([XEON, XEON], [XEON]) == []
    assert comparison_notes([XEON], [replace(XEON, input_sha256="1" * 64)]) == []  # an earlier version
