"""HDR metadata as the options of the encoders that write it."""

from __future__ import annotations

from gpen_fast.video.codecs import Encoding
from gpen_fast.video.probe import HdrLight

# Units of the primaries and of the luminance in H.265's message and in x264's: 0.00002 and 0.0001 cd/m2.
_POINT, _CANDELA = 50_000, 10_000
# Encoder -> the option that takes its parameters.
_PARAMETERS = {"libx265": "x265-params", "libx264": "x264-params", "libsvtav1": "svtav1-params"}


def hdr_options(encoding: Encoding, light: HdrLight | None) -> dict[str, str]:
    """The encoder's options with the HDR metadata.

    Args:
        encoding: The encoder.
        light: The metadata; None adds nothing.
    """
    options, name = dict(encoding.options), _PARAMETERS.get(encoding.encoder)
    if light is None or name is None:
        return options
    given = [options[name]] if name in options else []
    options[name] = ":".join([*given, *_parameters(encoding.encoder, light)])
    return options


def keeps_light(encoding: Encoding) -> bool:
    """Whether the encoder writes the metadata of the mastering display."""
    return encoding.encoder in _PARAMETERS


def _parameters(encoder: str, light: HdrLight) -> list[str]:
    made = []
    if light.primaries and light.luminance:
        red, green, blue, white = (light.primaries[at : at + 2] for at in range(0, 8, 2))
        named = zip("GBR", (green, blue, red), strict=True)
        low, high = light.luminance
        if encoder == "libsvtav1":
            points = "".join(f"{name}({x:.4f},{y:.4f})" for name, (x, y) in named)
            points += f"WP({white[0]:.4f},{white[1]:.4f})L({high:.4f},{low:.4f})"
        else:
            points = "".join(f"{name}({round(x * _POINT)},{round(y * _POINT)})" for name, (x, y) in named)
            points += f"WP({round(white[0] * _POINT)},{round(white[1] * _POINT)})"
            points += f"L({round(high * _CANDELA)},{round(low * _CANDELA)})"
        made.append(f"{_MASTERING[encoder]}={points}")
    if light.content:
        made.append(f"{_CONTENT[encoder]}={light.content[0]},{light.content[1]}")
    return made


_MASTERING = {"libx265": "master-display", "libx264": "mastering-display", "libsvtav1": "mastering-display"}
_CONTENT = {"libx265": "max-cll", "libx264": "cll", "libsvtav1": "content-light"}
