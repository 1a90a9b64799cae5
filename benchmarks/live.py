"""`live` at 1080p with one face, to nowhere: frames delivered and dropped, latencies, and time on each quality step.

    python benchmarks/live.py [--seconds 180] [--target-fps 25] [--max-latency 120] [--commit]

The clip is that of video_speed.py, with 25 frames a second; it is played at its own speed, again and again. What is
written is the report of `gpen-fast profile --live`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from stages import add_commit, results_folder
from video_speed import write_moving_face

FRAMES, HEIGHT = 400, 1080


def main() -> int:
    """Runs it, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--target-fps", type=float, default=25.0)
    parser.add_argument("--max-latency", type=float, default=120.0, help="milliseconds")
    add_commit(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = write_moving_face(Path(folder) / "clip.mp4", FRAMES, HEIGHT)
        command = [
            sys.executable,
            "-m",
            "gpen_fast",
            "profile",
            "--live",
            clip.name,
            "--model",
            "gpen-lite-256",
        ]
        for name in ("seconds", "target_fps", "max_latency"):
            command += [f"--{name.replace('_', '-')}", str(getattr(given, name))]
        report = results_folder(given.commit).resolve() / "live.json"
        report.parent.mkdir(parents=True, exist_ok=True)
        return subprocess.run([*command, "--json", str(report)], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
