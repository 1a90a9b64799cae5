"""The encoder in nine kernels and one clearing of memory, for any number of pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from gpen_fast.png.idat import CHUNK
from gpen_fast.png.kernels.code import launch_code
from gpen_fast.png.kernels.filter import launch_filter
from gpen_fast.png.kernels.frame import launch_frame
from gpen_fast.png.kernels.layout import launch_layout
from gpen_fast.png.kernels.pack import launch_pack
from gpen_fast.png.kernels.runs import launch_runs
from gpen_fast.png.runs import BLOCK, TOKENS, WINDOW
from gpen_fast.png.stored import most_bytes


def on_device_by_kernels(pixels: Tensor, keep_rgb: bool) -> tuple[Tensor, Tensor]:
    """Encodes pixels as IDAT chunks without waiting for the device.

    Args:
        pixels: (B,C,H,W) uint8 or int16 on a GPU, any strides; int16 holds the bits of uint16.
        keep_rgb: Write three channels even where they are equal everywhere.

    Returns:
        (T,) uint8, the pictures' IDAT chunks, one picture right after the other.
        (B,5) int64, first the bytes of these chunks and the channels written: see `Layout`.
    """
    batch, channels, height, width = pixels.shape
    longest = height * (1 + width * channels * pixels.element_size())
    blocks, most = batch * -(-longest // (BLOCK * WINDOW)), most_bytes(longest)
    chunks = -(-most // CHUNK)
    shapes = ((blocks, TOKENS), (blocks,), (batch,), (batch, chunks), (batch, most // 4 + 3))
    with torch.cuda.device_of(pixels):
        sums, counts, bits, colourful, registers, words = _zeros((blocks, 2), shapes, pixels.device)
        # (B,C,H,W) samples to (B,N) filtered bytes and (B,) lengths and channels.
        stream, lengths, written = launch_filter(pixels, keep_rgb, colourful)
        # (B,N) bytes to (K,66048) tokens; their (K,TOKENS) counts and Adler-32's (K,2) sums are added on the way.
        tokens = launch_runs(stream, lengths, counts, sums)
        # (K,TOKENS) counts to each block's codes and (K,) bits.
        code = launch_code(counts, lengths, bits)
        # (K,) bits to the first bit of each block and the sizes of each picture.
        layout = launch_layout(bits, sums, lengths, written)
        # (K,66048) tokens to (B,W) words of 32 bits.
        launch_pack(tokens, code, layout, lengths, words)
        # (B,W) words, or the stream where that is stored, to (T,) bytes of chunks.
        return launch_frame(words, stream, layout, registers, most), layout.facts


def _zeros(wide: tuple[int, ...], narrow: tuple[tuple[int, ...], ...], device: torch.device) -> list[Tensor]:
    """An int64 tensor and several int32 ones, cleared by one launch; each begins at a multiple of 16 bytes."""
    shapes = (wide, *narrow)
    sizes = [torch.Size(shape).numel() * (2 if shape is wide else 1) for shape in shapes]
    room = torch.zeros(sum(-(-size // 4) * 4 for size in sizes), dtype=torch.int32, device=device)
    parts = room.split([-(-size // 4) * 4 for size in sizes])
    cleared = [part[:size] for part, size in zip(parts, sizes, strict=True)]
    return [(part.view(torch.int64) if shape is wide else part).view(shape)
            for part, shape in zip(cleared, shapes, strict=True)]  # fmt: skip
