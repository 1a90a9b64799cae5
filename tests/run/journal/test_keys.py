"""Which changes of settings make results anew."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from journals import keys_of

from gpen_fast.run.journal import keys
from gpen_fast.settings import OutputOptions, Settings


def key(output: OutputOptions | None = None, suffix: str = "png", **names: object) -> str | None:
    settings = Settings.from_flat(**{"model": "gpen-lite-256", "offline": True, **names})
    return keys_of(settings, output or OutputOptions()).key(suffix)


@pytest.mark.parametrize(
    "names",
    [
        {"strength": 0.5},
        {"precision": "fp32"},
        {"detector": "haar"},
        {"detect_size": "full"},
        {"only_largest": True},
        {"min_face": 40},
        {"template": "ffhq"},
        {"landmarks": "faces.jsonl"},
        {"deterministic": True},
    ],
)
def test_an_option_that_changes_pixels_changes_the_key(names: dict[str, object]) -> None:
    assert key(**names) != key()


@pytest.mark.parametrize(
    "names", [{"device": "cpu"}, {"batch_size": 2}, {"backend": "eager"}, {"max_pixels": 1000}]
)
def test_an_option_that_changes_no_pixels_keeps_the_key(names: dict[str, object]) -> None:
    assert key(**names) == key()


def test_the_same_bits_need_the_same_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process computes on all cores, each of several on one."""
    monkeypatch.setattr(keys, "_cores", lambda: 6)
    on_all = key(deterministic=True)
    assert key(deterministic=True, devices="cpu:1") == key(deterministic=True, devices="all") == on_all
    assert key(deterministic=True, devices="cpu:2") == key(deterministic=True, devices="cpu:4") != on_all
    assert key(devices="cpu:2") == key()


def test_of_the_output_only_what_the_format_uses_counts() -> None:
    better, smaller = OutputOptions(quality=80), OutputOptions(png_level="small")
    assert key(better) == key() and key(smaller) != key()
    assert key(better, "jpg") != key(suffix="jpg") == key(smaller, "jpg")
    assert key(OutputOptions(overwrite=True, save_faces=True, suffix="_x")) == key()


def test_auto_and_the_name_of_what_it_stands_for_have_one_key(tmp_path: Path) -> None:
    assert key(model="auto", weights_dir=str(tmp_path)) == key(model="gpen-lite-256")


def test_the_key_is_that_of_the_weights_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pth", tmp_path / "b.pth"
    first.write_bytes(b"weights")
    second.write_bytes(first.read_bytes())
    assert key(model="auto", weights=str(first)) == key(model="auto", weights=str(second)) != key()
    second.write_bytes(first.read_bytes() + b"x")
    assert key(model="auto", weights=str(first)) != key(model="auto", weights=str(second))


def test_weights_that_are_not_there_have_no_key_until_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    keys = keys_of(Settings.from_flat(weights=str(path), detector="none"), OutputOptions())
    assert keys.key("png") is None
    path.write_bytes(b"weights")
    keys.forget()
    assert keys.key("png")


def test_an_option_that_a_later_version_adds_keeps_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    later = dataclasses.make_dataclass("Later", [("glow", float, 0.0)], bases=(OutputOptions,), frozen=True)
    assert key(later()) == before != key(later(glow=1.0))
