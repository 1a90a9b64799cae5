"""How the restored stream of a film is encoded, and the output file that its segments are joined to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av

from gpen_fast.files import fill_file
from gpen_fast.run.video.films import PICTURES_CODEC
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.settings import VideoOptions
from gpen_fast.video.codecs import EncodingWish, choose_encoding
from gpen_fast.video.encoder import EncodedStream
from gpen_fast.video.hdr import keeps_light
from gpen_fast.video.pictures import picture_layout, picture_tags
from gpen_fast.video.probe import VideoFacts
from gpen_fast.video.writer import Cut, OutputShape, write_joined

# Flag of a container that keeps the codec's headers apart (AVFMT_GLOBALHEADER).
_GLOBAL_HEADER = 0x40


def encoded_stream(facts: VideoFacts, item: VideoItem, options: VideoOptions) -> EncodedStream:
    """How the restored stream of a video is encoded.

    Raises:
        VideoError: What was asked for does not exist here, or does not fit together.
    """
    stream, shape = facts.stream, (facts.stream.width, facts.stream.height)
    wish = EncodingWish(options.codec, options.crf, options.preset, options.pixel_format)
    layout = stream.pixel_format
    if item.sequence is not None:
        deep, alpha = layout.endswith("16le"), layout.startswith("gbra")
        layout = picture_layout(options.codec, shape, deep=deep, alpha=alpha)
    encoding = choose_encoding(wish, stream.codec, layout, stream.profile, shape, item.container)
    if item.sequence is not None:
        stream = replace(stream, colour=picture_tags(encoding.pixel_format, stream.height))
    flags = av.format.ContainerFormat(item.container, "w").flags
    return EncodedStream(encoding, stream, bool(flags & _GLOBAL_HEADER), facts.light)


def join_segments(
    item: VideoItem, facts: VideoFacts, stream: EncodedStream, store: SegmentStore, options: VideoOptions
) -> list[str]:
    """Writes the output from the segments, and removes these; returns what of the input is not in it, as sentences."""
    notes: list[str] = []
    cut = Cut() if item.sequence is not None else _cut(stream, store, options)
    shape = OutputShape(item.container, stream, facts.display_matrix, cut)
    reordered = max(each.reordered for each in store.segments)
    source = None if item.sequence is not None else item.source
    fill_file(
        item.target,
        lambda file: notes.extend(write_joined(file, shape, source, store.read(), reordered)),
    )
    store.remove()
    return notes


def encoding_notes(facts: VideoFacts, stream: EncodedStream, *, chosen: bool) -> Iterator[str]:
    """What a user may not expect of the output. chosen: the user named the codec."""
    encoding = stream.encoding
    if facts.light and not keeps_light(encoding):
        yield f"{encoding.codec} does not hold the HDR metadata of the mastering display: it is left out."
    if facts.dynamic:
        yield f"the {facts.dynamic} metadata of each frame is left out: no encoder here writes it."
    is_pictures = facts.stream.codec == PICTURES_CODEC
    if encoding.codec != facts.stream.codec and not chosen and not is_pictures:
        yield f"written as {encoding.codec}; the input is {facts.stream.codec}."
    has_alpha = any(part.is_alpha for part in av.VideoFormat(encoding.pixel_format).components)
    if is_pictures and facts.stream.pixel_format.startswith("gbra") and not has_alpha:
        yield f"alpha is left out: {encoding.pixel_format} holds none. --codec prores or ffv1 keeps it."


def shown_seconds(stream: EncodedStream, store: SegmentStore) -> float:
    """How long the frames are shown that are done."""
    if not store.segments:
        return 0.0
    first, last = store.segments[0].begin, store.segments[-1].end
    return float((last - first) * stream.facts.time_base)


def _cut(stream: EncodedStream, store: SegmentStore, options: VideoOptions) -> Cut:
    """The part of the input that was asked for; its first frame is shown at zero."""
    if options.start is None and options.end is None:
        return Cut()
    first = last = None
    for segment in store.read():
        first = segment.times[0] if first is None else first
        last = segment.times[-1]
    assert first is not None and last is not None, "a complete store has frames"
    base = stream.facts.time_base
    begin = first.pts * base if options.start is not None else None
    step = last.duration * base or 1 / stream.facts.rate
    end = last.pts * base + step if options.end is not None else None
    return Cut(begin, end, begin or Fraction(0))
