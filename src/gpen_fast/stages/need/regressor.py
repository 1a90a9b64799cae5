"""From a face's figures to the weight of each frequency band of its restoration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

# Weights this near to 0 and 1 become 0 and 1: a face that needs nothing stays equal to its input.
_DEAD = 0.05
_NUMBERS = Path(__file__).parent / "need.json"
# Digits after the decimal point in the file.
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class Regressor:
    """A network of one hidden layer; `python -m gpen_fast.training need` fits it."""

    mean: Tensor
    """(COUNT,) of the figures in training."""

    deviation: Tensor
    """(COUNT,) of the figures in training."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    """Weight (out,in) and bias (out,) of each layer."""

    def soft(self, given: Tensor) -> Tensor:
        """(B,COUNT) figures to (B,1+BANDS) weights, strictly between 0 and 1."""
        # Figures beyond those of training say no more than the largest of them.
        hidden = ((given - self.mean) / self.deviation).clamp(-3, 3)
        for weight, bias in self.layers[:-1]:
            hidden = torch.tanh(hidden @ weight.T + bias)
        weight, bias = self.layers[-1]
        return torch.sigmoid(hidden @ weight.T + bias)

    def __call__(self, given: Tensor) -> Tensor:
        """(B,COUNT) figures to (B,1+BANDS) weights in 0..1, the picture's own detail first, then fine to coarse."""
        return ((self.soft(given) - _DEAD) / (1 - 2 * _DEAD)).clamp(0, 1)

    def to(self, device: torch.device) -> Regressor:
        """The same on a device."""
        layers = tuple((weight.to(device), bias.to(device)) for weight, bias in self.layers)
        return Regressor(self.mean.to(device), self.deviation.to(device), layers)

    def as_json(self) -> str:
        """The numbers as the text of a JSON file."""
        document = {
            "mean": _numbers(self.mean),
            "deviation": _numbers(self.deviation),
            "layers": [{"weight": _numbers(weight), "bias": _numbers(bias)} for weight, bias in self.layers],
        }
        return json.dumps(document) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Regressor:
        """Reads what `as_json` gives."""
        document = json.loads(text)
        layers = tuple(
            (torch.tensor(each["weight"]), torch.tensor(each["bias"])) for each in document["layers"]
        )
        return cls(torch.tensor(document["mean"]), torch.tensor(document["deviation"]), layers)


@lru_cache(maxsize=8)
def regressor(device: torch.device) -> Regressor:
    """The regressor that the package ships."""
    with torch.inference_mode(mode=False):
        return Regressor.from_json(_NUMBERS.read_text(encoding="utf-8")).to(device)


def _numbers(tensor: Tensor) -> list[float]:
    scaled: list[float] = (tensor.double() * 10**_DIGITS).round().div(10**_DIGITS).tolist()
    return scaled
