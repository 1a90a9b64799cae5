"""The embedded detector `lite`: landmark errors, faces found, false detections, and times.

Method. Held-out portraits are those of a training folder (manifest.csv) that no weights were trained on. The error of
a face is the mean distance of its five landmarks from the manifest's, divided by the eye distance.

- windows: the network alone, in windows as inexact as the cascades' boxes, two passes, as `python -m
  gpen_fast.training landmarks test` measures it.
- crops: the whole detector on the same faces rolled by up to 30 degrees.
- pasted: each portrait, 64 to 400 pixels wide, pasted onto part of a real picture without faces that training did not
  see. A detection with an error below 0.25 is a hit; every other detection is false.
- scenes: the same backgrounds without a face.
- pictures: photographs, compared with RetinaFace's faces and landmarks if its weights are present.

Times are medians of single calls.

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
from stages import HERE, machine

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
# Pictures inside scikit-image. Training cuts its non-faces from other ones.
SCENES = ("chelsea.png", "coffee.png", "gravel.png", "rocket.jpg")
SIDES = (64, 400)
SCENE = (600, 800)
FOUND = 0.25
REFERENCES = ("retinaface", "retinaface-mobile", "yunet")


def frame_of(picture: np.ndarray) -> Frame:
    """A (H,W,3) uint8 array as a frame."""
    return Frame(torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1))


def points_of(face: Face, detector: Detector) -> np.ndarray:
    """(5,2): the face's landmarks, or those that alignment derives from its box."""
    return landmarks_of(face, detector.box_points)


def apart(face: Face, wanted: np.ndarray, detector: Detector) -> float:
    """The mean landmark distance over the eye distance."""
    return landmark_error(points_of(face, detector), wanted)


def scenes() -> list[np.ndarray]:
    """The background pictures, (H,W,3) uint8 each."""
    import skimage
    from PIL import Image

    folder = Path(skimage.__file__).parent / "data"
    return [np.asarray(Image.open(folder / name).convert("RGB")) for name in SCENES]


