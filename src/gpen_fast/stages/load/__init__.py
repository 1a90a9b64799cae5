"""Load: a file, array, tensor or PIL image as an upright Frame."""

from gpen_fast.stages.load.base import load

__all__ = ["load"]
