"""The texts beneath fields are read from the source, which is all that -OO leaves of them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import dataclass, fields

import pytest

from gpen_fast import settings
from gpen_fast.cli import field_docs as module
from gpen_fast.cli.field_docs import field_docs
from gpen_fast.cli.flags import RunOptions, Shorthands
from gpen_fast.settings import PasteOptions


@dataclass(frozen=True)
class Sample:
    """Fields documented in every way."""

    plain: int = 1
    """One line."""

    long: int = 2
    """Two lines of
    one paragraph.

    Another paragraph.
    """

    bare: int = 3

    constant = 4
    """Not a field."""


def test_first_paragraph_on_one_line() -> None:
    assert field_docs(Sample) == {"plain": "One line.", "long": "Two lines of one paragraph.", "bare": ""}


@pytest.mark.parametrize(
    "kind",
    [settings.LoadOptions, settings.DetectOptions, settings.WeightsOptions, settings.GenerateOptions,
     settings.PasteOptions, settings.OutputOptions, settings.Settings, RunOptions, Shorthands],
)  # fmt: skip
def test_every_option_is_documented(kind: type) -> None:
    docs = field_docs(kind)
    assert list(docs) == [field.name for field in fields(kind)]
    assert all(text.endswith(".") and text[0].isupper() for text in docs.values()), docs


def test_optimised_python_keeps_the_help() -> None:
    code = (
        "from gpen_fast.cli.field_docs import field_docs; from gpen_fast.settings import PasteOptions; "
        "print(field_docs(PasteOptions))"
    )
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(field_docs(PasteOptions))


def test_without_source_the_texts_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_source(of: object) -> str:
        raise OSError("could not get source code")

    module._literals.cache_clear()
    monkeypatch.setattr(inspect, "getsource", no_source)
    assert field_docs(PasteOptions) == {
        "template": "",
        "strength": "",
        "upright": "",
        "keep_detail": "",
        "keep_colour": "",
    }
    module._literals.cache_clear()
