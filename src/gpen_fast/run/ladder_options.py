"""The settings with which a row of the ladder runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from gpen_fast.run.ladder_steps import LadderWay
from gpen_fast.settings import RANDOM, DetectOptions, PasteOptions, Settings, WeightsOptions
from gpen_fast.store.locate import present

# Side of a face, pixels, in the network of the row "ROI at 256", and the networks for it: the best first.
_SMALL, _SMALL_NETWORKS = 256, ("gpen-bfr-256", "gpen-lite-256")


def row_settings(given: Mapping[str, object], way: LadderWay, landmarks: Path | None) -> Settings:
    """The user's settings, with those of the row.

    Args:
        given: The user's, by their flat names.
        way: How the row runs.
        landmarks: The file of the faces that the row's detector found; None while there is none.
    """
    wanted = {
        **given,
        "precision": way.precision,
        "backend": way.backend,
        "batch_size": way.batch_size,
        "detector": way.detector,
        # As published: the network's result, not what a face has beyond it.
        "keep_detail": 0.0,
    }
    if way.landmarks == "aligned":
        # No option that finds or chooses faces has a meaning for an aligned picture.
        unused = {each.name: each.default for each in fields(DetectOptions)}
        unused |= {"template": PasteOptions().template, "upright": PasteOptions().upright}
        wanted |= unused | {"detector": "none"}
    elif way.landmarks == "cached":
        wanted["landmarks"] = str(landmarks)
    return Settings.from_flat(**wanted)


def small_network(weights: WeightsOptions, own_size: int) -> dict[str, object]:
    """The options that name the network for faces of 256 pixels; none where the ladder's own is as small.

    Args:
        weights: Of the ladder's network.
        own_size: Side of a face in it, pixels.
    """
    if own_size <= _SMALL:
        return {}
    if weights.random_weights:
        return {"weights": f"{RANDOM}{_SMALL_NETWORKS[0]}", "model": "auto"}
    there = [name for name in _SMALL_NETWORKS if present(name, weights)]
    return {"weights": None, "model": (there or _SMALL_NETWORKS)[0]}
