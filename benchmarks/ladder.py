"""The ladder and the sweep of `gpen-fast profile` on this machine, as committed results.

Method: benchmarks/README.md. The ladder runs the network that `--model auto` finds, and gpen-bfr-512 with random
weights; the sweep runs every size.

Usage: python benchmarks/ladder.py [--picture FILE] [--runs 10] [--warmup 3] [--only ladder|sweep] [--commit]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from stages import HERE, add_commit, results_folder

SIZES = "256,512,1024,2048"


def main() -> None:
    """Runs the measurements; prints their tables and writes their reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, default=HERE.parent / "examples" / "grace_hopper.jpg")
    parser.add_argument("--runs", type=int, default=10, help="counted runs of each row and size")
    parser.add_argument("--warmup", type=int, default=3, help="runs before these that do not count")
    parser.add_argument(
        "--networks", nargs="+", default=["auto", "random:gpen-bfr-512"], help="of the ladder"
    )
    parser.add_argument("--only", choices=["ladder", "sweep"], help="one of the two")
    add_commit(parser)
    arguments = parser.parse_args()
    folder = results_folder(arguments.commit)
    common = [
        str(arguments.picture),
        "--runs",
        str(arguments.runs),
        "--warmup",
        str(arguments.warmup),
        "--published",
    ]
    if arguments.only != "sweep":
        for network in arguments.networks:
            flag = ["--model" if network == "auto" else "--weights", network]
            made = _profile(["--ladder", *flag, *common], folder / "ladder.json")
            made.replace(folder / f"ladder-{_model(made)}.json")
    if arguments.only != "ladder":
        _profile(["--sweep", SIZES, *common], folder / "sweep-gpen-bfr.json")


def _profile(flags: list[str], report: Path) -> Path:
    print(f"\n## profile {flags[0]}", flush=True)
    command = [sys.executable, "-m", "gpen_fast", "profile", *flags, "--json", str(report)]
    subprocess.run(command, check=True)
    return report


def _model(report: Path) -> str:
    """The network of a ladder."""
    return str(json.loads(report.read_text())["settings"]["model"])


if __name__ == "__main__":
    main()
