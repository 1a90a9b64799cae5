"""The discriminator returns scores and features of every size."""

from __future__ import annotations

import torch

from gpen_fast.training.discriminator import Discriminator


def test_scores_and_features_of_every_size() -> None:
    scores, features = Discriminator(64, 4)(torch.randn(3, 3, 64, 64))
    assert scores.shape == (3, 1)
    assert [tuple(each.shape[1:]) for each in features] == [(8, 32, 32), (16, 16, 16), (32, 8, 8), (64, 4, 4)]


def test_equal_pictures_in_a_batch_change_the_score() -> None:
    judge = Discriminator(32, 4).eval()
    one, other = torch.randn(2, 1, 3, 32, 32)
    alike, various = judge(torch.cat([one, one]))[0][0], judge(torch.cat([one, other]))[0][0]
    assert not torch.allclose(alike, various)
