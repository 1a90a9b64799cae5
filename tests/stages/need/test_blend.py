"""As much of a restoration as its source needs: with the embedded network, and with networks that restore nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from helpers import EXAMPLES
from torch import Tensor

from gpen_fast import Restorer
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import PasteOptions, Settings
from gpen_fast.stages.crop import crop
from gpen_fast.stages.need import blend as blend_module
from gpen_fast.stages.need.blend import agreement, blend, measured_need
from gpen_fast.stages.paste import paste
from gpen_fast.training.degrade import Damage, degrade
from gpen_fast.training.need.commands import restored_crops
from gpen_fast.training.need.samples import BANDS, matrix_of
from gpen_fast.types import Face, FaceBatch, Frame

# The astronaut's face, a square of 256 pixels without compression.
FACE = np.ascontiguousarray(cv2.imread(str(EXAMPLES / "astronaut.png"))[0:256, 96:352, ::-1])
BOX = Face((64.0, 64.0, 192.0, 192.0), 1.0)
DAMAGES = {
    "JPEG 40": Damage(1, 0, 0, 40), "noise 10": Damage(1, 0, 10, None), "f 1.5": Damage(1.5, 0.5, 0, None),
    "f 4": Damage(4, 4 / 3, 0, None), "f 4, noise, JPEG": Damage(4, 4 / 3, 5, 75),
}  # fmt: skip

# What faces smaller than the network's grid have in real pictures.
SMALL_DAMAGES = {
    "JPEG 60": Damage(1, 0, 0, 60), "noise 5": Damage(1, 0, 5, None), "noise 10": Damage(1, 0, 10, None),
    "blur 0.5, noise 5, JPEG 60": Damage(1, 0.5, 5, 60),
}  # fmt: skip


def frame_of(picture: np.ndarray) -> Frame:
    return Frame(torch.from_numpy(picture.copy()).permute(2, 0, 1))


def psnr(frame: Frame, truth: np.ndarray) -> float:
    error = ((frame.pixels.permute(1, 2, 0).numpy().astype(float) - truth) ** 2).mean()
    return float(10 * np.log10(255**2 / error)) if error else np.inf


@pytest.fixture(scope="module")
def embedded() -> object:
    generator = load_runtime(
        Settings.from_flat(model="gpen-lite-256", detector="none", precision="fp32")
    ).generator
    return lambda crops: restored_crops(generator, crops)


def cropped(picture: np.ndarray, size: int = 256) -> tuple[Frame, FaceBatch]:
    frame = frame_of(picture)
    return frame, crop(frame, matrix_of(picture.shape[0], size, 0.0)[None], size)


def pasted(frame: Frame, crops: FaceBatch, restored: Tensor, **options: object) -> Frame:
    made = blend(frame, crops, tuple(restored), PasteOptions(**options))  # type: ignore[arg-type]
    return paste(frame, [BOX], crops.matrices, made.layers, 1.0, made.shares)


def today(frame: Frame, crops: FaceBatch, restored: Tensor) -> Frame:
    return paste(frame, [BOX], crops.matrices, tuple(restored))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_face_becomes_better_and_a_heavily_damaged_one_as_good_as_it_can(
    embedded, damage: str
) -> None:
    how = DAMAGES[damage]
    frame, crops = cropped(degrade(FACE, how, np.random.default_rng(0)))
    restored = embedded(crops.pixels)
    after = psnr(pasted(frame, crops, restored), FACE)
    # One face in a hundred may lose a few hundredths of a dB (benchmarks/keep_detail.py).
    assert after > psnr(frame, FACE) - 0.05
    if damage == "noise 10":
        assert after > psnr(frame, FACE) + 1
    if how.factor > 2:
        assert after > psnr(today(frame, crops, restored), FACE) - 0.1


@pytest.mark.parametrize("side", [51, 77, 102])
@pytest.mark.parametrize("damage", SMALL_DAMAGES)
def test_a_small_damaged_face_does_not_become_worse(embedded, side: int, damage: str) -> None:
    truth = cv2.resize(FACE, (side, side), interpolation=cv2.INTER_AREA)
    frame, crops = cropped(degrade(truth, SMALL_DAMAGES[damage], np.random.default_rng(0)))
    small = Face((side / 4, side / 4, side * 3 / 4, side * 3 / 4), 1.0)
    made = blend(frame, crops, tuple(embedded(crops.pixels)), PasteOptions())
    after = paste(frame, [small], crops.matrices, made.layers, 1.0, made.shares)
    assert psnr(after, truth) > psnr(frame, truth) - 0.01


def test_the_degraded_example_does_not_become_worse() -> None:
    truth = cv2.imread(str(EXAMPLES / "astronaut.png"))[:, :, ::-1]
    truth = cv2.resize(np.ascontiguousarray(truth), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    before = cv2.imread(str(EXAMPLES / "astronaut-degraded.jpg"))[:, :, ::-1]
    restorer = Restorer(model="gpen-lite-256", detector="lite", precision="fp32")
    done = restorer.restore(np.ascontiguousarray(before))
    assert len(done.faces) == 1
    assert psnr(frame_of(np.asarray(done.image)), truth) >= psnr(frame_of(before), truth)


def test_a_clean_face_stays_as_it_is_and_says_so(embedded) -> None:
    frame, crops = cropped(FACE)
    restored = embedded(crops.pixels)
    assert psnr(today(frame, crops, restored), FACE) < 40
    assert psnr(pasted(frame, crops, restored), FACE) > 42
    use = blend(frame, crops, tuple(restored), PasteOptions()).use
    assert use.kept() == (1, 0)
    assert use.note().startswith("1 of 1 face left as found: finer and cleaner than the network's result.")


def test_a_face_that_is_said_to_be_left_as_found_is_left_to_the_pixel(
    embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a regressor that finds the same small need in every band."""
    frame, crops = cropped(FACE)
    restored = embedded(crops.pixels)
    for share, left in ((0.09, True), (0.11, False)):
        monkeypatch.setattr(
            blend_module, "regressor", lambda device, s=share: lambda given: torch.full((1, 1 + BANDS), s)
        )
        made = blend(frame, crops, tuple(restored), PasteOptions())
        after = paste(frame, [BOX], crops.matrices, made.layers, 1.0, made.shares)
        assert (made.use.kept()[0] == 1) == left
        assert made.known_to_change_nothing == left
        assert torch.equal(after.pixels, frame.pixels) == left


