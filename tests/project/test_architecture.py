"""The rules of docs/architecture.md, checked on the source; imports inside functions count."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from helpers import ROOT
from house import LAYERS, House, SourceFile, rows

HOUSE = House()
FILES = HOUSE.files
# The only parts that a folder may import besides itself, where the order of the layers allows more.
NARROW = {
    "errors": set(),
    "measure": {"errors", "types", "settings", "files", "device"},
    "video": {"errors", "plugins", "types", "image", "device"},
}
# Calls and names that change process-wide state.
PROCESS_WIDE = (
    "torch.backends",
    "set_float32",
    "set_num_threads",
    "set_default",
    "manual_seed",
    "set_grad",
    "MAX_IMAGE_PIXELS =",
    "os.environ[",
    "environ.setdefault",
    "mallopt",
)
# Parts that may change process-wide state. The command line owns its process: it sets signals, warnings and logging.
OWNS_ITS_PROCESS = ("device", "cli")


def part_of(module: str) -> str:
    return module.partition(".")[0]


def layer_of(module: str) -> int:
    return next((i for i, layer in enumerate(LAYERS) if part_of(module) in layer), -1)


def modules(file: SourceFile) -> list[str]:
    return sorted(name for name in HOUSE.imports(file) if name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_imports_go_downward(file: SourceFile) -> None:
    if not file.name:
        return  # the package's __init__ imports what it exports
    here = layer_of(file.name)
    assert here >= 0, f"{file.name} is in no layer; add it to LAYERS in tests/support/house.py"
    above = [to for to in modules(file) if layer_of(to) > here]
    beside = [to for to in modules(file) if layer_of(to) == here and part_of(to) != part_of(file.name)]
    assert not above, f"{file.name} imports upward: {above}"
    assert not beside, f"{file.name} imports parts of the same layer: {beside}"


@pytest.mark.parametrize("part", NARROW)
def test_narrow_parts_import_only_what_they_may(part: str) -> None:
    imported = {part_of(to) for file in FILES if part_of(file.name) == part for to in modules(file)}
    assert imported <= NARROW[part] | {part}


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.name.startswith("stages.")], ids=lambda f: f.name
)
def test_a_stage_imports_no_other_stage(file: SourceFile) -> None:
    stage = file.name.split(".")[1]
    others = [to for to in modules(file) if to.startswith("stages.") and to.split(".")[1] != stage]
    assert not others, f"stage {stage} imports {others}"
    assert not [to for to in modules(file) if part_of(to) in {"measure", "cli"}], (
        "a stage imports neither measure nor cli"
    )


def test_cpu_and_cuda_forms_do_not_import_each_other() -> None:
    for file in FILES:
        if file.name.startswith("gpen.cpu"):
            assert not [to for to in modules(file) if to.startswith("gpen.cuda")]
        if file.name.startswith("gpen.cuda"):
            assert not [to for to in modules(file) if to.startswith("gpen.cpu")]


def test_no_circular_imports_of_files_or_folders() -> None:
    assert not HOUSE.circles()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_command_line_prints(file: SourceFile) -> None:
    calls = [node for node in ast.walk(file.tree) if isinstance(node, ast.Call)]
    prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert not prints or part_of(file.name) == "cli"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_device_changes_process_wide_state(file: SourceFile) -> None:
    if part_of(file.name) in OWNS_ITS_PROCESS:
        return
    assert not [words for words in PROCESS_WIDE if words in file.text]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_names_with_an_underscore_stay_in_their_folder(file: SourceFile) -> None:
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.ImportFrom) or part_of(node.module or "") != "gpen_fast":
            continue
        module = (node.module or "").removeprefix("gpen_fast").removeprefix(".")
        home = HOUSE.by_name.get(module)
        names = [*module.split("."), *(alias.name for alias in node.names)]
        private = [name for name in names if name.startswith("_") and not name.startswith("__")]
        folder = home.folder if home else module
        assert not private or folder == file.folder, f"{file.name} imports {private} from {module}"


@pytest.mark.parametrize("row", rows(HOUSE), ids=lambda row: row.name)
def test_figures_stay_within_their_limits(row) -> None:
    assert row.value <= row.limit, "\n".join(row.where)


def test_every_module_has_a_test_of_its_name_and_every_test_a_module() -> None:
    assert not HOUSE.unmirrored()
    assert not HOUSE.strays()


def test_checks_find_what_breaks_the_rules(tmp_path: Path) -> None:
    """The checks find a circle through a local import, a broad except, a shared name, `Any` and a missing test."""
    source = tmp_path / "src" / "gpen_fast"
    for folder in ("a", "b"):
        (source / folder).mkdir(parents=True)
        (source / folder / "__init__.py").touch()
    (source / "__init__.py").touch()
    (source / "a" / "one.py").write_text("def twin(x: Any): from gpen_fast.b import two\n")
    (source / "b" / "two.py").write_text(
        "from gpen_fast.a.one import twin as other\ndef twin():\n    try: pass\n    except Exception: pass\n"
    )
    house = House(tmp_path)
    assert sorted(map(sorted, house.circles())) == [["a.one", "b.two"], ["gpen_fast/a", "gpen_fast/b"]]
    assert house.broad_excepts() == ["b.two:4"]
    assert house.shared_names() == {"twin": ["a.one", "b.two"]}
    assert house.any_uses() == 1
    assert house.unmirrored() == ["a.one", "b.two"]
    assert house.root != ROOT
