"""A file that is whole after it is closed, and can be played while it grows, also after the process was killed."""

from __future__ import annotations

from pathlib import Path

from gpen_fast.errors import VideoError, did_you_mean
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.live.encoded import EncodedSink, EncodedTarget

# What is written is handed to the system at once, in pieces of half a second at most: a kill costs no more than that.
_MP4 = {
    "movflags": "hybrid_fragmented+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
_MATROSKA = {"cluster_time_limit": "500", "flush_packets": "1"}
# Suffix -> format and its options.
_FORMATS = {
    ".mp4": ("mp4", _MP4),
    ".m4v": ("mp4", _MP4),
    ".mov": ("mov", _MP4),
    ".mkv": ("matroska", _MATROSKA),
    ".webm": ("webm", _MATROSKA),
    ".ts": ("mpegts", {"flush_packets": "1"}),
}
_KEY_S = 2.0


class FileSink(EncodedSink):
    """Records frames; a file without frames is removed."""

    def __init__(self, out: str, facts: StreamFacts) -> None:
        """Chooses the format by the suffix.

        Args:
            out: The file. It must not exist yet.
            facts: The stream.

        Raises:
            VideoError: The suffix, the folder, or an existing file is in the way.
        """
        path = Path(out)
        found = _FORMATS.get(path.suffix.lower())
        if found is None:
            near = did_you_mean(path.suffix.lower(), _FORMATS) if path.suffix else ""
            raise VideoError(
                f"output {out}: accepted are window, virtual, none, the address of a stream (udp://..., rtmp://...), "
                f"or a file that ends in {', '.join(_FORMATS)}.{near}"
            )
        if path.exists():
            raise VideoError(
                f"{out} exists, and a recording is not replaced: choose another name, or remove it first."
            )
        if not path.parent.is_dir():
            raise VideoError(f"{out}: the folder {path.parent} does not exist. Create it first.")
        container, options = found
        super().__init__(EncodedTarget(out, out, container, options, _KEY_S, is_stream=False), facts)
