"""Facts are read from a file that is not run, and what is wrong with them is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import PluginError
from gpen_fast.plugins.facts import AnyFacts, BackendFacts, DetectorFacts, FormatFacts, read_facts


def read(tmp_path: Path, lines: str, wanted: type[AnyFacts] = DetectorFacts) -> AnyFacts | None:
    file = tmp_path / "plugin.py"
    file.write_text(lines, encoding="utf-8")
    return read_facts(file, wanted)


def test_the_file_is_not_run(tmp_path: Path) -> None:
    lines = """
        raise RuntimeError("it was run")
        import no_such_package
        FACTS = facts.DetectorFacts(
            rank=2, weights=("a", "b"), extra="x", gives_landmarks=True, on_host=False, help="é"
        )
    """
    wanted = DetectorFacts(
        rank=2, weights=("a", "b"), extra="x", gives_landmarks=True, on_host=False, help="é"
    )
    assert read(tmp_path, "\n".join(line[8:] for line in lines.splitlines())) == wanted


def test_each_kind_and_its_defaults(tmp_path: Path) -> None:
    backend = read(tmp_path, 'FACTS = BackendFacts(rank=None, devices=("cuda",), help="x")', BackendFacts)
    assert backend == BackendFacts(rank=None, devices=("cuda",), extra=None, help="x")
    line = 'FACTS = FormatFacts(suffixes=("a",), depths=(8, 16), alpha=False, lossless=True, help="x")'
    assert read(tmp_path, line, FormatFacts) == FormatFacts(
        suffixes=("a",), depths=(8, 16), alpha=False, lossless=True, help="x"
    )


@pytest.mark.parametrize("lines", ["", "# FACTS\n", "def f():\n    FACTS = 1\n", "FACTS_OF = 1\n"])
def test_a_helper_module_has_none(tmp_path: Path, lines: str) -> None:
    assert read(tmp_path, lines) is None


GOOD = "rank=1, gives_landmarks=True, on_host=True, help='x'"


@pytest.mark.parametrize(
    ("value", "came"),
    [
        ("7", "FACTS is 7"),
        (f"BackendFacts({GOOD})", "FACTS is BackendFacts"),
        ("DetectorFacts(1)", "FACTS is DetectorFacts(1)"),
        (f"DetectorFacts({GOOD}, weights=names())", "FACTS cannot be read (malformed node"),
        (f"DetectorFacts({GOOD}, **more)", "FACTS cannot be read (malformed node"),
        (f"DetectorFacts({GOOD}, colour=1)", "unexpected keyword argument 'colour'"),
        ("DetectorFacts(rank=1)", "missing 3 required keyword-only arguments"),
        (f"DetectorFacts({GOOD.replace('1', 'True')})", "FACTS has rank=True"),
        (f"DetectorFacts({GOOD}, weights='yunet')", "FACTS has weights='yunet'"),
        (f"DetectorFacts({GOOD}, weights=(1,))", "FACTS has weights=(1,)"),
    ],
)
def test_wrong_facts_say_what_came_and_what_is_accepted(tmp_path: Path, value: str, came: str) -> None:
    with pytest.raises(PluginError) as told:
        read(tmp_path, f"FACTS = {value}")
    assert came in str(told.value)
    assert "Accepted is FACTS = DetectorFacts(...), literals only, of rank: int | None, weights:" in str(
        told.value
    )


def test_closed_choices_are_checked(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"FACTS has devices=\('tpu',\)"):
        read(tmp_path, "FACTS = BackendFacts(rank=1, devices=('tpu',), help='x')", BackendFacts)


@pytest.mark.parametrize("source", [b"FACTS = (", b"FACTS = '\xff'", b"FACTS = 1\0"])
def test_a_file_that_is_no_python_is_named(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "plugin.py").write_bytes(source)
    with pytest.raises(PluginError, match=r"plugin\.py cannot be read as Python"):
        read_facts(tmp_path / "plugin.py", DetectorFacts)
    with pytest.raises(PluginError, match=r"absent\.py cannot be read as Python"):
        read_facts(tmp_path / "absent.py", DetectorFacts)
