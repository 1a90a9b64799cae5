"""The Python examples of both READMEs pass the type checker of a user's editor."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

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
