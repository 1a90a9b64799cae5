"""The table's figures are right for networks whose work is known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lite_sets import lite_trainer, two_sets
from PIL import Image
from portraits import small_faces

from gpen_fast.training.lite.reach import REACH_FACTORS, held_out_sets, print_reach, reach_row, reach_sheet

FACES = small_faces(3, 64)


def nothing(faces: torch.Tensor) -> torch.Tensor:
    return faces


def lighter(faces: torch.Tensor) -> torch.Tensor:
    return faces + 4 / 127.5


def smooth(faces: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(
        torch.nn.functional.pad(faces, (1, 1, 1, 1), mode="replicate"), 3, 1
    )


def test_a_network_that_does_nothing_gains_nothing_and_loses_nothing() -> None:
    row = reach_row(nothing, "a", FACES, 3.0)
    assert (row.gain, row.colour, row.features) == (0, 0, 0)
    clean = reach_row(nothing, "a", FACES, 1.0)
    assert (clean.sharpness, clean.energy) == (pytest.approx(1), pytest.approx(1))
    assert clean.psnr > 60 < clean.twice


def test_light_shows_as_colour_and_smoothing_as_lost_sharpness_and_a_second_change() -> None:
    assert reach_row(lighter, "a", FACES, 1.5).colour == pytest.approx(4, abs=0.3)
    row = reach_row(smooth, "a", FACES, 1.0)
    assert row.sharpness < 0.3
    assert row.energy < 0.9
    assert 20 < row.twice < 60


def test_prints_every_set_and_factor_and_draws_who_may_be_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = two_sets(tmp_path)
    lite_trainer(folders).save(tmp_path / "state.pt")
    print_reach(tmp_path / "state.pt", folders, 2, tmp_path / "reach.json")
    said = capsys.readouterr().out
    assert said.count("first") == said.count("wider") == len(REACH_FACTORS)
    assert [(name, len(faces)) for name, faces in held_out_sets(folders, 32, 9)] == [
        ("first", 2),
        ("wider", 2),
    ]
    reach_sheet(tmp_path / "state.pt", folders, folders[0] / "0.png", tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (7 * 32, 5 * 32)
