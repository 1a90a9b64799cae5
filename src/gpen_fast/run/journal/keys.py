"""Which settings a result was made with, as one key. Imports no torch, loads no network."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cached_property

from gpen_fast import plugins
from gpen_fast.errors import GpenError
from gpen_fast.settings import (
    DetectOptions,
    GenerateOptions,
    LoadOptions,
    OutputOptions,
    PasteOptions,
    WeightsOptions,
    cpu_lanes,
)
from gpen_fast.store.catalog import entry
from gpen_fast.store.hashes import sha256_of
from gpen_fast.store.locate import choose_weights, present

Options = WeightsOptions | DetectOptions | GenerateOptions | LoadOptions | PasteOptions | OutputOptions

# Raised by one when the same settings give other pixels than in the version before: results are then made again.
ALGORITHM = 1
# Options that do not change a result's pixels, or that the key holds in another form: the weights as their hash, the
# format as the result's suffix, the faces as a field of the row.
_LEFT_OUT = frozenset(
    {
        "model",
        "weights",
        "weights_dir",
        "offline",
        "detector",
        "device",
        "devices",
        "detect_device",
        "backend",
        "batch_size",
        "stall_timeout",
        "max_pixels",
        "format",
        "quality",
        "png_level",
        "suffix",
        "in_place",
        "overwrite",
        "save_faces",
        "save_landmarks",
        "no_backup",
        "keep_dates",
        "on_clash",
    }
)


class SettingsKeys:
    """The keys of one run's settings, one for each format of results.

    Options at their defaults are left out, so that a later version with more options has the same keys. Of `auto` the
    key holds the weights that it stands for; of the device and the backend nothing, since their results differ by a
    grey level at most.
    """

    def __init__(
        self,
        output: OutputOptions,
        *,
        weights: WeightsOptions,
        detect: DetectOptions,
        generate: GenerateOptions,
        load: LoadOptions,
        paste: PasteOptions,
    ) -> None:
        """Reads nothing yet. The options are those of the run, each part's own."""
        self._output = output
        self._weights = weights
        self._detect = detect
        self._deterministic = generate.deterministic
        # Each of several processes computes on one core, whose results are not, bit for bit, those of all cores.
        self._one_core_each = cpu_lanes(generate.devices or "") > 1
        self._parts = (weights, detect, generate, load, paste, output)
        self._keys: dict[str, str | None] = {}

    def key(self, suffix: str) -> str | None:
        """The key for results of a format.

        Args:
            suffix: The format's name.

        Returns:
            16 hexadecimal digits; None while the weights are not there or not usable, which loading them reports.
        """
        if suffix not in self._keys:
            self._keys[suffix] = self._made(suffix)
        return self._keys[suffix]

    def forget(self) -> None:
        """Lets the next key be made anew: weights may have been fetched since."""
        self._keys.clear()
        self.__dict__.pop("_common", None)

    def _made(self, suffix: str) -> str | None:
        common = self._common
        if common is None:
            return None
        values = dict(common)
        facts = plugins.facts("save").get(suffix)
        if facts and not facts.lossless:
            values["quality"] = self._output.quality
        if suffix == "png":
            values["png_level"] = self._output.png_level
        text = json.dumps(values, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def _common(self) -> dict[str, object] | None:
        try:
            weights = choose_weights(self._weights).sha256()
            detector = [*_detector(self._detect, self._weights)]
        except (GpenError, OSError):
            return None
        chosen: dict[str, object] = {"algorithm": ALGORITHM, "weights": weights, "detector": detector}
        if self._deterministic:
            chosen["threads"] = 1 if self._one_core_each else _cores()
        if self._detect.landmarks:
            chosen["landmarks"] = os.path.abspath(self._detect.landmarks)  # noqa: PTH100  links are kept
        return {**_changed(self._parts), **chosen}


def _changed(parts: Sequence[Options]) -> dict[str, object]:
    """The options that change pixels and are not at their defaults."""
    return {
        field.name: getattr(options, field.name)
        for options in parts
        for field in fields(options)
        if field.name not in _LEFT_OUT and getattr(options, field.name) != field.default
    }


def _detector(detect: DetectOptions, weights: WeightsOptions) -> Iterator[str]:
    """The detector's name and the hashes of its weights; for auto, of the first one whose weights are present."""
    name = detect.detector
    if name == "auto":
        name = next(filter(lambda one: _is_present(one, weights), plugins.automatic("detect")), name)
    yield name
    facts = plugins.facts("detect").get(name)
    for wanted in facts.weights if facts else ():
        with contextlib.suppress(KeyError):
            entry(wanted)
            if path := present(wanted, weights):
                yield sha256_of(path).sha256


def _is_present(name: str, weights: WeightsOptions) -> bool:
    wanted = plugins.facts("detect")[name].weights
    return not wanted or any(present(one, weights) for one in wanted)


def _cores() -> int:
    """Cores that this process may use: as many threads compute."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
