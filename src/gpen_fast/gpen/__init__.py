"""GPEN networks: `load_network` turns a checkpoint into a callable `Network`. torch is imported when one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpen_fast.gpen.load import Network, load_network

__all__ = ["Network", "load_network"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'gpen_fast.gpen' has no attribute {name!r}")
    from gpen_fast.gpen import load

    return getattr(load, name)
