"""`gpen-fast doctor` as a user runs it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
import torch
from reports import problems, strict_schema
from safetensors.torch import load_file, save_file
from shop import DETECTOR, Shop

from gpen_fast.doctor import codecs, hardware, packages, store


@pytest.fixture
def embedded(shop: Shop, tiny_weights: Path) -> Path:
    path = shop.folder / "lite.safetensors"
    save_file(load_file(tiny_weights), path, metadata={"template": "ffhq"})
    return path


def finding(told: dict, name: str) -> dict:
    return next(one for one in told["findings"] if one["name"] == name)


def test_machine_that_can_restore(cli, embedded: Path) -> None:
    ran = cli("doctor", "--device", "cpu")
    assert ran.status == 0, ran.out
    assert "pictures can be restored here" in ran.out
    for words in ("device", "precision", "packages", "weights", "codecs", "space", "GiB free"):
        assert words in ran.out
    long = [line for line in ran.out.splitlines() if len(line) > 80]
    assert all("/" in line for line in long), "only a path may be longer: it is never cut"
    assert "\x1b" not in ran.out
    assert ran.err == ""


def test_for_programs(cli, embedded: Path) -> None:
    told = json.loads(cli("doctor", "--json", "-", "--device", "cpu").out)
    assert problems(told, strict_schema()) == []
    assert (told["works"], told["verdict"]) == (True, "works")
    assert "gpen-fast weights pull gpen-bfr-512" in told["advice"]
    assert finding(told, "fp32")["state"] == "ok"
    assert finding(told, "tf32")["state"] == "absent"
    assert finding(told, "nvJPEG")["text"] == "needs CUDA"
    assert finding(told, "torch")["text"].startswith(torch.__version__)
    auto = finding(told, "--model auto")
    assert auto["text"].startswith("lite (")
    assert auto["mend"] == "gpen-fast weights pull gpen-bfr-512"
    assert {one["state"] for one in told["findings"]} <= {"ok", "absent", "broken"}


def test_without_weights_it_cannot_and_says_what_mends_it(cli, shop: Shop) -> None:
    ran = cli("doctor", "--device", "cpu")
    assert ran.status == 1
    assert "cannot restore yet\n  --model auto: gpen-fast weights pull gpen-bfr-512\n" in ran.out
    told = json.loads(cli("doctor", "--json", "-").out)
    assert (told["works"], told["verdict"]) == (False, "cannot_restore")


def test_wrong_weights_are_broken_and_the_way_out_is_named(cli, embedded: Path) -> None:
    Path("weights").mkdir()
    Path("weights/face.pth").write_bytes(DETECTOR[:-1])
    told = json.loads(cli("doctor", "--json", "-", "--device", "cpu").out)
    face = finding(told, "face")
    assert face["state"] == "broken"
    assert face["text"] == "WRONG HASH: weights/face.pth"
    assert face["mend"] == "gpen-fast weights pull face --again"


def test_mirror_that_is_not_understood(cli, embedded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPEN_FAST_MIRROR", "hf-mirror.com")
    told = json.loads(cli("doctor", "--json", "-", "--device", "cpu").out)
    assert finding(told, "GPEN_FAST_MIRROR")["state"] == "broken"
    monkeypatch.setenv("GPEN_FAST_MIRROR", "huggingface.co=hf-mirror.com")
    told = json.loads(cli("doctor", "--json", "-", "--device", "cpu").out)
    assert finding(told, "GPEN_FAST_MIRROR")["state"] == "ok"


def test_device_that_is_not_there(cli, embedded: Path) -> None:
    ran = cli("doctor", "--device", "cuda:77")
    assert ran.status == 1
    assert "device 'cuda:77' is not there" in " ".join(ran.out.split())
    assert "codecs" in ran.out, "the other probes still ran"


@pytest.mark.parametrize(
    "probe", [hardware.device, hardware.precisions, packages.required_packages, packages.optional_packages,
              store.network, store.detector, store.files, codecs.probe, hardware.space],
)  # fmt: skip
def test_probe_that_breaks_is_a_finding_and_hides_no_other(
    cli, embedded: Path, monkeypatch: pytest.MonkeyPatch, probe
) -> None:
    def broken(*takes: object):
        raise RuntimeError("CUDA driver initialization failed\nlong story")

    broken.__name__ = probe.__name__
    module = importlib.import_module(probe.__module__)
    monkeypatch.setattr(module, probe.__name__, broken)
    ran = cli("doctor", "--json", "-", "--device", "cpu")
    told = json.loads(ran.out)
    assert ran.status == 1
    assert finding(told, probe.__name__)["text"] == "RuntimeError: CUDA driver initialization failed"
    assert len({one["group"] for one in told["findings"]}) == 7


@pytest.mark.cuda
def test_driver_memory_and_nvjpeg_on_cuda(cli, embedded: Path) -> None:
    told = json.loads(cli("doctor", "--json", "-").out)
    assert finding(told, "NVIDIA driver")["state"] == "ok"
    assert "GiB free of" in finding(told, "GPU memory")["text"]
    assert finding(told, "nvJPEG")["state"] == "ok", finding(told, "nvJPEG")
