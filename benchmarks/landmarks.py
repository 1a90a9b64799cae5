"""Measures the embedded detector `lite`: landmark errors, faces found, false faces and milliseconds.

Method: the held-out portraits are those of a training folder (manifest.csv) that no weights were trained on. An error
is the mean distance of the five landmarks from the manifest's, divided by the distance between the eyes.

- windows: the network alone, in windows as inexact as the cascades' boxes, with two passes, as
  `python -m gpen_fast.training landmarks test` runs it.
- crops: the whole detector on the same faces, rotated by up to 30 degrees.
- pasted: each portrait, scaled to a side of 64 to 400 pixels and pasted at a random place on a part of a real picture
  that has no faces and that training did not see. A face whose error is below 0.25 counts as found; any other detection
  counts as false.
- scenes: parts of the same pictures, without a portrait.
- pictures: photographs, compared with the faces and landmarks of RetinaFace if its weights are present. The times are
  medians of single calls.

Usage: python benchmarks/landmarks.py [--data FOLDER] [--pictures FOLDER] [--detectors lite haar] [--drawn FOLDER]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
from stages import HERE, add_commit, results_folder

from gpen_fast import __version__
from gpen_fast.errors import GpenError
from gpen_fast.measure.environment import commit, device_facts
from gpen_fast.measure.export.json import write_json
from gpen_fast.settings import DetectOptions, WeightsOptions
from gpen_fast.stages.align import landmarks_of
from gpen_fast.stages.detect.base import Detector, open_detector
from gpen_fast.stages.detect.cascade.landmark_net import read_net
from gpen_fast.stages.load import load
from gpen_fast.store.locate import required
from gpen_fast.training.data import HELD_OUT, read_faces, read_manifest
from gpen_fast.training.landmarks.metrics import held_out_rows, landmark_error, roll_face
from gpen_fast.types import Face, Frame

CPU = torch.device("cpu")
SHARED = HERE.parent.parent / "shared"
SUFFIXES = {".jpg", ".png", ".webp"}
# Pictures of scikit-image without faces. Training cuts its non-faces from other pictures.
SCENES = ("chelsea.png", "coffee.png", "gravel.png", "rocket.jpg")
# Smallest and largest side of a pasted portrait, in pixels.
SIDES = (64, 400)
# Height and width of a scene, in pixels.
SCENE = (600, 800)
# A detection whose error is below this share of the eye distance counts as found.
FOUND = 0.25
# Detectors that serve as reference, best first.
REFERENCES = ("retinaface", "retinaface-mobile", "yunet")


def frame_of(picture: np.ndarray) -> Frame:
    """Converts (H,W,3) uint8 to a frame, which the detectors take."""
    return Frame(torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1))


def points_of(face: Face, detector: Detector) -> np.ndarray:
    """Returns (5,2): the face's landmarks or, without any, the points of its box that alignment uses."""
    return landmarks_of(face, detector.box_points)


def face_error(face: Face, wanted: np.ndarray, detector: Detector) -> float:
    """Returns a face's mean landmark distance from `wanted` over the eye distance."""
    return landmark_error(points_of(face, detector), wanted)


def scenes() -> list[np.ndarray]:
    """Loads the pictures without faces, each (H,W,3) uint8."""
    import skimage
    from PIL import Image

    folder = Path(skimage.__file__).parent / "data"
    return [np.asarray(Image.open(folder / name).convert("RGB")) for name in SCENES]


