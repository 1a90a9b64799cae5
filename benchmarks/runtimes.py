"""The reference network in other runtimes, for comparison: ONNX Runtime and OpenVINO (extras `onnx`, `openvino`)."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

from gpen_fast.errors import PluginError, SettingsError
from gpen_fast.gpen.network import FullGenerator

RUNTIMES = ("onnxruntime", "openvino")
_OPENVINO_PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


def versions() -> dict[str, str | None]:
    """Of what is compared; None where it is not installed."""
    return {name: _version(name) for name in ("torch", *RUNTIMES, "onnx")}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def export(network: FullGenerator, path: Path) -> Path:
    """The network as ONNX for one face; made once, kept where it was asked for."""
    if path.exists():
        return path
    for name in ("onnx", "onnxscript"):
        if _version(name) is None:
            raise PluginError(f"the export needs the package {name}. Try: pip install '.[onnx]'")
    face = torch.zeros(1, 3, network.figures.size, network.figures.size)
    # The exporter talks a great deal, on either way out.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (face,), str(path), input_names=["face"], output_names=["restored"], dynamo=True
        )
    return path


def open_runtime(
    name: str, precision: str, batch: int, model: Path, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """A callable from (1,3,S,S) float32 to the same. SettingsError for what it cannot be compared in."""
    if device.type != "cpu" or batch != 1:
        raise SettingsError(f"{name} is compared on a CPU, one face at a time")
    if _version(name) is None:
        raise PluginError(f"not installed. Try: pip install '.[{'onnx' if name == 'onnxruntime' else name}]'")
    return _onnxruntime(precision, model) if name == "onnxruntime" else _openvino(precision, model)


def _onnxruntime(precision: str, model: Path) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    if precision != "fp32":
        raise SettingsError("on a CPU onnxruntime has fp32 only")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    # Its threads would spin while another contestant has its turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda faces: torch.from_numpy(session.run(None, {"face": faces.numpy()})[0])


def _openvino(precision: str, model: Path) -> Callable[[Tensor], Tensor]:
    os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")
    import openvino

    if precision not in _OPENVINO_PRECISIONS:
        raise SettingsError(f"openvino is compared in {', '.join(_OPENVINO_PRECISIONS)}")
    compiled = openvino.Core().compile_model(
        str(model),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": _OPENVINO_PRECISIONS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        },
    )
    request = compiled.create_infer_request()
    # Its result is its own memory, good until the next call.
    return lambda faces: torch.from_numpy(request.infer([faces.numpy()])[0].copy())
