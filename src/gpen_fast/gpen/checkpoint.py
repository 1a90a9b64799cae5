"""Reads weights: published checkpoints, safetensors and state dicts; makes random ones of true shapes.

Pickles are read with `weights_only`: code inside one is refused and never runs.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gpen_fast.errors import CheckpointError, first_line
from gpen_fast.gpen.config import GeneratorConfig, infer_config
from gpen_fast.gpen.reference import FullGenerator

State = Mapping[str, Tensor]
_SafetensorsFile = Any  # safetensors has no types
# What a file holds before it is checked: tensors, nested state dicts, or anything else.
_Contents = dict[str, object]
_TORCH_SUFFIXES = {".pth", ".pt"}
# First bytes of a zip file, and of the bare pickle that old torch versions wrote.
_TORCH_STARTS = (b"PK", b"\x80")
# Every GPEN generator has this tensor, and no other network of a training checkpoint.
_MARK = "generator.input.input"
# Names that training scripts give to the exponential moving average of the generator, which restores best.
_AVERAGED = ("g_ema", "params_ema")


def build(source: str | Path | State, *, key: str | None = None) -> FullGenerator:
    """Builds the reference network with the weights of `source`.

    Args:
        source: A checkpoint path (.pth, .pt, .safetensors) or a state dict.
        key: The name under which a checkpoint of several state dicts keeps this one.

    Returns:
        The network in float32 on the CPU, ready for inference. It shares the tensors of a float32 state dict.

    Raises:
        CheckpointError: The file cannot be read, or its tensors are not those of a GPEN generator.
    """
    if isinstance(source, Mapping):
        return _built(source, key)
    path = Path(source)
    state = read_state_dict(path)
    try:
        return _built(state, key)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def _built(contents: Mapping[str, object], key: str | None) -> FullGenerator:
    state = _select(contents, key)
    config = infer_config({name: tuple(tensor.shape) for name, tensor in state.items()})
    # On the meta device nothing is allocated or drawn: `assign` puts the given tensors in place.
    with torch.device("meta"):
        network = FullGenerator(config)
    _check(network, state)
    weights = {name: tensor.detach().float() for name, tensor in state.items()}
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def read_state_dict(path: Path) -> dict[str, object]:
    """Reads a checkpoint file without checking what it is of.

    Args:
        path: A .pth, .pt or .safetensors file.

    Returns:
        What the file holds by name, tensors on the CPU.

    Raises:
        CheckpointError: The file is missing, damaged, of another kind, or a pickle that carries code.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file. Accepted: a .pth, .pt or .safetensors checkpoint.")
    if path.suffix.lower() == ".safetensors":
        return _read_safetensors(path)
    if path.suffix.lower() in _TORCH_SUFFIXES:
        return _read_torch(path)
    raise CheckpointError(f"{path}: unknown kind {path.suffix!r}. Accepted: .pth, .pt, .safetensors.")


def read_declared(path: Path) -> dict[str, str]:
    """The metadata of a .safetensors file, such as its template; empty for other kinds. Raises CheckpointError."""
    if path.suffix.lower() != ".safetensors":
        return {}
    with _open_safetensors(path) as file:
        return dict(file.metadata() or {})


def random_state(config: GeneratorConfig) -> dict[str, Tensor]:
    """Random weights of a network's true shapes, for timing and tests only.

    Drawn so that activations stay in a realistic range, and seeded by each tensor's name, so that they are equal on
    every machine.
    """
    with torch.device("meta"):
        shapes = {key: tuple(tensor.shape) for key, tensor in FullGenerator(config).state_dict().items()}
    filters = _fir_buffers(config)
    return {
        key: filters[key] if key in filters else _random_tensor(key, shape) for key, shape in shapes.items()
    }


