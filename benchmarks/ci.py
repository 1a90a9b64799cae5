"""Compares the speed of this checkout with another commit's, on one machine: the benchmark job of CI.

Method. The base is checked out beside the head. Each case is a run of `gpen-fast profile` in a fresh process, of base
and head in turns (base, head, head, base, ...), so that a machine that slows down slows both. The report of each
process is kept as JSON, and `gpen-fast report diff` judges the processes of both sides. A case that the base cannot
run, such as one with a new option, is measured for the head alone, and said.

Exit status: 0 no regression, 1 a regression, 2 wrong usage.

Usage: python benchmarks/ci.py [--base REV] [--repeat 5] [--runs 15] [--fail-over 10%] [--out out/bench-ci]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PORTRAIT = ROOT / "examples" / "grace_hopper-degraded.jpg"
# The embedded network on a whole photograph and on an aligned face, and a network of GPEN's own shapes.
CASES: dict[str, tuple[str, ...]] = {
    "photograph": ("--model", "gpen-lite-256", "--detector", "lite"),
    "aligned": ("--model", "gpen-lite-256", "--skip-detect"),
    "gpen-bfr-256": ("--weights", "random:gpen-bfr-256", "--skip-detect"),
}
# What git gives as the commit before a branch's first one.
NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Side:
    """One of the two commits."""

    name: str
    """base or head."""

    source: Path
    """The folder that holds its package."""


def main() -> None:
    """Measures both sides, prints the tables, and ends with status 1 if the head is slower."""
    options = _options()
    out: Path = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with _base(options.base, out / "base") as base:
        _add_to_summary(out, _headline(options, base))
        sides = [Side("head", ROOT / "src")] if base is None else [base, Side("head", ROOT / "src")]
        for case, flags in CASES.items():
            _measure(case, flags, sides, options, out)
    if base is None:
        return
    sys.exit(_judge(out, options.fail_over))


def _headline(options: argparse.Namespace, base: Side | None) -> str:
    """What is compared with what."""
    head = _git("describe", "--always", "--dirty")
    if base is None:
        return f"{head}: no base to compare with ({options.base or 'none was named'}), the head was measured alone\n\n"
    old = _git("rev-parse", "--short", options.base)
    return f"{old} (old) against {head} (new), {options.repeat} processes each, in turns\n\n"


def reports_of(out: Path, case: str, side: str) -> list[Path]:
    """The reports of one side of a case, in the order in which they were measured."""
    return sorted(out.glob(f"{case}-{side}-*.json"))


def _measure(
    case: str, flags: tuple[str, ...], sides: list[Side], options: argparse.Namespace, out: Path
) -> None:
    for turn in range(options.repeat):
        # Every second turn the other way round, so that neither side is always the first.
        for side in sides if turn % 2 == 0 else sides[::-1]:
            print(f"{case}: {side.name}, process {turn + 1} of {options.repeat}", flush=True)
            _profile(side, out / f"{case}-{side.name}-{turn + 1:02d}.json", flags, options.runs)


def _profile(side: Side, report: Path, flags: tuple[str, ...], runs: int) -> None:
    command = [sys.executable, "-m", "gpen_fast", "profile", str(PORTRAIT), "--offline", *flags]
    command += ["--runs", str(runs), "--json", str(report)]
    environment = {**os.environ, "PYTHONPATH": str(side.source)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=side.source)
    if done.returncode:
        print(f"{side.name} cannot run this case:\n{done.stderr or done.stdout}", flush=True)
        if side.name == "head":
            sys.exit(1)


@contextmanager
def _base(revision: str, folder: Path) -> Iterator[Side | None]:
    """The base's package, checked out until the block ends; None if there is no such commit."""
    if (
        not revision
        or revision == NO_COMMIT
        or not _git("rev-parse", "--verify", "-q", f"{revision}^{{commit}}")
    ):
        yield None
        return
    subprocess.run(
        ["git", "-C", str(ROOT), "worktree", "add", "-q", "--detach", str(folder), revision], check=True
    )
    try:
        yield Side("base", folder / "src")
    finally:
        subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(folder)], check=True)


def _git(*arguments: str) -> str:
    """What git prints; nothing where it fails."""
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True).stdout.strip()


def _judge(out: Path, fail_over: str) -> int:
    """Compares the sides of every case by `gpen-fast report diff`, and gives the exit status."""
    status = 0
    for case in CASES:
        base, head = reports_of(out, case, "base"), reports_of(out, case, "head")
        if not base:
            _add_to_summary(out, f"### {case}\n\nthe base cannot run this case: it was not compared\n\n")
            continue
        table = out / f"{case}.md"
        flags = ["--fail-over", fail_over, "--markdown", str(table), "--json", str(out / f"{case}.json")]
        sides = [*map(str, base), "--with", *map(str, head)]
        command = [sys.executable, "-m", "gpen_fast", "report", "diff", *flags, *sides]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
        status = max(status, done.returncode)
        _add_to_summary(out, f"### {case}\n\n{table.read_text() if table.exists() else 'not compared'}\n")
    return status


def _add_to_summary(out: Path, text: str) -> None:
    """Adds to the summary beside the reports, and to that of the job if this is one."""
    for path in (out / "summary.md", os.environ.get("GITHUB_STEP_SUMMARY")):
        if path:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="HEAD~1", help="the commit to compare with")
    parser.add_argument("--repeat", type=int, default=5, help="processes of each side and case")
    parser.add_argument("--runs", type=int, default=15, help="counted runs of a process")
    parser.add_argument("--fail-over", default="10%", help="a stage that is slower by more is a regression")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "bench-ci")
    return parser.parse_args()


if __name__ == "__main__":
    main()
