"""Runs all probes; a probe that raises becomes a finding itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpen_fast.doctor import codecs, hardware, packages, plugins, store
from gpen_fast.doctor.findings import BROKEN, Finding
from gpen_fast.errors import summary
from gpen_fast.plugins.install import import_failure
from gpen_fast.settings import WeightsOptions

_Probe = Callable[..., Iterable[Finding]]


def examine(device: str, weights: WeightsOptions) -> list[Finding]:
    """Tries everything that restoring pictures needs or can use.

    Args:
        device: The device to try, as `--device` takes it.
        weights: Where weights are searched and stored, and whether the network may be used.

    Returns:
        Every finding, in groups. It never raises, because one broken part of the machine must not hide the others.
    """
    probes: list[tuple[str, _Probe, tuple[object, ...]]] = [
        ("device", hardware.device, (device,)),
        ("device", hardware.kernels, (device,)),
        ("precision", hardware.precisions, (device,)),
        ("packages", packages.required_packages, ()),
        ("packages", packages.optional_packages, ()),
        ("plug-ins", plugins.listed, ()),
        ("weights", store.network, (weights,)),
        ("weights", store.detector, (device, weights)),
        ("weights", store.files, (weights,)),
        ("weights", store.addresses, (weights,)),
        ("codecs", codecs.probe, (device,)),
        ("space", hardware.space, (device, weights)),
    ]
    return [finding for group, probe, takes in probes for finding in _tried(group, probe, takes)]


def _tried(group: str, probe: _Probe, takes: tuple[object, ...]) -> Iterator[Finding]:
    try:
        yield from probe(*takes)
    except ImportError as error:
        cause, cure = import_failure(error)
        yield Finding(group, probe.__name__, BROKEN, cause, needed=True, mend=cure)
    except Exception as error:  # a broken driver or library can raise anything
        yield Finding(group, probe.__name__, BROKEN, summary(error), needed=True)
