"""A precision means one thing, and one that is named is used or refused."""

from __future__ import annotations

import threading

import pytest
import torch

from gpen_fast.device import precision
from gpen_fast.device.precision import Precision, arithmetic, pick_precision
from gpen_fast.errors import DeviceError

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(params=[True, False], ids=["bf16", "no-bf16"])
def bf16(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: request.param)
    return request.param


def test_precision_on_cpu(bf16: bool) -> None:
    half = "bf16" if bf16 else "fp32"
    assert pick_precision("auto", CPU) == Precision(half)
    assert str(pick_precision("half", CPU)) == f"{half} (fp16 needs CUDA)"
    assert pick_precision("bf16", CPU) == Precision("bf16")
    for name in ("fp16", "tf32"):
        with pytest.raises(DeviceError, match=f"precision {name} needs CUDA, .* Try --precision {half}"):
            pick_precision(name, CPU)


def test_precision_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert str(pick_precision("auto", CUDA)) == "fp16"
    assert str(pick_precision("half", CUDA)) == "fp16"
    assert {pick_precision(name, CUDA).name for name in ("fp32", "tf32", "bf16", "fp16")} == {
        "fp32", "tf32", "bf16", "fp16",
    }  # fmt: skip


def modes() -> list[str]:
    backends = torch.backends
    switches = (backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.conv, backends.mkldnn.matmul)
    return [switch.fp32_precision for switch in switches]


def test_fp32_has_tf32_off_and_the_callers_switches_come_back() -> None:
    before = modes()
    torch.set_float32_matmul_precision("medium")
    try:
        chosen = modes()
        with arithmetic("fp32", CPU):
            assert modes() == ["ieee"] * 4
            assert not torch.is_grad_enabled()
        assert modes() == chosen
        with pytest.raises(RuntimeError), arithmetic("tf32", CPU):
            assert modes() == ["tf32", "tf32", "ieee", "ieee"]
            raise RuntimeError
        assert modes() == chosen
    finally:
        torch.set_float32_matmul_precision("highest")
    assert modes()[1:2] == before[1:2]


def test_switches_that_nobody_set_stay_unset() -> None:
    """After a block the process's default still governs, as if it had never been."""
    backends = torch.backends
    for switch in (backends.cuda.matmul, backends.mkldnn.conv):
        switch.fp32_precision = "none"  # other tests may have set them
    with arithmetic("fp32", CPU), arithmetic("fp32", CPU):
        pass
    assert backends.cudnn.fp32_precision == "none"
    before = modes()
    backends.fp32_precision = "tf32"
    try:
        assert backends.cuda.matmul.fp32_precision == "tf32"
        assert backends.mkldnn.conv.fp32_precision == "tf32"
        with arithmetic("fp32", CPU):
            pass
        backends.fp32_precision = "ieee"
        assert backends.cuda.matmul.fp32_precision == "ieee", "what was inherited was pinned"
    finally:
        backends.fp32_precision = "none"
    assert modes() == before


def test_two_threads_do_not_take_each_others_switches() -> None:
    before = modes()
    inside, leave = threading.Event(), threading.Event()
    seen: list[list[str]] = []

    def first() -> None:
        with arithmetic("fp32", CPU):
            inside.set()
            leave.wait(10)

    def second() -> None:
        inside.wait(10)
        with arithmetic("tf32", CPU):
            seen.append(modes())

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    threads[1].join(0.2)
    assert threads[1].is_alive(), "the second must wait for the first"
    leave.set()
    for thread in threads:
        thread.join(10)
    assert seen == [["tf32", "tf32", "ieee", "ieee"]]
    assert modes() == before


def test_threads_that_want_the_same_are_inside_together() -> None:
    """Workers on one CPU would run one after the other otherwise. The last to leave restores the switches."""
    before = modes()
    both, left = threading.Barrier(2), threading.Event()
    seen: list[list[str]] = []

    def first() -> None:
        with arithmetic("fp32", CPU):
            both.wait(10)
        left.set()

    def second() -> None:
        with arithmetic("bf16", CPU):
            both.wait(10)
            left.wait(10)
            seen.append(modes())

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == [["ieee"] * 4]
    assert modes() == before


def test_a_block_inside_another_may_want_something_else() -> None:
    before = modes()
    with arithmetic("fp32", CPU):
        with arithmetic("tf32", CPU):
            assert modes() == ["tf32", "tf32", "ieee", "ieee"]
            with arithmetic("tf32", CPU):
                pass
            assert modes() == ["tf32", "tf32", "ieee", "ieee"]
        assert modes() == ["ieee"] * 4
    assert modes() == before


def test_a_block_inside_another_waits_for_other_threads() -> None:
    """Their blocks go on with what they asked for."""
    inside, leave = threading.Event(), threading.Event()
    seen: list[list[str]] = []

    def other() -> None:
        with arithmetic("fp32", CPU):
            inside.set()
            leave.wait(10)
            seen.append(modes())

    def nested() -> None:
        with arithmetic("fp32", CPU), arithmetic("tf32", CPU):
            seen.append(modes())

    threads = [threading.Thread(target=other), threading.Thread(target=nested)]
    threads[0].start()
    inside.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    assert threads[1].is_alive(), "the nested block must wait for the other thread"
    leave.set()
    for thread in threads:
        thread.join(10)
    assert seen == [["ieee"] * 4, ["tf32", "tf32", "ieee", "ieee"]]


def test_precision_that_an_old_gpu_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA T4")
    for name in ("bf16", "tf32"):
        with pytest.raises(
            DeviceError, match=f"precision {name} needs an Ampere GPU or later, not cuda:0 NVIDIA T4"
        ):
            pick_precision(name, CUDA)
    assert pick_precision("fp16", CUDA).name == "fp16"


def test_autocast_only_for_halves() -> None:
    x = torch.ones(4, 4)
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with arithmetic(name, CPU):
            assert (x @ x).dtype == dtype
