"""Paste against the reference implementation, and what a user sees of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from placed import face_at, frame_of, picture, solvay

from gpen_fast.stages.crop import crop
from gpen_fast.stages.paste import _mix, feathered_mask, paste
from gpen_fast.types import Frame

CPU = torch.device("cpu")


def test_paste_equals_the_reference() -> None:
    before, frame, faces, matrices = solvay()
    crops = crop(frame, matrices, 512).pixels
    restored = [(face.float() * 1.1 + 12).clamp(0, 255).to(torch.uint8) for face in crops]
    after = paste(frame, faces, matrices, restored).pixels.permute(1, 2, 0).numpy()
    wanted = picture("paste_solvay_expected.png")
    changed = (wanted != before).any(axis=-1)
    error = np.abs(after.astype(int) - wanted)[changed]
    histogram = np.bincount(error.ravel(), minlength=16)
    psnr = 10 * math.log10(255**2 / (error.astype(float) ** 2).mean())
    assert psnr >= 45, f"{psnr:.2f} dB, errors by size: {histogram}"
    assert (error <= 6).mean() >= 0.999, f"errors by size: {histogram}"
    assert (after != before).any(axis=-1)[~changed].sum() < 50


def flat(value: int, size: int = 64, dtype: torch.dtype = torch.uint8) -> torch.Tensor:
    return torch.full((3, size, size), value, dtype=torch.int32).to(dtype)


@pytest.mark.parametrize(
    ("channels", "dtype"), [(3, np.uint8), (1, np.uint8), (3, np.uint16), (1, np.uint16)]
)
def test_only_the_face_changes_and_depth_and_channels_stay(channels: int, dtype: type) -> None:
    frame = frame_of(channels, dtype)
    face, matrix = face_at(50, 30, 64)
    top = np.iinfo(dtype).max
    after = paste(frame, [face], matrix[None], [flat(top, dtype=frame.pixels.dtype)])
    assert after.pixels.dtype == frame.pixels.dtype
    assert after.pixels.shape == frame.pixels.shape
    assert after.pixels[:, 62, 82].int().tolist() == [top] * channels
    outside = torch.ones(120, 160, dtype=torch.bool)
    outside[29:96, 49:116] = False
    assert torch.equal(after.pixels.int()[:, outside], frame.pixels.int()[:, outside])
    assert torch.equal(frame.pixels.int(), frame_of(channels, dtype).pixels.int()), "the input was changed"


def test_pasting_the_crop_itself_leaves_no_seam() -> None:
    """A network that changes nothing must leave a picture in which nobody can find the paste."""
    frame = frame_of(height=300, width=400)
    face, matrix = face_at(100, 60, 180, size=512)
    same = crop(frame, matrix[None], 512).pixels[0]
    after = paste(frame, [face], matrix[None], [same]).pixels
    error = (after.int() - frame.pixels.int()).abs()
    assert error.float().mean() < 0.5
    assert error.max() <= 8


@pytest.mark.parametrize(("side", "size"), [(180, 512), (300, 256)])
def test_face_at_the_border_leaves_no_dark_line_there(side: float, size: int) -> None:
    frame = frame_of(height=300, width=400)
    face, matrix = face_at(250.3, -60.7, side, size)
    same = crop(frame, matrix[None], size).pixels[0]
    error = (paste(frame, [face], matrix[None], [same]).pixels.int() - frame.pixels.int()).abs()
    assert error.max() <= 10


def test_mask_is_one_inside_and_fades_to_nothing_at_the_border() -> None:
    for size in (64, 256, 512):
        mask = feathered_mask(size)[0]
        assert mask[size // 2, size // 2] == pytest.approx(1.0)
        assert mask[0].max() < 1e-3
        assert torch.equal(mask, mask.flip(0))
    steps = feathered_mask(512)[0, 256].diff().abs()
    assert steps.max() < 0.08


def test_strength_blends_with_the_input() -> None:
    frame = frame_of()
    face, matrix = face_at(50, 30, 64)
    center = (slice(None), 62, 82)
    before = frame.pixels[center].float()
    for strength in (0.0, 0.25, 1.0):
        after = paste(frame, [face], matrix[None], [flat(200)], strength).pixels[center].float()
        assert (after - (before + (200 - before) * strength)).abs().max() <= 0.51


def test_overlapping_faces_keep_their_own_and_fade_into_each_other() -> None:
    frame = frame_of()
    placed = [face_at(20, 20, 64), face_at(50, 20, 64)]
    colours = [flat(10), flat(240)]

    def pasted(order: list[int]) -> torch.Tensor:
        faces, matrices = [placed[i][0] for i in order], np.stack([placed[i][1] for i in order])
        return paste(frame, faces, matrices, [colours[i] for i in order]).pixels.int()

    after = pasted([0, 1])
    assert after[:, 52, 40].tolist() == [10] * 3
    assert after[:, 52, 95].tolist() == [240] * 3
    across = after[0, 52, 45:90]
    assert (across.diff() >= 0).all()
    assert across.diff().max() < 40, "a seam: it was all 230 levels at once"
    assert (pasted([1, 0]) - after).abs().max() <= 1, "the order of the faces shows"


def test_face_over_the_edge_and_face_outside() -> None:
    frame = frame_of()
    over, over_matrix = face_at(-30, -30, 64)
    outside, outside_matrix = face_at(500, 500, 64)
    after = paste(
        frame, [over, outside], np.stack([over_matrix, outside_matrix]), [flat(255), flat(255)]
    ).pixels
    assert after[:, 5, 5].tolist() == [255] * 3
    assert torch.equal(after[:, 40:], frame.pixels[:, 40:])


def test_alpha_and_metadata_are_kept() -> None:
    pixels = frame_of().pixels
    alpha = torch.arange(120 * 160).reshape(1, 120, 160).to(torch.uint8)
    frame = Frame(pixels, alpha, exif=b"e", icc=b"i", kind="PNG")
    face, matrix = face_at(50, 30, 64)
    after = paste(frame, [face], matrix[None], [flat(0)])
    assert torch.equal(after.alpha, alpha)
    assert (after.exif, after.icc, after.kind) == (b"e", b"i", "PNG")


def test_shrunk_face_does_not_alias() -> None:
    """A restored face much larger than its place: stripes finer than a pixel there must turn grey."""
    frame = Frame(torch.full((3, 100, 100), 128, dtype=torch.uint8))
    face, matrix = face_at(20, 20, 60, size=512)
    stripes = torch.zeros(3, 512, 512, dtype=torch.uint8)
    stripes[:, :, ::2] = 255
    center = paste(frame, [face], matrix[None], [stripes]).pixels[:, 35:65, 35:65].float()
    assert center.std() < 3
    assert abs(center.mean() - 128) < 3


def test_shares_of_the_picture_are_added_to_float_layers() -> None:
    frame = frame_of()
    face, matrix = face_at(50, 30, 64)
    center = (slice(None), 62, 82)
    before = frame.pixels[center].float()
    layer = torch.full((3, 64, 64), 20.0)
    after = paste(frame, [face], matrix[None], [layer], 1.0, torch.tensor([0.75])).pixels[center].float()
    assert (after - (20 + 0.75 * before)).abs().max() <= 0.51
    nothing = paste(frame, [face], matrix[None], [torch.zeros(3, 64, 64)], 1.0, torch.ones(1))
    assert torch.equal(nothing.pixels, frame.pixels)


def test_each_face_is_faded_alone() -> None:
    frame = Frame(torch.full((3, 100, 220), 40, dtype=torch.uint8))
    placed = [face_at(18, 18, 64), face_at(138, 18, 64)]
    faces, matrices = [face for face, _ in placed], np.stack([matrix for _, matrix in placed])
    made = paste(frame, faces, matrices, [flat(240), flat(240)], 0.5, fades=[0.5, 1.0]).pixels
    assert made[:, 50, 50].tolist() == [90, 90, 90]
    assert made[:, 50, 170].tolist() == [140, 140, 140]
    whole = paste(frame, faces, matrices, [flat(240), flat(240)], 0.5).pixels
    assert torch.equal(whole, paste(frame, faces, matrices, [flat(240)] * 2, 0.5, fades=[1.0, 1.0]).pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_mixing_on_the_host_is_the_formula_to_the_bit(channels: int) -> None:
    torch.manual_seed(0)
    # As frames have it: the channels of a pixel side by side.
    before = torch.randint(0, 256, (61, 53, channels)).permute(2, 0, 1).float()
    pixels, mask = torch.rand((channels, 61, 53)) * 400 - 70, torch.rand((1, 61, 53))
    mask[:, :8], pixels[:, 8:12] = 1, (torch.randint(-9, 265, (channels, 4, 53)) + 0.5)
    mask[:, 8:12] = 1
    expected = (before + (pixels - before) * mask).round().clamp(0, 255).to(torch.uint8)
    assert torch.equal(_mix(before, pixels, mask, torch.uint8), expected)
