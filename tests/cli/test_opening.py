"""What cannot work is refused before weights are fetched, and before the question about their licence."""

from __future__ import annotations

import os
import pty
import shutil
import time
from pathlib import Path

import pytest
import torch
from helpers import EXAMPLES
from safetensors.torch import load_file, save_file
from shop import Shop, process

from gpen_fast.store import records


@pytest.fixture
def portrait(shop: Shop, tiny_weights: Path) -> list[str]:
    """An enhance command, with an embedded network in the shop and a best one that can be fetched."""
    save_file(load_file(tiny_weights), shop.folder / "lite.safetensors", metadata={"template": "ffhq"})
    shutil.copy(EXAMPLES / "grace_hopper-degraded.jpg", "in.jpg")
    return ["enhance", "in.jpg", "out.png", "--overwrite"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--detector", "retinafce"], "detector 'retinafce' does not exist. Did you mean 'retinaface'?"),
        (["--detector", "retinaface"], "no weights for retinaface-resnet50"),
        (["--backend", "foldd"], "backend 'foldd' does not exist. Did you mean 'folded'?"),
        (
            ["--device", "cudda"],
            "device 'cudda': accepted are auto, cpu, cuda and cuda:N. Did you mean 'cuda'?",
        ),
        (["--precision", "fp61"], "precision 'fp61': accepted are auto, fp32, tf32, bf16, fp16."),
        (["--landmarks", "faces.jsonl"], "faces.jsonl: no such file or directory."),
        (["--json", "nowhere/r.json"], "--json nowhere/r.json: there is no folder nowhere"),
        (["--weights-dir", "nowhere"], "--weights-dir nowhere: no such folder"),
        (["--gpu-decode", "--device", "cpu"], "--gpu-decode needs CUDA"),
    ],
)
def test_what_cannot_work_is_refused_before_the_download(
    cli, shop: Shop, portrait: list[str], flags: list[str], words: str
) -> None:
    ran = cli(*portrait, *flags, "--yes")
    assert ran.status == 2
    assert words in ran.err
    assert ran.complaints.count("\n") == 1, "one sentence, and no licence before it"
    assert not shop.net.requests
    assert not records.record_file().exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_an_absent_device_is_refused_before_the_download(cli, shop: Shop, portrait: list[str]) -> None:
    for command in (portrait, ["profile", "in.jpg"]):
        ran = cli(*command, "--device", "cuda", "--yes")
        assert ran.status == 2
        assert ran.complaints.startswith("error: device 'cuda' is not there")
    assert not shop.net.requests


def test_a_no_is_remembered_and_pull_asks_again(cli, shop: Shop, portrait: list[str]) -> None:
    seen = at_a_terminal(shop, *portrait, answer="n\n")
    assert "Not for commerce." in seen
    assert "its licence was not accepted (gpen-fast weights pull gpen-bfr-512 asks again)" in seen
    assert Path("out.png").exists(), "the embedded network ran"
    assert "Not for commerce." not in at_a_terminal(shop, *portrait, answer="")
    ran = cli(*portrait)
    assert (ran.status, ran.complaints) == (0, ""), "no note about what the user has decided"
    assert "Not for commerce." in at_a_terminal(shop, "weights", "pull", "gpen-bfr-512", answer="y\n")
    assert "asks" in records.read_records().licences
    assert not records.read_records().declined


def at_a_terminal(shop: Shop, *arguments: str, answer: str) -> str:
    """What a user sees who gives `answer` when asked."""
    ours, theirs = pty.openpty()
    run = process(shop, *arguments, stdin=theirs, stderr=theirs)
    os.close(theirs)
    seen, answered, deadline = "", False, time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            seen += os.read(ours, 1000).decode()
        except OSError:  # the process has ended
            break
        if "[y/N]" in seen and not answered:
            os.write(ours, answer.encode())
            answered = True
    run.communicate(timeout=60)
    os.close(ours)
    return seen
