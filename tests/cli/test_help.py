"""The help of every command at 80 columns, and what completion offers."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from gpen_fast.cli.app import app

COMMANDS = ["", "enhance", "profile", "doctor", "weights", "weights list", "weights pull", "weights verify",
            "weights import", "weights path"]  # fmt: skip


def shown(command: str, columns: int = 80) -> list[str]:
    width = str(columns)
    ran = CliRunner().invoke(
        app, [*command.split(), "--help"], env={"COLUMNS": width, "TERMINAL_WIDTH": width}
    )
    assert ran.exit_code == 0
    return ran.output.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_into_80_columns_and_shows_no_python_type(command: str) -> None:
    lines = shown(command)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert not re.search(r"<[a-z[\]]+>", text), "such as <bool> or <list[str]>"
    assert "......" not in text
    # A paragraph's line that ends early was wrapped twice: by its author, and here.
    prose = [line.strip() for line in lines if line.startswith(" ") and line.strip() and "│" not in line]
    for line, following in itertools.pairwise(prose):
        if following[0].islower():
            assert len(line) + len(following.split()[0]) > 55, (line, following)


def test_panels_of_enhance_are_in_the_pictures_order() -> None:
    titles = [line.split()[1] for line in shown("enhance") if line.startswith("╭─")]
    assert titles == ["Arguments", "Input", "Faces", "Network", "Output", "Run"]


def test_the_usage_line_shows_names_as_they_are_typed() -> None:
    def usage(command: str) -> str:
        return next(line for line in shown(command) if "Usage:" in line).strip()

    assert usage("enhance").endswith("enhance [OPTIONS] IN... OUT")
    assert usage("weights pull").endswith("pull [OPTIONS] [NAME...]")
    assert usage("weights import").endswith("import [OPTIONS] FILE")


def test_each_option_with_a_default_shows_it() -> None:
    command = get_command(app).commands["enhance"]
    text = " ".join(shown("enhance"))
    for option in command.params:
        if option.default not in (None, False, "", []) and not callable(option.default):
            assert f"[default: {option.default}]" in text, option.name


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("enhance --detector ret", ["retinaface", "retinaface-mobile"]),
        ("enhance --model gpen-l", ["gpen-lite-256"]),
        ("enhance --detect-size ", ["auto", "full"]),
        ("enhance --png-level ", ["fast", "small"]),
        ("enhance --device cu", ["cuda"]),
        ("weights pull yu", ["yunet", "yunet-2026may"]),
        ("weights import f --trust land", ["landmarks-lite"]),
        ("weights p", ["path", "pull"]),
    ],
)
def test_completion_offers_values(typed: str, offered: list[str]) -> None:
    words = f"gpen-fast {typed}"
    environment = os.environ | {
        "_GPEN_FAST_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    code = "import sys; sys.argv = ['gpen-fast']; from gpen_fast.cli.app import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert sorted(ran.stdout.split()) == sorted(offered), ran.stderr


def test_doctor_offers_no_option_that_it_does_not_use() -> None:
    names = {option.opts[0] for option in get_command(app).commands["doctor"].params}
    assert names == {"--device", "--weights-dir", "--json"}


@pytest.mark.parametrize(("columns", "least"), [(80, 36), (100, 56)])
def test_no_name_narrows_the_texts_of_enhance(columns: int, least: int) -> None:
    lines = shown("enhance", columns)
    text = " ".join(" ".join(lines).replace("│", " ").split())
    assert "--no-any-angle turns this off." in text
    for line in lines:
        if found := re.match(r"│ +--[a-z-]+.*?  (?=[A-Z][a-z])", line):
            assert columns - 2 - found.end() >= least, line
