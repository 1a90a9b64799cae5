"""The single times that a report keeps."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from reports import recorder_of, span_of

from gpen_fast.measure.samples import SAMPLES_KEPT, inputs_sha256, process_samples


def test_every_call_of_a_short_run_is_kept_in_its_order() -> None:
    recorder = recorder_of(load=2.0, save=5.0)
    recorder.add(span_of("load", 3.0))
    made = process_samples(recorder, [10.0, 11.123456])
    assert made.host_ms == {"load": [2.0, 3.0], "save": [5.0]}
    assert made.wall_ms == [10.0, 11.1235]
    assert made.device_ms == {}
    assert abs((datetime.now(UTC) - datetime.fromisoformat(made.ended)).total_seconds()) < 60


def test_device_times_are_kept_where_there_are_any() -> None:
    recorder = recorder_of(load=2.0)
    span = span_of("paste", 3.0)
    recorder.add(span)
    recorder.add_device(span, 2.5)
    assert process_samples(recorder, [5.0]).device_ms == {"paste": [2.5]}


def test_a_long_run_keeps_a_bounded_even_choice() -> None:
    kept = process_samples(recorder_of(), [float(at) for at in range(10 * SAMPLES_KEPT + 1)]).wall_ms
    assert len(kept) <= SAMPLES_KEPT
    assert (kept[0], kept[-1] > 9 * SAMPLES_KEPT) == (0.0, True)
    assert len({round(b - a) for a, b in pairwise(kept)}) == 1


def test_the_hash_tells_pictures_apart_whatever_their_names(tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, content in zip(names, (b"one", b"two", b"one"), strict=True):
        path.write_bytes(content)
    a, b, c = names
    assert inputs_sha256([a]) == hashlib.sha256(b"one").hexdigest() == inputs_sha256([c])
    assert inputs_sha256([a, b]) == inputs_sha256([c, b]) != inputs_sha256([b, a])
