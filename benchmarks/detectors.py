"""Compares the detectors with each other and with facexlib's own call: milliseconds and faces found.

Method: the pictures are the examples and, if present, those in ../shared/images, decoded in memory. Each round times,
one after the other, every detector whose weights are present, at its default size and at `full`, in single calls and
in one call of eight pictures. It also times facexlib's `detect_faces` on the whole picture with the same weights. The
times are medians over the rounds, in milliseconds per picture. Each detector counts the faces above its own threshold;
facexlib uses the threshold of the package's detector. The landmarks of two detectors are compared on the faces that
both find: the mean distance of the five points, divided by the distance between the eyes. Compare the times of one run
on one machine only: machines differ, and the speed of one machine drifts.

Usage: python benchmarks/detectors.py [--rounds 5] [--shortest 0] [--longest 6720] [--detectors yunet haar]
           [--pictures DIR] [--device cuda] [--name detectors] [--add]
The group photographs take minutes. On a shared machine, measure them in a separate run and `--add` its rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from stages import HERE, add_commit, results_folder

from gpen_fast import __version__, plugins
from gpen_fast.device.select import pick_device
from gpen_fast.device.streams import synchronize
from gpen_fast.errors import GpenError
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.settings import DetectOptions, WeightsOptions
from gpen_fast.stages.detect.base import Detector, find_all, open_detector
from gpen_fast.stages.load import load
from gpen_fast.store.locate import required
from gpen_fast.types import Face, Frame

SHARED = HERE.parent.parent / "shared" / "images"
SUFFIXES = {".jpg", ".png", ".webp"}
BATCH = 8
# Pixels. Eight larger pictures in one call would need more memory than most machines have.
MAX_BATCH_PIXELS = 2_000_000
# Our detectors that facexlib has too, with its name for their network.
FACEXLIB = {"retinaface": "resnet50", "retinaface-mobile": "mobile0.25"}
CountFaces = Callable[[Frame], int]


def open_all(device: torch.device, names: list[str]) -> dict[tuple[str, str], Detector]:
    """Opens every detector whose weights are present, at both sizes; the keys are (name, size)."""
    detectors = {}
    for name in names:
        for size in ("auto", "full"):
            try:
                options = DetectOptions(name, size)
                detectors[name, size] = open_detector(options, WeightsOptions(), device, "auto")
            except GpenError as error:
                print(f"left out: {name} ({error})")
                break
    return detectors


def facexlib_call(name: str, threshold: float, device: torch.device) -> CountFaces:
    """Returns facexlib's own call, with the weights of detector `name`; it returns the number of faces."""
    from facexlib.detection.retinaface import RetinaFace

    kind = FACEXLIB[name]
    network = RetinaFace(kind, device=device)
    weights = plugins.facts("detect")[name].weights[0]
    state = torch.load(required(weights, WeightsOptions()), map_location="cpu", weights_only=True)
    network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    network.eval()

    def call(frame: Frame) -> int:
        with torch.no_grad():
            return len(network.detect_faces(bgr(frame), threshold))

    return call


def bgr(frame: Frame) -> np.ndarray:
    """Converts to (H,W,3) BGR uint8, which facexlib takes."""
    return np.ascontiguousarray(frame.on_host.expand(3, -1, -1).permute(1, 2, 0).numpy()[:, :, ::-1])


