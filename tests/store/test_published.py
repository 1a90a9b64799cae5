"""The published models as the catalog gives them."""

from __future__ import annotations

from dataclasses import replace

from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.store.catalog import catalog, generators
from gpen_fast.store.published import PUBLISHED, name_of


def test_every_network_of_the_catalog_with_a_config_is_published() -> None:
    assert list(PUBLISHED) == [name for name in generators() if catalog()[name].config is not None]
    for name, spec in PUBLISHED.items():
        assert (spec.name, spec.file) == (name, catalog()[name].file)
        assert spec.template == catalog()[name].template


def test_both_kinds_of_config_are_read() -> None:
    assert PUBLISHED["gpen-bfr-256"].config == config_from_arguments(256, channel_multiplier=1, narrow=0.5)
    assert PUBLISHED["gpen-lite-256"].config.widths == (64, 64, 64, 64, 64, 32, 8)


def test_a_config_has_the_name_of_its_model_and_another_one_its_size() -> None:
    for spec in PUBLISHED.values():
        assert name_of(spec.config) == spec.name
    best = PUBLISHED["gpen-bfr-512"].config
    assert name_of(replace(best, n_mlp=best.n_mlp + 1)) == "custom-512"