def piece(pictures: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(600,800,3): part of a random picture, mirrored at random, enlarged at most twice."""
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
    """Pictures with one held-out portrait each, with its landmarks in the picture and its side in pixels."""
    portraits = read_manifest(data, HELD_OUT)
    faces, pictures, rng = read_faces(data, portraits, 256), scenes(), np.random.default_rng(5)
    for _ in range(rounds):
        for face, portrait in zip(faces, portraits, strict=True):
            side = round(float(np.exp(rng.uniform(*np.log(SIDES)))))
            how = cv2.INTER_AREA if side < 256 else cv2.INTER_CUBIC
            small = cv2.resize(face, (side, side), interpolation=how)
            scene = piece(pictures, rng)
            top, left = rng.integers(SCENE[0] - side + 1), rng.integers(SCENE[1] - side + 1)
            scene[top : top + side, left : left + side] = small
            there = (portrait.landmarks + 0.5) * (side / 256) - 0.5 + (left, top)
            yield scene, there, side


def pasted_figures(detector: Detector, data: Path, rounds: int) -> dict:
    """Hits, false detections and errors over all pasted pictures."""
    found, false, errors, missed, count = 0, 0, [], [], 0
    for scene, there, side in pasted(data, rounds):
        faces = detector(frame_of(scene))
        all_errors = sorted(apart(face, there, detector) for face in faces)
        hit = bool(all_errors) and all_errors[0] < FOUND
        found, false, count = found + hit, false + len(faces) - hit, count + 1
        errors += all_errors[:1] if hit else []
        missed += [] if hit else [side]
    return {
        "pictures": count, "found": round(found / count, 4), "false_per_picture": round(false / count, 4),
        **spread(errors), "sides_of_missed": sorted(missed),
    }  # fmt: skip


def scene_figures(detector: Detector, number: int) -> dict:
    """False detections in pictures without a face."""
    pictures, rng = scenes(), np.random.default_rng(6)
    false = [len(detector(frame_of(piece(pictures, rng)))) for _ in range(number)]
    return {"pictures": number, "false_per_picture": round(sum(false) / number, 4)}


def crop_figures(detector: Detector, data: Path) -> dict:
    """Errors of the whole detector on portraits rolled by up to 30 degrees."""
    portraits, rng = read_manifest(data, HELD_OUT), np.random.default_rng(7)
    errors, more = [], 0
    for face, portrait in zip(read_faces(data, portraits, 256), portraits, strict=True):
        turned, there = roll_face(face, portrait.landmarks.astype(np.float64), rng.uniform(-30, 30))
        found = detector(frame_of(turned))
        best = min((apart(each, there, detector) for each in found), default=1.0)
        errors += [best] if best < FOUND else []
        more += len(found) - (best < FOUND)
    return {
        "faces": len(portraits),
        "found": round(len(errors) / len(portraits), 4),
        "false": more,
        **spread(errors),
    }


def spread(errors: list[float]) -> dict:
    """Mean and 95th percentile."""
    if not errors:
        return {"mean": None, "p95": None}
    return {"mean": round(float(np.mean(errors)), 4), "p95": round(float(np.percentile(errors, 95)), 4)}


def reference() -> Detector | None:
    """The best detector with downloaded weights that is present, as the reference."""
    for name in REFERENCES:
        try:
            return open_detector(DetectOptions(name), WeightsOptions(), CPU, "auto")
        except GpenError:
            continue
    return None


def picture_figures(
    file: Path, detector: Detector, judge: Detector | None, rounds: int, drawn: Path | None
) -> dict:
    """One photograph: time, faces, and their agreement with the reference's."""
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
    if judge is not None:
        row |= agreement(faces, judge(frame), detector)
    if drawn is not None:
        draw(frame, faces, detector, drawn / f"{detector.name}-{file.stem}.png")
    return row


def agreement(faces: list[Face], others: list[Face], detector: Detector) -> dict:
    """Pairs the detector's faces with the reference's, one to one."""
    errors, left = [], list(faces)
    for other in others:
        nearest = min(left, key=lambda face: apart(face, other.landmarks, detector), default=None)
        if nearest is not None and (off := apart(nearest, other.landmarks, detector)) < FOUND:
            left.remove(nearest)
            errors.append(off)
    return {"reference": len(others), "found": len(errors), "false": len(left), **spread(errors)}


def draw(frame: Frame, faces: list[Face], detector: Detector, out: Path) -> None:
    """Draws boxes, scores and landmarks into the picture."""
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


def figures_of(name: str, arguments: argparse.Namespace) -> dict:
    """All measurements of one detector."""
    detector = open_detector(DetectOptions(name), WeightsOptions(), CPU, "auto")
    made: dict = {"detector": name, "scenes": scene_figures(detector, arguments.scenes)}
    if (arguments.data / "manifest.csv").exists():
        made["pasted"] = pasted_figures(detector, arguments.data, arguments.rounds)
        made["crops, roll to 30"] = crop_figures(detector, arguments.data)
    files = [HERE.parent / "examples" / name for name in ("astronaut.png", "grace_hopper.jpg")]
    files += sorted(file for file in arguments.pictures.glob("*") if file.suffix in SUFFIXES)
    judge = reference()
    made["reference"] = judge.name if judge else None
    made["pictures"] = [
        picture_figures(file, detector, judge, arguments.repeat, arguments.drawn) for file in files
    ]
    return made


def main() -> None:
    """Measures, prints and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "portraits256")
    parser.add_argument("--pictures", type=Path, default=SHARED / "images")
    parser.add_argument("--detectors", nargs="+", default=["lite", "haar"])
    parser.add_argument("--rounds", type=int, default=3, help="how often each portrait is pasted")
    parser.add_argument("--scenes", type=int, default=200, help="number of pictures without faces")
    parser.add_argument("--repeat", type=int, default=5, help="timed calls on each photograph")
    parser.add_argument("--drawn", type=Path, help="folder for pictures with the detections drawn")
    parser.add_argument("--name", default="landmarks", help="name of the results file")
    arguments = parser.parse_args()
    windows = []
    if (arguments.data / "manifest.csv").exists():
        network = read_net(required("landmarks-lite", WeightsOptions()))
        windows = [asdict(row) for row in held_out_rows(network, arguments.data)]
    report = {
        "schema": 1, "suite": "landmarks", "version": __version__, "commit": commit(),
        "device": asdict(device_facts(CPU)), "windows": windows,
        "detectors": [figures_of(name, arguments) for name in arguments.detectors],
    }  # fmt: skip
    print(json.dumps(report, indent=1))
    folder = HERE / "results" / machine()
    folder.mkdir(parents=True, exist_ok=True)
    write_json(report, folder / f"{arguments.name}.json")


if __name__ == "__main__":
    main()
