"""The regressor that is shipped, and its file."""

from __future__ import annotations

import torch

from gpen_fast.stages.need.figures import COUNT
from gpen_fast.stages.need.regressor import Regressor, regressor

CPU = torch.device("cpu")


def test_the_shipped_numbers_fit_the_figures() -> None:
    weights = regressor(CPU)(torch.zeros(3, COUNT))
    assert weights.shape == (3, 6)
    assert 0 <= weights.min() <= weights.max() <= 1


def test_weights_end_at_exactly_nothing_and_everything() -> None:
    layer = (torch.tensor([[4.0], [-4.0], [0.0]]), torch.zeros(3))
    made = Regressor(torch.zeros(1), torch.ones(1), (layer,))
    assert made(torch.ones(1, 1)).tolist() == [[1.0, 0.0, 0.5]]


def test_figures_far_outside_those_of_training_change_nothing_more() -> None:
    made = regressor(CPU)
    far = made.mean + 3 * made.deviation
    assert torch.allclose(made(far[None]), made(far[None] + 1000))


def test_the_file_is_read_back() -> None:
    made = regressor(CPU)
    again = Regressor.from_json(made.as_json())
    given = torch.randn(4, COUNT)
    assert torch.equal(made(given), again(given))
