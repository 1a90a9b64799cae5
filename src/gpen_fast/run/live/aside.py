"""The network in a process of its own, where it has one core: there it never waits for Python's interpreter.

A call of the network is several hundred short operations. In a thread beside others that compute, each of them may wait
until another thread hands over the interpreter: on two cores the network then takes twice as long.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpen_fast.device.children import Child, can_fork
from gpen_fast.device.threads import cores_beside
from gpen_fast.errors import DeviceError, GenerateError
from gpen_fast.run.live.steps import QualityStep
from gpen_fast.stages.generate.runner import Generator, Launched

_Face = NDArray[np.uint8] | GenerateError
# What the process answers: the faces and how many were repeated in fp32, or what was raised.
_Answer = tuple[list[_Face], int] | Exception


@contextlib.contextmanager
def network_aside(steps: Sequence[QualityStep]) -> Iterator[Sequence[QualityStep]]:
    """The steps with their networks in a process of its own, if that helps here: on a CPU where they have one core.

    Args:
        steps: The quality steps, their networks called before.
    """
    helps = can_fork() and steps[0].runtime.device.type == "cpu" and cores_beside(0) == 1
    if not helps:
        yield steps
        return
    generators = list({id(each.runtime.generator): each.runtime.generator for each in steps}.values())
    process = _NetworkProcess(generators)
    aside = {id(each): GeneratorAside(each, number, process) for number, each in enumerate(generators)}
    try:
        yield [
            replace(each, runtime=replace(each.runtime, generator=aside[id(each.runtime.generator)]))
            for each in steps
        ]
    finally:
        process.close()


class GeneratorAside(Generator):
    """A generator whose network runs in the other process."""

    def __init__(self, generator: Generator, number: int, process: _NetworkProcess) -> None:
        super().__init__(generator.backend, generator.batch_size)
        self._number, self._process = number, process

    def launch_no_sync(self, crops: Sequence[Tensor]) -> Launched:
        """See `Generator`. The call is made when it is waited for."""
        return Launched(list(crops), [], [])

    def settle(self, launched: Launched) -> list[Tensor | GenerateError]:
        """See `Generator`.

        Raises:
            DeviceError: The process has ended.
        """
        faces, self.recomputed_fp32 = self._process.restored(self._number, launched.crops)
        return faces


class _NetworkProcess:
    def __init__(self, generators: Sequence[Generator]) -> None:
        self._child = Child(lambda pipe: _serve(pipe, generators), "gpen-fast-network")
        self._asking = threading.Lock()

    def restored(self, number: int, crops: Sequence[Tensor]) -> tuple[list[Tensor | GenerateError], int]:
        """The faces of a network's call, and how many were repeated in fp32 so far."""
        try:
            with self._asking:
                self._child.pipe.send((number, [crop.numpy() for crop in crops]))
                answer: _Answer = self._child.pipe.recv()
        except (EOFError, OSError) as cause:
            raise DeviceError(
                f"the process of the network has ended by {self._child.ended_by()}. Run the command again; if it "
                "happens again, choose a smaller --model."
            ) from cause
        if isinstance(answer, Exception):
            raise answer
        faces, repeated = answer
        return [
            face if isinstance(face, GenerateError) else torch.from_numpy(face) for face in faces
        ], repeated

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(OSError):  # it has ended by itself
            self._child.pipe.send(None)
        self._child.end()


def _serve(pipe: Connection, generators: Sequence[Generator]) -> None:
    """The process: restores faces until it is sent None."""
    while (asked := pipe.recv()) is not None:
        number, crops = asked
        generator = generators[number]
        try:
            with torch.inference_mode():
                made = generator.settle(generator.launch_no_sync([torch.from_numpy(crop) for crop in crops]))
            faces = [face if isinstance(face, GenerateError) else face.numpy() for face in made]
            pipe.send((faces, generator.recomputed_fp32))
        except Exception as error:  # broad: it is raised in the process that asked
            pipe.send(error)
