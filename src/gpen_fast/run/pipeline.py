"""One picture's way: load, detect, align, crop, generate, paste, save.

`restore` is the whole of it; `workers` runs the same verbs for many pictures at once. Stages meet the clock here: they
do not know that they are timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from gpen_fast.detections.cache import DetectionWriter, content_key, found_by
from gpen_fast.detections.file_format import DetectionEntry, Found
from gpen_fast.device.failures import device_failures_named
from gpen_fast.errors import GenerateError
from gpen_fast.measure.clock import Clock, Span
from gpen_fast.run.job import (
    Cropped,
    Detected,
    Failed,
    Loaded,
    Pasted,
    PictureSource,
    Restored,
    Written,
    failed,
)
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.upright import turn_upright
from gpen_fast.run.watchdog import Watchdog
from gpen_fast.stages.align import align
from gpen_fast.stages.aligned import crop_whole, uncrop_whole
from gpen_fast.stages.crop import crop
from gpen_fast.stages.detect.base import find_all, missed_note, select_faces, too_large_note
from gpen_fast.stages.generate.runner import Launched
from gpen_fast.stages.load import load
from gpen_fast.stages.need.blend import Blend, blend
from gpen_fast.stages.paste import paste
from gpen_fast.types import Face, Frame

_SMALLER = "the result is smaller than the picture: --skip-detect resizes it to at most {size} pixels a side."


@dataclass(frozen=True, eq=False)
class LaunchedBatch:
    """Pictures whose faces share a network call."""

    pictures: Sequence[Cropped]
    """In the order of their faces in the call."""

    call: tuple[Launched, Span] | None
    """The queued call and its span on the clock; None where no picture has a face."""


@dataclass(frozen=True)
class PictureHooks:
    """What `enhance` does with each picture on its way, beside the stages."""

    prepare: Callable[[PictureSource, Frame], Frame] | None = None
    """Changes a picture that was read, or raises the error of one that cannot be written."""

    check: Callable[[PictureSource, Frame], None] | None = None
    """Raises the error of a picture with faces whose result could not be written."""

    watchdog: Watchdog | None = None
    """Is told what each thread works on."""

    reading: Callable[[Path], object] | None = None
    """Is told of each file just before it is read."""

    hashed: bool = False
    """Files are hashed when they are read, for a journal."""


class Pipeline:
    """The verbs over one device, detector and network, each under the clock."""

    def __init__(
        self,
        runtime: Runtime,
        clock: Clock,
        detection_writer: DetectionWriter | None = None,
        hooks: PictureHooks | None = None,
    ) -> None:
        """Takes what runs the stages.

        Args:
            runtime: The device, detector and network.
            clock: Times every stage.
            detection_writer: Is given the faces that are found.
            hooks: What `enhance` does with pictures on their way; None: nothing.
        """
        self.runtime = runtime
        self.clock = clock
        self._options = runtime.settings
        self._detection_writer = detection_writer
        self._hooks = hooks or PictureHooks()

    def restore(self, source: PictureSource) -> Pasted:
        """Runs every verb but `save` for one picture, and raises its error."""
        picture = self.detect_early(self.load(source))
        detected = picture if isinstance(picture, Detected) else self.detect_now(picture)
        (restored,) = self.settle(self.launch([self.crop(detected)]))
        if isinstance(restored, Failed):
            raise restored.error
        return self.paste(restored)

    def load(self, source: PictureSource) -> Loaded:
        """Reads the picture, and identifies its content where landmarks are read or kept."""
        keyed = bool(self.runtime.detection_cache or self._detection_writer)
        # `load` and `save` count as host work: their copies to and from the device are within their host time.
        with self._busy("reading", source), self._timed("load", [source], on_device=False) as span:
            if self._hooks.reading and source.path:
                self._hooks.reading(source.path)
            frame = load(
                source.picture,
                self.runtime.device,
                max_pixels=self._options.load.max_pixels,
                gpu_decode=self._options.load.gpu_decode,
                hashed=keyed or self._hooks.hashed,
            )
            key = content_key(source.picture, frame) if keyed else ""
            if self._hooks.prepare:
                frame = self._hooks.prepare(source, frame)
        return Loaded(source, frame, key, frame.note, {"load": span.host_ms})

    def detect_early(self, picture: Loaded) -> Loaded | Detected:
        """Detects what needs no device: faces that are known, or a detector that works on the host."""
        cache = self.runtime.detection_cache
        if cache and (found := cache.find(picture.content_key, picture.frame)):
            return self._chosen(picture, found)
        return self.detect_now(picture) if self.runtime.detector.on_host else picture

    def detect_now(self, picture: Loaded) -> Detected:
        """Detects the faces of one picture."""
        return self.detect([picture])[0]

    def detect(self, pictures: Sequence[Loaded]) -> list[Detected]:
        """Detects the faces of several pictures, in one call where the detector takes several."""
        if not pictures:
            return []
        detector, frames = self.runtime.detector, [picture.frame for picture in pictures]
        if self._options.aligned:
            found = find_all(detector, frames)
        else:
            sources, on_device = [picture.source for picture in pictures], not detector.on_host
            busy = self._busy("detecting faces in", sources[0])
            with busy, self._timed("detect", sources, len(sources), on_device=on_device) as span:
                found = find_all(detector, frames)
            pictures = [picture.timed("detect", span.host_ms / len(pictures)) for picture in pictures]
        return [self._noted(picture, faces) for picture, faces in zip(pictures, found, strict=True)]

    def crop(self, picture: Detected) -> Cropped:
        """Aligns the faces and cuts them out."""
        loaded, faces, runtime = picture.picture, picture.faces, self.runtime
        if self._hooks.check and faces:
            self._hooks.check(picture.source, picture.frame)
        if self._options.aligned:
            with self._timed("crop", [picture.source]) as cropping:
                crops = crop_whole(picture.frame, runtime.size)
        else:
            with self._timed("align", [picture.source], len(faces), on_device=False) as aligning:
                matrices = align(faces, runtime.template, runtime.size, picture.found.box_points)
            loaded = loaded.timed("align", aligning.host_ms)
            with self._timed("crop", [picture.source], len(faces)) as cropping:
                crops = crop(picture.frame, matrices, runtime.size)
        return Cropped(loaded.timed("crop", cropping.host_ms), faces, crops)

    def launch(self, pictures: Sequence[Cropped]) -> LaunchedBatch:
        """Queues the network over the pictures' crops, without waiting for the device."""
        crops = [crop for picture in pictures for crop in picture.crops.pixels]
        if not crops:
            return LaunchedBatch(pictures, None)
        with_faces = tuple(picture.source.index for picture in pictures if len(picture.crops))
        span = self.clock.open("generate", items=len(crops), pictures=with_faces)
        with self._busy("the network for", pictures[0].source), self._dropped_on_error(span), span:
            return LaunchedBatch(pictures, (self.runtime.generator.launch_no_sync(crops), span))

    def settle(self, batch: LaunchedBatch) -> list[Restored | Failed]:
        """Waits for a launched batch; a picture with an invalid face has failed."""
        if batch.call is None:
            return [Restored(picture.picture, picture.faces, picture.crops, ()) for picture in batch.pictures]
        launched, span = batch.call
        first = batch.pictures[0].source
        with self._busy("the network for", first), self._dropped_on_error(span), span:
            faces = iter(self.runtime.generator.settle(launched))
        self.clock.close(span)
        per_face = span.host_ms / span.items
        return [_restored(picture, [next(faces) for _ in picture.crops.pixels], per_face)
                for picture in batch.pictures]  # fmt: skip

    def paste(self, picture: Restored) -> Pasted:
        """Blends the restored faces into the picture."""
        loaded, faces, crops, restored = picture.picture, picture.faces, picture.crops, picture.restored
        strength, fades = self._options.paste.strength, picture.fades
        if self._options.aligned:
            # Not under the clock: an aligned picture has no paste stage, so that the table says "skipped".
            with device_failures_named("paste"):
                blended = self._blend(picture)
                face = blended.whole(crops.pixels[0]) if blended else restored[0]
                result = uncrop_whole(loaded.frame, face, strength)
            if result.width * result.height < loaded.frame.width * loaded.frame.height:
                loaded = loaded.noted(_SMALLER.format(size=self.runtime.size))
        else:
            with self._timed("paste", [picture.source], len(crops)) as span:
                blended = self._blend(picture)
                layers, shares = (blended.layers, blended.shares) if blended else (restored, None)
                if blended and blended.known_to_change_nothing:
                    result = loaded.frame
                else:
                    result = paste(loaded.frame, faces, crops.matrices, layers, strength, shares, fades)
            loaded = loaded.timed("paste", span.host_ms)
        return Pasted(loaded, faces, crops, restored, result, blended.use if blended else None)

    def _blend(self, picture: Restored) -> Blend | None:
        """As much of each restored face as it needs; None where all of it is used as the network returned it."""
        options = self._options.paste
        if not picture.restored or not (options.keep_detail or options.keep_colour):
            return None
        return blend(picture.frame, picture.crops, picture.restored, options, picture.need, picture.own)

    def save(
        self, picture: Pasted, write: Callable[[Pasted], Written]
    ) -> tuple[Written, Mapping[str, float]]:
        """Hands the picture to its writer.

        Returns:
            What the writer returned, and the picture's host milliseconds by stage, `save` included.
        """
        busy = self._busy("writing the result of", picture.source)
        with busy, self._timed("save", [picture.source], on_device=False) as span:
            written = write(picture)
        return written, {**picture.timing, "save": span.host_ms}

    def _noted(self, picture: Loaded, faces: Sequence[Face]) -> Detected:
        """The picture with its faces, and a note where the detector may have missed some."""
        detector = self.runtime.detector
        noted = picture.noted(missed_note(faces, picture.frame, detector.bound))
        return self._chosen(noted, found_by(detector, faces, self._options.detect))

    def _chosen(self, picture: Loaded, found: Found) -> Detected:
        """The picture with those of its faces that the options let through; all of them are kept for the file."""
        frame, options = picture.frame, self._options.detect
        if self._detection_writer:
            name = picture.source.path.name if picture.source.path else ""
            self._detection_writer.add(
                DetectionEntry(picture.content_key, frame.width, frame.height, found, name)
            )
        known = None if self._options.aligned else len(found.faces)
        if self._options.paste.upright:
            picture, found = turn_upright(picture, found)
        noted = replace(picture.noted(too_large_note(found.faces, options)), faces_found=known)
        return Detected(noted, found, tuple(select_faces(list(found.faces), picture.frame, options)))

    def _busy(self, doing: str, source: PictureSource) -> AbstractContextManager[None]:
        """Tells the watchdog what this thread works on."""
        if self._hooks.watchdog is None:
            return nullcontext()
        return self._hooks.watchdog.busy(doing, str(source.path or f"picture {source.index}"))

    @property
    def watchdog(self) -> Watchdog | None:
        """What is told what each thread works on; None where nothing watches."""
        return self._hooks.watchdog

    @contextmanager
    def _timed(
        self, stage: str, sources: Sequence[PictureSource], items: int = 1, *, on_device: bool = True
    ) -> Iterator[Span]:
        pictures = tuple(source.index for source in sources)
        timed = self.clock.span(stage, items=items, on_device=on_device, pictures=pictures)
        with device_failures_named(stage), timed as span:
            yield span

    @contextmanager
    def _dropped_on_error(self, span: Span) -> Iterator[None]:
        """A call that fails is not counted; its span's events go back to the clock."""
        try:
            yield
        except BaseException:  # broad: an interrupt too must give the events back; it is raised again
            self.clock.drop(span)
            raise


def _restored(
    picture: Cropped, faces: Sequence[Tensor | GenerateError], per_face_ms: float
) -> Restored | Failed:
    """The picture with what the network gave for its faces; one invalid face fails it."""
    loaded = picture.picture.timed("generate", per_face_ms * len(faces)) if faces else picture.picture
    restored: list[Tensor] = []
    for face in faces:
        if isinstance(face, GenerateError):
            return failed(loaded, face)
        restored.append(face)
    return Restored(loaded, picture.faces, picture.crops, tuple(restored))
