"""The rules that keep the parts apart."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "gpen_fast"
MODULES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Names of our own modules that this one imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gpen_fast"):
            found.add((node.module or "").removeprefix("gpen_fast").removeprefix("."))
            found |= {f"{node.module}.{alias.name}".removeprefix("gpen_fast.") for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("gpen_fast.") for alias in node.names if "gpen_fast" in alias.name
            }
    return found


def stage_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "stages" and len(parts) > 1 else None


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_keep_to_the_rules(path: Path) -> None:
    module, imported = name_of(path), imports_of(path)
    if module == "errors":
        assert not imported
    if module == "types":
        assert imported <= {"errors", "errors.PictureError"}
    if stage := stage_of(module):
        others = {stage_of(name) for name in imported} - {None, stage}
        assert not others, f"a stage imports the stages {others}"
        assert not [name for name in imported if name.startswith(("measure", "cli"))], (
            "stages do not know the clock"
        )
    if not module.startswith("cli") and module != "__main__":
        assert not [name for name in imported if name.startswith("cli")], "only the command line knows itself"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert not prints or name_of(path).startswith("cli")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_device_touches_torchs_global_switches(path: Path) -> None:
    if name_of(path).startswith("device"):
        return
    text = path.read_text()
    for switch in (
        "torch.backends",
        "set_float32",
        "set_num_threads",
        "set_default",
        "manual_seed",
        "set_grad",
    ):
        assert switch not in text


def test_files_stay_small() -> None:
    long = {name_of(path): n for path in MODULES if (n := len(path.read_text().splitlines())) > 300}
    assert not long