def test_detail_beyond_the_network_stays(embedded) -> None:
    large = cv2.resize(FACE, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    large = np.clip(large + np.random.default_rng(1).normal(0, 1, large.shape), 0, 255).astype(np.uint8)
    rows = np.kron(np.indices((64, 64)).sum(axis=0) % 2, np.ones((2, 2)))  # a pattern of lashes and hair
    large[200:328, 200:328] = np.clip(large[200:328, 200:328] + (rows * 50 - 25)[..., None], 0, 255).astype(
        np.uint8
    )
    frame, crops = cropped(large)
    restored = embedded(crops.pixels)
    sharp = [cv2.Laplacian(each.pixels[1].numpy(), cv2.CV_64F).var()
             for each in (frame, pasted(frame, crops, restored), today(frame, crops, restored))]  # fmt: skip
    assert sharp[2] < 0.7 * sharp[0] < 0.9 * sharp[0] <= sharp[1]


def test_a_network_that_shows_something_else_is_not_used() -> None:
    frame, crops = cropped(degrade(FACE, DAMAGES["f 4"], np.random.default_rng(0)))
    other = crops.pixels.flip(2)
    assert agreement(crops.pixels, other).tolist() == [0.0]
    assert torch.equal(pasted(frame, crops, other).pixels, frame.pixels)
    use = blend(frame, crops, tuple(other), PasteOptions()).use
    assert use.kept() == (1, 1)
    assert "does not resemble the face" in use.note()


def test_a_network_that_returns_its_input_changes_nothing_at_its_own_size() -> None:
    frame, crops = cropped(degrade(FACE, DAMAGES["JPEG 40"], np.random.default_rng(0)))
    assert torch.equal(pasted(frame, crops, crops.pixels).pixels, frame.pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_without_keep_detail_the_result_is_that_of_the_network(dtype: type, channels: int) -> None:
    step = 257 if dtype is np.uint16 else 1
    frame, crops = cropped(FACE[:, :, :channels].astype(dtype) * dtype(step), 128)
    restored = 255 * step - crops.pixels.int()
    restored = restored.to(crops.pixels.dtype)
    wanted = today(frame, crops, restored).pixels.int()
    assert (pasted(frame, crops, restored, keep_detail=0.0).pixels.int() - wanted).abs().max() <= step


def test_half_of_keep_detail_lies_between(embedded) -> None:
    frame, crops = cropped(FACE)
    restored = embedded(crops.pixels)
    distances = [
        (pasted(frame, crops, restored, keep_detail=keep).pixels.float() - frame.pixels.float())
        .square()
        .mean()
        for keep in (0.0, 0.5, 1.0)
    ]
    assert distances[0] > distances[1] > distances[2]


def test_keep_colour_restores_brightness_and_keeps_a_tint() -> None:
    grey = cv2.cvtColor(FACE, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sepia = np.clip(grey[:, :, None] * (1.0, 0.8, 0.55) + (30, 15, 0), 0, 255).astype(np.uint8)
    frame, crops = cropped(sepia)
    tinted = (
        (crops.pixels.float() * torch.tensor([0.8, 1.0, 1.2]).view(1, 3, 1, 1)).clamp(0, 255).to(torch.uint8)
    )
    inner = (slice(None), slice(40, -40), slice(40, -40))
    before, kept, changed = (
        each.pixels[inner].float()
        for each in (
            frame,
            pasted(frame, crops, tinted, keep_detail=0.0, keep_colour=True),
            pasted(frame, crops, tinted, keep_detail=0.0),
        )
    )

    def tint(pixels: Tensor) -> Tensor:
        return (pixels[0] - pixels[2]).mean()

    assert abs(tint(kept) - tint(before)) < 1 < 20 < tint(before) - tint(changed)
    assert (kept.mean() - before.mean()).abs() > 1


def test_the_aligned_picture_gets_the_same_blend(embedded) -> None:
    frame, crops = cropped(FACE)
    restored = embedded(crops.pixels)
    whole = blend(frame, crops, tuple(restored), PasteOptions()).whole(crops.pixels[0])
    assert whole.shape == (3, 256, 256)
    assert psnr(Frame(whole), FACE) > 42 > psnr(Frame(restored[0]), FACE)


def test_a_need_that_is_given_is_used_and_the_measured_one_changes_nothing(embedded) -> None:
    frame, crops = cropped(degrade(FACE, DAMAGES["noise 10"], np.random.default_rng(0)))
    restored = embedded(crops.pixels)
    options = PasteOptions()
    need = measured_need(frame, crops, restored)
    assert need.shape == (1, 1 + BANDS)
    own, given = blend(frame, crops, restored, options), blend(frame, crops, restored, options, need)
    assert torch.equal(own.layers[0], given.layers[0])
    none = blend(frame, crops, restored, options, torch.zeros_like(need))
    assert none.use.kept()[0] == 1


def test_of_a_face_that_is_left_as_found_the_average_over_frames_is_shown() -> None:
    """A video's crops are averages: what they differ by from the frame's own goes into it."""
    noisy = np.clip(np.rint(FACE + np.random.default_rng(0).normal(0, 6, FACE.shape)), 0, 255).astype(
        np.uint8
    )
    (frame, own), (_, averaged) = cropped(noisy), cropped(FACE)
    none = torch.zeros(1, 1 + BANDS)
    kept = blend(frame, own, [own.pixels[0]], PasteOptions(), none)
    assert kept.known_to_change_nothing
    blended = blend(frame, averaged, [averaged.pixels[0]], PasteOptions(), none, own.pixels)
    assert not blended.known_to_change_nothing
    assert blended.use.kept() == (1, 0)
    made = paste(frame, [BOX], averaged.matrices, blended.layers, shares=blended.shares)
    inside = slice(60, 196), slice(60, 196)
    error = np.abs(made.pixels.permute(1, 2, 0).numpy()[inside].astype(float) - FACE[inside])
    assert error.mean() < 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_known_need_leaves_the_reason_as_it_was(channels: int) -> None:
    """A face that is left as found is said to agree with the network's result or not, also where its need is given."""
    picture = FACE if channels == 3 else FACE[..., :1]
    frame, crops = cropped(picture)
    for other, agrees in ((crops.pixels, True), (255 - crops.pixels, False)):
        known = blend(frame, crops, tuple(other), PasteOptions(), torch.zeros(1, 1 + BANDS))
        assert known.use.shares.tolist() == [0.0]
        assert known.use.agrees.tolist() == [agrees]
        assert blend(frame, crops, tuple(other), PasteOptions()).use.agrees.tolist() == [agrees]
