"""The string literals beneath a dataclass's fields, which document the fields and are the help of their flags."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from types import ModuleType


def field_docs(kind: type) -> dict[str, str]:
    """The fields of a dataclass with the first paragraph of the string literal beneath each.

    It is read from the source, which -OO does not strip. Where there is no source, every text is empty: the
    command line has to work there too.
    """
    texts = _literals(sys.modules[kind.__module__]).get(kind.__name__, {})
    return {field.name: texts.get(field.name, "") for field in fields(kind)}


@cache
def _literals(module: ModuleType) -> dict[str, dict[str, str]]:
    try:
        tree = ast.parse(inspect.getsource(module))
    except OSError:
        return {}
    return {node.name: dict(_documented(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield field.target.id, " ".join(inspect.cleandoc(str(below.value.value)).split("\n\n")[0].split())
