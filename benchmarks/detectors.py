"""Every detector, beside facexlib's own call: milliseconds and faces found.

Method. Decoded pictures in memory: the examples, and those in ../shared/images if present. Each counted round times,
one after the other, every detector whose weights are present (at its default size and at `full`), in single calls and
in one call of eight, and facexlib's `detect_faces` on the whole picture with the same weights. Figures are medians of
the rounds, milliseconds per picture. Each detector's faces are counted at its own threshold, facexlib's at the
threshold of the detector with the same weights. Landmarks of two detectors are compared on the faces that both found:
the mean distance of the five points over the eye distance. Compare figures of one run on one machine only.

Usage: python benchmarks/detectors.py [--rounds 5] [--shortest 0] [--longest 6720] [--detectors yunet haar]
           [--pictures DIR] [--device cuda] [--name detectors] [--add]

The group photographs take minutes. On a shared machine measure them in a run of their own, and add its rows by
`--add`."""

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
from stages import HERE, machine

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
# Pixels. A batch of eight larger pictures at full size would exceed the memory of most machines.
MOST_BATCH_PIXELS = 2_000_000
FACEXLIB = {"retinaface": "resnet50", "retinaface-mobile": "mobile0.25"}
Boxes = Callable[[Frame], int]


def opened(device: torch.device, names: list[str]) -> dict[tuple[str, str], Detector]:
    """Every detector that can be opened, by name and size."""
    found = {}
    for name in names:
        for size in ("auto", "full"):
            try:
                options = DetectOptions(name, size)
                found[name, size] = open_detector(options, WeightsOptions(), device, "auto")
            except GpenError as error:
                print(f"left out: {name} ({error})")
                break
    return found


def facexlibs(name: str, threshold: float, device: torch.device) -> Boxes:
    """facexlib's own call with the weights of detector `name`; returns the number of faces."""
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
    """The picture as facexlib takes it: BGR, uint8."""
    return np.ascontiguousarray(frame.on_host.expand(3, -1, -1).permute(1, 2, 0).numpy()[:, :, ::-1])


def timed(device: torch.device, call: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of a call, with the device synchronised, and its result."""
    start = time.perf_counter()
    result = call()
    synchronize(device)
    return (time.perf_counter() - start) * 1e3, result


def measure(
    frame: Frame, detectors: dict, theirs: dict, device: torch.device, rounds: int
) -> tuple[list, dict]:
    """One row for each detector and size, and the faces that each detected."""
    times, faces = defaultdict(list), {}
    small = frame.width * frame.height <= MOST_BATCH_PIXELS
    warm = int(small)  # the first round is for warming up, where that is not little beside the work
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
    """The median, rounded; None without values."""
    return round(statistics.median(values), 3) if values else None


def differences(ours: list[Face], others: list[Face]) -> list[float]:
    """Mean landmark distance over the eye distance, for each face that both detected."""
    made = []
    for face in ours:
        x, y = face.center
        pair = [o for o in others if o.box[0] < x < o.box[2] and o.box[1] < y < o.box[3]]
        if len(pair) == 1 and face.landmarks is not None and pair[0].landmarks is not None:
            eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
            made.append(float(np.linalg.norm(pair[0].landmarks - face.landmarks, axis=1).mean() / eyes))
    return made


def added(old: list[dict], new: list[dict]) -> list[dict]:
    """The rows of two runs; a new row replaces an old one of the same picture, detector and size."""
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
    """Speed-up over facexlib for each detector that facexlib has too, over all pictures."""
    made = []
    for name in FACEXLIB:
        for size in ("auto", "full"):
            by = [{(r["detector"], r["size"]): r for r in picture["rows"]} for picture in pictures]
            pairs = [(rows[name, "facexlib"], rows[name, size]) for rows in by if (name, "facexlib") in rows]
            ratios = [theirs["ms"] / ours["ms"] for theirs, ours in pairs]
            batch = [ours["ms"] / ours["ms_in_batch"] for _, ours in pairs if ours["ms_in_batch"]]
            if ratios:
                made.append({
                    "detector": name, "size": size, "pictures": len(ratios),
                    "times_as_fast_in_all": round(sum(t["ms"] for t, _ in pairs) / sum(o["ms"] for _, o in pairs), 2),
                    "times_as_fast_median": round(statistics.median(ratios), 2),
                    "times_as_fast_least": round(min(ratios), 2),
                    "batch_of_8_over_single_median": round(statistics.median(batch), 2) if batch else None,
                    "same_count_of_faces": sum(theirs["faces"] == ours["faces"] for theirs, ours in pairs),
                })  # fmt: skip
    return made


def landmarks_of(pictures: list[dict]) -> dict:
    """Distance of yunet's landmarks from retinaface-mobile's, over all pictures measured with both in one run."""
    values = [value for picture in pictures for value in picture.get("yunet_to_mobile", [])]
    if not values:
        return {}
    spread = {"median": statistics.median(values), "p95": float(np.percentile(values, 95))}
    rounded = {name: round(value, 4) for name, value in spread.items()}
    return {"yunet to retinaface-mobile, over the eye distance": {"faces": len(values)} | rounded}


def report(pictures: list[dict]) -> dict:
    """The pictures' rows and the summary over all of them."""
    return {"summary": summary(pictures), "landmarks": landmarks_of(pictures), "pictures": pictures}


def main() -> None:
    """Measures, prints the tables and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--longest", type=int, default=6720, help="skip pictures with a longer side")
    parser.add_argument("--shortest", type=int, default=0, help="skip pictures with a shorter long side")
    parser.add_argument("--pictures", type=Path, default=SHARED)
    names = [name for name in plugins.names("detect") if name != "none"]
    parser.add_argument("--detectors", nargs="+", choices=names, default=names)
    parser.add_argument("--name", default="detectors", help="name of the results file")
    parser.add_argument(
        "--add", action="store_true", help="keep the file's rows that this run does not measure"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="report file; default results/<machine>/<name>.json")
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    detectors = opened(device, arguments.detectors)
    theirs = {
        name: facexlibs(name, detector.threshold, device)
        for (name, size), detector in detectors.items()
        if name in FACEXLIB and size == "full"
    }
    path = arguments.json or HERE / "results" / machine() / f"{arguments.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text())["pictures"] if arguments.add and path.exists() else []
    facts = {"schema": 1, "suite": "detectors", "version": __version__, "commit": commit()}
    facts["device"] = asdict(device_facts(device))
    made, pictures = report(before), []
    files = [HERE.parent / "examples" / name for name in ("astronaut.png", "grace_hopper.jpg")]
    files += sorted(file for file in arguments.pictures.glob("*") if file.suffix in SUFFIXES)
    for file in files:
        frame = load(file, device)
        if not arguments.shortest <= max(frame.width, frame.height) <= arguments.longest:
            continue
        rounds = arguments.rounds if frame.width * frame.height <= MOST_BATCH_PIXELS else 1
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
        # Written after each picture, because a run may be cut short.
        made = report(added(before, pictures) if before else pictures)
        write_json(facts | made, path)
    print(json.dumps({key: made[key] for key in ("summary", "landmarks")}, indent=1))


if __name__ == "__main__":
    main()
