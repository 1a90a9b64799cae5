"""The package's errors. Each message says what came, what is accepted and what to try."""

from __future__ import annotations

from pathlib import Path


class GpenError(Exception):
    """Base of every error that gpen-fast raises on purpose."""


class SettingsError(GpenError, ValueError):
    """A setting has a value that cannot be, or two settings contradict each other."""


class DeviceError(GpenError, RuntimeError):
    """The device or precision that was asked for is not there."""


class CheckpointError(GpenError, ValueError):
    """A weights file cannot be read as the network that was asked for."""


class WeightsNotFoundError(GpenError, FileNotFoundError):
    """No weights file for the model that was asked for."""


class HashError(GpenError, ValueError):
    """A weights file is neither the published one nor one that the user accepted."""


class DownloadError(GpenError, OSError):
    """No source gave the file, or it may not or cannot be stored. failures: each source tried, and its cause."""

    failures: tuple[tuple[str, str], ...] = ()


class StoreError(GpenError, RuntimeError):
    """The weights catalog or the user's record of weights cannot be read or written."""


class PluginError(GpenError, ImportError):
    """A detector, backend or writer does not exist or lacks its optional dependency."""


class PictureError(GpenError, ValueError):
    """A picture cannot be read, held or written."""


class FileWriteError(GpenError, OSError):
    """A file is protected against being replaced."""


class GenerateError(GpenError, RuntimeError):
    """The network gave no usable face."""


class LandmarksError(GpenError, ValueError):
    """A file of landmarks cannot be read, used or written."""


class InputsError(GpenError, ValueError):
    """The inputs and the output of a run cannot work together."""


def reason(error: Exception, source: Path) -> str:
    """One line that says why a picture failed, for after its path."""
    if isinstance(error, OSError) and error.strerror:
        other = error.filename2 or error.filename
        elsewhere = f" ({other})" if other and Path(other) != source else ""
        return error.strerror.lower() + elsewhere
    return first_line(error) if isinstance(error, GpenError) else kind_and_line(error)


def first_line(error: BaseException) -> str:
    """The first line of an error's text that is not empty; its type's name where there is none."""
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)


def kind_and_line(error: BaseException) -> str:
    """`ValueError: its first line`; the type's name alone where the error has no text."""
    kind, line = type(error).__name__, first_line(error)
    return kind if line == kind else f"{kind}: {line}"
