"""The reference network in other runtimes, for comparison: ONNX Runtime and OpenVINO (extras `onnx`, `openvino`)."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

from gpen_fast.errors import PluginError, SettingsError
from gpen_fast.gpen.reference import FullGenerator

RUNTIMES = ("onnxruntime", "openvino")
_OPENVINO_PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


def versions() -> dict[str, str | None]:
    """Versions of the compared packages; None for one that is not installed."""
    return {name: _version(name) for name in ("torch", *RUNTIMES, "onnx")}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def export(network: FullGenerator, path: Path) -> Path:
    """Exports the network to ONNX for one face, unless the file exists."""
    if path.exists():
        return path
    for name in ("onnx", "onnxscript"):
        if _version(name) is None:
            raise PluginError(f"the export needs the package {name}. Try: pip install '.[onnx]'")
    face = torch.zeros(1, 3, network.config.size, network.config.size)
    # The exporter prints progress on both streams.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (face,), str(path), input_names=["face"], output_names=["restored"], dynamo=True
        )
    return path


def open_runtime(
    name: str, precision: str, batch: int, model: Path, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """A callable from (batch,3,S,S) float32 to the same shape. SettingsError: an unsupported precision or device.

    A single face uses all threads; the faces of a batch run in parallel, each on as few threads as the runtime chooses.
    """
    if device.type != "cpu":
        raise SettingsError(f"{name} is compared on a CPU")
    if _version(name) is None:
        raise PluginError(f"not installed. Try: pip install '.[{'onnx' if name == 'onnxruntime' else name}]'")
    opened = _onnxruntime if name == "onnxruntime" else _openvino
    return opened(precision, model, batch > 1)


def _onnxruntime(precision: str, model: Path, side_by_side: bool) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    if precision != "fp32":
        raise SettingsError("on a CPU onnxruntime has fp32 only")
    options = onnxruntime.SessionOptions()
    threads = torch.get_num_threads()
    options.intra_op_num_threads = 1 if side_by_side else threads
    options.log_severity_level = 3
    # Otherwise its threads spin during another contestant's turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def run(face: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {"face": face.numpy()})[0])

    if not side_by_side:
        return run
    pool = ThreadPoolExecutor(threads)
    return lambda faces: torch.cat(list(pool.map(run, faces.split(1))))


def _openvino(precision: str, model: Path, side_by_side: bool) -> Callable[[Tensor], Tensor]:
    os.environ.setdefault("OPENVINO_TELEMETRY_OPT_OUT", "1")
    import openvino

    if precision not in _OPENVINO_PRECISIONS:
        raise SettingsError(f"openvino is compared in {', '.join(_OPENVINO_PRECISIONS)}")
    compiled = openvino.Core().compile_model(
        str(model),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": _OPENVINO_PRECISIONS[precision],
            "PERFORMANCE_HINT": "THROUGHPUT" if side_by_side else "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        },
    )
    # The result is the runtime's memory and valid until the next call only.
    if not side_by_side:
        request = compiled.create_infer_request()
        return lambda faces: torch.from_numpy(request.infer([faces.numpy()])[0].copy())
    queue = openvino.AsyncInferQueue(compiled)

    def run(faces: Tensor) -> Tensor:
        restored = torch.empty_like(faces)
        queue.set_callback(
            lambda request, number: restored[number].copy_(
                torch.from_numpy(request.get_output_tensor(0).data[0])
            )
        )
        for number, face in enumerate(faces.split(1)):
            queue.start_async([face.numpy()], number)
        queue.wait_all()
        return restored

    return run
