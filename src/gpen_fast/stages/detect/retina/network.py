"""facexlib's RetinaFace networks: read from a file and prepared for inference."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from gpen_fast.device import onednn
from gpen_fast.device.malloc import keep_freed_memory
from gpen_fast.errors import CheckpointError, PluginError, first_line
from gpen_fast.settings import PrecisionName
from gpen_fast.stages.detect.retina.compact import Compact
from gpen_fast.stages.detect.retina.packed import pack_convolutions


def open_retinaface(kind: str, weights: Path, device: torch.device, *, half: bool) -> nn.Module:
    """Reads facexlib's network from a weights file and prepares it for inference.

    Args:
        kind: `resnet50` or `mobile0.25`.
        weights: facexlib's checkpoint.
        device: Where it runs.
        half: Whether it runs in fp16.

    Returns:
        A module from (B,3,H,W) RGB minus the mean colour to what `retina.detector.decode_anchors` takes.

    Raises:
        CheckpointError: The file is not such a checkpoint.
        PluginError: facexlib cannot be imported.
    """
    network = build_retinaface(kind)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    except Exception as cause:  # torch.load raises a dozen unrelated types on damaged files
        raise CheckpointError(
            f"{weights}: cannot be read as RetinaFace {kind} ({first_line(cause)})."
        ) from cause
    return prepared(network, device, half=half)


def runs_in_half(precision: PrecisionName, device: torch.device) -> bool:
    """Whether to run in fp16: on CUDA, unless another precision is named. CPUs have no fp16 convolutions."""
    return device.type == "cuda" and precision in {"auto", "half", "fp16"}


def build_retinaface(kind: str) -> nn.Module:
    """facexlib's network with untrained weights. Raises PluginError where facexlib is absent or broken."""
    try:
        from facexlib.detection.retinaface import RetinaFace as Network
    except ImportError as cause:
        raise PluginError(
            f"retinaface needs facexlib, which cannot be imported ({first_line(cause)}). "
            "Try: pip install --force-reinstall facexlib; or --detector yunet or lite"
        ) from cause

    with warnings.catch_warnings(), torch.device("cpu"):
        warnings.simplefilter("ignore")  # torchvision's, about an argument that facexlib passes
        # facexlib's phase "train" only means that the network returns logits instead of probabilities.
        return Network(kind, phase="train", device=torch.device("cpu"))


def prepared(network: nn.Module, device: torch.device, *, half: bool) -> nn.Module:
    """The network in its compact form, NHWC, on the device; on a CPU packed for oneDNN where that is available."""
    compact = Compact(network).to(memory_format=torch.channels_last)
    compact = compact.to(device, torch.float16 if half else torch.float32).requires_grad_(False)
    if device.type == "cpu" and onednn.supports(torch.float32):
        keep_freed_memory()
        return pack_convolutions(compact)
    return compact
