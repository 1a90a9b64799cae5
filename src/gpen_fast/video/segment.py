"""A few seconds of encoded video: packets with the times of their frames, as bytes and back."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass, field

from gpen_fast.errors import VideoError

_MAGIC = b"GPENFSEG1"
_LENGTH = struct.Struct("<Q")
_HASH_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class EncodedPacket:
    """What an encoder gives for one frame."""

    data: bytes = field(repr=False)
    """The bytes."""
    shown: int
    """Which frame of the segment it holds, counted in the order in which they are shown."""
    is_key: bool
    """Whether decoding can begin with it."""


@dataclass(frozen=True)
class FrameTime:
    """When a frame is shown."""

    pts: int
    """Its time, in the time base of the input's stream."""
    duration: int
    """How long, in the same units; 0 where the file does not say."""


@dataclass(frozen=True)
class EncodedSegment:
    """Frames that follow each other, encoded so that decoding can begin with the first of them."""

    first: int
    """Number of the first frame."""
    times: tuple[FrameTime, ...]
    """One for each frame, in the order in which they are shown."""
    packets: tuple[EncodedPacket, ...]
    """One for each frame, in the order in which they are decoded."""
    counts: dict[str, int] = field(default_factory=dict)
    """What the run counted in these frames, by name."""

    @property
    def reordered(self) -> int:
        """By how many frames packets must precede the moment at which their frames are shown."""
        return max((at - packet.shown for at, packet in enumerate(self.packets)), default=0)

    def to_bytes(self) -> bytes:
        """The segment as the content of a file, with a checksum at its end."""
        head = json.dumps(
            {
                "first": self.first,
                "times": [[time.pts, time.duration] for time in self.times],
                "packets": [[len(each.data), each.shown, int(each.is_key)] for each in self.packets],
                "counts": self.counts,
            }
        ).encode()
        body = b"".join([_MAGIC, _LENGTH.pack(len(head)), head, *(each.data for each in self.packets)])
        return body + hashlib.sha256(body).digest()

    @classmethod
    def from_bytes(cls, content: bytes) -> EncodedSegment:
        """Reads a segment back.

        Raises:
            VideoError: The content is none, or is damaged.
        """
        body, checksum = content[:-_HASH_BYTES], content[-_HASH_BYTES:]
        if not body.startswith(_MAGIC) or hashlib.sha256(body).digest() != checksum:
            raise VideoError("no whole segment of a video.")
        at = len(_MAGIC) + _LENGTH.size
        (length,) = _LENGTH.unpack_from(body, len(_MAGIC))
        head = json.loads(body[at : at + length])
        at += length
        packets = []
        for size, shown, is_key in head["packets"]:
            packets.append(EncodedPacket(body[at : at + size], shown, bool(is_key)))
            at += size
        times = tuple(FrameTime(*time) for time in head["times"])
        return cls(head["first"], times, tuple(packets), head["counts"])
