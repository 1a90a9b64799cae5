"""Which pictures are a film, and what is said of those that are none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.video.numbered import (
    first_number,
    frames_between,
    is_pattern,
    names_of_pattern,
    results_of,
    sequence_in,
    sequence_of_pattern,
)


def test_pictures_follow_in_the_order_of_their_numbers() -> None:
    found = sequence_in(Path("f"), ["a2_v3.png", "a10_v3.png", *(f"a{n}_v3.png" for n in range(3, 10))])
    assert (found.files[0], found.files[-1], len(found)) == ("a2_v3.png", "a10_v3.png", 9)
    assert (found.shown, first_number(found)) == ("a%d_v3.png", 2)
    assert results_of(found).name(8) == "a10_v3.png"
    assert results_of(sequence_in(Path(), ["x1.jpg", "x2.jpg"])).name(1) == "x2.png"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["s_01.png", "s_02.png", "s_05.png"], "f/s_03.png: is missing: after s_02.png comes s_05.png."),
        (["s_1.png", "s_01.png"], "f/s_01.png and s_1.png have one number."),
        (["a_1.png", "b_1.png"], "f: holds a_1.png and b_1.png, which are not of one sequence."),
        (["cover.png"], "f/cover.png: is not numbered"),
    ],
)  # fmt: skip
def test_what_is_no_film_is_refused(names: list[str], words: str) -> None:
    with pytest.raises(InputsError) as refused:
        sequence_in(Path("f"), names)
    assert str(refused.value).startswith(words)


def test_patterns_name_inputs_and_results(tmp_path: Path) -> None:
    for name in ("s_0009.png", "s_0010.png", "s_9.png", "other.png"):
        (tmp_path / name).touch()
    assert is_pattern(tmp_path / "s_%04d.png")
    assert not is_pattern(tmp_path / "s_0009.png")
    assert sequence_of_pattern(tmp_path / "s_%04d.png").files == ("s_0009.png", "s_0010.png")
    assert sequence_of_pattern(tmp_path / "s_%d.png").files == ("s_9.png",)
    with pytest.raises(InputsError, match="no picture of that name"):
        sequence_of_pattern(tmp_path / "t_%04d.png")
    assert names_of_pattern(Path("o/r%03d_x.tif"), 7).name(5) == "r012_x.tif"
    with pytest.raises(InputsError, match=r"pictures of that suffix are not written"):
        names_of_pattern(Path("o/r%03d.exr"))


def test_the_part_between_two_times() -> None:
    rate = Fraction(24000, 1001)
    assert frames_between(100, rate, None, None) == range(100)
    assert frames_between(100, rate, Fraction(1), Fraction(2)) == range(24, 48)
    assert frames_between(100, Fraction(25), Fraction("0.08"), Fraction("0.16")) == range(2, 4)
    assert not frames_between(10, rate, Fraction(5), None)
