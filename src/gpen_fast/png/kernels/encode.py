"""All of `gpen_fast.png.encode.on_device` in nine kernels and one clearing of memory, however many the pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.png.idat import CHUNK
from gpen_fast.png.kernels.code import make_code
from gpen_fast.png.kernels.filter import filter_pictures
from gpen_fast.png.kernels.frame import frame_chunks
from gpen_fast.png.kernels.layout import lay_out
from gpen_fast.png.kernels.pack import pack
from gpen_fast.png.kernels.runs import tokens_by_blocks
from gpen_fast.png.runs import BLOCK, TOKENS, WINDOW
from gpen_fast.png.stored import most_bytes


def on_device(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor]:
    """(T,) uint8, the pictures' chunks one after the other, and (B,5) int64, first their bytes and channels.

    pixels: (B,C,H,W) uint8 or int16, any strides.
    """
    batch, channels, height, width = pixels.shape
    longest = height * (1 + width * channels * pixels.element_size())
    blocks, most = batch * -(-longest // (BLOCK * WINDOW)), most_bytes(longest)
    chunks = -(-most // CHUNK)
    shapes = ((blocks, TOKENS), (blocks,), (batch,), (batch, chunks), (batch, most // 4 + 3))
    with torch.cuda.device_of(pixels):
        sums, counts, bits, colourful, registers, words = _zeros((blocks, 2), shapes, pixels.device)
        stream, lengths, written = filter_pictures(pixels, keep_rgb, colourful)
        tokens = tokens_by_blocks(stream, lengths, counts, sums)
        code = make_code(counts, lengths, bits)
        layout = lay_out(bits, sums, lengths, written)
        pack(tokens, code, layout, lengths, words)
        return frame_chunks(words, stream, layout, registers, most), layout.facts


def _zeros(wide: tuple[int, ...], narrow: tuple[tuple[int, ...], ...], device: torch.device) -> list[Tensor]:
    """An int64 tensor and int32 ones, cleared at once; each begins at a multiple of 16 bytes."""
    shapes = (wide, *narrow)
    sizes = [torch.Size(shape).numel() * (2 if shape is wide else 1) for shape in shapes]
    room = torch.zeros(sum(-(-size // 4) * 4 for size in sizes), dtype=torch.int32, device=device)
    parts = room.split([-(-size // 4) * 4 for size in sizes])
    cleared = [part[:size] for part, size in zip(parts, sizes, strict=True)]
    return [(part.view(torch.int64) if shape is wide else part).view(shape)
            for part, shape in zip(cleared, shapes, strict=True)]  # fmt: skip
