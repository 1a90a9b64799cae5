"""The numbers that fix every tensor shape of a GPEN network.

Imports no torch, so that the command line lists models at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gpen_fast.errors import CheckpointError

Shape = tuple[int, ...]

# Feature channels by side in pixels, before `channel_multiplier` and `narrow` (yangxy/GPEN,
# face_model/gpen_model.py).
_BASE_WIDTHS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16, 2048: 8}
# Side in pixels from which `channel_multiplier` applies.
_MULTIPLIED_FROM = 64


@dataclass(frozen=True)
class GeneratorConfig:
    """The numbers that fix every tensor shape of one network."""

    size: int
    """Side of the square picture, pixels: a power of two from 8 up."""
    style_dim: int
    """Width of the latent."""
    n_mlp: int
    """Layers of the mapping network."""
    widths: tuple[int, ...]
    """Feature channels at 4, 8, ..., size pixels."""

    def width(self, side: int) -> int:
        """Feature channels at `side` pixels."""
        return self.widths[side.bit_length() - 3]

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the feature maps, pixels: 4, 8, ..., size."""
        return tuple(4 << i for i in range(len(self.widths)))


def config_from_arguments(
    size: int, *, style_dim: int = 512, n_mlp: int = 8, channel_multiplier: int = 2, narrow: float = 1.0
) -> GeneratorConfig:
    """The config that the arguments of the published constructor stand for (yangxy/GPEN, FullGenerator).

    Args:
        size: Side of the picture, pixels.
        style_dim: Width of the latent.
        n_mlp: Layers of the mapping network.
        channel_multiplier: Factor of the widths from 64 pixels up.
        narrow: Factor of all widths.
    """
    sides = [4 << i for i in range(size.bit_length() - 2)]
    factors = {side: channel_multiplier if side >= _MULTIPLIED_FROM else 1 for side in sides}
    widths = tuple(int(_BASE_WIDTHS[side] * factors[side] * narrow) for side in sides)
    return GeneratorConfig(size, style_dim, n_mlp, widths)


def infer_config(shapes: Mapping[str, Shape]) -> GeneratorConfig:
    """Infers the config from the tensors' shapes, so that the user need not know it.

    Args:
        shapes: A state dict's names and shapes.

    Raises:
        CheckpointError: The names are not those of a GPEN network.
    """
    try:
        stages = _count(shapes, "ecd{}.0.", start=0)
        n_mlp = _count(shapes, "generator.style.{}.", start=1)
        style_dim = shapes["final_linear.0.weight"][0]
        decoder = [shapes[f"generator.convs.{2 * i}.conv.weight"][1] for i in range(stages - 1)]
        return GeneratorConfig(
            4 << (stages - 1), style_dim, n_mlp, (shapes["generator.input.input"][1], *decoder)
        )
    except (KeyError, IndexError) as missing:
        raise CheckpointError(
            f"not a GPEN generator: no usable tensor {missing} among {len(shapes)} "
            f"({', '.join(sorted(shapes)[:3]) or 'none'} ...). "
            "Accepted: a state dict with the published parameter names (generator.*, ecd*, final_linear.*)."
        ) from None


def _count(shapes: Mapping[str, Shape], pattern: str, start: int) -> int:
    """How many numbers in a row, from `start` up, occur in names that begin with `pattern`."""
    number = start
    while any(key.startswith(pattern.format(number)) for key in shapes):
        number += 1
    if number == start:
        raise KeyError(pattern.format(start))
    return number - start
