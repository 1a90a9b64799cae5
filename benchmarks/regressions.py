"""How often `profile --compare` is right: no regression where there is none, and the slow stage named where there is one.

record: many processes of `profile` of one commit, one after the other, into one JSON file. Their samples are what the
other step draws from. Run it in parts on a machine that others use; each part adds to the file.

judge: draws two sides of 5 processes from the record, 40 times for each question:
  the same commit on both sides, measured in turns and one after the other: how often is a regression reported?
  a stage of the new side made 20 % slower, each judged stage in its turn: how often is it named?
  the same with 5 %: how often is it called the same?

Usage: python benchmarks/regressions.py record photo|face [--processes 20] [--commit]
       python benchmarks/regressions.py judge photo face [--commit]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from stages import add_commit, results_folder

from gpen_fast.measure.fresh import fresh_profile

HERE = Path(__file__).parent
PHOTO = HERE.parent / "examples" / "grace_hopper.jpg"
RUNS = 10


def face(folder: Path) -> Path:
    """A 512 px square around the face of the photo: an aligned face."""
    from PIL import Image

    path = folder / "face-512.png"
    with Image.open(PHOTO) as picture:
        picture.convert("RGB").crop((110, 20, 400, 310)).resize((512, 512)).save(path)
    return path


def arguments_of(workload: str, folder: Path) -> list[str]:
    """What `profile` is called with."""
    common = ["--model", "gpen-lite-256", "--offline", "--runs", str(RUNS), "--warmup", "2"]
    return [str(PHOTO), *common] if workload == "photo" else [str(face(folder)), *common, "--skip-detect"]


def record(workload: str, processes: int, target: Path) -> None:
    """Adds processes to the record."""
    made = json.loads(target.read_text()) if target.exists() else None
    with tempfile.TemporaryDirectory() as folder:
        arguments = arguments_of(workload, Path(folder))
        for number in range(processes):
            report = fresh_profile(arguments).to_dict()
            if made is None:
                made = report
            else:
                made["processes"] += report["processes"]
            target.write_text(json.dumps(made) + "\n")
            print(number + 1, report["wall_ms"]["median"], flush=True)


def main() -> None:
    """Runs one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["record", "judge"])
    parser.add_argument("workloads", nargs="+", choices=["photo", "face"])
    parser.add_argument("--processes", type=int, default=20)
    add_commit(parser)
    arguments = parser.parse_args()
    folder = results_folder(arguments.commit)
    for workload in arguments.workloads:
        target = folder / f"regressions-{workload}.json"
        if arguments.step == "record":
            record(workload, arguments.processes, target)


if __name__ == "__main__":
    sys.exit(main())
