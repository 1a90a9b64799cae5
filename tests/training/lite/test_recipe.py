"""The recipe that comes with the package, and its length."""

from __future__ import annotations

from pathlib import Path

import pytest
from lite_sets import small_recipe

from gpen_fast.errors import SettingsError
from gpen_fast.training.__main__ import DEFAULT
from gpen_fast.training.config import read_restoration_config
from gpen_fast.training.lite.recipe import RECIPE, read_lite_recipe


def test_the_second_recipe_has_the_network_of_the_first_and_what_the_first_lacks() -> None:
    recipe = read_lite_recipe(RECIPE)
    assert recipe.network == read_restoration_config(DEFAULT).network
    assert recipe.adversarial
    assert recipe.clean.whole > 0 < recipe.clean.nearly
    assert min(recipe.loss.colour, recipe.loss.fixed_point, recipe.loss.perceptual) > 0
    assert (
        min(recipe.old.fading, recipe.old.grain, recipe.old.halftone, recipe.old.dust, recipe.old.scratches)
        > 0
    )


def test_a_longer_run_begins_its_adversarial_phase_at_the_same_part() -> None:
    longer = small_recipe(steps=6).lasting(600, 8)
    assert (longer.steps, longer.batch, longer.adversary.start) == (600, 8, 300)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[clean]\nwhole = 0.7\nnearly = 0.6\n", "their sum is at most 1"),
        ("[old]\nrust = 1.0\n", r"\[old\] rust: unknown key. Accepted are .*scratches"),
        ("[run]\nprecision = 'fp16'\n", "accepted are auto, fp32 and bf16"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    head = "[network]\nsize = 32\nstyle_dim = 16\nn_mlp = 2\nwidths = [8, 8, 8, 8]\n"
    run = "" if "[run]" in text else "[run]\n"
    path.write_text(head + (run + "steps = 9\n" + text if run else text + "steps = 9\n"))
    with pytest.raises(SettingsError, match=said):
        read_lite_recipe(path)
