"""One picture's way: load, detect, align, crop, generate, paste, save.

`restore` is the whole of it; `engine` runs the same verbs for many pictures at once. This is where stages meet
the clock: they do not know that they are timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gpen_fast.detections.cache import DetectionWriter, content_key, found_by
from gpen_fast.detections.file_format import DetectionEntry, Found
from gpen_fast.device.failures import device_failures_named
from gpen_fast.errors import GenerateError
from gpen_fast.measure.clock import Clock, Span
from gpen_fast.run.runtime import Runtime
from gpen_fast.stages.align import align
from gpen_fast.stages.aligned import crop_whole, uncrop_whole
from gpen_fast.stages.crop import crop
from gpen_fast.stages.detect.base import choose, find_all, missed_note
from gpen_fast.stages.generate.runner import Launched
from gpen_fast.stages.load import load
from gpen_fast.stages.paste import paste
from gpen_fast.types import Face, FaceBatch, Frame, RestoredFace


@dataclass(eq=False)
class Job:
    """One picture on its way: each verb fills in its part, the writer `output`. `error` ends the way.

    content: what identifies the picture, where landmarks are read or kept. found: all faces, `faces` the chosen.
    """

    source: Any
    frame: Frame | None = None
    content: str = ""
    found: Found | None = None
    faces: list[Face] | None = None
    crops: FaceBatch | None = None
    restored: list[Any] = field(default_factory=list)
    result: Frame | None = None
    timing: dict[str, float] = field(default_factory=dict)
    output: Any = None
    note: str = ""
    error: Exception | None = None

    def fail(self, error: Exception) -> None:
        """Ends the way. The traceback goes: it would hold the picture, and on a device its memory, for good."""
        chain: list[BaseException | None] = [error]
        while chain:
            cause = chain.pop()
            if cause is not None and cause.__traceback__ is not None:
                cause.__traceback__ = None
                chain += [cause.__cause__, cause.__context__]
        self.error = error
        self.release()

    def release(self) -> None:
        """Lets go of the pixels."""
        self.frame = self.crops = self.result = None
        self.restored = []

    def restored_faces(self) -> tuple[RestoredFace, ...]:
        """The faces for a Restoration; none before `paste`."""
        if self.crops is None or self.result is None:
            return ()
        return tuple(
            RestoredFace(face.box, face.score, face.landmarks, matrix, crop, restored)
            for face, matrix, crop, restored in zip(
                self.faces or (), self.crops.matrices, self.crops.pixels, self.restored, strict=True
            )
        )


@dataclass(frozen=True, eq=False)
class Batch:
    """A launched network call and the jobs it serves."""

    jobs: Sequence[Job]
    launched: Launched
    span: Span


class Pipeline:
    """The seven verbs over one set of tools, each under the clock."""

    def __init__(
        self, runtime: Runtime, clock: Clock, detection_writer: DetectionWriter | None = None
    ) -> None:
        self.runtime = runtime
        self.clock = clock
        self.detection_writer = detection_writer

    @property
    def _keyed(self) -> bool:
        """Whether pictures are told apart by their content, for their landmarks."""
        return bool(self.runtime.detection_cache or self.detection_writer)

    def restore(self, source: Any) -> Job:
        """All verbs but save for one picture, one after the other. Raises what goes wrong."""
        job = Job(source)
        self.read(job)
        self.cut(job)
        self.settle(self.launch([job]))
        self.paste(job)
        return job

    def read(self, job: Job) -> None:
        """Load; and detect, where the faces are known or the detector works on the host."""
        # Decoding and encoding are host work; their copies are within its time.
        with self._timed("load", job, on_device=False):
            job.frame = self._loaded(job.source)
            if self._keyed:
                job.content = content_key(job.source, job.frame)
        job.note = job.frame.note
        if detection_cache := self.runtime.detection_cache and self.runtime.detection_cache.find(
            job.content, job.frame
        ):
            self._take(job, detection_cache)
        elif self.runtime.detector.on_host:
            self.detect([job])

    def detect(self, jobs: Sequence[Job]) -> None:
        """Finds the faces of those jobs whose faces are not found yet, in one call where the detector takes several."""
        jobs = [job for job in jobs if job.found is None]
        if not jobs:
            return
        runtime, frames = self.runtime, [_there(job.frame) for job in jobs]
        if runtime.settings.aligned:
            found = find_all(runtime.detector, frames)
        else:
            on_device = not runtime.detector.on_host
            with (
                device_failures_named("detect"),
                self.clock.span("detect", items=len(jobs), on_device=on_device) as span,
            ):
                found = find_all(runtime.detector, frames)
            for job in jobs:
                job.timing["detect"] = span.host_ms / len(jobs)
        for job, faces in zip(jobs, found, strict=True):
            job.note = " ".join(
                filter(None, (job.note, missed_note(faces, _there(job.frame), runtime.detector.bound)))
            )
            self._take(job, found_by(runtime.detector, faces, runtime.settings.detect))

    def cut(self, job: Job) -> None:
        """Detect, if that has not been done, align and crop."""
        self.detect([job])
        frame, runtime, faces = _there(job.frame), self.runtime, _there(job.faces)
        if runtime.settings.aligned:
            with self._timed("crop", job):
                job.crops = crop_whole(frame, runtime.size)
            return
        with self._timed("align", job, len(faces), on_device=False):
            matrices = align(faces, runtime.template, runtime.size, _there(job.found).box_points)
        with self._timed("crop", job, len(faces)):
            job.crops = crop(frame, matrices, runtime.size)

    def launch(self, jobs: Sequence[Job]) -> Batch | None:
        """Queues the network over the jobs' crops, in order; None where they have none."""
        crops = [crop for job in jobs for crop in _there(job.crops).pixels]
        if not crops:
            return None
        span = self.clock.open("generate", items=len(crops))
        try:
            with span:
                return Batch(jobs, self.runtime.generator.launch_no_sync(crops), span)
        except BaseException:
            self.clock.drop(span)
            raise

    def settle(self, batch: Batch | None) -> None:
        """Waits for a launched batch and hands each job its faces; a job with a broken one gets an error."""
        if batch is None:
            return
        span = batch.span
        try:
            with span:
                faces = iter(self.runtime.generator.settle(batch.launched))
        except BaseException:
            self.clock.drop(span)
            raise
        self.clock.close(span)
        for job in batch.jobs:
            job.restored = [next(faces) for _ in _there(job.crops).pixels]
            if job.restored:
                job.timing["generate"] = span.host_ms * len(job.restored) / span.items
            invalid = next((face for face in job.restored if isinstance(face, GenerateError)), None)
            if invalid:
                job.fail(invalid)

    def paste(self, job: Job) -> None:
        """The restored faces into the picture; raises the job's error if its faces have one."""
        if job.error:
            raise job.error
        frame, crops, strength = _there(job.frame), _there(job.crops), self.runtime.settings.strength
        if self.runtime.settings.aligned:
            with device_failures_named("paste"):
                job.result = uncrop_whole(frame, job.restored[0], strength)
            return
        with self._timed("paste", job, len(crops)):
            job.result = paste(frame, _there(job.faces), crops.matrices, job.restored, strength)

    def save(self, job: Job, write: Callable[[Job], None]) -> None:
        """Hands the job to a writer under the clock."""
        with self._timed("save", job, on_device=False):
            write(job)

    def _loaded(self, source: Any) -> Frame:
        settings = self.runtime.settings
        return load(
            source,
            self.runtime.device,
            max_pixels=settings.max_pixels,
            gpu_decode=settings.gpu_decode,
            hashed=self._keyed,
        )

    def _take(self, job: Job, found: Found) -> None:
        frame = _there(job.frame)
        job.found = found
        job.faces = choose(list(found.faces), frame, self.runtime.settings)
        if self.detection_writer:
            name = job.source.name if isinstance(job.source, Path) else ""
            self.detection_writer.add(DetectionEntry(job.content, frame.width, frame.height, found, name))

    @contextmanager
    def _timed(self, stage: str, job: Job, items: int = 1, *, on_device: bool = True) -> Iterator[None]:
        with (
            device_failures_named(stage),
            self.clock.span(stage, items=items, on_device=on_device) as span,
        ):
            yield
        job.timing[stage] = span.host_ms


T = TypeVar("T")


def _there(value: T | None) -> T:
    """A part that an earlier verb has filled in."""
    assert value is not None, "verbs ran out of order"
    return value
