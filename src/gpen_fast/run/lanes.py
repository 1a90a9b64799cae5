"""Many pictures on a CPU: a forked process on each core restores pictures of its own from file to file.

    sources -> parent -> a pipe a lane -> child: reader, worker, writer -> the pipe -> parent -> caller

Threads of one process take turns at the interpreter for each of a face's several hundred operations: on two cores, two
threads with one face each need 1.4 times as long as two processes. The children share the loaded weights with the
parent, by copy on write. A child that dies, as of a damaged library or of the system's lack of memory, is replaced, and
its pictures are tried again one by one.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait

import torch

from gpen_fast.device.children import Child, can_fork
from gpen_fast.device.failures import device_failures_named
from gpen_fast.errors import GenerateError
from gpen_fast.gpen.cpu.parallel import LARGE
from gpen_fast.measure.memory import resident_bytes
from gpen_fast.run.aside import STALLED
from gpen_fast.run.crew import Member
from gpen_fast.run.job import Failed, Finished, Pasted, PictureSource
from gpen_fast.run.lane_work import Aside, LaneMessage, LaneWork
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.window import LOOK_S
from gpen_fast.settings import cpu_lanes

# Faces of a child's network calls, unless --batch-size names their number. They run one after the other; what is done
# once a call is then done less often.
LANE_BATCH = 4
# Pictures that a child is given at a time: those of a batch, and of the next. It reads few of them ahead.
_IN_HAND = 2 * LANE_BATCH
# How far a picture may overtake one of another lane, in pictures for each lane.
_OVERTAKEN = 4 * _IN_HAND
# Fewer pictures are restored one by one on all cores.
_FEW = 4
# Processes at most, unless --devices names their number: each takes some 200 MB.
_MOST = 16


def lanes_for(runtime: Runtime, pictures: int) -> int:
    """How many processes restore so many pictures fastest; 1: none beside the program's own.

    Args:
        runtime: What runs.
        pictures: To be restored.
    """
    generate = runtime.settings.generate
    if runtime.device.type != "cpu" or not can_fork():
        return 1
    if generate.devices and (number := cpu_lanes(generate.devices)):
        return number
    if generate.deterministic or runtime.size >= LARGE or pictures < _FEW:
        return 1
    return min(torch.get_num_threads(), pictures, _MOST)


@dataclass(eq=False)
class _Lane:
    """A child, as its parent sees it."""

    member: Member
    child: Child
    in_hand: dict[int, PictureSource] = field(default_factory=dict)
    """Pictures that it was given and has not sent back."""
    waited_ns: dict[str, int] = field(default_factory=dict)
    """What it waited so far, by its own count."""


class Lanes:
    """Runs pictures through one pipeline in several processes, and yields what became of them in input order."""

    def __init__(
        self,
        pipeline: Pipeline,
        number: int,
        write: Callable[[Pasted], Finished],
        settle: Callable[[Failed], None],
        aside: Aside,
        stopped: threading.Event | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            pipeline: The verbs, on the CPU.
            number: Processes, 1 and up.
            write: Called in a child with each restored picture.
            settle: Called in a child with each picture that failed.
            aside: What is noted beside the results.
            stopped: Once it is set, no further picture is taken; those that a child has are finished.
        """
        self.members = [Member(f"cpu:{index}") for index in range(number)]
        """One a process: what it did."""
        self.processes = self.readers = self.writers = number
        generator = pipeline.runtime.generator
        if pipeline.runtime.settings.generate.batch_size is None:
            generator.batch_size = min(LANE_BATCH, generator.batch_size)
        self._work = LaneWork(pipeline, write, settle, aside)
        self._settle = settle
        self._aside = aside
        self._stopped = stopped or threading.Event()
        self._lanes: list[_Lane] = []
        self._began_ns = 0
        # Pictures of children that died: each is tried once more, in a child that has no other.
        self._again: deque[PictureSource] = deque()
        self._careful: set[int] = set()
        # In input order; None for a picture that a child has.
        self._under_way: dict[int, Finished | Failed | None] = {}

    @property
    def depths(self) -> dict[str, dict[str, float]]:
        """See `Team`. What a child holds of its pictures is in its own memory."""
        under_way = len(self._under_way)
        resident = {
            f"{lane.member.name}, MiB": size / 2**20
            for lane in list(self._lanes)
            if (size := resident_bytes(lane.child.number))
        }
        waiting = under_way - sum(len(lane.in_hand) for lane in list(self._lanes)) - len(self._again)
        return {
            "under way": {"pictures": under_way},
            "waiting": {"results": max(0, waiting)},
            "memory of processes": resident,
        }

    def run(self, sources: Iterable[PictureSource]) -> Iterator[Finished | Failed]:
        """Restores every source.

        Args:
            sources: Pictures whose `index` is their position. They are taken a few at a time.

        Raises:
            Exception: What ends the run in a child, or what `sources` raises.
        """
        with device_failures_named("the run"):
            yield from self._run(iter(sources))

    def _run(self, sources: Iterator[PictureSource]) -> Iterator[Finished | Failed]:
        self._began_ns = time.perf_counter_ns()
        try:
            for member in self.members:
                self._lanes.append(_Lane(member, self._forked(member)))
            yield from self._results(sources)
            for lane in self._lanes:
                _send(lane, None)
                lane.child.end()
        finally:
            for lane in self._lanes:
                lane.child.interrupt()

    def _results(self, sources: Iterator[PictureSource]) -> Iterator[Finished | Failed]:
        under_way = self._under_way
        while self._fed(sources) or under_way:
            for lane in self._ready():
                for came in self._received(lane):
                    under_way[came.source.index] = came
            while under_way and (done := under_way[first := next(iter(under_way))]):
                del under_way[first]
                yield done

    def _fed(self, sources: Iterator[PictureSource]) -> bool:
        """Gives the children pictures, in turns, until each has enough; False once there are no more sources."""
        for _ in range(_IN_HAND):
            for lane in self._lanes:
                if len(lane.in_hand) >= _IN_HAND or self._careful & lane.in_hand.keys():
                    continue
                if self._again:
                    if not lane.in_hand:
                        self._give(lane, self._again.popleft())
                    continue
                if len(self._under_way) >= _OVERTAKEN * len(self._lanes):
                    return True
                if self._stopped.is_set() or (source := next(sources, None)) is None:
                    return False
                self._under_way[source.index] = None
                self._give(lane, source)
        return True

    def _give(self, lane: _Lane, source: PictureSource) -> None:
        lane.in_hand[source.index] = source
        _send(lane, source)

    def _ready(self) -> list[_Lane]:
        """The lanes that have sent something, or have died; waits a while for one."""
        ready = wait([lane.child.pipe for lane in self._lanes], LOOK_S)
        return [lane for lane in self._lanes if lane.child.pipe in ready]

    def _received(self, lane: _Lane) -> Iterator[Finished | Failed]:
        """What a lane has sent; a lane that died is replaced."""
        try:
            message: LaneMessage = pickle.loads(lane.child.pipe.recv_bytes())
        except (EOFError, ConnectionError):
            yield from self._replaced(lane)
            return
        self._aside.add(message.noted)
        for stage, waited in message.waited_ns.items():
            lane.member.waited_ns[stage] += waited - lane.waited_ns.get(stage, 0)
        lane.waited_ns = message.waited_ns
        if isinstance(message.done, Finished | Failed):
            lane.in_hand.pop(message.done.source.index)
            self._careful.discard(message.done.source.index)
            lane.member.pictures += 1
            lane.member.worked_ns = time.perf_counter_ns() - self._began_ns
            lane.member.faces += message.done.faces if isinstance(message.done, Finished) else 0
            yield message.done
        else:
            raise message.done

    def _replaced(self, lane: _Lane) -> Iterator[Failed]:
        """Starts a new child for one that died. Its pictures are tried once more, each alone in its child."""
        how = lane.child.ended_by()
        lane.child.interrupt()
        for index, source in lane.in_hand.items():
            if index in self._careful:
                self._careful.discard(index)
                died = Failed(source, GenerateError(_why(how)))
                self._settle(died)
                yield died
            else:
                self._careful.add(index)
                self._again.append(source)
        fresh = _Lane(lane.member, self._forked(lane.member))
        self._lanes[self._lanes.index(lane)] = fresh

    def _forked(self, member: Member) -> Child:
        others = tuple(lane.child.pipe for lane in self._lanes if not lane.child.pipe.closed)
        return Child(self._work.serve, f"gpen-fast-{member.name}", others)


def _why(how: str) -> str:
    """What a user is told of a picture whose process ended twice."""
    if how == f"status {STALLED}":
        return "one step of it took longer than --stall-timeout, twice."
    return f"the process that restored it ended by {how}, twice. If memory is short, try --devices cpu:1."


def _send(lane: _Lane, source: PictureSource | None) -> None:
    """Gives a lane a picture, or None for the end. One that has died is noticed when its answer is read."""
    with contextlib.suppress(OSError):
        lane.child.pipe.send(source)
