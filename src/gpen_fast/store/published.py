"""The published models: name, file, network configuration and template, from the catalog. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpen_fast.gpen.config import GeneratorConfig, config_from_arguments
from gpen_fast.store.catalog import catalog


@dataclass(frozen=True)
class ModelSpec:
    """A published model."""

    name: str
    """The catalog's name."""

    file: str
    """Its file name on disk."""

    config: GeneratorConfig
    """The network's size and widths."""

    template: str = "gpen"
    """Where the landmarks lie in the faces that it was trained on."""


# TOML has no static types: the constructors below check the names.
def _from_catalog(arguments: Mapping[str, Any]) -> GeneratorConfig:
    """The config from the published constructor's arguments, or from every size and width."""
    return (
        GeneratorConfig(**{**arguments, "widths": tuple(arguments["widths"])})
        if "widths" in arguments
        else config_from_arguments(**arguments)
    )


PUBLISHED: Mapping[str, ModelSpec] = {
    known.name: ModelSpec(known.name, known.file, _from_catalog(known.config), known.template or "gpen")
    for known in catalog().values()
    if known.config is not None
}


def name_of(config: GeneratorConfig) -> str:
    """Returns the name of the published model with this config, else `custom-<size>`."""
    for spec in PUBLISHED.values():
        if spec.config == config:
            return spec.name
    return f"custom-{config.size}"
