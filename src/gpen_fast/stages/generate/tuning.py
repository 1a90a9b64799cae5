"""`--batch-size auto`: the batch at which a backend restores most faces a second, measured once and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gpen_fast.device.memory import is_out_of_memory, release_cached_memory
from gpen_fast.device.select import describe
from gpen_fast.device.streams import synchronize
from gpen_fast.device.threads import seeded
from gpen_fast.files import write_file
from gpen_fast.stages.generate.base import Backend
from gpen_fast.store.folders import user_cache

_SIZES = (1, 2, 4, 8, 16, 32, 64)
# A larger batch is kept only if it restores so many times the faces a second: it also waits for more faces.
_GAIN = 1.03
# Calls of each size after the first, of which the fastest counts: others of the machine's work only slow a call down.
_CALLS = 3
_FILE = "batch-sizes.json"


def tuned_batch_size(backend: Backend, device: torch.device, network: str) -> int:
    """The batch size at which the backend is fastest on this device.

    The first call for a device and network measures it, which takes some seconds, and writes it to the user's cache
    folder; later calls read it there.

    Args:
        backend: What runs the network.
        device: Where it runs.
        network: Identifies the network and its precision.
    """
    facts = (describe(device), torch.__version__, backend.name, network, str(backend.size))
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    path = user_cache() / _FILE
    known = _read(path)
    if size := known.get(key):
        return size
    size = fastest(lambda batch: _seconds(backend, device, batch))
    with contextlib.suppress(OSError):  # it is measured again the next time
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps(_read(path) | {key: size}, indent=1).encode())
    return size


def fastest(seconds: Callable[[int], float | None]) -> int:
    """The size from which on larger batches gain less than 3%.

    Args:
        seconds: What one call with so many faces takes; None: there is no memory for it.
    """
    best, most = 1, 0.0
    for batch in _SIZES:
        took = seconds(batch)
        if took is None:
            break
        faces_per_s = batch / took
        if faces_per_s > _GAIN * most:
            best, most = batch, faces_per_s
        elif batch >= 4 * best:
            break
    return best


def _seconds(backend: Backend, device: torch.device, batch: int) -> float | None:
    """The shortest of a few calls with so many faces of noise."""
    faces = torch.rand(batch, 3, backend.size, backend.size, generator=seeded(batch)) * 2 - 1
    times = []
    try:
        faces = faces.to(device)
        for _ in range(1 + _CALLS):
            began = time.perf_counter()
            backend(faces)
            synchronize(device)
            times.append(time.perf_counter() - began)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        del faces
        release_cached_memory()
        return None
    return min(times[1:])


def _read(path: Path) -> dict[str, int]:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: size for key, size in known.items() if isinstance(size, int) and size >= 1}
