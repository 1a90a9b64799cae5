"""Generate: batches, memory, and results that are never broken."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gpen_fast.device.streams import AsyncHostCopy
from gpen_fast.errors import DeviceError, GenerateError
from gpen_fast.stages.generate.runner import Generator, valid_faces

CPU = torch.device("cpu")


class Fake:
    """A backend that brightens, fails for batches over `most`, and breaks the faces whose first value is 0."""

    name, size, default_batch = "fake", 8, 4

    def __init__(self, most: int = 100, broken: float = float("nan"), exact_scale: float = 0.5) -> None:
        self.most, self.broken, self.exact_scale = most, broken, exact_scale
        self.calls: list[int] = []
        self.refused: list[int] = []

    def __call__(self, faces: Tensor) -> Tensor:
        if len(faces) > self.most:
            self.refused.append(len(faces))
            raise torch.OutOfMemoryError("out of memory")
        self.calls.append(len(faces))
        out = faces * 0.5
        out[faces[:, 0, 0, 0] == -1] = self.broken
        return out

    def exact(self, faces: Tensor) -> Tensor:
        return faces * self.exact_scale


class Holding(Fake):
    """Holds memory to be faster: until it lets go, only `most` faces fit, then `most_without`."""

    def __init__(self, most: int, most_without: int) -> None:
        super().__init__(most)
        self.most_without = most_without
        self.expected = 0
        self.notes: list[str] = []

    def expect(self, batch: int) -> None:
        self.expected = batch

    def relieve(self, batch: int) -> bool:
        if self.notes:
            return False
        self.most = self.most_without
        self.notes.append("let go")
        return True

    def exact(self, faces: Tensor) -> Tensor:
        if self.most == 0:
            raise torch.OutOfMemoryError("out of memory")
        return super().exact(faces)


def crops(count: int, broken: tuple[int, ...] = ()) -> list[Tensor]:
    torch.manual_seed(3)
    made = [torch.randint(1, 255, (3, 8, 8), dtype=torch.uint8) for _ in range(count)]
    for index in broken:
        made[index][0, 0, 0] = 0
    return made


def run(
    backend: Fake, given: list[Tensor], batch: int | None = None
) -> tuple[list[Tensor | GenerateError], Generator]:
    generator = Generator(backend, batch)
    return generator.settle(generator.launch_no_sync(given)), generator


def test_faces_keep_their_order_over_batches() -> None:
    backend = Fake()
    given = crops(10)
    faces, generator = run(backend, given)
    assert backend.calls == [4, 4, 2]
    for crop, face in zip(given, faces, strict=True):
        assert (face.float() - (crop.float() * 0.5 + 63.75)).abs().max() <= 0.51
    assert generator.recomputed_fp32 == 0


def test_batch_is_halved_until_it_fits_and_stays_so() -> None:
    backend = Fake(most=3)
    faces, generator = run(backend, crops(10), batch=10)
    assert len(faces) == 10
    assert backend.calls == [2, 2, 2, 2, 2]
    assert generator.batch_size == 2
    assert backend.refused == [10, 5]


def test_one_face_too_many_says_what_to_try() -> None:
    with pytest.raises(GenerateError, match=r"not enough device memory for one face of 8 px\. Try --fp16"):
        run(Fake(most=0), crops(2))


def test_a_backend_is_told_what_to_expect() -> None:
    backend = Holding(100, 100)
    assert Generator(backend).notes == []
    assert backend.expected == backend.default_batch
    Generator(backend, 3)
    assert backend.expected == 3


def test_memory_held_for_speed_goes_before_batches_are_halved() -> None:
    backend = Holding(most=2, most_without=10)
    faces, generator = run(backend, crops(10), batch=10)
    assert len(faces) == 10
    assert backend.calls == [10]
    assert generator.batch_size == 10
    assert generator.notes == ["let go"]


def test_batches_are_halved_where_letting_go_was_not_enough() -> None:
    backend = Holding(most=2, most_without=5)
    faces, generator = run(backend, crops(10), batch=10)
    assert len(faces) == 10
    assert backend.refused == [10, 10]
    assert backend.calls == [5, 5]
    assert generator.batch_size == 5


def test_a_face_is_redone_in_fp32_in_the_memory_that_was_held() -> None:
    backend = Holding(most=0, most_without=4)
    generator = Generator(backend)
    face = generator._recompute(crops(1)[0])
    assert isinstance(face, Tensor)
    assert generator.recomputed_fp32 == 1
    backend.most = 0
    assert isinstance(generator._recompute(crops(1)[0]), GenerateError)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), 0.3, 0.0])
def test_broken_faces_are_redone_in_fp32_and_counted(broken: float) -> None:
    """Not finite, or one colour where the crop was none: fp16's known failure."""
    given = crops(5, broken=(1, 4))
    faces, generator = run(Fake(broken=broken), given)
    assert generator.recomputed_fp32 == 2
    for crop, face in zip(given, faces, strict=True):
        assert (face.float() - (crop.float() * 0.5 + 63.75)).abs().max() <= 0.51