def random_scene(pictures: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Returns (600,800,3): a random part of a random picture, mirrored half of the time.

    The picture is enlarged by at most 2, or by what it needs to cover the scene.
    """
    picture = pictures[rng.integers(len(pictures))]
    height, width = picture.shape[:2]
    least = max(SCENE[0] / height, SCENE[1] / width)
    scale = max(least, rng.uniform(1.0, 2.0))
    large = cv2.resize(picture, None, fx=scale + 1e-3, fy=scale + 1e-3, interpolation=cv2.INTER_CUBIC)
    top = rng.integers(large.shape[0] - SCENE[0] + 1)
    left = rng.integers(large.shape[1] - SCENE[1] + 1)
    cut = large[top : top + SCENE[0], left : left + SCENE[1]]
    return cut[:, ::-1].copy() if rng.random() < 0.5 else cut.copy()


def pasted(data: Path, rounds: int) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Yields scenes with one held-out portrait each, the portrait's landmarks in the scene, and its side."""
    portraits = read_manifest(data, HELD_OUT)
    faces, pictures, rng = read_faces(data, portraits, 256), scenes(), np.random.default_rng(5)
    for _ in range(rounds):
        for face, portrait in zip(faces, portraits, strict=True):
            side = round(float(np.exp(rng.uniform(*np.log(SIDES)))))
            how = cv2.INTER_AREA if side < 256 else cv2.INTER_CUBIC
            small = cv2.resize(face, (side, side), interpolation=how)
            scene = random_scene(pictures, rng)
            top, left = rng.integers(SCENE[0] - side + 1), rng.integers(SCENE[1] - side + 1)
            scene[top : top + side, left : left + side] = small
            landmarks = (portrait.landmarks + 0.5) * (side / 256) - 0.5 + (left, top)
            yield scene, landmarks, side


def measure_pasted(detector: Detector, data: Path, rounds: int) -> dict:
    """Counts found and false faces over all pasted portraits, and their errors."""
    found, false, errors, missed, count = 0, 0, [], [], 0
    for scene, landmarks, side in pasted(data, rounds):
        faces = detector(frame_of(scene))
        all_errors = sorted(face_error(face, landmarks, detector) for face in faces)
        hit = bool(all_errors) and all_errors[0] < FOUND
        found, false, count = found + hit, false + len(faces) - hit, count + 1
        errors += all_errors[:1] if hit else []
        missed += [] if hit else [side]
    return {
        "pictures": count, "found": round(found / count, 4), "false_per_picture": round(false / count, 4),
        **spread(errors), "sides_of_missed": sorted(missed),
    }  # fmt: skip


def measure_scenes(detector: Detector, number: int) -> dict:
    """Counts the detections in pictures without faces: all of them are false."""
    pictures, rng = scenes(), np.random.default_rng(6)
    false = [len(detector(frame_of(random_scene(pictures, rng)))) for _ in range(number)]
    return {"pictures": number, "false_per_picture": round(sum(false) / number, 4)}


def measure_crops(detector: Detector, data: Path) -> dict:
    """Measures the whole detector on portraits rotated by random angles of up to 30 degrees."""
    portraits, rng = read_manifest(data, HELD_OUT), np.random.default_rng(7)
    errors, false = [], 0
    for face, portrait in zip(read_faces(data, portraits, 256), portraits, strict=True):
        turned, landmarks = roll_face(face, portrait.landmarks.astype(np.float64), rng.uniform(-30, 30))
        found = detector(frame_of(turned))
        best = min((face_error(each, landmarks, detector) for each in found), default=1.0)
        errors += [best] if best < FOUND else []
        false += len(found) - (best < FOUND)
    return {
        "faces": len(portraits),
        "found": round(len(errors) / len(portraits), 4),
        "false": false,
        **spread(errors),
    }


def spread(errors: list[float]) -> dict:
    """Returns the mean and the 95th percentile, each None without errors."""
    if not errors:
        return {"mean": None, "p95": None}
    return {"mean": round(float(np.mean(errors)), 4), "p95": round(float(np.percentile(errors, 95)), 4)}


def reference() -> Detector | None:
    """Opens the best of the reference detectors whose weights are present; None without any."""
    for name in REFERENCES:
        try:
            return open_detector(DetectOptions(name), WeightsOptions(), CPU, "auto")
        except GpenError:
            continue
    return None


def measure_picture(
    file: Path, detector: Detector, compared_with: Detector | None, rounds: int, drawn: Path | None
) -> dict:
    """Measures one photograph: milliseconds, faces, and how they agree with the reference detector's."""
    frame = load(file, CPU)
    times, faces = [], []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        faces = detector(frame)
        times.append((time.perf_counter() - start) * 1e3)
    row = {
        "file": file.name, "width": frame.width, "height": frame.height,
        "ms": round(statistics.median(times[1:]), 1), "faces": len(faces),
    }  # fmt: skip
    if compared_with is not None:
        row |= agreement(faces, compared_with(frame), detector)
    if drawn is not None:
        draw(frame, faces, detector, drawn / f"{detector.name}-{file.stem}.png")
    return row


def agreement(faces: list[Face], others: list[Face], detector: Detector) -> dict:
    """Matches each of the reference's faces with at most one of the detector's, and counts the matches."""
    errors, left = [], list(faces)
    for other in others:
        nearest = min(left, key=lambda face: face_error(face, other.landmarks, detector), default=None)
        if nearest is not None and (distance := face_error(nearest, other.landmarks, detector)) < FOUND:
            left.remove(nearest)
            errors.append(distance)
    return {"reference": len(others), "found": len(errors), "false": len(left), **spread(errors)}


def draw(frame: Frame, faces: list[Face], detector: Detector, out: Path) -> None:
    """Writes the picture with the boxes, scores and landmarks drawn into it."""
    picture = cv2.cvtColor(
        frame.on_host.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy(), cv2.COLOR_RGB2BGR
    )
    line = max(1, round(max(picture.shape) / 1200))
    for face in faces:
        x0, y0, x1, y1 = (round(v) for v in face.box)
        cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 255, 0), line)
        cv2.putText(picture, f"{face.score:.2f}", (x0, y0 - 3), 0, 0.4 * line, (0, 255, 255), line)
        for x, y in points_of(face, detector):
            cv2.circle(picture, (round(x), round(y)), max(1, round(face.short_side / 30)), (0, 0, 255), -1)
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), picture)


