"""Results of an earlier run among the inputs of this one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import write_photo
from runs import pairs

from gpen_fast.errors import InputsError
from gpen_fast.run.earlier import faces_of
from gpen_fast.run.plan import plan
from gpen_fast.settings import OutputOptions

IN_PLACE = OutputOptions("same", in_place=True)


def test_output_may_be_the_input_and_results_are_no_inputs(album: Path) -> None:
    output = OutputOptions("webp", suffix="_new")
    first = plan(["in"], Path("in"), output)
    assert pairs(first)["in/1931/c.jpeg"] == "in/1931/c_new.webp"
    for item in first.todo:
        write_photo(item.target)
    second = plan(["in"], Path("in"), output)
    assert (len(second.todo), len(second.skipped)) == (0, 4)
    assert [note for _, note in second.notes] == [
        "left out: by its name it is a result of an earlier run (and 3 more).",
        "4 made without a record of their settings: taken as done (--overwrite restores them again).",
    ]
    write_photo(album / "in/a_new.webp.faces/000-crop.png")
    changed = plan(["in"], Path("in"), OutputOptions("jpg", suffix="_new"))
    assert len(changed.todo) == 4, "results of another format are results"
    assert len(plan(["in"], Path("in"), OutputOptions("webp", suffix="_new", overwrite=True)).todo) == 4


def test_name_that_only_looks_like_a_result(album: Path) -> None:
    write_photo(album / "in/uncle_new.jpg")
    assert (
        pairs(plan(["in"], Path("in"), OutputOptions(suffix="_new")))["in/uncle_new.jpg"]
        == "in/uncle_new_new.png"
    )
    write_photo(album / "in/a_new.jpg")
    assert "in/a_new.jpg" in pairs(plan(["in"], Path("out"), OutputOptions(suffix="_new"))), (
        "no results lie in in/"
    )


@pytest.mark.parametrize(
    "output", [OutputOptions(), OutputOptions("same"), OutputOptions("webp", suffix="_restored")]
)
def test_an_earlier_runs_inputs_and_output_are_refused(album: Path, output: OutputOptions) -> None:
    for item in plan(["in"], Path("out"), output).todo:
        write_photo(album / item.target)
        write_photo(album / f"{item.target}.faces" / "0-before.png")
    with pytest.raises(InputsError) as told:
        plan(["in", "out"], None, IN_PLACE)
    name = f"out/a{output.suffix}.{'jpg' if output.format == 'same' else output.format}"
    assert str(told.value) == (
        f"out: looks like the results of the other inputs ({name} from in/a.jpg, and 3 more). "
        "With --in-place there is no output: every path is an input and is replaced. Leave out out; or, to "
        "restore it in place too, give it alone in a run of its own."
    )
    assert len(plan(["in"], None, IN_PLACE).todo) == 4
    assert len(plan(["out"], None, IN_PLACE).todo) == 8


@pytest.mark.parametrize(
    ("inputs", "result"),
    [
        (["in", "in/out"], "in/out/a.png"),
        (["in/a.jpg", "in/b.PNG", "out"], "out/b.png"),
        (["in/a.jpg", "out"], "out/a.png"),
        (["in/*.jpg", "out"], "out/a.png"),
        (["in/a.jpg", "out/a.png"], "out/a.png"),
        (["in/a.jpg", "in/a.png"], "in/a.png"),
        (["out", "in"], "out/a.png"),
        (["out", "in", "in/1931"], "out/a.png"),
        (["out", "in"], "out/a_restored.jpg"),
    ],
)
def test_output_of_some_of_the_inputs_is_refused(album: Path, inputs: list[str], result: str) -> None:
    write_photo(album / result)
    with pytest.raises(InputsError, match=rf"looks like the results of .* \({result} from in/[ab]"):
        plan(inputs, None, IN_PLACE)


@pytest.mark.parametrize(
    ("inputs", "others"),
    [
        (["in", "more"], ["more/a.jpg", "more/z.jpg"]),  # one picture is not a result
        (["in", "more"], ["more/a.heic"]),  # no run writes that
        (["in", "more"], ["more/a1.jpg"]),  # a number, no suffix
        (["in", "more"], ["more/a_x.jpg", "more/b_y.jpg"]),  # two suffixes
        (["in", "more"], ["more/1931/a.jpg"]),  # another place in the tree
        (["in", "more"], ["more/a_x.jpg", "more/_x.jpg"]),  # nothing before the suffix
        (["in", "in/1931"], []),
        (["in", "in"], []),
        (["in/a.jpg", "in/a_2.jpg"], ["in/a_2.jpg"]),
        (["in/a.jpg", "in/b.PNG", "more/a.jpg"], ["more/a.jpg"]),
        (["more", "in"], ["more/a.jpg"]),
        (["more", "in"], ["more/a.png", "more/z.png"]),
    ],
)
def test_inputs_that_only_resemble_one_another(album: Path, inputs: list[str], others: list[str]) -> None:
    for name in others:
        path = album / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_photo(album / "photo.jpg").rename(path)
    made = plan(inputs, None, IN_PLACE)
    assert made.todo
    assert {Path(name) for name in others} <= {item.source for item in made.todo} | {
        path for path, _ in made.failed
    }


def test_of_two_folders_alike_the_older_one_is_not_taken_for_results(album: Path) -> None:
    for item in plan(["in"], Path("out"), OutputOptions()).todo:
        write_photo(album / item.target)
        os.utime(album / item.source, (1, 1))
    with pytest.raises(
        InputsError, match=r"^out: looks like the results of the other inputs \(out/a\.png from in/a"
    ):
        plan(["out", "in"], None, IN_PLACE)


def test_faces_lie_beside_their_result() -> None:
    assert faces_of(Path("out/a.png")) == Path("out/a.png.faces")
