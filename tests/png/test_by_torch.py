"""The encoder in torch operations: chunks that the host can join to a file, and their sizes."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from png_pictures import make

from gpen_fast.png import chunks
from gpen_fast.png.by_torch import on_device_by_torch


def test_rows_hold_each_pictures_chunks_and_facts_their_bytes_and_channels() -> None:
    pixels = torch.stack([make(kind, (3, 40, 50), torch.uint8) for kind in ("smooth", "grey", "noise")])
    framed, facts = on_device_by_torch(pixels, False)
    assert facts[:, 1].tolist() == [3, 1, 3]
    for one, row, (size, channels) in zip(pixels, framed, facts.tolist(), strict=True):
        data = chunks.header(50, 40, channels, 8) + row[:size].numpy().tobytes() + chunks.END
        read = np.asarray(Image.open(io.BytesIO(data)))
        assert np.array_equal(read.reshape(40, 50, channels), one[:channels].permute(1, 2, 0).numpy())


def test_three_channels_are_kept_where_they_must_be() -> None:
    _, facts = on_device_by_torch(make("grey", (3, 8, 8), torch.uint8)[None], True)
    assert facts[:, 1].tolist() == [3]
