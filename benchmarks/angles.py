"""Measures how many faces the detectors find in portraits that are turned, and what the search for them costs.

Method: each portrait is turned about its middle by 0 to 345 degrees in steps of 15, on a white ground that holds all of
it; multiples of 90 degrees move its pixels and change none. The right landmarks are those of the first of retinaface,
retinaface-mobile, yunet and lite that is present, in the upright portrait. A face whose mean landmark error is below a
quarter of the eye distance counts as found (for `haar`, which gives boxes, a half); any other detection is false. The
milliseconds are medians of single calls, with and without the search in turn: of the upright portraits, and of parts of
pictures without faces.

Usage: python benchmarks/angles.py [--detectors lite yunet] [--pictures FOLDER] [--step 15]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from landmarks import CPU, SUFFIXES, face_error, frame_of, random_scene, scenes
from stages import HERE, add_commit, results_folder

from gpen_fast import __version__
from gpen_fast.errors import GpenError
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.settings import DetectOptions, WeightsOptions
from gpen_fast.stages.detect.any_angle import open_any_angle
from gpen_fast.stages.detect.base import Detector
from gpen_fast.stages.load import load

DETECTORS = ("retinaface", "retinaface-mobile", "yunet", "lite", "haar")
# Largest mean landmark error of a face that counts as found, as a part of the eye distance: with landmarks, without.
FOUND, FOUND_BY_BOX = 0.25, 0.5
# Pictures with several people are left out.
GROUPS = ("group", "solvay")


def portraits(folder: Path) -> list[np.ndarray]:
    """Reads the portraits, each (H,W,3) uint8: the two examples and the pictures of the folder that show one person."""
    files = [HERE.parent / "examples" / name for name in ("astronaut.png", "grace_hopper.jpg")]
    files += sorted(
        file for file in folder.glob("*") if file.suffix in SUFFIXES and not file.name.startswith(GROUPS)
    )
    frames = [load(file, CPU) for file in files]
    return [frame.pixels.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy() for frame in frames]


def turned(picture: np.ndarray, degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """Turns a picture clockwise; also returns the (2,3) matrix from its pixels to the new ones."""
    height, width = picture.shape[:2]
    # OpenCV's angles are counter-clockwise.
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    across = np.abs(matrix[:, :2]).round(12)
    new_width, new_height = (int(np.ceil(v - 1e-6)) for v in across @ (width, height))
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(picture, -degrees // 90)), matrix
    how = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_CONSTANT, "borderValue": (255, 255, 255)}
    return cv2.warpAffine(picture, matrix, (new_width, new_height), **how), matrix


def right_landmarks(pictures: list[np.ndarray], detectors: dict[str, Detector]) -> list[np.ndarray]:
    """Returns the landmarks of the upright portraits, (5,2) each, as the best detector present finds them."""
    best = next(detectors[name] for name in DETECTORS if name in detectors)
    return [best(frame_of(picture))[0].landmarks for picture in pictures]


def angle_rows(
    detector: Detector, pictures: list[np.ndarray], landmarks: list[np.ndarray], step: int
) -> list[dict]:
    """Counts found and false faces at every angle."""
    least = FOUND if detector.name != "haar" else FOUND_BY_BOX
    rows = []
    for degrees in range(0, 360, step):
        found, false = 0, 0
        for picture, points in zip(pictures, landmarks, strict=True):
            array, matrix = turned(picture, degrees)
            wanted = points @ matrix[:, :2].T + matrix[:, 2]
            faces = detector(frame_of(array))
            hit = any(face_error(face, wanted, detector) < least for face in faces)
            found, false = found + hit, false + len(faces) - hit
        rows.append({"degrees": degrees, "pictures": len(pictures), "found": found, "false": false})
    return rows


def cost(detectors: dict[str, Detector], pictures: list[np.ndarray], rounds: int) -> dict[str, float]:
    """Returns each detector's mean over pictures of the median milliseconds of a call; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in detectors}
    for picture in pictures:
        frame = frame_of(picture)
        taken: dict[str, list[float]] = {name: [] for name in detectors}
        for _ in range(rounds + 1):
            for name, detector in detectors.items():
                start = time.perf_counter()
                detector(frame)
                taken[name].append((time.perf_counter() - start) * 1e3)
        for name, each in taken.items():
            times[name].append(statistics.median(each[1:]))
    return {name: round(statistics.mean(each), 1) for name, each in times.items()}


def opened(name: str, any_angle: bool | None) -> Detector | None:
    """Opens a detector; None where its weights or packages are absent."""
    try:
        return open_any_angle(DetectOptions(name, any_angle=any_angle), WeightsOptions(), CPU, "auto")
    except GpenError as error:
        print(f"{name}: left out. {error}")
        return None


def measured(name: str, wanted: list[np.ndarray], arguments: argparse.Namespace) -> dict | None:
    """Runs every measurement of one detector."""
    both = {"off": opened(name, any_angle=False), "on": opened(name, any_angle=True)}
    if None in both.values():
        return None
    pictures, rng = portraits(arguments.pictures), np.random.default_rng(6)
    empty, backgrounds = [], scenes()
    for _ in range(arguments.scenes):
        empty.append(random_scene(backgrounds, rng))
    return {
        "detector": name,
        "angles": {how: angle_rows(each, pictures, wanted, arguments.step) for how, each in both.items()},
        "false in pictures without faces": {
            how: round(sum(len(each(frame_of(picture))) for picture in empty) / len(empty), 4)
            for how, each in both.items()
        },
        "ms upright": cost(both, pictures, arguments.repeat),
        "ms without faces": cost(both, empty[:8], arguments.repeat),
    }


def main() -> None:
    """Measures, prints the report and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path, default=HERE.parent.parent / "shared" / "images")
    parser.add_argument("--detectors", nargs="+", default=list(DETECTORS))
    parser.add_argument("--step", type=int, default=15, help="degrees from one angle to the next")
    parser.add_argument("--scenes", type=int, default=60, help="number of pictures without faces")
    parser.add_argument("--repeat", type=int, default=3, help="timed calls on each picture")
    parser.add_argument("--name", default="angles", help="name of the report file, without .json")
    add_commit(parser)
    arguments = parser.parse_args()
    present = {name: detector for name in DETECTORS if (detector := opened(name, any_angle=False))}
    wanted = right_landmarks(portraits(arguments.pictures), present)
    rows = [measured(name, wanted, arguments) for name in arguments.detectors]
    report = {
        "schema": 1, "suite": "angles", "version": __version__, "commit": commit(),
        "device": asdict(device_facts(CPU)), "detectors": [row for row in rows if row],
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    write_json(report, results_folder(arguments.commit) / f"{arguments.name}.json")


if __name__ == "__main__":
    main()
