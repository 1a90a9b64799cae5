"""Reading weights: published checkpoints, safetensors, state dicts, and random ones of true shapes."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gpen_fast.errors import CheckpointError, first_line
from gpen_fast.gpen.config import GeneratorConfig, infer_config
from gpen_fast.gpen.reference import FullGenerator

State = Mapping[str, Tensor]
_TORCH_SUFFIXES = {".pth", ".pt"}
# A zip file, or the bare pickle of old torch versions.
_TORCH_STARTS = (b"PK", b"\x80")
# A tensor that every GPEN generator has.
_MARK = "generator.input.input"
# What training scripts call the exponential moving average of the generator, which is the one to use.
_AVERAGED = ("g_ema", "params_ema")


def build(source: str | Path | State, *, key: str | None = None) -> FullGenerator:
    """The reference network with the weights of `source`, in float32 on the CPU, ready for inference.

    source: a checkpoint path (.pth, .pt, .safetensors) or a state dict. key: the name under which a
    checkpoint of several state dicts keeps this one. Raises CheckpointError.
    """
    if isinstance(source, Mapping):
        return _built(source, key)
    path = Path(source)
    state = read_state(path)
    try:
        return _built(state, key)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None


def _built(state: State, key: str | None) -> FullGenerator:
    state = _select(state, key)
    found = infer_config(_shapes(state))
    with torch.device("meta"):
        network = FullGenerator(found)
    _check(network, state)
    weights = {name: tensor.detach().float() for name, tensor in state.items()}
    network.load_state_dict(weights, assign=True)
    return network.eval().requires_grad_(False)


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def read_state(path: Path) -> dict[str, Any]:
    """What the file holds, tensors on the CPU. Code inside a pickle is refused and never runs."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file. Accepted: a .pth, .pt or .safetensors checkpoint.")
    if path.suffix.lower() == ".safetensors":
        return _read_safetensors(path)
    if path.suffix.lower() in _TORCH_SUFFIXES:
        return _read_torch(path)
    raise CheckpointError(f"{path}: unknown kind {path.suffix!r}. Accepted: .pth, .pt, .safetensors.")


def read_declared(path: Path) -> dict[str, str]:
    """The facts that a .safetensors file declares about itself (its metadata); empty for other kinds."""
    if path.suffix.lower() != ".safetensors":
        return {}
    with _open_safetensors(path) as file:
        return dict(file.metadata() or {})


def random_state(config: GeneratorConfig) -> dict[str, Tensor]:
    """Weights of the true shapes of a network, drawn so that activations stay in a realistic range.

    Seeded by each tensor's name, hence equal everywhere. For timing and tests only.
    """
    with torch.device("meta"):
        shapes = {key: tuple(tensor.shape) for key, tensor in FullGenerator(config).state_dict().items()}
    fixed = _fir_buffers(config)
    return {key: fixed[key] if key in fixed else _random_tensor(key, shape) for key, shape in shapes.items()}


def _random_tensor(key: str, shape: tuple[int, ...]) -> Tensor:
    drawn = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    a = torch.from_numpy(drawn)
    if key.endswith("modulation.bias"):
        return 1 + 0.1 * a
    if key.endswith("noise.weight"):
        return 0.3 + 0.1 * a
    if key.endswith("bias"):
        return 0.1 * a
    if key.startswith("generator.style."):
        return 100 * a
    return a


def _fir_buffers(config: GeneratorConfig) -> dict[str, Tensor]:
    tiny = FullGenerator(GeneratorConfig(config.size, 1, 1, (1,) * len(config.widths)))
    return dict(tiny.named_buffers())


def _open_safetensors(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as cause:
        raise CheckpointError(
            f"{path}: not a readable .safetensors file ({first_line(cause)}). Fetch it again."
        ) from cause


def _read_safetensors(path: Path) -> dict[str, Any]:
    with _open_safetensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _read_torch(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        start = file.read(40)
    if not start.startswith(_TORCH_STARTS):
        raise CheckpointError(f"{path}: is no checkpoint, it begins with {start!r}. Fetch it again.")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as cause:
        raise CheckpointError(
            f"{path}: refused, it is damaged or a pickle that carries code; nothing of it was run. "
            "Accepted: a checkpoint of plain tensors. Fetch it again from a source you trust."
        ) from cause
    except Exception as cause:  # torch fails on damaged files in many ways
        raise CheckpointError(
            f"{path}: not a readable checkpoint ({first_line(cause)}). Fetch it again."
        ) from cause
    if not isinstance(loaded, dict):
        raise CheckpointError(f"{path}: holds a {type(loaded).__name__}. Accepted: a state dict.")
    return loaded


def _select(state: Mapping[str, Any], key: str | None) -> State:
    """The state dict itself, the one under `key`, or the nested one that is a GPEN generator."""
    nested = {name: value for name, value in state.items() if isinstance(value, Mapping)}
    if key is None and _MARK in state:  # beside it may lie what a training script notes
        return {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if key is not None and key not in nested:
        raise CheckpointError(
            f"no state dict under key {key!r}. There is: {', '.join(nested) or 'none nested'}."
        )
    chosen = nested[key] if key is not None else _the_generator(nested) if nested else state
    odd = [name for name, value in chosen.items() if not isinstance(value, Tensor)]
    if odd:
        raise CheckpointError(f"{odd[0]!r} is no tensor. Accepted: a state dict of tensors.")
    return chosen


def _the_generator(nested: Mapping[str, Mapping[str, Any]]) -> State:
    """Of a training checkpoint's state dicts the averaged generator, or the only one there is."""
    fitting = [name for name, value in nested.items() if _MARK in value]
    averaged = [name for name in _AVERAGED if name in fitting]
    if len(nested) == 1:
        return next(iter(nested.values()))
    if len(fitting) != 1 and not averaged:
        raise CheckpointError(
            f"several state dicts: {', '.join(nested)}. Name one with load_network(key=...)."
        )
    return nested[(averaged or fitting)[0]]


def _check(network: FullGenerator, state: State) -> None:
    """Names, shapes and finite values, so that a wrong file is named instead of giving wrong faces."""
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in state.items()}
    wrong = sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))
    if wrong:
        name = wrong[0]
        raise CheckpointError(
            f"{len(wrong)} tensors do not fit a GPEN generator of {network.config.size} px; first {name}: "
            f"came {given.get(name, 'nothing')}, expected {wanted.get(name, 'no such tensor')}."
        )
    invalid = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if invalid:
        raise CheckpointError(
            f"{len(invalid)} tensors hold NaN or infinity, first {invalid[0]}. Fetch the file again."
        )
