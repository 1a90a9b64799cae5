"""The embedded weights, on which the first command runs without a network connection."""

from __future__ import annotations

import numpy as np
import torch
from helpers import EXAMPLES
from torch.utils.flop_counter import FlopCounterMode

from gpen_fast import Restorer
from gpen_fast.gpen import load_network
from gpen_fast.gpen.checkpoint import build, read_declared
from gpen_fast.gpen.folded.generator import FoldedGenerator
from gpen_fast.store.catalog import catalog
from gpen_fast.store.shipped import shipped
from gpen_fast.training.degrade import degrade, held_out_damage
from gpen_fast.training.metrics import quality, restored_faces

NAME = "gpen-lite-256"
PATH = shipped(f"{NAME}.safetensors")


def face_of(name: str) -> np.ndarray:
    """Returns (256,256,3) uint8: the face of an example, cropped for the network."""
    (face,) = Restorer(NAME, "haar", "cpu", "fp32").restore(EXAMPLES / name).faces
    return face.crop.permute(1, 2, 0).numpy()


def test_is_small_and_declares_name_template_and_licence() -> None:
    assert PATH.stat().st_size <= 8e6
    assert read_declared(PATH) == {"name": NAME, "template": "ffhq", "licence": "MIT"}
    entry = catalog()[NAME]
    assert entry.embedded
    assert entry.template == "ffhq"


def test_takes_a_few_gigaflops_per_face() -> None:
    network = FoldedGenerator(build(PATH), torch.float32, torch.device("cpu"))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 256, 256))
    assert 1e9 < counter.get_total_flops() < 4e9


def test_restores_a_face_that_it_was_not_trained_on() -> None:
    """The other example is not used: its face is too small for a reference of this size."""
    face = face_of("grace_hopper.jpg")
    damaged = degrade(face, held_out_damage(4.0), np.random.default_rng(0))
    ours = restored_faces(load_network(PATH, form="folded"), damaged[None], 1)
    before, after = quality(damaged[None], face[None]), quality(ours, face[None])
    assert after.psnr > before.psnr + 0.5
    assert after.ssim > before.ssim + 0.01
    assert after.correlation > before.correlation
    assert after.energy > before.energy
    shift = ours[0].astype(float).mean((0, 1)) - face.astype(float).mean((0, 1))
    assert np.abs(shift).max() < 3
