"""Tables are made once for each device and arguments."""

from __future__ import annotations

import torch

from gpen_fast.png.constants import cached_tables

CPU = torch.device("cpu")


def test_tables_are_made_once_for_each_set_of_arguments() -> None:
    made: list[int] = []

    def make(size: int) -> tuple[torch.Tensor, torch.Tensor]:
        made.append(size)
        return torch.arange(size), torch.zeros(size)

    first, again = cached_tables(make, CPU, 3), cached_tables(make, CPU, 3)
    assert first[0] is again[0]
    assert cached_tables(make, CPU, 5)[0].tolist() == [0, 1, 2, 3, 4]
    assert made == [3, 5]
