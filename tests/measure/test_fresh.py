"""`profile` in processes of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from helpers import write_photo
from reports import report_of

from gpen_fast.errors import ProfileError
from gpen_fast.measure.fresh import fresh_profile, measured_in_turns


def test_a_process_of_its_own_measures(tmp_path: Path, tiny_weights: Path) -> None:
    picture = write_photo(tmp_path / "a.png", height=64, width=64)
    arguments = [
        str(picture),
        "--skip-detect",
        "--weights",
        str(tiny_weights),
        "--runs",
        "2",
        "--warmup",
        "0",
    ]
    report = fresh_profile(arguments)
    assert (report.command, report.runs) == ("profile", 2)
    (process,) = report.processes
    assert len(process.wall_ms) == 2
    assert set(process.host_ms) == {"load", "crop", "generate", "save"}
    assert report.input_sha256


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(ProfileError, match=r"profile ended with exit status 2: none.jpg: no such file"):
        fresh_profile(["none.jpg"])


def test_the_interpreter_and_the_environment_may_be_others(tmp_path: Path) -> None:
    package = tmp_path / "gpen_fast"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        f"Path(sys.argv[-1]).write_text({report_of(version='9.9').as_json()!r})\n"
    )
    made = fresh_profile([], python=sys.executable, environment=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert made.version == "9.9"


def test_turns_alternate_and_their_order_is_reversed_each_time() -> None:
    order = []

    def side(name: str):
        return lambda: order.append(name) or report_of(version=name)

    made = measured_in_turns([side("a"), side("b")], 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [[each.version for each in one] for one in made] == [["a"] * 3, ["b"] * 3]
