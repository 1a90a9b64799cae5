"""16-bit rows: as near to the matrix as their storage allows, whatever its size."""

from __future__ import annotations

import pytest
import torch

from gpen_fast.gpen.cuda.kernels.rows import pack_rows, storage_dtypes, tile_sizes


@pytest.mark.parametrize(
    ("storage", "within"), [(torch.int16, 1e-4), (torch.float16, 5e-4), (torch.float32, 0)]
)
def test_rows_are_as_near_as_their_storage_whatever_their_size(storage: torch.dtype, within: float) -> None:
    weight = torch.randn(5, 300) * torch.tensor([1e-12, 1e-3, 1.0, 1e6, 0.0])[:, None]
    kept = pack_rows(weight, storage)
    assert kept.values.dtype == storage
    apart = (kept.unpacked() - weight).norm(dim=1)
    assert bool((apart <= within * weight.norm(dim=1)).all())


def test_only_float32_networks_keep_float32() -> None:
    assert storage_dtypes(torch.float32) == (torch.float32, torch.float32)
    assert storage_dtypes(torch.float16) == storage_dtypes(torch.bfloat16) == (torch.int16, torch.float16)


def test_float32_rows_are_the_matrix_itself() -> None:
    weight = torch.randn(3, 5)
    packed = pack_rows(weight, torch.float32)
    assert packed.values is weight
    assert torch.equal(packed.unpacked(), weight)


def test_a_program_takes_one_face_whole_or_eight_in_pieces() -> None:
    assert [tile_sizes(1, width) for width in (5, 512, 9000)] == [(1, 8), (1, 512), (1, 2048)]
    assert [tile_sizes(faces, 9000) for faces in (2, 20)] == [(8, 512), (8, 512)]
