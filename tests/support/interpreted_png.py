"""Compares the kernels with the torch operations in Triton's interpreter; prints what failed, by kernel, as JSON.

Run by `TRITON_INTERPRET=1 python interpreted_png.py`: Triton reads the variable when it is first imported.
"""

from __future__ import annotations

import json
import sys
import traceback
import zlib
from collections.abc import Callable

import numpy as np
import torch
import triton.language as tl
from png_pictures import make
from triton.runtime import interpreter

from gpen_fast.png import encode, kernels
from gpen_fast.png.deflate import deflate
from gpen_fast.png.filter import filter_pictures
from gpen_fast.png.idat import frame_chunks
from gpen_fast.png.kernels import code
from gpen_fast.png.kernels import encode as by_kernels
from gpen_fast.png.kernels import filter as filter_kernels
from gpen_fast.png.kernels import runs as run_kernels
from gpen_fast.png.kernels.layout import SIZE, STORES, launch_layout
from gpen_fast.png.runs import BLOCK, LEAST, LITERALS, NONE, TOKENS, WINDOW, to_windows, tokens_by_blocks
from gpen_fast.png.tables import make_code


def speed_up_interpreter() -> None:
    """Replaces the interpreter's scans and reductions, which loop in Python, by NumPy's."""
    by_numpy = {run_kernels._larger: np.maximum, run_kernels._smaller: np.minimum,
               tl.standard._xor_combine: np.bitwise_xor}  # fmt: skip
    scan, reduce = interpreter.ScanOps.generic_scan, interpreter.ReduceOps.generic_reduce

    def fast_scan(self, inputs):
        if self.combine_fn not in by_numpy:
            return scan(self, inputs)
        data = by_numpy[self.combine_fn].accumulate(inputs[0].handle.data, axis=self.axis)
        return [self.to_tensor(data, inputs[0].dtype)]

    def fast_reduce(self, inputs):
        if self.combine_fn not in by_numpy or self.axis is None:
            return reduce(self, inputs)
        data = by_numpy[self.combine_fn].reduce(inputs[0].handle.data, self.axis, keepdims=self.keep_dims)
        return [self.to_tensor(data, inputs[0].dtype)]

    interpreter.ScanOps.generic_scan, interpreter.ReduceOps.generic_reduce = fast_scan, fast_reduce


