"""The package's errors. Each message says what came, what is accepted and what to try."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

# How the temporary names of `files.write_file` begin.
_TEMPORARY = ".gpen-fast-"


class GpenError(Exception):
    """Base of every error that gpen-fast raises on purpose."""


class SettingsError(GpenError, ValueError):
    """An option has a value that is not accepted, or two options contradict each other."""


class DeviceError(GpenError, RuntimeError):
    """The requested device or precision is not available."""


class CheckpointError(GpenError, ValueError):
    """A weights file cannot be read as the requested network."""


class WeightsNotFoundError(GpenError, FileNotFoundError):
    """No weights file was found for the requested model."""


class HashError(GpenError, ValueError):
    """A weights file is neither the published one nor one that the user accepted."""


class DownloadError(GpenError, OSError):
    """No source delivered the file, or the file may not be fetched or cannot be stored."""

    failures: tuple[tuple[str, str], ...] = ()
    """Each source that was tried, as it may be shown, and the cause of its failure."""


class StoreError(GpenError, RuntimeError):
    """The weights catalog, a weights file or the user's record of weights cannot be read or written."""


class InstallError(GpenError, ImportError):
    """A package that every run needs is absent, or this system cannot load it."""


class PluginError(GpenError, ImportError):
    """A detector, backend or writer does not exist or lacks its optional dependency."""


class PictureError(GpenError, ValueError):
    """A picture cannot be read, does not fit into memory, or cannot be written."""


class VideoError(GpenError, ValueError):
    """A video cannot be read, or what it holds cannot be written as it was asked for."""


class FileWriteError(GpenError, OSError):
    """A file is read-only, so it is not replaced."""


class OutputError(GpenError, OSError):
    """No result can be written any more: the disk is full, or the output folder is gone. It ends the run."""


class GenerateError(GpenError, RuntimeError):
    """The network's output for a face is not usable."""


class LandmarksError(GpenError, ValueError):
    """A file of landmarks cannot be read, applied or written."""


class ReportError(GpenError, ValueError):
    """A file is no report of a run, or a report of another schema."""


class ProfileError(GpenError, RuntimeError):
    """A process of `profile` failed, or two reports cannot be compared."""


class InputsError(GpenError, ValueError):
    """The inputs and the output of a run do not fit together."""


def did_you_mean(name: str, accepted: Collection[str]) -> str:
    """Returns the end of a message: the nearest accepted name.

    Args:
        name: What came.
        accepted: The names that it could have been.

    Returns:
        A sentence with a space before it; "" if no accepted name is near.
    """
    near = get_close_matches(name, accepted, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def reason(error: Exception, source: Path) -> str:
    """Returns one line that says why a picture failed.

    Args:
        error: What was raised.
        source: The picture. The caller prints it before the line, so the line does not repeat it.
    """
    if isinstance(error, OSError) and error.strerror:
        other = error.filename2 or error.filename
        if other and Path(other).name.startswith(_TEMPORARY):
            other = Path(other).parent  # the user knows the folder, not the temporary name of a result in it
        elsewhere = f" ({other})" if other and Path(other) != source else ""
        return error.strerror.lower() + elsewhere
    return summary(error)


def summary(error: BaseException) -> str:
    """Returns one line for any error: the text of a GpenError, else the error's type and its text."""
    return first_line(error) if isinstance(error, GpenError) else kind_and_line(error)


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's text that is not empty, else the name of its type."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def kind_and_line(error: BaseException) -> str:
    """Returns `ValueError: its first line`, or the type's name alone if the error has no text."""
    kind, line = type(error).__name__, first_line(error)
    return kind if line == kind else f"{kind}: {line}"
