"""How alike files are, whatever their depth, channels and faults."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import photo, write_photo
from PIL import Image

from gpen_fast.run.likeness_run import OptionalMetrics, likeness_of, mean_row, open_metrics

NONE = OptionalMetrics()


def noisy(path: Path, by: int = 4) -> Path:
    array = photo().astype(int)
    array[::2] += by
    Image.fromarray(array.clip(0, 255).astype(np.uint8)).save(path)
    return path


def test_figures_of_two_pictures(tmp_path: Path) -> None:
    a, b = write_photo(tmp_path / "a.png"), noisy(tmp_path / "b.png")
    row = likeness_of(a, b, NONE)
    # Half of the values differ by 4 (none is clipped in this picture).
    assert row.psnr == pytest.approx(10 * np.log10(255**2 / 8), abs=0.05)
    assert 0.5 < row.ssim < 1
    assert (row.identical, row.error, row.note, row.niqe_a, row.lpips) == (False, "", "", None, None)


def test_equal_pixels_are_identical_whatever_the_format(tmp_path: Path) -> None:
    a = write_photo(tmp_path / "a.png")
    Image.open(a).save(tmp_path / "a.bmp")
    row = likeness_of(a, tmp_path / "a.bmp", NONE)
    assert (row.identical, row.psnr, row.ssim) == (True, None, 1.0)


def test_16_bits_against_8_is_compared_at_16(tmp_path: Path) -> None:
    a = write_photo(tmp_path / "a.png")
    deep = photo()[:, :, ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    row = likeness_of(a, tmp_path / "deep.png", NONE)
    assert row.identical
    assert row.note == "One has 8 bits and the other 16: compared at 16."
    cv2.imwrite(str(tmp_path / "near.png"), deep + (deep < 65000).astype(np.uint16) * 64)
    both = likeness_of(tmp_path / "deep.png", tmp_path / "near.png", NONE)
    assert both.note == ""
    assert both.psnr > 55  # a quarter of an 8-bit step


def test_grey_and_transparent_pictures_are_compared_with_a_note(tmp_path: Path) -> None:
    a = write_photo(tmp_path / "a.png")
    Image.open(a).convert("L").save(tmp_path / "grey.png")
    row = likeness_of(a, tmp_path / "grey.png", NONE)
    assert row.note == "One is grey and the other in colour."
    assert 0 < row.psnr < 40
    clear = Image.open(a).convert("RGBA")
    clear.putalpha(128)
    clear.save(tmp_path / "clear.png")
    row = likeness_of(a, tmp_path / "clear.png", NONE)
    assert (row.identical, row.note) == (True, "One has transparency, which is not compared.")


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    a, small = write_photo(tmp_path / "a.png"), write_photo(tmp_path / "s.png", height=30, width=40)
    assert likeness_of(a, small, NONE).error == "the sizes differ: 80 x 60 and 40 x 30 pixels."
    (tmp_path / "bad.png").write_text("x")
    assert likeness_of(tmp_path / "bad.png", a, NONE).error.startswith(
        f"{tmp_path / 'bad.png'}: not a picture"
    )
    assert "no such file" in likeness_of(a, tmp_path / "none.png", NONE).error


def test_a_picture_below_the_window_has_no_ssim(tmp_path: Path) -> None:
    a, b = (
        write_photo(tmp_path / name, height=8, width=8, seed=seed)
        for name, seed in (("a.png", 0), ("b.png", 1))
    )
    row = likeness_of(a, b, NONE)
    assert row.psnr is not None
    assert row.ssim is None
    assert "too small for SSIM" in row.note


def test_other_packages_metrics_are_measured_and_their_failures_noted(tmp_path: Path) -> None:
    a, b = write_photo(tmp_path / "a.png"), noisy(tmp_path / "b.png")

    def fails(first: object, second: object) -> float:
        raise ValueError("negative dimension")

    row = likeness_of(a, b, OptionalMetrics(niqe=lambda pixels: float(pixels.float().mean()), lpips=fails))
    assert row.niqe_b > row.niqe_a > 0
    assert row.lpips is None
    assert row.note == "LPIPS cannot be measured here: ValueError: negative dimension."


def test_means_are_over_the_pairs_that_have_the_figure(tmp_path: Path) -> None:
    a, b, c = write_photo(tmp_path / "a.png"), noisy(tmp_path / "b.png"), noisy(tmp_path / "c.png", 20)
    rows = [likeness_of(a, other, NONE) for other in (a, b, c, tmp_path / "none.png")]
    mean = mean_row(rows)
    assert mean["psnr"] == pytest.approx((rows[1].psnr + rows[2].psnr) / 2, abs=1e-4)
    assert mean["ssim"] == pytest.approx((1 + rows[1].ssim + rows[2].ssim) / 3, abs=1e-4)
    assert mean["lpips"] is None


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "basicsr", None)
    metrics = open_metrics()
    assert metrics.niqe is None
    assert "pip install 'gpen-fast[metrics]'" in metrics.missing["niqe"]
