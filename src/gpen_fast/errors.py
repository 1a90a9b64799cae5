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
    text = next(iter(str(error).splitlines()), "")
    return (
        text if isinstance(error, GpenError) else f"{type(error).__name__}: {text}" if text else repr(error)
    )
