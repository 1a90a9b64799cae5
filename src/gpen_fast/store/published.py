"""The published models: name, file, network configuration and template, from the catalog. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpen_fast.gpen.config import GeneratorConfig, config_from_arguments
from gpen_fast.store.catalog import catalog


@dataclass(frozen=True)
class ModelSpec:
    """A published model: where its file is called what, and how faces must be cut for it."""

    name: str
    file: str
    config: GeneratorConfig
    template: str = "gpen"


def _from_catalog(told: Mapping[str, Any]) -> GeneratorConfig:
    """The catalog gives the published constructor's arguments, or every number."""
    return (
        GeneratorConfig(**{**told, "widths": tuple(told["widths"])})
        if "widths" in told
        else config_from_arguments(**told)
    )


PUBLISHED: Mapping[str, ModelSpec] = {
    known.name: ModelSpec(known.name, known.file, _from_catalog(known.config), known.template or "gpen")
    for known in catalog().values()
    if known.config is not None
}


def name_of(found: GeneratorConfig) -> str:
    """The published model with these figures, else `custom-<size>`."""
    for spec in PUBLISHED.values():
        if spec.config == found:
            return spec.name
    return f"custom-{found.size}"