def timed(device: torch.device, call: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the milliseconds of a call, the wait for the device included, and its result."""
    start = time.perf_counter()
    result = call()
    synchronize(device)
    return (time.perf_counter() - start) * 1e3, result


def measure(
    frame: Frame, detectors: dict, theirs: dict, device: torch.device, rounds: int
) -> tuple[list, dict]:
    """Returns one row for each detector and size, and the faces that each one found."""
    times, faces = defaultdict(list), {}
    small = frame.width * frame.height <= MAX_BATCH_PIXELS
    # One warm-up round. Large pictures need none: their time dwarfs the cost of a first call.
    warm = int(small)
    for number in range(rounds + warm):
        for key, detector in detectors.items():
            ms, faces[key] = timed(device, lambda detector=detector: detector(frame))
            times[*key, 1] += [ms] if number >= warm else []
            if small or key[1] == "auto":
                ms, _ = timed(device, lambda detector=detector: find_all(detector, [frame] * BATCH))
                times[*key, BATCH] += [ms / BATCH] if number >= warm else []
        for name, call in theirs.items():
            ms, faces[name, "facexlib"] = timed(device, lambda call=call: call(frame))
            times[name, "facexlib", 1] += [ms] if number >= warm else []
    rows = [
        {
            "detector": name,
            "size": size,
            "ms": median(times[name, size, 1]),
            "ms_in_batch": median(times[name, size, BATCH]),
            "faces": found if isinstance(found, int) else len(found),
        }
        for (name, size), found in faces.items()
    ]
    return rows, faces


def median(values: list[float]) -> float | None:
    """Returns the rounded median; None for an empty list."""
    return round(statistics.median(values), 3) if values else None


def differences(ours: list[Face], others: list[Face]) -> list[float]:
    """Returns one value for each face that both found: the mean landmark distance over the eye distance."""
    distances = []
    for face in ours:
        x, y = face.center
        pair = [o for o in others if o.box[0] < x < o.box[2] and o.box[1] < y < o.box[3]]
        if len(pair) == 1 and face.landmarks is not None and pair[0].landmarks is not None:
            eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
            distances.append(float(np.linalg.norm(pair[0].landmarks - face.landmarks, axis=1).mean() / eyes))
    return distances


def merged(old: list[dict], new: list[dict]) -> list[dict]:
    """Merges the pictures of two runs; a new row replaces the old one of the same picture, detector and size."""
    by_file = {picture["file"]: picture for picture in old}
    for picture in new:
        measured = {(row["detector"], row["size"]) for row in picture["rows"]}
        before = by_file.get(picture["file"], {"rows": []})["rows"]
        kept = [row for row in before if (row["detector"], row["size"]) not in measured]
        by_file[picture["file"]] = (
            by_file.get(picture["file"], {}) | picture | {"rows": [*picture["rows"], *kept]}
        )
    return list(by_file.values())


def print_rows(name: str, frame: Frame, rows: list) -> None:
    """Prints one picture's table."""
    table = Table(
        title=f"{name} {frame.width}x{frame.height}", title_justify="left", box=None, pad_edge=False
    )
    for column in ("detector", "size", "ms", f"ms in {BATCH}", "faces", "times as fast"):
        table.add_column(column, justify="left" if column in {"detector", "size"} else "right")
    theirs = {row["detector"]: row["ms"] for row in rows if row["size"] == "facexlib"}
    for row in rows:
        shown = ["-" if row[key] is None else f"{row[key]:.1f}" for key in ("ms", "ms_in_batch")]
        ratio = theirs[row["detector"]] / row["ms"] if row["detector"] in theirs else None
        table.add_row(
            row["detector"], row["size"], *shown, str(row["faces"]), f"{ratio:.1f}" if ratio else ""
        )
    Console(width=100, highlight=False).print(table)


def summary(pictures: list[dict]) -> list[dict]:
    """Returns, for each detector that facexlib has too, how many times as fast ours is over all pictures."""
    found = []
    for name in FACEXLIB:
        for size in ("auto", "full"):
            by = [{(r["detector"], r["size"]): r for r in picture["rows"]} for picture in pictures]
            pairs = [(rows[name, "facexlib"], rows[name, size]) for rows in by if (name, "facexlib") in rows]
            ratios = [theirs["ms"] / ours["ms"] for theirs, ours in pairs]
            batch = [ours["ms"] / ours["ms_in_batch"] for _, ours in pairs if ours["ms_in_batch"]]
            if ratios:
                found.append({
                    "detector": name, "size": size, "pictures": len(ratios),
                    "times_as_fast_in_all": round(sum(t["ms"] for t, _ in pairs) / sum(o["ms"] for _, o in pairs), 2),
                    "times_as_fast_median": round(statistics.median(ratios), 2),
                    "times_as_fast_least": round(min(ratios), 2),
                    "batch_of_8_over_single_median": round(statistics.median(batch), 2) if batch else None,
                    "same_count_of_faces": sum(theirs["faces"] == ours["faces"] for theirs, ours in pairs),
                })  # fmt: skip
    return found


def landmarks_of(pictures: list[dict]) -> dict:
    """Returns how far yunet's landmarks are from retinaface-mobile's, over the pictures of runs that had both."""
    values = [value for picture in pictures for value in picture.get("yunet_to_mobile", [])]
    if not values:
        return {}
    spread = {"median": statistics.median(values), "p95": float(np.percentile(values, 95))}
    rounded = {name: round(value, 4) for name, value in spread.items()}
    return {"yunet to retinaface-mobile, over the eye distance": {"faces": len(values)} | rounded}


def report(pictures: list[dict]) -> dict:
    """Returns the report: the pictures and their summaries."""
    return {"summary": summary(pictures), "landmarks": landmarks_of(pictures), "pictures": pictures}


def main() -> None:
    """Measures, prints the tables and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="timed calls of each detector on a picture")
    parser.add_argument(
        "--longest", type=int, default=6720, help="skip pictures whose long side has more pixels than this"
    )
    parser.add_argument(
        "--shortest", type=int, default=0, help="skip pictures whose long side has fewer pixels than this"
    )
    parser.add_argument("--pictures", type=Path, default=SHARED, help="folder of further pictures")
    names = [name for name in plugins.names("detect") if name != "none"]
    parser.add_argument("--detectors", nargs="+", choices=names, default=names)
    parser.add_argument("--name", default="detectors", help="name of the report file, without .json")
    parser.add_argument(
        "--add",
        action="store_true",
        help="keep the rows of an existing report that this run does not measure",
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="report file; default <name>.json in the results folder")
    add_commit(parser)
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    detectors = open_all(device, arguments.detectors)
    theirs = {
        name: facexlib_call(name, detector.threshold, device)
        for (name, size), detector in detectors.items()
        if name in FACEXLIB and size == "full"
    }
    path = arguments.json or results_folder(arguments.commit) / f"{arguments.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text())["pictures"] if arguments.add and path.exists() else []
    facts = {"schema": 1, "suite": "detectors", "version": __version__, "commit": commit()}
    facts["device"] = asdict(device_facts(device))
    results, pictures = report(before), []
    files = [HERE.parent / "examples" / name for name in ("astronaut.png", "grace_hopper.jpg")]
    files += sorted(file for file in arguments.pictures.glob("*") if file.suffix in SUFFIXES)
    for file in files:
        frame = load(file, device)
        if not arguments.shortest <= max(frame.width, frame.height) <= arguments.longest:
            continue
        rounds = arguments.rounds if frame.width * frame.height <= MAX_BATCH_PIXELS else 1
        rows, faces = measure(frame, detectors, theirs, device, rounds)
        print_rows(file.name, frame, rows)
        picture = {
            "file": file.name,
            "width": frame.width,
            "height": frame.height,
            "rounds": rounds,
            "rows": rows,
        }
        if ("yunet", "auto") in faces and ("retinaface-mobile", "auto") in faces:
            apart = differences(faces["retinaface-mobile", "auto"], faces["yunet", "auto"])
            picture["yunet_to_mobile"] = [round(value, 4) for value in apart]
        pictures.append(picture)
        # Write after each picture, so that a run that is cut short keeps its rows.
        results = report(merged(before, pictures) if before else pictures)
        write_json(facts | results, path)
    print(json.dumps({key: results[key] for key in ("summary", "landmarks")}, indent=1))


if __name__ == "__main__":
    main()
