"""A catalog of small weights, served by local servers."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from arguments import with_random_weights
from hostile import Hostile, hostile

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.store import catalog, locate, published

TINY = config_from_arguments(64, style_dim=64, channel_multiplier=1, narrow=0.125)
CONFIG = "{ size = 64, style_dim = 64, channel_multiplier = 1, narrow = 0.125 }"
DETECTOR = random.Random(8).randbytes(700_000)
# Weights that `--detector auto` looks for; the servers have none of them.
DETECTORS = "".join(
    f"""
[weights."{name}"]
kind = "detector"
file = "{name}.file"
licence = "mit"
"""
    for name in (
        "retinaface-resnet50",
        "retinaface-mobilenet0.25",
        "yunet-2026may",
        "yunet",
        "landmarks-lite",
        "proposer-lite",
    )
)


@dataclass
class Shop:
    """The catalog and the servers of its files. `network` is a checkpoint's bytes, of the shapes of `net`."""

    folder: Path
    detector: Hostile
    net: Hostile
    network: bytes
    catalog: Path


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def network_bytes(shift: float = 0.0) -> bytes:
    state = random_state(TINY)
    state["final_linear.0.bias"] = state["final_linear.0.bias"] + shift
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def catalog_text(detector: Hostile, net: Hostile) -> str:
    """Returns the catalog's text.

    `face` is a detector with a hash. `gpen-bfr-512` is a network with a hash and a licence that must be accepted. `net`
    is a network with neither.
    """
    size, sha = len(net.body), hashlib.sha256(net.body).hexdigest()
    return f"""
[licences.mit]
short = "MIT"
sentence = "Free."
[licences.asks]
short = "non-commercial"
sentence = "Not for commerce."
ask = true
[weights.gpen-bfr-512]
kind = "generator"
file = "GPEN-BFR-512.pth"
also = ["GPEN-BFR-512.safetensors"]
sources = ["{net.url}/GPEN-BFR-512.pth", "http://127.0.0.1:1/GPEN-BFR-512.pth"]
bytes = {size}
sha256 = ["{sha}"]
licence = "asks"
template = "gpen"
[weights.net]
kind = "generator"
file = "NET.pth"
also = ["NET.safetensors"]
sources = ["{net.url}/NET.pth"]
licence = "mit"
template = "ffhq"
config = {CONFIG}
[weights.lite]
kind = "generator"
file = "lite.safetensors"
embedded = true
licence = "mit"
template = "ffhq"
[weights.face]
kind = "detector"
file = "face.pth"
sources = ["{detector.url}/face.pth"]
bytes = {len(DETECTOR)}
sha256 = ["{hashlib.sha256(DETECTOR).hexdigest()}"]
licence = "mit"
[weights.found]
kind = "detector"
file = "found.weights"
also = ["found.onnx"]
beside = ["found.cfg"]
licence = "mit"
{DETECTORS}"""


@pytest.fixture(scope="session")
def network_file() -> bytes:
    return network_bytes()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network_file: bytes) -> Iterator[Shop]:
    """Replaces the catalog by the small one, changes to an empty folder, and allows connections to this machine."""
    monkeypatch.delenv("GPEN_FAST_OFFLINE")
    folder = tmp_path / "shipped"
    folder.mkdir()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with hostile(DETECTOR) as detector, hostile(network_file) as net:
        (folder / "catalog.toml").write_text(catalog_text(detector, net))
        for module in (catalog, locate):
            monkeypatch.setattr(module, "shipped", lambda name: folder / name)
        models = {"net": published.ModelSpec("net", "NET.pth", TINY, "ffhq")}
        with patch.dict(published.PUBLISHED, models, clear=True):
            yield Shop(folder, detector, net, network_file, folder / "catalog.toml")


def process(shop: Shop, *arguments: str, **streams: int) -> subprocess.Popen[str]:
    """Starts the command line with the small catalog as a process of its own."""
    code = f"""
import sys
from pathlib import Path
from gpen_fast.store import catalog
catalog.shipped = lambda name: Path({str(shop.folder)!r}) / name
from gpen_fast.store import folders, locate
locate.shipped = catalog.shipped
from gpen_fast.cli.app import main
sys.argv = ["gpen-fast", *{with_random_weights(arguments)!r}]
main()
"""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen([sys.executable, "-c", code], text=True, **streams)


def wait_until(condition: Callable[[], bool], run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met within 60 seconds"
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
