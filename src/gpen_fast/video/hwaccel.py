"""Decoding by the graphics card or processor, where this build of FFmpeg and the machine have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

# What `auto` tries, in this order.
_ORDER = ("cuda", "videotoolbox", "d3d11va", "vaapi")
_MISSING = "decoded in software: "


def opened_with(
    name: str, path: str, available: Callable[[], Sequence[str]] = hwdevices_available
) -> tuple[InputContainer | None, str]:
    """Opens a file whose frames a device decodes; they come back in the host's memory.

    Args:
        name: A kind of device, auto for the first that there is, or none.
        path: The file.
        available: Lists the kinds that this build of FFmpeg has.

    Returns:
        The file, or None where it is to be decoded in software; and why that is so, as a sentence: empty for `none`
        and where a device decodes.
    """
    if name == "none":
        return None, ""
    kinds = set(available())
    wanted = [kind for kind in _ORDER if kind in kinds] if name == "auto" else [name]
    why = "this build of FFmpeg has none of " + ", ".join(_ORDER)
    for kind in wanted:
        if kind not in kinds:
            why = f"this build of FFmpeg has no {kind}; it has {', '.join(sorted(kinds)) or 'none'}"
            continue
        try:
            opened = av.open(path, "r", metadata_errors="replace", hwaccel=HWAccel(kind, None, True))
        except (av.error.FFmpegError, OSError, RuntimeError, ValueError):
            # Either the device is not there, or the file cannot be opened at all, which software will say.
            why = f"no {kind} device or driver is usable here"
            continue
        if any(stream.codec_context.is_hwaccel for stream in opened.streams.video):
            return opened, ""
        opened.close()
        why = f"{kind} does not decode this codec here"
    return None, f"{_MISSING}{why}."
