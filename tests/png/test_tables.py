"""Tokens have the symbols and extra bits of RFC 1951; a block's head is read by zlib."""

from __future__ import annotations

import torch

from gpen_fast.png.runs import LEAST, LITERALS, NONE, TOKENS, WINDOW
from gpen_fast.png.tables import END, SYMBOLS, make_code, token_tables

# RFC 1951, 3.2.5: the first length of each symbol from 257 on.
FIRST_LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
                 195, 227, 258]  # fmt: skip


def test_symbols_and_extra_bits_of_all_lengths() -> None:
    symbol, extra, bits = token_tables()
    assert len(symbol) == TOKENS
    assert symbol[:LITERALS].tolist() == list(range(256))
    for length in range(LEAST, WINDOW + 1):
        token = LITERALS + length
        number = sum(first <= length for first in FIRST_LENGTHS) - 1
        assert symbol[token] == 257 + number
        assert FIRST_LENGTHS[number] + extra[token] == length
        after = FIRST_LENGTHS[number + 1] if number + 1 < len(FIRST_LENGTHS) else 259
        span = min(after, 258 if length < 258 else 259) - FIRST_LENGTHS[number]
        assert 2 ** (int(bits[token]) - 1) >= span, "the distance takes one bit more"
    assert bits[NONE] == 0


def test_frequent_tokens_take_fewer_bits_and_absent_blocks_none() -> None:
    counts = torch.zeros(3, TOKENS, dtype=torch.int64)
    counts[0, :4] = torch.tensor([1000, 100, 10, 5])
    counts[2, 7] = 1
    code = make_code(counts, torch.tensor([False, True, False]))
    widths = code.tokens.widths[0, :4].tolist()
    assert widths == sorted(widths)
    assert widths[0] == 1
    assert code.bits(counts)[1] == 0
    assert not code.head.widths[1].any()
    assert not code.end.widths[1].any()
    assert int(code.bits(counts)[2]) == int(
        code.head.widths[2].sum() + code.tokens.widths[2, 7] + code.end.widths[2, 0]
    )


def test_only_the_last_block_says_so() -> None:
    counts = torch.zeros(2, TOKENS, dtype=torch.int64)
    counts[:, 3] = 9
    first, last = make_code(counts, torch.tensor([False, True])).head.values[:, 0].tolist()
    assert last - first == 1
    assert (first & 0b110) == 0b100, "dynamic Huffman codes"
    assert (first >> 3 & 31) + 257 == SYMBOLS > END
