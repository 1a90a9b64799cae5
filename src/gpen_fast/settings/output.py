"""What `enhance` writes and where: its options, and the names of formats. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from gpen_fast import plugins
from gpen_fast.errors import SettingsError, did_you_mean

PngLevel = Literal["fast", "small"]
OnClash = Literal["error", "number", "skip"]

PNG_LEVELS: tuple[PngLevel, ...] = get_args(PngLevel)
ON_CLASH: tuple[OnClash, ...] = get_args(OnClash)
FAST: Literal["fast"] = "fast"
SMALL: Literal["small"] = "small"
# The output format that keeps each input's own, beside the formats of the plug-ins.
SAME = "same"


@dataclass(frozen=True)
class OutputOptions:
    """What `enhance` writes, and where."""

    format: str = "png"
    """Format of the results; same is each input's own, or PNG where that cannot be written."""

    quality: int = 95
    """Quality of JPEG and WebP, 1 to 100."""

    save_faces: bool = False
    """Also write each face, before and after, beside the result."""

    overwrite: bool = False
    """Restore again the pictures whose result exists."""

    suffix: str = ""
    """Append this to each result's name, such as _restored; OUT may then be the input folder."""

    in_place: bool = False
    """Replace each picture by its result; there is no OUT. The originals are kept; gpen-fast undo brings them back."""

    save_landmarks: Path | None = None
    """Add the detected faces to this file, for --landmarks."""

    png_level: PngLevel = FAST
    """Compression of PNG, lossless at both levels; small makes files about 4 % smaller and is far slower."""

    on_clash: OnClash = "error"
    """What to do with pictures whose results would have one name: error refuses the run, number appends _2, _3, ...
    in the order of the inputs, skip restores only the first."""

    keep_dates: bool = False
    """Give each result its picture's dates of last change and last access."""

    flatten: str | None = None
    """Put transparent pictures on this colour, such as white or #ffcc00; their results are opaque."""

    no_backup: bool = False
    """With --in-place, keep no originals; gpen-fast undo then cannot bring them back."""

    grey_as_grey: bool = False
    """Write a colour picture whose channels are equal everywhere as grey; not frames that are numbered together."""

    stall_timeout: float | None = None
    """Stop, and name the picture, if one step of one picture takes more seconds than this; not given: any time."""

    def __post_init__(self) -> None:
        if self.stall_timeout is not None and not self.stall_timeout > 0:
            raise SettingsError(f"stall timeout {self.stall_timeout:g}: accepted is above 0 seconds.")
        if self.in_place and self.save_faces:
            raise SettingsError(
                "--save-faces would mix faces with the pictures of --in-place: name an output folder."
            )
        if self.in_place and (self.format != SAME or self.suffix):
            raise SettingsError(
                "--in-place writes each picture under its own name and in its own format: leave --format and "
                "--suffix out."
            )
        if set(self.suffix) & set("/\\\0"):
            raise SettingsError(
                f"suffix {self.suffix!r}: accepted is part of a file's name, such as _restored."
            )
        if self.png_level not in PNG_LEVELS:
            near = did_you_mean(self.png_level, PNG_LEVELS)
            raise SettingsError(f"PNG level {self.png_level!r}: accepted are {', '.join(PNG_LEVELS)}.{near}")
        if self.on_clash not in ON_CLASH:
            near = did_you_mean(self.on_clash, ON_CLASH)
            raise SettingsError(f"on clash {self.on_clash!r}: accepted are {', '.join(ON_CLASH)}.{near}")
        _ = self.ground
        if self.format not in formats():
            near = did_you_mean(self.format, formats())
            raise SettingsError(f"format {self.format!r}: accepted are {', '.join(formats())}.{near}")

    @property
    def ground(self) -> tuple[int, int, int] | None:
        """The colour of `flatten`: red, green and blue, 0..255. Raises SettingsError where it is no colour."""
        if self.flatten is None:
            return None
        from PIL import ImageColor

        try:
            red, green, blue, *alpha = ImageColor.getrgb(self.flatten)
        except ValueError:
            alpha = [0]
        if alpha:
            raise SettingsError(
                f"flatten {self.flatten!r}: accepted is an opaque colour, such as white, '#ffcc00' or 'rgb(255,204,0)'."
            )
        return red, green, blue


def formats() -> list[str]:
    """What `--format` accepts."""
    return [*plugins.names("save"), SAME]


def suffix_of(path: Path) -> str:
    """The name of the format that the suffix means; the lower-case suffix without its dot where it means none."""
    return plugins.format_of(path.suffix.lower().removeprefix("."))
