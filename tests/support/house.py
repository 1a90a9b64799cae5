"""Figures of the package's structure: `make house` prints them, tests/project/test_architecture.py holds them.

Everything is read from the source by `ast`; nothing of the package is imported.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "gpen_fast"
# A module without a test file of its name, and why.
UNTESTED: dict[str, str] = {}
# What every plug-in of a folder offers under the same name.
PLUGIN_INTERFACE = frozenset({"create", "encode"})
# Packages at the top in import order: each may import those of earlier rows and, within a row, nothing of the others.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors"}),
    frozenset({"plugins", "files"}),
    frozenset({"types", "settings"}),
    frozenset({"device"}),
    frozenset({"image", "png", "gpen"}),
    frozenset({"measure", "store"}),
    frozenset({"stages", "video"}),
    frozenset({"detections"}),
    frozenset({"run"}),
    frozenset({"pictures", "restorer", "doctor", "training"}),
    frozenset({"cli", "serve", "cluster"}),
    frozenset({"__main__"}),
)


@dataclass(frozen=True)
class SourceFile:
    """One Python file of the package."""

    path: Path
    """Where it lies."""
    name: str
    """Its dotted name below the package, `run.engine`; `gpen` for gpen/__init__.py, "" for the package's own."""

    @cached_property
    def text(self) -> str:
        """The source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.text)

    @property
    def is_init(self) -> bool:
        """Whether it is a folder's __init__.py."""
        return self.path.name == "__init__.py"

    @property
    def folder(self) -> str:
        """The dotted name of its folder."""
        return self.name if self.is_init else self.name.rpartition(".")[0]

    @cached_property
    def comments(self) -> int:
        """Lines that hold a comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return sum(token.type == tokenize.COMMENT for token in tokens)

    @cached_property
    def code_lines(self) -> int:
        """Lines of code: no blank lines, no comments, no strings that stand as statements (docstrings)."""
        skipped = {
            line
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        ignored = {
            tokenize.COMMENT,
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.ENDMARKER,
        }
        held: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in ignored:
                held |= set(range(token.start[0], token.end[0] + 1))
        return len(held - skipped)


class House:
    """The package at `root`, as its source tells it."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.source = root / "src" / PACKAGE
        self.files = [
            SourceFile(path, _name_of(path, self.source)) for path in sorted(self.source.rglob("*.py"))
        ]
        self.by_name = {file.name: file for file in self.files}

    def imports(self, file: SourceFile) -> set[str]:
        """Names of the package's modules that a file imports, anywhere in it, TYPE_CHECKING blocks included."""
        found = set()
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parts = file.folder.split(".") if file.folder else []
                    parts = parts[: len(parts) - node.level + 1]
                    base = ".".join([PACKAGE, *parts, *([base] if base else [])])
                found |= {self._module(f"{base}.{alias.name}") for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {self._module(alias.name) for alias in node.names}
        return {name for name in found if name is not None and name != file.name}

    def _module(self, dotted: str) -> str | None:
        """The module of the package that a dotted name lies in; None for another package's."""
        if dotted != PACKAGE and not dotted.startswith(f"{PACKAGE}."):
            return None
        name = dotted.removeprefix(PACKAGE).removeprefix(".")
        while name and name not in self.by_name:
            name = name.rpartition(".")[0]
        return name

    @cached_property
    def edges(self) -> dict[str, set[str]]:
        """Imports of every file. A folder's own door is no edge: importing what __init__ exports is."""
        return {file.name: self.imports(file) for file in self.files}

    def circles(self) -> list[list[str]]:
        """Circles of files and of folders: at every level the children of a folder must import in one direction."""
        found = [sorted(circle) for circle in _circles(self._file_edges())]
        for folder in {file.folder for file in self.files}:
            found += [
                [f"{folder or PACKAGE}/{child}" for child in sorted(circle)]
                for circle in _circles(self._child_edges(folder))
            ]
        return found

    def _file_edges(self) -> dict[str, set[str]]:
        """Edges between files; what a folder's __init__ exports lazily is no dependency of the folder."""
        doors = {file.name for file in self.files if file.is_init}
        return {
            name: {to for to in edges if to not in doors}
            for name, edges in self.edges.items()
            if name not in doors
        }

    def _child_edges(self, folder: str) -> dict[str, set[str]]:
        """Edges between the children, files and folders, of one folder; its own __init__ left out."""
        prefix = f"{folder}." if folder else ""
        edges: dict[str, set[str]] = defaultdict(set)
        for name, imported in self.edges.items():
            if name == folder or not name.startswith(prefix):
                continue
            child = name.removeprefix(prefix).partition(".")[0]
            inside = (to for to in imported if to.startswith(prefix) and to != folder)
            edges[child] |= {to.removeprefix(prefix).partition(".")[0] for to in inside} - {child}
        return edges

    def top_modules(self) -> list[str]:
        """Files at the top of the package, without its folders."""
        return sorted(path.stem for path in self.source.glob("*.py"))

    def whole_settings(self) -> list[str]:
        """Modules with a function that takes the whole settings, settings.whole apart."""
        return sorted(
            file.name
            for file in self.files
            if file.name != "settings.whole"
            and any(
                _mentions(argument.annotation, "Settings")
                for _, f in functions(file)
                for argument in arguments(f)
            )
        )

    def unmirrored(self) -> list[str]:
        """Modules without a test file of their name: tests/a/test_b.py for a/b.py."""
        return sorted(
            file.name
            for file in self.files
            if not file.is_init
            and file.name not in {"__main__", "training.__main__", "training.lite.__main__", *UNTESTED}
            and not self._test_of(file).exists()
        )

    def _test_of(self, file: SourceFile) -> Path:
        *folders, leaf = file.name.split(".")
        return self.root.joinpath("tests", *folders, f"test_{leaf}.py")

    def strays(self) -> list[str]:
        """Test files that are of no module, nor of the project as a whole (tests/project)."""
        tests = self.root / "tests"
        found = []
        for path in sorted(tests.rglob("test_*.py")):
            *folders, _ = path.relative_to(tests).parts
            stem = ".".join([*folders, path.stem.removeprefix("test_")])
            known = any(stem == name or stem.startswith(f"{name}_") for name in self.by_name if name)
            if folders[:1] != ["project"] and not known:
                found.append(str(path.relative_to(self.root)))
        return found

    def any_uses(self) -> int:
        """How often `Any` is used, imports apart."""
        names = (node for file in self.files for node in ast.walk(file.tree) if isinstance(node, ast.Name))
        return sum(node.id == "Any" for node in names)

    def broad_excepts(self) -> list[str]:
        """Places that catch every exception without a comment, there or on the line above, that says why."""
        found = []
        for file in self.files:
            lines = file.text.splitlines()
            for node in ast.walk(file.tree):
                if _is_broad(node):
                    line = node.lineno  # type: ignore[attr-defined]
                    near = (lines[line - 2].strip(), lines[line - 1])
                    if not near[0].startswith("#") and "#" not in near[1]:
                        found.append(f"{file.name}:{line}")
        return found

    def shared_names(self) -> dict[str, list[str]]:
        """Public classes and functions that have the name of another module's."""
        homes: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            for node in file.tree.body:
                public = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
                if public and file.name not in homes[node.name]:  # overloads are one function
                    homes[node.name].append(file.name)
        return {
            name: places
            for name, places in sorted(homes.items())
            if len(places) > 1 and name not in PLUGIN_INTERFACE
        }

    def longest_signature(self) -> tuple[int, str]:
        """The most parameters of a function, kernels apart: theirs are what a launch hands over, one by one."""
        counted = (
            (len([a for a in arguments(f) if a.arg not in {"self", "cls"}]), f"{file.name}.{name}")
            for file in self.files
            for name, f in functions(file)
            if not _is_kernel(f)
        )
        return max(counted)

    def long_files(self, most: int = 300) -> dict[str, int]:
        """Files of more than `most` lines."""
        return {file.name: count for file in self.files if (count := len(file.text.splitlines())) > most}

    def code_lines(self) -> int:
        """Lines of code of the package, comments and docstrings apart."""
        return sum(file.code_lines for file in self.files)

    def comments_per_thousand(self) -> float:
        """Comment lines in a thousand lines of code."""
        return 1000 * sum(file.comments for file in self.files) / self.code_lines()

    def median_function(self) -> float:
        """Lines of a function at the median, its docstring apart."""
        return statistics.median(_length(f) for file in self.files for _, f in functions(file))


def functions(file: SourceFile) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of a file, methods and inner ones included, with its name."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


def arguments(function: ast.FunctionDef) -> list[ast.arg]:
    """The parameters of a function, of every kind."""
    given = function.args
    return [*given.posonlyargs, *given.args, *given.kwonlyargs]


def _length(function: ast.FunctionDef) -> int:
    body = function.body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(body) > 1:
        first = body[1]
    return (function.end_lineno or 0) - first.lineno + 2


def _name_of(path: Path, source: Path) -> str:
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _mentions(annotation: ast.expr | None, name: str) -> bool:
    return annotation is not None and any(
        isinstance(node, ast.Name) and node.id == name for node in ast.walk(annotation)
    )


def _is_kernel(function: ast.FunctionDef) -> bool:
    return any("jit" in ast.unparse(decorator) for decorator in function.decorator_list)


def _is_broad(node: ast.AST) -> bool:
    broad = {"Exception", "BaseException"}
    if isinstance(node, ast.ExceptHandler):
        caught = node.type
        names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        return caught is None or any(isinstance(name, ast.Name) and name.id in broad for name in names)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return any(isinstance(argument, ast.Name) and argument.id in broad for argument in node.args)
    return False


def _circles(edges: Mapping[str, set[str]]) -> list[set[str]]:
    """Strongly connected components of more than one node (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for to in sorted(edges.get(node, ())):
            if to not in index:
                visit(to)
                low[node] = min(low[node], low[to])
            elif to in stack:
                low[node] = min(low[node], index[to])
        if low[node] == index[node]:
            circle = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(circle) > 1:
                found.append(circle)

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


@dataclass(frozen=True)
class Row:
    """One figure beside its limit."""

    name: str
    """What is counted."""
    value: float
    """The figure."""
    limit: float
    """At most this."""
    where: tuple[str, ...] = ()
    """The places counted, for a reader who has to mend them."""


def rows(house: House) -> list[Row]:
    """The figures of the house that have a limit."""
    most, longest = house.longest_signature()
    shared = house.shared_names()
    return [
        Row("modules at the top of the package", len(house.top_modules()), 9, tuple(house.top_modules())),
        Row(
            "modules that take the whole settings",
            len(house.whole_settings()),
            6,
            tuple(house.whole_settings()),
        ),
        Row(
            "circles of files and folders", len(house.circles()), 0, tuple(map(" <-> ".join, house.circles()))
        ),
        Row("modules without a test of their name", len(house.unmirrored()), 0, tuple(house.unmirrored())),
        Row("tests of no module", len(house.strays()), 0, tuple(house.strays())),
        Row("parameters of the longest function", most, 8, (longest,)),
        Row("uses of Any", house.any_uses(), 60),
        Row("broad excepts without a reason", len(house.broad_excepts()), 0, tuple(house.broad_excepts())),
        Row(
            "public names that two modules share",
            len(shared),
            0,
            tuple(f"{n}: {', '.join(p)}" for n, p in shared.items()),
        ),
        Row("files over 300 lines", len(house.long_files()), 0, tuple(house.long_files())),
    ]


def main(arguments: list[str]) -> int:
    """Prints the figures; what is over its limit with its places. Exit status 1 where any is."""
    house = House(Path(arguments[0]).resolve() if arguments else ROOT)
    over = 0
    for row in rows(house):
        bad = row.value > row.limit
        over += bad
        print(f"{'OVER' if bad else 'ok':5}{row.name:42}{row.value:6g}  at most {row.limit:g}")
        for place in row.where if bad else ():
            print(f"       {place}")
    print(
        f"     lines of code {house.code_lines()}, comments in a thousand {house.comments_per_thousand():.0f}, "
        f"median function {house.median_function():g} lines"
    )
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