def mixed(size: int, seed: int) -> torch.Tensor:
    """Returns a byte stream with noise, small numbers and runs of all lengths."""
    rng = np.random.default_rng(seed)
    small = np.minimum(rng.geometric(0.4, size), 40)
    small[size // 4 : size // 2] = 7
    noise = slice(size // 2, size // 2 + 300)
    small[noise] = rng.integers(0, 256, small[noise].shape)
    return torch.from_numpy(small.astype(np.uint8))


def compare_filters() -> None:
    for shape, dtype in (((3, 3, 7), torch.uint8), ((4, 4, 90), torch.uint16), ((1, 2, 1100), torch.uint8),
                         ((2, 1, 1), torch.uint16)):  # fmt: skip
        pixels = torch.stack([make(kind, shape, dtype).int() for kind in ("grey", "smooth")]).to(dtype)
        pixels = pixels.view(torch.int16) if dtype == torch.uint16 else pixels
        colourful = torch.zeros(2, dtype=torch.int32)
        wanted = filter_pictures(pixels, False)
        turned = pixels.transpose(2, 3).contiguous().transpose(2, 3)
        stream, lengths, written = filter_kernels.launch_filter(turned, False, colourful)
        assert torch.equal(lengths, wanted[1])
        assert torch.equal(written, wanted[2])
        for found, right, length in zip(stream, wanted[0], lengths.tolist(), strict=True):
            assert torch.equal(found[:length], right[:length]), (shape, dtype)


def compare_runs() -> None:
    """Compares tokens, their counts and Adler-32 sums for streams that end inside a group of windows or before one."""
    stream, lengths = two_pictures()
    size = int(lengths[0])
    wanted, wanted_counts = tokens_by_blocks(to_windows(stream), lengths)
    counts, sums = torch.zeros(4, TOKENS, dtype=torch.int32), torch.zeros(4, 2, dtype=torch.int64)
    tokens = run_kernels.launch_runs(stream, lengths, counts, sums)
    assert torch.equal(counts, wanted_counts.int())
    for block, (first, length) in enumerate(
        [(0, size), (BLOCK * WINDOW, size), (0, 2000), (BLOCK * WINDOW, 2000)]
    ):
        inside = max(0, min(BLOCK * WINDOW, length - first))
        assert torch.equal(tokens[block, :inside], wanted[block].flatten()[:inside])
        data = stream[block // 2, first : first + inside].long()
        places = torch.arange(first, first + inside)
        assert int(sums[block, 0]) == int(data.sum())
        assert int(sums[block, 1]) % 65521 == int((data * places).sum()) % 65521


def compare_codes_of_blocks() -> None:
    stream, lengths = two_pictures()
    _, counts = tokens_by_blocks(to_windows(stream), lengths)
    compare_codes(counts, lengths, [False, True, True, False])


def compare_packed_blocks() -> None:
    compare_files_of(*two_pictures())


def two_pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """Two streams of two blocks each, and their bytes; the second ends in its first block."""
    size = BLOCK * WINDOW + 900
    stream, lengths = torch.stack([mixed(size, 1), mixed(size, 2)]), torch.tensor([size, 2000])
    stream[1, 2000:] = 0
    return stream, lengths


def compare_hard_codes() -> None:
    """Counts whose unlimited codes exceed 15 bits, ties, and almost empty blocks, all as blocks of one picture."""
    counts = torch.zeros(8, TOKENS, dtype=torch.int64)
    fibonacci = [1, 1]
    while len(fibonacci) < 21:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    counts[0, 30:51] = torch.tensor(fibonacci)
    counts[1, 200:221] = torch.tensor(fibonacci[::-1])
    counts[1, 300:NONE] = 1
    counts[2, :LITERALS] = 1
    counts[2, LITERALS + LEAST : NONE] = 1
    counts[3, 7] = BLOCK * WINDOW
    counts[4, LITERALS + WINDOW] = 1
    counts[5, :17] = 1 << torch.arange(17) >> 1
    counts[6, :NONE] = torch.from_numpy(np.random.default_rng(4).zipf(1.4, NONE) % 900)
    counts[6, LITERALS : LITERALS + LEAST] = 0
    counts[7, ::3] = 5
    counts[7, NONE] = 0
    counts[7, LITERALS : LITERALS + LEAST] = 0
    compare_codes(counts, torch.tensor([8 * BLOCK * WINDOW]), [False] * 7 + [True])


def compare_codes(counts: torch.Tensor, lengths: torch.Tensor, is_last: list[bool]) -> None:
    right = make_code(counts, torch.tensor(is_last))
    found = code.launch_code(counts.int(), lengths, torch.zeros(len(counts), dtype=torch.int32))
    assert torch.equal(found.bits, right.bits(counts).int())
    is_used = found.bits > 0
    words = right.tokens.values | right.tokens.widths << code.WIDTH_AT
    assert torch.equal(found.words[is_used, : words.shape[1]], words[is_used].int())
    head = right.head.values | right.head.widths << code.WIDTH_AT
    assert torch.equal(found.head[is_used, : head.shape[1]], head[is_used].int())
    assert not found.head[is_used, head.shape[1] :].any()


def compare_files_of(stream: torch.Tensor, lengths: torch.Tensor) -> None:
    """Compares every step after the filter, for streams of any content."""
    batch, size = stream.shape
    wanted, sizes = frame_chunks(*deflate(stream, lengths))
    once = filter_kernels.launch_filter
    by_kernels.launch_filter = lambda *_: (stream, lengths, torch.ones_like(lengths))
    framed, facts = by_kernels.on_device_by_kernels(
        torch.zeros(batch, 1, 1, size - 1, dtype=torch.uint8), False
    )
    by_kernels.launch_filter = once
    assert facts[:, 0].tolist() == sizes.tolist()
    assert facts[:, 4].tolist() == [
        zlib.adler32(one[:n].numpy()) for one, n in zip(stream, lengths, strict=True)
    ]
    parts = framed[: int(sizes.sum())].split(sizes.tolist())
    for found, right, length in zip(parts, wanted, sizes.tolist(), strict=True):
        assert torch.equal(found, right[:length])


def compare_layout() -> None:
    """A picture is stored if compression saves no bit: the first one here; the second saves one bit."""
    stored = 8 * (5 + 1000)
    layout = launch_layout(torch.tensor([stored, stored - 1]).int(), torch.zeros(2, 2, dtype=torch.int64),
                     torch.tensor([1000, 1000]), torch.tensor([1, 1]))  # fmt: skip
    assert layout.facts[:, STORES].tolist() == [1, 0]
    assert layout.facts[:, SIZE].tolist() == [2 + 5 + 1000 + 4] * 2
    assert layout.starts.tolist() == [16, 16]


def compare_stored() -> None:
    """Incompressible data around a stored block's 65535 bytes and around a chunk's end."""
    for size in (1, 65_535, 65_536, (1 << 15) - 2 - 5 - 4):
        noise = torch.from_numpy(np.random.default_rng(size).integers(0, 256, (1, size)).astype(np.uint8))
        compare_files_of(noise, torch.tensor([size]))


def compare_whole_files() -> None:
    wanted = [encode.encode_pngs(pixels) for pixels in pictures()]
    encode.kernels_usable = lambda tensor: True
    assert [encode.encode_pngs(pixels) for pixels in pictures()] == wanted
    kernels._try(torch.device("cpu"))


def pictures() -> list[torch.Tensor]:
    kinds = ("noise", "grey", "smooth")
    mixture = torch.stack([make(kind, (3, 4, 90), torch.uint8) for kind in kinds])
    deep = make("smooth", (4, 5, 20), torch.uint16)[None]
    return [
        mixture,
        deep,
        make("one colour", (1, 1, 1), torch.uint8)[None],
        make("two symbols", (2, 5, 31), torch.uint8)[None],
    ]


# The comparisons, by the kernels' file that each one tests.
COMPARISONS: dict[str, Callable[[], None]] = {
    "filter": compare_filters,
    "runs": compare_runs,
    "huffman": compare_hard_codes,
    "code": compare_codes_of_blocks,
    "layout": compare_layout,
    "pack": compare_packed_blocks,
    "frame": compare_stored,
    "encode": compare_whole_files,
}


def failures() -> dict[str, str]:
    """Runs every comparison and returns its traceback by name, or an empty string if it holds."""
    found = {}
    for name, compare in COMPARISONS.items():
        try:
            compare()
            found[name] = ""
        except Exception:  # broad: the test of the comparison reports any error
            found[name] = traceback.format_exc()
    return found


if __name__ == "__main__":
    torch.manual_seed(1)
    speed_up_interpreter()
    sys.stdout.write(json.dumps(failures()) + "\n")
