"""READMEs: their Python examples pass a type checker, and their tables say what the plug-ins declare."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

from gpen_fast import plugins

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# basedpyright is Pyright with Node inside its wheels, so it needs nothing but a package index. Its additional checks
# are off in these modes.
SETTINGS = {"typeCheckingMode": "standard", "pythonVersion": "3.11", "reportMissingImports": "error"}


def examples(page: str) -> list[str]:
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_page_has_examples(page: str) -> None:
    assert len(examples(page)) >= 2


def test_examples_type_check(tmp_path: Path) -> None:
    for page in ("README.md", "README.zh-CN.md"):
        for number, code in enumerate(examples(page)):
            (tmp_path / f"{Path(page).stem.replace('.', '_').replace('-', '_')}_{number}.py").write_text(code)
    settings = SETTINGS | {"extraPaths": [str(ROOT / "src")]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "-p",
        str(tmp_path),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    output = json.loads(ran.stdout)
    assert output["summary"]["filesAnalyzed"] >= 6
    found = [
        f"{Path(each['file']).name}:{each['range']['start']['line'] + 1}: {each['message']}"
        for each in output["generalDiagnostics"]
        if each["severity"] == "error"
    ]
    assert not found, "\n".join(found)


def table(heading: str) -> list[list[str]]:
    """The cells of the table that begins with `heading`, without its first two lines."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = page[page.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_detectors_are_those_that_declare_themselves() -> None:
    facts = {name: known for name, known in plugins.facts("detect").items() if name != "none"}
    rows = table("detector")
    assert [row[0].strip("`") for row in rows] == list(facts), "best first, as auto tries them"
    for (_, landmarks, runs_on, about, pulled), known in zip(rows, facts.values(), strict=True):
        assert landmarks == ("yes" if known.gives_landmarks else "no")
        assert runs_on == ("CPU" if known.on_host else "device")
        assert pulled.strip("`") in ("-", *known.weights)
        assert ("used only if named" in about) == (known.rank is None or not known.weights)


def test_the_backends_are_those_that_declare_themselves() -> None:
    assert [row[0].strip("`") for row in table("backend")] == ["auto", *plugins.facts("generate")]


def test_every_format_that_is_written_is_in_the_table() -> None:
    written = {row[0].split(",")[0].lower() for row in table("format") if row[2] != "-"}
    assert {known.suffixes[0] for known in plugins.facts("save").values()} == {
        {"jpeg": "jpg", "tiff": "tif"}.get(name, name) for name in written
    }
