"""The second recipe's losses each do what they are for, and its steps need no OpenCV."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lite_sets import LITE, lite_trainer, small_recipe, two_sets
from portraits import weights_of

from gpen_fast.errors import CheckpointError
from gpen_fast.training.config import AdversaryConfig
from gpen_fast.training.lite.recipe import LiteLoss
from gpen_fast.training.lite.trainer import LiteTask, colour_loss, lite_dtype

PLAIN = LiteLoss(energy=0, perceptual=0, colour=0, fixed_point=0)


def test_colour_in_low_frequencies_counts_and_texture_does_not() -> None:
    grey = torch.zeros(1, 3, 64, 64)
    texture = grey + 0.5 * (-1.0) ** torch.arange(64)
    assert colour_loss(texture, grey) < 1e-6
    assert colour_loss(grey + 0.1, grey).item() == pytest.approx(0.2, rel=1e-5)
    assert colour_loss(
        torch.cat([grey[..., :32] + 0.1, grey[..., 32:] - 0.1], 3), grey
    ).item() == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["energy", "perceptual", "colour", "fixed_point"])
def test_each_term_changes_the_step(tmp_path: Path, name: str) -> None:
    """The first step's network returns its input: a fixed point already, so all its steps are compared."""
    never = AdversaryConfig(start=99)
    folders = two_sets(tmp_path)
    plain = lite_trainer(folders, loss=PLAIN, adversary=never)
    other = lite_trainer(folders, loss=LiteLoss(**{**vars(PLAIN), name: 1.0}), adversary=never)
    for trainer in (plain, other):
        trainer.step()
        trainer.step()
    assert not torch.equal(weights_of(plain.network), weights_of(other.network))


def test_the_adversary_starts_when_it_should(tmp_path: Path) -> None:
    trainer = lite_trainer(two_sets(tmp_path))
    assert trainer.adversary is not None
    first = weights_of(trainer.adversary.discriminator)
    for _ in range(3):
        trainer.step()
    assert torch.equal(first, weights_of(trainer.adversary.discriminator))
    trainer.step()
    assert not torch.equal(first, weights_of(trainer.adversary.discriminator))


def test_starts_from_weights_and_refuses_those_of_another_network(tmp_path: Path) -> None:
    folders = two_sets(tmp_path)
    first = lite_trainer(folders)
    first.step()
    first.save(tmp_path / "state.pt")
    start, cpu = tmp_path / "state.pt", torch.device("cpu")
    again = LiteTask(small_recipe(), tuple(folders[1:]), start).open(folders[0], 1, cpu, 0)
    assert torch.equal(weights_of(again.network), weights_of(first.average))
    assert again.done == 0
    before = weights_of(again.network)
    again.step()
    assert not torch.equal(before, weights_of(again.network))
    other = small_recipe(network=replace(LITE, widths=(8, 8, 8, 4)))
    with pytest.raises(
        CheckpointError, match=r"state\.pt: a network with .* the recipe's is .* Start from weights"
    ):
        LiteTask(other, tuple(folders[1:]), start).open(folders[0], 1, cpu, 0)


def test_tests_the_averaged_network_on_both_sets(tmp_path: Path) -> None:
    folders = two_sets(tmp_path)
    task = LiteTask(small_recipe(), tuple(folders[1:]))
    trainer = task.open(folders[0], 1, torch.device("cpu"), 0)
    before = task.evaluate(folders[0], trainer)
    next(trainer.network.parameters()).data.fill_(float("nan"))
    assert task.evaluate(folders[0], trainer) == before
    assert [(row.set, row.factor) for row in before] == [(0, 1.5), (0, 4.0), (1, 1.5), (1, 4.0)]
    assert all(-3 < row.gain < 3 for row in before)


def test_bf16_is_chosen_where_it_is_native() -> None:
    assert lite_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert lite_dtype("fp32", torch.device("cuda")) == torch.float32


def test_a_machine_without_opencv_and_scikit_image_trains(tmp_path: Path) -> None:
    folders = two_sets(tmp_path)
    code = (
        "import sys; sys.modules.update(cv2=None, skimage=None, facexlib=None)\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import gpen_fast.training.lite.commands, importlib.util, torch\n"
        "from pathlib import Path\n"
        "from gpen_fast.training.lite import batches\n"
        "batches.find_spec = lambda name: None\n"
        "from gpen_fast.training.lite.recipe import read_lite_recipe\n"
        "from gpen_fast.training.lite.trainer import LiteTask\n"
        "task = LiteTask(read_lite_recipe(Path(sys.argv[2])), (Path(sys.argv[4]),))\n"
        "trainer = task.open(Path(sys.argv[3]), 1, torch.device('cpu'), 0)\n"
        "trainer.step(); print(len(task.evaluate(Path(sys.argv[3]), trainer)))\n"
    )
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        "[network]\nsize = 32\nstyle_dim = 16\nn_mlp = 2\nwidths = [8, 8, 8, 6]\n[run]\nsteps = 2\nbatch = 2\n"
    )
    support = Path(__file__).parents[2] / "support"
    told = [sys.executable, "-c", code, str(support), str(recipe), *map(str, folders)]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "4", done.stderr
