"""A comparison in words."""

from __future__ import annotations

from dataclasses import replace

from sides import sides_of

from gpen_fast.measure.compare import compare_sides
from gpen_fast.measure.comparison_text import comparison_cells, comparison_markdown, comparison_sentences
from gpen_fast.measure.report_rows import ComparisonRow

ROW = ComparisonRow("save", 10.0, 11.0, 1.1, 0.98, 1.23, "undecided", 7)


def test_cells_of_each_verdict() -> None:
    assert comparison_cells(ROW) == ("save", "10.00", "11.00", "1.10", "0.98 and 1.23", "undecided: 7 more")
    assert comparison_cells(replace(ROW, more_processes=5000))[-1] == "undecided: over 100 more"
    assert comparison_cells(replace(ROW, more_processes=None))[-1] == "undecided"
    small = replace(ROW, low=None, high=None, verdict="not_judged", more_processes=None)
    assert comparison_cells(small)[-2:] == ("", "not judged")


def test_sentences_say_the_result_first() -> None:
    slow = compare_sides(*sides_of(1, noise=0.01, generate=1.2, save=1.5))
    told = comparison_sentences(slow)
    assert told[0].startswith("Regression, slower by more than 10 %: generate 2")
    assert " save 5" in told[0]
    assert told[1].startswith("5 processes against 5, measured in turns. All 6 intervals together hold")
    same = compare_sides(*sides_of(1))
    assert comparison_sentences(same)[0].startswith("No regression: ")


def test_drift_of_the_machine_is_told() -> None:
    told = comparison_sentences(compare_sides(*sides_of(2, apart=True, machine=1.12)))
    assert "measured one side after the other" in told[1]
    assert "All stages together take 12 % more time on the new side" in told[2] or "1" in told[2]
    assert not any(
        "All stages" in each for each in comparison_sentences(compare_sides(*sides_of(2, noise=0.003)))
    )


def test_differences_are_notes() -> None:
    old, new = sides_of(3)
    made = compare_sides(old, [replace(each, input_sha256="2" * 64) for each in new])
    assert comparison_sentences(made)[-1].startswith("Note: The pictures differ")


def test_markdown_marks_regressions() -> None:
    text = comparison_markdown(compare_sides(*sides_of(1, noise=0.01, generate=1.2)))
    lines = text.splitlines()
    assert lines[0].count("|") == lines[1].count("|") == 7
    assert [line for line in lines if line.startswith("| **")] == [
        line for line in lines if "generate" in line and line.startswith("|")
    ]
    assert "\n- Regression" in text
