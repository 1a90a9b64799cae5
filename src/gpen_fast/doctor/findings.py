"""What a probe finds, and how all probes are run: one that breaks is a finding itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gpen_fast.settings import Settings

OK, ABSENT, BROKEN = "ok", "absent", "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    state: ok, absent (not there, and that is no fault) or broken. needed: restoring cannot work without it.
    mend: what to do, a command where there is one.
    """

    group: str
    name: str
    state: str
    text: str
    needed: bool = False
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


Probe = Callable[[Settings], Iterable[Finding]]


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in groups. Never raises: a broken part of the machine must not hide the others."""
    from gpen_fast.doctor import codecs, hardware, packages, store

    probes: list[tuple[str, Probe]] = [
        ("device", hardware.device),
        ("device", hardware.kernels),
        ("precision", hardware.precisions),
        ("packages", packages.required),
        ("packages", packages.optional),
        ("weights", store.network),
        ("weights", store.detector),
        ("weights", store.files),
        ("weights", store.addresses),
        ("codecs", codecs.probe),
        ("space", hardware.space),
    ]
    return [finding for group, probe in probes for finding in _tried(group, probe, settings)]


def works(findings: list[Finding]) -> bool:
    """Whether pictures can be restored here."""
    return all(finding.state == OK for finding in findings if finding.needed)


def _tried(group: str, probe: Probe, settings: Settings) -> Iterator[Finding]:
    try:
        yield from probe(settings)
    except Exception as error:
        yield Finding(group, probe.__name__, BROKEN, said(error), needed=True)


def said(error: BaseException) -> str:
    """An exception in one line: its text, or its kind and its text where it is not ours."""
    from gpen_fast.errors import GpenError

    first = next(iter(str(error).splitlines()), "")
    return (
        first if isinstance(error, GpenError) and first else f"{type(error).__name__}: {first}".rstrip(": ")
    )
