"""Pictures as frames of a video and back."""

from __future__ import annotations

import av
import numpy as np
import pytest
import torch

from gpen_fast.types import Frame
from gpen_fast.video.pictures import frame_as_picture, picture_as_frame, picture_layout, picture_tags


@pytest.mark.parametrize(("dtype", "layout"), [(torch.uint8, "gbrap"), (torch.uint16, "gbrap16le")])
def test_there_and_back_nothing_is_lost(dtype: torch.dtype, layout: str) -> None:
    top = 256 if dtype == torch.uint8 else 65536
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, top, (4, 9, 14))).to(dtype)
    back = frame_as_picture(picture_as_frame(Frame(pixels[:3], pixels[3:]), layout), 0)
    assert torch.equal(back.pixels, pixels[:3])
    assert back.alpha is not None
    assert torch.equal(back.alpha, pixels[3:])


def test_grey_becomes_rgb_and_a_turned_frame_upright() -> None:
    pixels = torch.arange(6, dtype=torch.uint8).reshape(1, 2, 3)
    frame = picture_as_frame(Frame(pixels, channels=1), "gbrp")
    turned = frame_as_picture(frame, 90).pixels
    assert turned.shape == (3, 3, 2)
    assert torch.equal(turned[0], torch.rot90(pixels[0]))


def test_hdr_frames_say_so() -> None:
    frame = av.VideoFrame(16, 16, "yuv420p10le")
    frame.color_primaries, frame.color_trc = 9, 16
    (block,) = frame_as_picture(frame, 0).blocks
    assert (block.name, block.data) == ("cICP", bytes((9, 16, 0, 1)))


def test_layouts_and_tags_fit_the_encoder() -> None:
    assert picture_layout(None, (64, 48), deep=False, alpha=True) == "yuv420p"
    assert picture_layout("hevc", (63, 48), deep=True, alpha=False) == "yuv444p10le"
    assert picture_layout("h264", (64, 47), deep=False, alpha=False) == "yuv422p"
    assert (picture_tags("yuv420p", 720).matrix, picture_tags("yuv420p", 576).matrix) == (1, 6)
    assert picture_tags("gbrp", 720).range == 0
