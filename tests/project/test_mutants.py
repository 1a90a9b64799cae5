"""Damaged files: each one is restored or named; none crashes the run, hangs it, or takes much memory.

`make soak` tries 500 files, an ordinary run the first 60.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections import Counter
from pathlib import Path

from helpers import ROOT
from mutants import mutants
from PIL import Image

COUNT = int(os.environ.get("GPEN_FAST_MUTANTS", "60"))
# Seconds after which a file counts as hanging; most files take some 20 ms. A busy machine needs more.
_FILE_TIMEOUT_S = float(os.environ.get("GPEN_FAST_MUTANTS_TIMEOUT", "5"))
# Seconds for the trial process to load the network.
_START_TIMEOUT_S = 120.0
# Bytes by which the peak may grow. The good pictures have 0.1 MB of pixels; a file may declare up to 6 MB.
_MAX_MEMORY = 400 * 2**20


class Trial:
    """Restores files one by one in a child process, and starts a new one if a file ends it."""

    def __init__(self, weights: Path, out: Path) -> None:
        self._command = [sys.executable, str(ROOT / "tests/support/mutants.py"), str(weights), str(out)]
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, path: Path) -> dict[str, object]:
        process = self._running()
        assert process.stdin
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        return self._answer(process, _FILE_TIMEOUT_S)

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
            )
            assert self._answer(self._process, _START_TIMEOUT_S).get("ready"), (
                "the trial process does not start"
            )
        return self._process

    def _answer(self, process: subprocess.Popen[str], timeout: float) -> dict[str, object]:
        assert process.stdout
        if not select.select([process.stdout], [], [], timeout)[0]:
            self.end()
            return {"outcome": "hung"}
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self.end()
            return {"outcome": "crashed", "cause": f"exit status {code}"}
        return json.loads(line)


def test_every_damaged_file_is_restored_or_named(tmp_path: Path, tiny_weights: Path) -> None:
    out = tmp_path / "out"
    trial = Trial(tiny_weights, out)
    found: dict[str, dict[str, object]] = {}
    try:
        for name, data in mutants(COUNT):
            path = tmp_path / name
            path.write_bytes(data)
            found[name] = trial(path)
            path.unlink()
    finally:
        trial.end()
    counts = Counter(str(answer["outcome"]) for answer in found.values())
    sys.stdout.write(f"\n{COUNT} damaged files: {dict(counts)}\n")
    if log := os.environ.get("GPEN_FAST_MUTANTS_LOG"):
        Path(log).write_text(json.dumps(found, indent=1))
    bad = {name: answer for name, answer in found.items() if answer["outcome"] in {"crashed", "hung"}}
    assert not bad
    for name, answer in found.items():
        if answer["outcome"] == "failed":
            assert answer["kind"] == "PictureError", (name, answer)
            assert str(answer["cause"]).endswith((".", "'")), (name, answer)
            assert not (out / f"{name}.png").exists(), name
        else:
            with Image.open(out / f"{name}.png") as image:
                image.load()
    assert counts["failed"] > COUNT / 4
    assert counts["restored"] + counts["no_face"] > COUNT / 10
    assert not [path for path in out.iterdir() if path.name.startswith(".")], "a half-written file was left"
    peaks = [int(str(answer["peak"])) for answer in found.values()]
    assert max(peaks) - peaks[0] < _MAX_MEMORY
