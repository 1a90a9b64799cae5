"""Installed packages that add plug-ins: real folders with a real `*.dist-info/entry_points.txt`."""

from __future__ import annotations

from pathlib import Path

DETECTOR = """
import numpy as np
from gpen_fast.plugins import DetectorFacts
from gpen_fast.types import Face

FACTS = DetectorFacts(rank=0, gives_landmarks=False, on_host=True, help="the middle of the picture")


class Middle:
    name, on_host, weights, threshold, bound = "middle", True, None, 0.5, None
    box_points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])

    def __call__(self, frame):
        w, h = frame.width, frame.height
        return [Face((w / 4, h / 4, 3 * w / 4, 3 * h / 4), 1.0)]


def create(options, weights, device, precision):
    return Middle()
"""
BACKEND = """
from gpen_fast.plugins import BackendFacts

FACTS = BackendFacts(rank=0, devices=("cpu",), help="returns what it is given")


class Same:
    name, default_batch = "same-faces", 1

    def __init__(self, size):
        self.size = size

    def __call__(self, faces):
        return faces

    exact = __call__


def create(network, precision, device):
    return Same(network.config.size)
"""
FORMAT = """
from gpen_fast.plugins import FormatFacts

FACTS = FormatFacts(suffixes=("raw", "bytes"), depths=(8,), alpha=False, lossless=True, help="pixels alone")


def encode(frame, quality, level="fast"):
    return b"raw" + bytes(frame.pixels.cpu().numpy())
"""


def install(folder: Path, package: str, entry_points: dict[str, dict[str, str]], **modules: str) -> None:
    """Writes a package into a folder that is, or will be, on sys.path.

    entry_points: by group, name and value. modules: the source of each.
    """
    source = folder / package.replace("-", "_")
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(modules.pop("init", ""))
    for name, text in modules.items():
        (source / f"{name}.py").write_text(text)
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
