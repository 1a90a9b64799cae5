"""Kills runs at random moments, plans a folder of 100,000 pictures, and compares the memory of long and short runs.

`kills`: a run over small pictures is killed (SIGKILL) at a random moment and started again, until its set is complete;
then every result must have, byte for byte, the content of an undisturbed run with `--deterministic`, no temporary file
may be left, and the set is begun anew. At each kill every result that has its final name must be whole.
`plan`: the time to plan a folder of pictures of which 99 % are done, from its journal; in this process, and as
`enhance --dry-run` in one of its own.
`memory`: the peak of resident memory of a run over 1,000 pictures, and over 20,000, each in a process of its own, with
--json. A small network of random weights: it takes less memory than a published one, so the ratio is the stricter.

Usage: python benchmarks/soak.py kills [--tries 100] [--pictures 300] [--devices cpu:2] [--json FILE]
       python benchmarks/soak.py plan [--pictures 100000] [--json FILE]
       python benchmarks/soak.py memory [--pictures 20000] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

from kills import NETWORK, SIDE, WEIGHTS, finished, killed, run_seconds
from PIL import Image
from safetensors.torch import save_file

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.measure.environment import commit
from gpen_fast.run.journal.book import JournalBook
from gpen_fast.run.journal.keys import SettingsKeys
from gpen_fast.run.plan import plan
from gpen_fast.settings import OutputOptions, Settings

JOURNAL = ".gpen-fast/journal.jsonl"
# The long run has this many times the pictures of the short one.
_FEW = 20


def main() -> int:
    """Runs one suite and prints its figures. Exit status 1 if a result was lost or differs."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        figures = {"kills": kills, "plan": planned, "memory": memory}[options.suite](options)
    figures = {"schema": 1, "suite": options.suite, "commit": commit(), **figures}
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def kills(options: argparse.Namespace) -> dict[str, object]:
    """Kills runs until as many as asked for were killed; returns the counts."""
    save_file(random_state(NETWORK), WEIGHTS)
    Path("in").mkdir()
    for number in range(options.pictures):
        Image.effect_noise((SIDE, SIDE), 20 + number % 100).save(f"in/{number:03d}.png")
    more = ("--devices", options.devices) if options.devices else ()
    beginning, writing = run_seconds(enhance("wanted", *more), Path("wanted") / JOURNAL)
    wanted = {path.name: path.read_bytes() for path in Path("wanted").glob("*.png")}
    assert len(wanted) == options.pictures
    moments = random.Random(options.seed)
    counts = {"kills": 0, "kills in a run": 0, "sets": 0, "results checked": 0}
    while counts["kills"] < options.tries:
        # One in ten at any moment, the others once results are written. A set takes several runs, each of which
        # continues.
        if counts["kills"] % 10:
            first, moment = Path("out") / JOURNAL, moments.uniform(0, writing / 4)
        else:
            first, moment = None, moments.uniform(0, beginning + writing)
        counts["kills in a run"] += killed(enhance("out", *more), moment, first)
        counts["kills"] += 1
        counts["results checked"] += checked(wanted)
        if len(list(Path("out").glob("*.png"))) == options.pictures or counts["kills"] == options.tries:
            time.sleep(1.1)  # a temporary file of a second ago is left alone
            Path("out/000.png").unlink()
            finished(enhance("out", *more))
            assert checked(wanted) == options.pictures, "the set is not complete"
            left = [path.name for path in Path("out").iterdir() if path.name.endswith(".part")]
            assert not left, left
            counts["sets"] += 1
            shutil.rmtree("out")
    return {
        "pictures": options.pictures,
        "seed": options.seed,
        "devices": options.devices,
        **counts,
        "results that differ": 0,
    }


def checked(wanted: dict[str, bytes]) -> int:
    """How many results are there; fails where one is not that of an undisturbed run."""
    found = list(Path("out").glob("*.png"))
    for path in found:
        assert path.read_bytes() == wanted[path.name], path
    return len(found)


