"""The options of all parts by their flat names."""

from __future__ import annotations

import pickle
from dataclasses import fields

import pytest

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

FLAT = {
    "model": "lite", "weights": "mine.pth", "weights_dir": "folder", "offline": True,
    "detector": "haar", "detect_size": 800, "detect_device": "cpu", "detect_threshold": 0.7, "landmarks": "faces.jsonl",
    "only_largest": True, "only_center": False, "min_face": 20, "max_face": 500, "any_angle": False,
    "device": "auto", "devices": "0,1", "precision": "fp32", "backend": "eager", "batch_size": 3,
    "deterministic": False,
    "template": "ffhq", "strength": 0.5, "keep_detail": 0.25, "keep_colour": True, "upright": True,
    "max_pixels": 1000, "gpu_decode": True,
}  # fmt: skip


def test_each_part_gets_its_own_options() -> None:
    settings = Settings.from_flat(**FLAT)
    assert settings.weights == WeightsOptions("lite", "mine.pth", "folder", True)
    assert settings.detect == DetectOptions(
        "haar", 800, "cpu", 0.7, "faces.jsonl", True, False, 20, 500, False
    )
    assert settings.generate == GenerateOptions("auto", "0,1", "fp32", "eager", 3)
    assert settings.paste == PasteOptions("ffhq", 0.5, 0.25, True, True)
    assert settings.load == LoadOptions(1000, True)
    assert settings.as_flat() == FLAT


def test_what_is_not_named_keeps_its_default() -> None:
    assert Settings.from_flat() == Settings()
    assert Settings.from_flat(strength=0.5) == Settings(paste=PasteOptions(strength=0.5))
    assert pickle.loads(pickle.dumps(Settings())) == Settings()


def test_no_two_parts_share_a_name() -> None:
    names = [each.name for kind in (WeightsOptions, DetectOptions, GenerateOptions, PasteOptions, LoadOptions,
                                    OutputOptions) for each in fields(kind)]  # fmt: skip
    assert len(set(names)) == len(names)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_flat(strength=0.5, fp16=True, cuda=1)
    accepted = str(refusal.value).removeprefix("unknown setting 'cuda': accepted are ").removesuffix(".")
    assert accepted.split(", ") == list(FLAT)


def test_aligned_and_random_weights() -> None:
    assert Settings.from_flat(detector="none").aligned
    assert not Settings().aligned
    assert Settings.from_flat(weights="random:gpen-bfr-512").random_weights
    assert not Settings.from_flat(weights="my-random:.pth").random_weights
    assert not Settings().random_weights
