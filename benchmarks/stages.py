"""Times every stage: runs `gpen-fast profile` on an example, with random weights of the published shapes.

Method: one picture at a time, without overlap. The first call is reported apart; 3 warm-up runs follow, then the
counted runs. Each file is the report of `profile --json` with commit and device. Random weights take as long as real
ones, but restore nothing. Compare the times of one run on one machine only.

Usage: python benchmarks/stages.py [--models gpen-bfr-256 gpen-bfr-512] [--runs 20] [--commit]
"""

from __future__ import annotations

import argparse
import platform
import re
import subprocess
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
PICTURE = HERE.parent / "examples" / "astronaut.png"


def machine() -> str:
    """A folder name for this machine: its GPU, or its processor and number of threads."""
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    else:
        cpuinfo = Path("/proc/cpuinfo")
        found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
        name = f"{found[1] if found else platform.machine()} {torch.get_num_threads()} threads"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def add_commit(parser: argparse.ArgumentParser) -> None:
    """Adds the flag that lets a benchmark replace the tracked results."""
    parser.add_argument(
        "--commit",
        action="store_true",
        help="write into benchmarks/results/<machine>, whose files are tracked; without it, into out/benchmarks",
    )


def results_folder(tracked: bool) -> Path:
    """The folder of this machine's results: of the tracked ones, or of those that git ignores. It is created."""
    folder = (HERE / "results" if tracked else HERE.parent / "out" / "benchmarks") / machine()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Profiles each model with and without detection; prints the tables and writes the reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models",
        nargs="+",
        default=["gpen-bfr-256", "gpen-bfr-512"],
        help="as `gpen-fast weights list` names them",
    )
    parser.add_argument("--runs", type=int, default=20, help="counted runs")
    parser.add_argument("--precision", default="auto")
    add_commit(parser)
    arguments = parser.parse_args()
    folder = results_folder(arguments.commit)
    for model in arguments.models:
        for extra, suite in (([], "stages"), (["--skip-detect"], "stages-skip-detect")):
            report = folder / f"{suite}-{model}-{arguments.precision}.json"
            print(f"\n## {model}, {suite}, precision {arguments.precision}", flush=True)
            command = ["profile", str(PICTURE), "--weights", f"random:{model}", "--runs", str(arguments.runs)]
            command += ["--precision", arguments.precision, "--json", str(report), *extra]
            subprocess.run([sys.executable, "-m", "gpen_fast", *command], check=True)


if __name__ == "__main__":
    main()