@pytest.mark.parametrize("exact", [float("inf"), 0.0])
def test_face_that_fp32_breaks_too_is_an_error_and_not_a_picture(exact: float) -> None:
    faces, _ = run(Fake(exact_scale=exact), crops(3, broken=(1,)))
    assert [isinstance(face, GenerateError) for face in faces] == [False, True, False]
    assert "one colour or values that are not finite, in fp32 too" in str(faces[1])


def test_no_memory_for_fp32_is_an_error_of_that_face(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Fake, faces: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(Fake, "exact", full)
    faces, _ = run(Fake(), crops(3, broken=(1,)))
    assert [isinstance(face, GenerateError) for face in faces] == [False, True, False]


def test_other_failures_are_not_taken_for_memory() -> None:
    class Lost(Fake):
        def __call__(self, faces: Tensor) -> Tensor:
            raise RuntimeError("CUDA error: device lost")

    with pytest.raises(RuntimeError, match="device lost"):
        run(Lost(), crops(4))


@pytest.mark.parametrize(
    ("name", "way"), [("folded", "--backend eager, or --device cpu"), ("eager", "--device cpu")]
)
def test_a_gpus_failure_names_another_backend_and_ends_the_run(name: str, way: str) -> None:
    class Lost(Fake):
        def __call__(self, faces: Tensor) -> Tensor:
            raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with ...")

    backend = Lost()
    backend.name = name
    with pytest.raises(DeviceError) as told:
        run(backend, crops(4))
    assert str(told.value) == (
        f"the GPU failed in backend '{name}' (CUDA error: an illegal memory access was encountered). Try {way}."
    )
    assert not isinstance(told.value, GenerateError)  # those stay with one picture


def test_a_failure_that_shows_when_waited_for_names_another_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(self: AsyncHostCopy) -> Tensor:
        raise RuntimeError("CUDA error: unspecified launch failure")

    generator = Generator(Fake())
    launched = generator.launch_no_sync(crops(2))
    monkeypatch.setattr(AsyncHostCopy, "wait", lost)
    with pytest.raises(DeviceError, match=r"unspecified launch failure.*Try --backend eager"):
        generator.settle(launched)


def test_flat_crop_may_stay_flat() -> None:
    flat = torch.full((1, 3, 8, 8), 0.2)
    varied = torch.linspace(-1, 1, 192).reshape(1, 3, 8, 8)
    assert valid_faces(flat, flat).tolist() == [True]
    assert valid_faces(flat, varied).tolist() == [False]
    assert valid_faces(varied, flat).tolist() == [True]


def test_depths_may_mix_in_a_batch() -> None:
    deep = torch.full((3, 8, 8), 40000, dtype=torch.int32)
    deep[:, ::2] = 10000
    faces, _ = run(Fake(), [*crops(1), deep.to(torch.uint16)])
    assert [face.dtype for face in faces] == [torch.uint8, torch.uint16]
    assert abs(int(faces[1].int()[0, 1, 1]) - (40000 * 0.5 + 65535 / 4)) <= 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_one_value_that_is_not_finite_makes_a_face_invalid(bad: float) -> None:
    faces = torch.rand(2, 3, 128, 128)
    faces[1, 2, 77, 101] = bad  # not a point of the grid of which the deviation is taken
    assert valid_faces(faces, torch.rand(2, 3, 128, 128)).tolist() == [True, False]


def test_detail_in_one_corner_is_not_one_colour() -> None:
    face = torch.zeros(1, 3, 512, 512)
    face[..., :128, :128] = 0.5
    assert valid_faces(face, torch.rand(1, 3, 512, 512)).tolist() == [True]


class Counted(TorchDispatchMode):
    """Counts the operations that are handed to the device."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


def test_a_call_launches_as_much_for_many_faces_as_for_one() -> None:
    def launched(faces: int) -> list[str]:
        crops = [torch.randint(1, 256, (3, 16, 16), dtype=torch.uint8) for _ in range(faces)]
        with Counted() as counted:
            Generator(Fake(), batch_size=16).launch_no_sync(crops)
        return counted.names

    assert launched(16) == launched(2)
