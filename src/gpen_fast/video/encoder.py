"""Encodes frames into segments: each begins with a key frame and needs nothing of the segments before it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec.context import Flags
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext

from gpen_fast.errors import VideoError
from gpen_fast.video.codecs import HARDWARE, Encoding
from gpen_fast.video.colour import converted
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.hdr import hdr_options
from gpen_fast.video.probe import HdrLight
from gpen_fast.video.segment import EncodedPacket, EncodedSegment, FrameTime

# Rates that MPEG-1 and MPEG-2 can say (ISO/IEC 13818-2, table 6-4).
_MPEG_RATES = tuple(Fraction(*each) for each in (
    (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1)))  # fmt: skip
# The quantiser's unit (FF_QP2LAMBDA).
_LAMBDA = 118
_FULL_RANGE, _LIMITED_RANGE = 2, 1


@dataclass(frozen=True)
class EncodedStream:
    """What every segment of a stream, and the stream that they are joined to, have in common."""

    encoding: Encoding
    """The encoder and its options."""
    facts: StreamFacts
    """The input's stream: its size, rate and colour."""
    global_header: bool
    """The container keeps the codec's headers apart from the packets."""
    light: HdrLight | None = None
    """HDR metadata to keep."""

    @property
    def rate(self) -> Fraction:
        """The rate that the encoder is told: frames are numbered by it, their times are kept apart."""
        rate = self.facts.rate
        if self.encoding.codec == "mpeg2video":
            return min(_MPEG_RATES, key=lambda known: abs(known - rate))
        return rate.limit_denominator(1001)

    @property
    def all_options(self) -> dict[str, str]:
        """The encoder's options with those of the HDR metadata."""
        return hdr_options(self.encoding, self.light)

    def configure(self, context: VideoCodecContext) -> None:
        """Sets an encoder up that is not open yet."""
        facts, encoding = self.facts, self.encoding
        context.width, context.height = facts.width, facts.height
        context.pix_fmt = encoding.pixel_format
        context.framerate = self.rate
        context.time_base = 1 / self.rate
        if facts.sample_aspect:
            context.sample_aspect_ratio = facts.sample_aspect
        colour = facts.colour
        context.color_range = self.range
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        if not av.VideoFormat(encoding.pixel_format).is_rgb:
            context.colorspace = colour.matrix
        if self.global_header:
            context.flags |= Flags.global_header
        if encoding.quantiser is not None:
            context.flags |= Flags.qscale
            context.global_quality = round(encoding.quantiser * _LAMBDA)
        context.options = self.all_options

    @property
    def range(self) -> int:
        """The range's tag of the result; a format of full range says it itself."""
        layout = self.encoding.pixel_format
        return _FULL_RANGE if layout.startswith("yuvj") else self.facts.colour.range


class SegmentEncoder:
    """Encodes the frames of one segment."""

    def __init__(self, stream: EncodedStream, first: int) -> None:
        """Opens the encoder.

        Args:
            stream: What is encoded how.
            first: Number of the segment's first frame.

        Raises:
            VideoError: The encoder refuses its options.
        """
        self._stream = stream
        self._first = first
        self._times: list[FrameTime] = []
        self._packets: list[EncodedPacket] = []
        context = av.CodecContext.create(stream.encoding.encoder, "w")
        assert isinstance(context, VideoCodecContext), "ENCODERS lists video encoders"
        self._context = context
        stream.configure(context)
        try:
            self._context.open()
        except (av.error.FFmpegError, ValueError) as error:
            if stream.encoding.encoder in HARDWARE:
                raise VideoError(
                    f"{stream.encoding.encoder} cannot encode here: its device or driver is missing, or refuses "
                    f"{stream.facts.width}x{stream.facts.height} {stream.encoding.pixel_format} with these options. "
                    f"Choose --codec {stream.encoding.codec}, which needs none."
                ) from error
            options = ", ".join(f"{name}={value}" for name, value in stream.all_options.items())
            raise VideoError(
                f"{stream.encoding.encoder} refuses {stream.facts.width}x{stream.facts.height} "
                f"{stream.encoding.pixel_format} with the options {options or '(none)'}: {error.strerror}. "
                "Check --crf and --preset, or choose another --codec."
                if isinstance(error, av.error.FFmpegError)
                else str(error)
            ) from error

    @property
    def frames(self) -> int:
        """Frames so far."""
        return len(self._times)

    @property
    def size(self) -> int:
        """Bytes of the packets so far."""
        return sum(len(each.data) for each in self._packets)

    @property
    def first_pts(self) -> int:
        """The time of the segment's first frame."""
        return self._times[0].pts

    def encode(self, frame: av.VideoFrame, time: FrameTime) -> None:
        """Encodes one more frame.

        Args:
            frame: In the input's size; it is converted to the encoder's format.
            time: When it is shown, after the frame before.
        """
        given = converted(frame, self._stream.encoding.pixel_format)
        if given is frame:
            given.make_writable()
        given.pts, given.time_base = len(self._times), 1 / self._stream.rate
        given.pict_type = 0  # the encoder decides
        self._times.append(time)
        self._take(self._context.encode(given))

    def finish(self, counts: dict[str, int]) -> EncodedSegment:
        """Ends the segment.

        Args:
            counts: What was counted in its frames.

        Raises:
            VideoError: The encoder gave another number of packets than it took frames.
        """
        self._take(self._context.encode(None))
        if sorted(each.shown for each in self._packets) != list(range(len(self._times))):
            raise VideoError(
                f"{self._stream.encoding.encoder} made {len(self._packets)} packets of {len(self._times)} frames, so "
                "frames would be lost. Choose another --codec."
            )
        return EncodedSegment(self._first, tuple(self._times), tuple(self._packets), counts)

    def _take(self, packets: list[av.Packet[Stream]]) -> None:
        for packet in packets:
            if packet.pts is None:
                raise VideoError(f"{self._stream.encoding.encoder} gives packets without times.")
            self._packets.append(EncodedPacket(bytes(packet), packet.pts, packet.is_keyframe))
