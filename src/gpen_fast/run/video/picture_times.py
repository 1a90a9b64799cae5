"""What pictures do not say of the video that they were: their times, and what is not in them."""

from __future__ import annotations

import json

from gpen_fast.files import write_file
from gpen_fast.run.video.films import DecodedFilm
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.picture_store import PictureStore
from gpen_fast.run.video.plan_frames import TIMES_FILE
from gpen_fast.video.probe import VideoFacts

# Digits after the decimal point of a time, seconds.
_DIGITS = 6


def pictures_notes(film: DecodedFilm, facts: VideoFacts) -> list[str]:
    """What of a video is not in its pictures, as sentences. For after the first frame."""
    notes = []
    others = film.reader.other_streams
    if others:
        notes.append(f"pictures hold no {' and no '.join(others)}: left out.")
    aspect = facts.stream.sample_aspect
    if aspect and aspect != 1:
        notes.append(f"its samples are {aspect} as wide as high; the pictures do not say so.")
    if facts.light or facts.dynamic:
        notes.append("the HDR metadata of the mastering display is left out.")
    return notes


def write_times(film: DecodedFilm, store: PictureStore, item: VideoItem) -> None:
    """Lists when each picture is shown, seconds from the first. That `TIMES_FILE` exists says that all are there."""
    base, first = film.reader.facts.time_base, film.times[0]
    times = {
        store.path(number).name: round(float((pts - first) * base), _DIGITS)
        for number, pts in enumerate(film.times)
    }
    content = {"video": item.source.name, "fps": str(film.reader.facts.rate), "seconds": times}
    write_file(item.target / TIMES_FILE, json.dumps(content, indent=0).encode())