def measure_detector(name: str, arguments: argparse.Namespace) -> dict:
    """Runs every measurement of one detector."""
    detector = open_detector(DetectOptions(name), WeightsOptions(), CPU, "auto")
    results: dict = {"detector": name, "scenes": measure_scenes(detector, arguments.scenes)}
    if (arguments.data / "manifest.csv").exists():
        results["pasted"] = measure_pasted(detector, arguments.data, arguments.rounds)
        results["crops, roll to 30"] = measure_crops(detector, arguments.data)
    files = [HERE.parent / "examples" / name for name in ("astronaut.png", "grace_hopper.jpg")]
    files += sorted(file for file in arguments.pictures.glob("*") if file.suffix in SUFFIXES)
    compared_with = reference()
    results["reference"] = compared_with.name if compared_with else None
    results["pictures"] = [
        measure_picture(file, detector, compared_with, arguments.repeat, arguments.drawn) for file in files
    ]
    return results


def main() -> None:
    """Measures, prints the report and writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "portraits256", help="training folder")
    parser.add_argument("--pictures", type=Path, default=SHARED / "images", help="folder of photographs")
    parser.add_argument("--detectors", nargs="+", default=["lite", "haar"])
    parser.add_argument("--rounds", type=int, default=3, help="how often each portrait is pasted")
    parser.add_argument("--scenes", type=int, default=200, help="number of pictures without faces")
    parser.add_argument("--repeat", type=int, default=5, help="timed calls on each photograph")
    parser.add_argument("--drawn", type=Path, help="draw the detections into pictures in this folder")
    parser.add_argument("--name", default="landmarks", help="name of the report file, without .json")
    add_commit(parser)
    arguments = parser.parse_args()
    windows = []
    if (arguments.data / "manifest.csv").exists():
        network = read_net(required("landmarks-lite", WeightsOptions()))
        windows = [asdict(row) for row in held_out_rows(network, arguments.data)]
    report = {
        "schema": 1, "suite": "landmarks", "version": __version__, "commit": commit(),
        "device": asdict(device_facts(CPU)), "windows": windows,
        "detectors": [measure_detector(name, arguments) for name in arguments.detectors],
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    write_json(report, results_folder(arguments.commit) / f"{arguments.name}.json")


if __name__ == "__main__":
    main()