def _random_tensor(key: str, shape: tuple[int, ...]) -> Tensor:
    # NumPy's generator gives the same numbers in every version and on every device; torch's does not promise it.
    numbers = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    normal = torch.from_numpy(numbers)
    if key.endswith("modulation.bias"):
        return 1 + 0.1 * normal
    if key.endswith("noise.weight"):
        return 0.3 + 0.1 * normal
    if key.endswith("bias"):
        return 0.1 * normal
    if key.startswith("generator.style."):
        return 100 * normal  # stored divided by the layer's learning rate, a hundredth
    return normal


def _fir_buffers(config: GeneratorConfig) -> dict[str, Tensor]:
    """The FIR kernels by name, taken from a network of the same depth and one channel."""
    tiny = FullGenerator(GeneratorConfig(config.size, 1, 1, (1,) * len(config.widths)))
    return dict(tiny.named_buffers())


def _open_safetensors(path: Path) -> _SafetensorsFile:
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as cause:
        raise CheckpointError(
            f"{path}: not a readable .safetensors file ({first_line(cause)}). Fetch it again."
        ) from cause


def _read_safetensors(path: Path) -> _Contents:
    with _open_safetensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _read_torch(path: Path) -> _Contents:
    with path.open("rb") as file:
        start = file.read(40)
    if not start.startswith(_TORCH_STARTS):
        raise CheckpointError(f"{path}: not a checkpoint: it begins with {start!r}. Fetch it again.")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as cause:
        raise CheckpointError(
            f"{path}: refused: it is damaged, or a pickle that carries code; none of it was run. "
            "Accepted: a checkpoint of plain tensors. Fetch it again from a source you trust."
        ) from cause
    # broad: on damaged files torch raises errors of many types, EOFError and KeyError among them
    except Exception as cause:
        raise CheckpointError(
            f"{path}: not a readable checkpoint ({first_line(cause)}). Fetch it again."
        ) from cause
    if not isinstance(loaded, dict):
        raise CheckpointError(f"{path}: holds a {type(loaded).__name__}. Accepted: a state dict.")
    return loaded


def _select(contents: Mapping[str, object], key: str | None) -> State:
    """The contents themselves, the state dict under `key`, or the nested one that is a GPEN generator."""
    nested = {name: value for name, value in contents.items() if isinstance(value, Mapping)}
    if key is None and _MARK in contents:  # training scripts put notes beside the tensors
        return {name: value for name, value in contents.items() if isinstance(value, Tensor)}
    if key is not None and key not in nested:
        raise CheckpointError(
            f"no state dict under key {key!r}. The file has: {', '.join(nested) or 'none nested'}."
        )
    chosen = nested[key] if key is not None else _find_generator(nested) if nested else contents
    others = [name for name, value in chosen.items() if not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(f"{others[0]!r} is not a tensor. Accepted: a state dict of tensors.")
    return cast("State", chosen)


def _find_generator(nested: Mapping[str, Mapping[str, object]]) -> Mapping[str, object]:
    """The averaged generator of a training checkpoint, its only generator, or its only state dict."""
    generators = [name for name, value in nested.items() if _MARK in value]
    averaged = [name for name in _AVERAGED if name in generators]
    if len(nested) == 1:
        return next(iter(nested.values()))
    if len(generators) != 1 and not averaged:
        raise CheckpointError(
            f"several state dicts: {', '.join(nested)}. Name one with load_network(key=...)."
        )
    return nested[(averaged or generators)[0]]


def _check(network: FullGenerator, state: State) -> None:
    """Checks names, shapes and finite values: a wrong file must be an error and not a wrong face."""
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in state.items()}
    wrong = sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))
    if wrong:
        name = wrong[0]
        raise CheckpointError(
            f"{len(wrong)} tensors do not fit a GPEN generator of {network.config.size} px; first {name}: "
            f"got {given.get(name, 'nothing')}, expected {wanted.get(name, 'no such tensor')}."
        )
    invalid = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if invalid:
        raise CheckpointError(
            f"{len(invalid)} tensors hold NaN or infinity, first {invalid[0]}. Fetch the file again."
        )
