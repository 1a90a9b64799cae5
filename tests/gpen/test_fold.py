"""Each device gets the folded form that suits it, and every one is the same function."""

from __future__ import annotations

import pytest
import torch
from conftest import TINY, relative_l2
from test_folded import faces_of, truth

from gpen_fast.gpen import load_network, onednn
from gpen_fast.gpen.checkpoint import build, random_state
from gpen_fast.gpen.fold import fold
from gpen_fast.gpen.folded import FoldedGenerator
from gpen_fast.gpen.one_face import OneFaceGenerator

CPU = torch.device("cpu")


@pytest.mark.skipif(not onednn.available(torch.float32), reason="no oneDNN convolutions here")
def test_a_cpu_has_fused_convolutions() -> None:
    network = build(random_state(TINY))
    assert isinstance(fold(network, torch.float32, CPU), OneFaceGenerator)
    assert isinstance(fold(network, torch.float16, CPU), FoldedGenerator)


def test_without_them_plain_pytorch_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "available", lambda dtype: False)
    network, faces = build(random_state(TINY)), faces_of(TINY.size, 2)
    folded = fold(network, torch.float32, CPU)
    assert isinstance(folded, FoldedGenerator)
    out = load_network(random_state(TINY), form="folded")(faces)
    assert relative_l2(out, truth(network, faces)) <= 3e-6
