"""The options of `live`."""

from __future__ import annotations

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.settings import LiveOptions


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target_fps": 0.0}, "target fps 0: accepted is 0.1 to 1000"),
        ({"max_latency": 0.0}, "max latency 0: accepted is above 0 milliseconds"),
        ({"temporal": 1.5}, "temporal 1.5: accepted is 0"),
        ({"detect_every": 0}, "detect every 0: accepted is 1 frame and up"),
        ({"camera_size": "large"}, "camera size 'large': accepted is width x height, such as 1280x720"),
        ({"camera_size": "0x720"}, "camera size '0x720'"),
        ({"camera_fps": -1.0}, "camera fps -1: accepted is above 0"),
        ({"seconds": 0.0}, "seconds 0: accepted is above 0"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as told:
        LiveOptions(**given)  # type: ignore[arg-type]
    assert str(told.value).startswith(words)


def test_a_cameras_size_is_two_numbers() -> None:
    assert LiveOptions(camera_size="1280x720").picture_size == (1280, 720)
    assert LiveOptions(camera_size="640X480").picture_size == (640, 480)
    assert LiveOptions().picture_size is None
