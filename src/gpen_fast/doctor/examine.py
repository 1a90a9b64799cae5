"""All probes, run: one that breaks is a finding itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpen_fast.doctor import codecs, hardware, packages, plugins, store
from gpen_fast.doctor.findings import BROKEN, Finding, said
from gpen_fast.settings import Settings

Probe = Callable[[Settings], Iterable[Finding]]


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in groups. Never raises: a broken part of the machine must not hide the others."""
    probes: list[tuple[str, Probe]] = [
        ("device", hardware.device),
        ("device", hardware.kernels),
        ("precision", hardware.precisions),
        ("packages", packages.required),
        ("packages", packages.optional),
        ("packages", plugins.listed),
        ("weights", store.network),
        ("weights", store.detector),
        ("weights", store.files),
        ("weights", store.addresses),
        ("codecs", codecs.probe),
        ("space", hardware.space),
    ]
    return [finding for group, probe in probes for finding in _tried(group, probe, settings)]


def _tried(group: str, probe: Probe, settings: Settings) -> Iterator[Finding]:
    try:
        yield from probe(settings)
    except Exception as error:
        yield Finding(group, probe.__name__, BROKEN, said(error), needed=True)