def enhance(out: str, *more: str) -> list[str]:
    """The arguments of a run into a folder, with further flags."""
    return ["enhance", "in", out, "--skip-detect", "--deterministic", "--quiet", "--weights", WEIGHTS, *more]


def planned(options: argparse.Namespace) -> dict[str, object]:
    """Plans a folder of which 99 % are done; returns the seconds."""
    Path("in").mkdir()
    Path("out").mkdir()
    for number in range(options.pictures):
        Path(f"in/{number:06d}.jpg").write_bytes(b"a picture")
        if number % 100:
            Path(f"out/{number:06d}.png").write_bytes(b"\x89PNG\r\n\x1a\n of some bytes")
    seconds = []
    # The first plan adopts the results and writes their rows.
    for _ in range(4):
        wall, cpu = time.perf_counter(), time.process_time()
        output = OutputOptions()
        settings = Settings.from_flat(model="gpen-lite-256", offline=True)
        parts = {part.name: getattr(settings, part.name) for part in fields(settings)}
        keys = SettingsKeys(output, **parts)
        with JournalBook(keys, output) as journal:
            work = plan(["in"], Path("out"), output, journal)
        seconds.append({"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu})
        assert len(work.skipped) == options.pictures - -(-options.pictures // 100)
    size = Path("out/.gpen-fast/journal.jsonl").stat().st_size
    best = min(seconds[1:], key=lambda each: each["cpu_s"])
    command = [sys.executable, "-m", "gpen_fast", "enhance", "in", "out", "--dry-run", "--offline"]
    wall, before = time.perf_counter(), os.times()
    subprocess.run([*command, "--model", "gpen-lite-256"], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    dry_run = {"wall_s": time.perf_counter() - wall, "cpu_s": cpu_s}
    return {
        "pictures": options.pictures,
        "adopting": seconds[0],
        "best_of_3": best,
        "dry_run": dry_run,
        "journal_bytes": size,
    }


def memory(options: argparse.Namespace) -> dict[str, object]:
    """Runs over a twentieth of the pictures and over all of them; returns the peaks."""
    save_file(random_state(NETWORK), WEIGHTS)
    Path("in").mkdir()
    few = options.pictures // _FEW
    for number in range(options.pictures):
        Image.effect_noise((SIDE, SIDE), 20 + number % 100).save(f"in/{number:06d}.jpg")
    Path("few").mkdir()
    for path in sorted(Path("in").iterdir())[:few]:
        os.link(path, Path("few") / path.name)
    peaks = [_peak_bytes(folder) for folder in ("few", "in")]
    return {
        "pictures": [few, options.pictures],
        "peak_mb": [round(peak / 1e6, 1) for peak in peaks],
        "ratio": round(peaks[1] / peaks[0], 4),
        "mb_per_1000_pictures": round((peaks[1] - peaks[0]) / 1e3 / (options.pictures - few), 3),
    }


def _peak_bytes(folder: str) -> int:
    """The peak of a run over a folder, as its report says; it is above that of this process, which it would inherit."""
    command = [sys.executable, "-m", "gpen_fast", *enhance(f"{folder}-out"), "--json", f"{folder}.json"]
    command[command.index("in")] = folder
    command.remove("--deterministic")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return int(json.loads(Path(f"{folder}.json").read_text())["memory"]["host_peak_bytes"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", choices=("kills", "plan", "memory"))
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--pictures", type=int)
    parser.add_argument("--seed", type=int, default=os.getpid())
    parser.add_argument("--devices", help="of the runs that are killed: cpu:2 runs two processes")
    parser.add_argument("--json", type=lambda text: Path(text).absolute())
    options = parser.parse_args()
    options.pictures = options.pictures or {"kills": 300, "plan": 100_000, "memory": 20_000}[options.suite]
    return options


if __name__ == "__main__":
    sys.exit(main())
