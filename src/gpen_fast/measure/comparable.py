"""Whether reports may be compared: what forbids it, and what a reader must know."""

from __future__ import annotations

from collections.abc import Sequence

from gpen_fast.errors import ProfileError
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import DeviceFacts

# Names of architectures: earlier versions wrote one of them in the place of the processor's name.
_ARCHITECTURES = frozenset({"", "x86_64", "AMD64", "i686", "aarch64", "arm64"})
# Settings that say where files lie, and the device as it was asked for, which the device's facts tell better.
_WITHOUT_EFFECT = frozenset({"weights_dir", "offline", "device", "devices", "landmarks"})


def refuse_other_devices(old: Sequence[Report], new: Sequence[Report]) -> None:
    """Raises ProfileError unless all are reports of `profile` on one device with one number of threads."""
    for report in (*old, *new):
        if report.command != "profile":
            raise ProfileError(
                f"a report of {report.command} cannot be compared: its stages overlap. Accepted are reports that "
                "profile writes with --json."
            )
        if report.device is None or report.wall_ms is None or not any(row.count for row in report.stages):
            raise ProfileError(
                "a report without times of stages cannot be compared. Accepted are reports that profile writes with "
                "--json, without --ladder and --sweep."
            )
    first = _device(old[0])
    for report in (*old[1:], *new):
        if other := _other_device(first, _device(report)):
            raise ProfileError(
                f"the reports come from different devices: {other}. Times compare on one device only: measure both "
                "sides there."
            )


def comparison_notes(old: Sequence[Report], new: Sequence[Report]) -> list[str]:
    """What else differs between the first old report and the others, one sentence each."""
    first, notes = old[0], []
    for report in (*old[1:], *new):
        notes += _differences(first, report)
    return list(dict.fromkeys(notes))


def _device(report: Report) -> DeviceFacts:
    assert report.device is not None, "refused before"
    return report.device


def _other_device(old: DeviceFacts, new: DeviceFacts) -> str:
    """What differs; "" for one device."""
    if (old.type, old.name) != (new.type, new.name):
        return f"{old.name!r} and {new.name!r}"
    if {old.processor, new.processor} & _ARCHITECTURES or old.processor == new.processor:
        return "" if old.threads == new.threads else f"{old.threads} threads and {new.threads}"
    return f"processor {old.processor!r} and {new.processor!r}"


def _differences(old: Report, new: Report) -> list[str]:
    notes, one, other = [], _device(old), _device(new)
    for name in ("torch", "cuda", "python"):
        if getattr(one, name) != getattr(other, name):
            notes.append(f"{name} differs: {getattr(one, name)} and {getattr(other, name)}.")
    if old.input_sha256 != new.input_sha256 and old.input_sha256 and new.input_sha256:
        notes.append("The pictures differ: the ratios are of two pictures, not of two versions.")
    if old.faces * new.images != new.faces * old.images:
        faces = [round(each.faces / max(1, each.images), 2) for each in (old, new)]
        notes.append(f"Faces in a picture differ: {faces[0]:g} and {faces[1]:g}.")
    if _networks(old) != _networks(new):
        notes.append("The weights differ.")
    before, after = old.settings or {}, new.settings or {}
    for name in sorted((before.keys() & after.keys()) - _WITHOUT_EFFECT):
        if before[name] != after[name]:
            notes.append(f"Setting {name} differs: {before[name]} and {after[name]}.")
    return notes


def _networks(report: Report) -> list[str | None]:
    return [each.sha256 for each in report.weights or []]
