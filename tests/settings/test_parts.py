"""Options are checked where they are made, part by part and then together."""

from __future__ import annotations

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.settings import Settings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"strength": 1.5}, "strength 1.5: accepted is 0 (the input) to 1"),
        ({"batch_size": 0}, "batch size 0: accepted are auto, or faces from 1 up."),
        ({"batch_size": "many"}, "batch size 'many': accepted are auto, or faces from 1 up."),
        ({"detect_device": "cuda"}, "detect device 'cuda': accepted are auto and cpu."),
        (
            {"detector": "none", "detect_device": "cpu"},
            "without detection there is no use for detect-size, detect-device",
        ),
        ({"devices": "0,1", "device": "cpu"}, "--devices 0,1 and --device cpu contradict each other"),
        ({"max_pixels": 0}, "max pixels 0: accepted is 1 and up"),
        (
            {"keep_detail": -0.1},
            "keep detail -0.1: accepted is 0 (the network's result) to 1 (as far as needed).",
        ),
        ({"max_face": 0}, "max face 0: accepted is more than min face, 0 pixels."),
        ({"min_face": 50, "max_face": 50}, "max face 50: accepted is more than min face, 50 pixels."),
        ({"detector": "none", "max_face": 9}, "without detection each picture is one face: only-largest"),
        ({"min_face": -1}, "min face -1: accepted is 0 pixels and up"),
        ({"only_largest": True, "only_center": True}, "only-largest and only-center contradict each other"),
        ({"detector": "none", "min_face": 9}, "without detection each picture is one face: only-largest"),
        (
            {"detector": "none", "template": "ffhq"},
            "without detection each picture is one face: only-largest",
        ),
        ({"detect_size": 63}, "detect size 63: accepted are auto, full, or pixels from 64 up."),
        ({"detect_size": "half"}, "detect size 'half': accepted are auto, full, or pixels from 64 up."),
        ({"detect_threshold": 0.0}, "detect threshold 0.0: accepted is above 0, up to 1."),
        ({"detector": "none", "detect_threshold": 0.5}, "without detection there is no use for detect-size"),
        ({"template": "arcface"}, "template 'arcface': accepted are gpen, ffhq"),
    ],
)
def test_settings_are_checked_together(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_flat(**wrong)
    assert words in str(refusal.value)
