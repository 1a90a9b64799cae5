"""The advice at the end of the error that refuses an array or a tensor: how to turn it into a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

# Numbers beyond a scale by this share of it still count as on it: filters overshoot.
_OVERSHOOT = 0.1


def advice_for(picture: NDArray[np.generic] | Tensor) -> str:
    """The conversion that fits the shape, the type and the range of the values.

    Args:
        picture: An array or tensor that is not accepted.

    Returns:
        One sentence after a space; empty where there is no such conversion.
    """
    is_tensor = isinstance(picture, Tensor)
    kind = str(picture.dtype).removeprefix("torch.")
    if kind in {"uint8", "uint16"}:
        tried = _other_order(tuple(picture.shape), is_tensor)
    elif kind == "bool":
        tried = "tensor.byte() * 255" if is_tensor else "array.astype(numpy.uint8) * 255"
    elif kind.startswith(("int", "uint", "float", "bfloat")) and 0 not in picture.shape:
        values = picture.detach().double() if isinstance(picture, Tensor) else picture
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            return " It holds values that are infinite or no numbers (NaN): replace them first."
        tried = _scaled(low, high, is_tensor, is_float="float" in kind)
        if not tried:
            return f" Its values go from {low:g} to {high:g}: scale them to 0..255 first."
    else:
        return ""
    return f" Try {tried}." if tried else ""


def _other_order(shape: tuple[int, ...], is_tensor: bool) -> str:
    """The axes in the order that is accepted, where the channels stand at the other end."""
    if len(shape) != 3 or shape[2 if is_tensor else 0] not in (1, 3, 4):
        return ""
    return "tensor.permute(2, 0, 1)" if is_tensor else "array.transpose(1, 2, 0)"


def _scaled(low: float, high: float, is_tensor: bool, *, is_float: bool) -> str:
    """The conversion of numbers between `low` and `high`; empty where they are on no known scale."""
    name = "tensor" if is_tensor else "array"
    for least, most, kind, formula in (
        (0, 1, "uint8", "({} * 255)"),
        (-1, 1, "uint8", "(({} + 1) * 127.5)"),
        (0, 255, "uint8", "{}"),
        (0, 65535, "uint16", "{}"),
    ):
        slack = _OVERSHOOT * (most - least) if is_float else 0
        if (most == 1 and not is_float) or low < least - slack or not least <= high <= most + slack:
            continue
        clipped = name if least <= low and high <= most else f"{name}.clip({least}, {most})"
        rounded = formula.format(clipped) + (".round()" if is_float else "")
        return f"{rounded}.to(torch.{kind})" if is_tensor else f"{rounded}.astype(numpy.{kind})"
    return ""
