"""A command's flags are the fields of the options that it takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from gpen_fast.cli.flags import Flag, RunOptions
from gpen_fast.cli.options import option, with_options
from gpen_fast.errors import SettingsError
from gpen_fast.settings import (
    DetectOptions,
    GenerateOptions,
    LoadOptions,
    OutputOptions,
    PasteOptions,
    Settings,
    WeightsOptions,
)

RUNNER = CliRunner()
KINDS = (LoadOptions, DetectOptions, PasteOptions, WeightsOptions, GenerateOptions, OutputOptions, RunOptions)
got: dict[str, object] = {}


@with_options(without={"format", "batch_size"}, weights=Flag("FILE", help="Only here."))
def everything(
    picture: Annotated[str, typer.Argument()],
    settings: Settings,
    *,
    times: Annotated[int, typer.Option()] = 2,
    format: Annotated[str | None, option(OutputOptions, "format")] = None,
    output: OutputOptions,
    run: RunOptions,
) -> None:
    """Takes everything."""
    got.update(locals())


def call(*arguments: str, command: Callable[..., None] = everything) -> dict[str, object]:
    """What the command received."""
    got.clear()
    app = typer.Typer()
    app.command()(command)
    ran = RUNNER.invoke(app, list(arguments))
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return dict(got)


def help_of(command: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    app = typer.Typer()
    app.command()(command)
    return RUNNER.invoke(app, ["--help"]).output


def test_without_flags_every_option_has_its_default() -> None:
    assert call("a.png") == {
        "picture": "a.png", "settings": Settings(), "times": 2, "format": None, "output": OutputOptions(),
        "run": RunOptions(),
    }  # fmt: skip


def test_every_flag_reaches_its_own_options() -> None:
    received = call(
        "a.png", "--max-pixels", "5", "--gpu-decode", "--detector", "haar", "--detect-size", "800",
        "--detect-device", "cpu", "--detect-threshold", "0.5",
        "--landmarks", "l.jsonl", "--only-largest", "--min-face", "9", "--max-face", "99",
        "--no-any-angle", "--upright", "--deterministic",
        "--template", "ffhq", "--strength", "0.5", "--keep-detail", "0.5", "--keep-colour",
        "--model", "m", "--weights", "w.pth", "--weights-dir", "d",
        "--offline", "--device", "cpu", "--precision", "fp32", "--backend", "eager",
        "--quality", "90", "--save-faces", "--overwrite", "--suffix", "_x", "--save-landmarks", "s.jsonl",
        "--png-level", "small", "-y", "--dry-run", "--json", "r.json", "--log", "l.log",
        "--log-format", "json", "-q", "--times", "3", "--format", "webp",
    )  # fmt: skip
    assert received["settings"] == Settings(
        load=LoadOptions(5, True),
        detect=DetectOptions("haar", 800, "cpu", 0.5, "l.jsonl", True, False, 9, 99, False),
        paste=PasteOptions("ffhq", 0.5, 0.5, True, True),
        weights=WeightsOptions("m", "w.pth", "d", True),
        generate=GenerateOptions("cpu", None, "fp32", "eager", None, True),
    )
    assert received["output"] == OutputOptions(
        "png", 90, True, True, "_x", False, Path("s.jsonl"), "small"
    ), "the command's own --format is left to the command"
    assert received["run"] == RunOptions(True, True, "r.json", Path("l.log"), "json", True)
    assert (received["times"], received["format"]) == (3, "webp")


def test_shorthands_stand_for_values() -> None:
    settings = call("a.png", "--skip-detect", "--fp16")["settings"]
    assert settings == Settings.from_flat(detector="none", precision="half")
    settings = call("a.png", "--skip-detect", "--detector", "none", "--fp16", "--precision", "fp16")[
        "settings"
    ]
    assert settings == Settings.from_flat(detector="none", precision="fp16")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--skip-detect --detector haar", "--skip-detect and --detector haar contradict each other: leave one"),
        ("--skip-detect --detector auto", "--skip-detect and --detector auto contradict each other: leave one"),
        ("--fp16 --precision auto", "--fp16 and --precision auto contradict each other: leave one out."),
        ("--precision half", "precision 'half': accepted are auto, fp32, tf32, bf16, fp16."),
        ("--detect-size big", "detect size 'big': accepted are auto, full, or pixels from 64 up."),
        ("--devices 0,1 --device cpu", "--devices 0,1 and --device cpu contradict each other: leave one out."),
        ("--detect-size 63", "detect size 63: accepted are auto, full, or pixels from 64 up."),
        ("--template arcface", "template 'arcface': accepted are gpen, ffhq."),
        ("--png-level best", "PNG level 'best': accepted are fast, small."),
        ("--skip-detect --template ffhq", "without detection each picture is one face: only-largest"),
    ],
)  # fmt: skip
def test_what_contradicts_or_is_not_accepted_is_said_as_elsewhere(flags: str, words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        call("a.png", *flags.split())
    assert str(refusal.value).startswith(words)


def test_fields_without_a_flag_are_unknown_and_keep_their_defaults() -> None:
    @with_options(without={"model", "weights"})
    def pull(options: WeightsOptions) -> None:
        got.update(options=options)

    assert call("--offline", command=pull) == {"options": WeightsOptions(offline=True)}
    app = typer.Typer()
    app.command()(pull)
    refused = RUNNER.invoke(app, ["--model", "m"])
    assert refused.exit_code == 2
    refused = RUNNER.invoke(app, ["--fp16"])
    assert refused.exit_code == 2, "a shorthand has no flag where its option has none"


def test_help_names_every_flag_its_default_and_what_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of(everything, monkeypatch)
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.replace("│", " ").split())
    for kind in KINDS:
        for field in fields(kind):
            flag = "--json" if field.name == "json_file" else f"--{field.name.replace('_', '-')}"
            assert (f" {flag} " in words) == (field.name != "batch_size")
    for panel in ("Input", "Faces", "Network", "Output", "Run"):
        assert f"─ {panel} ─" in text
    for said in (
        "Arithmetic of the network. Accepted: auto, fp32, tf32, bf16, fp16. [default: auto]",
        "X [0<=x<=1] Blend of input and result: 0 keeps the input, 1 restores fully. [default: 1.0]",
        "--weights FILE Only here.",
        "[default: (the detector's own)]",
        "--skip-detect Take each picture as one aligned face: the same as --detector none.",
    ):
        assert said in words


def test_a_few_flags_need_no_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    @with_options(panels=False)
    def few(options: GenerateOptions) -> None: ...

    text = help_of(few, monkeypatch)
    assert "─ Network ─" not in text
    assert "--fp16" in text


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("enhance --detect-", ["--detect-size", "--detect-device", "--detect-threshold"]),
        ("enhance --detector retina", ["retinaface", "retinaface-mobile"]),
        ("profile IMAGE --precision fp", ["fp32", "fp16"]),
    ],
)
def test_completion_offers_flags_and_their_values(typed: str, offered: list[str]) -> None:
    words = len(typed.split())
    code = f"""
import os, sys
os.environ.update(_GPEN_FAST_COMPLETE="complete_bash", COMP_WORDS="gpen-fast {typed}", COMP_CWORD="{words}")
sys.argv = ["gpen-fast"]
from gpen_fast.cli.app import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == offered, done.stderr
