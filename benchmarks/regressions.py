"""How often `profile --compare` is right: no regression where there is none, else the slow stage named.

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
import random
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median

from stages import add_commit, results_folder

from gpen_fast.measure.compare import DISTURBED, Comparison, compare_sides
from gpen_fast.measure.fresh import fresh_profile
from gpen_fast.measure.merge import merged_report
from gpen_fast.measure.report import Report
from gpen_fast.measure.samples import ProcessSamples

HERE = Path(__file__).parent
PHOTO = HERE.parent / "examples" / "grace_hopper.jpg"
RUNS = 10
# Processes a side, and draws for each question.
SIDE, DRAWS = 5, 40


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


def drawn(processes: list[ProcessSamples], design: str, rng: random.Random) -> tuple[list, list]:
    """Two sides of processes: neighbours in turns (A B B A A B ...), or two stretches, the old one first."""
    if design == "in turns":
        start = rng.randrange(len(processes) - 2 * SIDE + 1)
        return in_turns(processes[start : start + 2 * SIDE])
    first = rng.randrange(len(processes) - 2 * SIDE + 1)
    second = rng.randrange(first + SIDE, len(processes) - SIDE + 1)
    return processes[first : first + SIDE], processes[second : second + SIDE]


def in_turns(window: list[ProcessSamples]) -> tuple[list, list]:
    """The processes of a window, dealt to two sides in turns."""
    old = [each for at, each in enumerate(window) if at % 4 in (0, 3)]
    return old[:SIDE], [each for at, each in enumerate(window) if at % 4 in (1, 2)][:SIDE]


def slowed(process: ProcessSamples, stage: str, factor: float) -> ProcessSamples:
    """The process with one stage made slower; its wall times grow by what the stage takes more."""
    times = process.host_ms[stage]
    wall = [ms + (factor - 1) * part for ms, part in zip(process.wall_ms, times, strict=True)]
    return replace(process, wall_ms=wall, host_ms=process.host_ms | {stage: [factor * ms for ms in times]})


def verdicts_on(base: Report, old: list[ProcessSamples], new: list[ProcessSamples]) -> Comparison:
    """The comparison of two sides."""
    sides = [merged_report([replace(base, processes=[each]) for each in side]) for side in (old, new)]
    return compare_sides(sides[:1], sides[1:])


def judge(base: Report, design: str, seed: int = 20) -> dict[str, object]:
    """How often the comparison is right, over `DRAWS` draws for each question."""
    rng = random.Random(seed)
    draws = [drawn(base.processes, design, rng) for _ in range(DRAWS)]
    same = [verdicts_on(base, *sides) for sides in draws]
    # The usual judged stages: which they are can differ from draw to draw.
    judged = [row.stage for row in same[0].rows if row.verdict != "not_judged" and row.stage != "wall"]
    named, wrongly, called_same, caught = {}, {}, {}, {}
    for stage in judged:
        found = [verdicts_on(base, old, [slowed(each, stage, 1.2) for each in new]) for old, new in draws]
        rows = [{row.stage for row in each.regressions} for each in found]
        named[stage] = sum(stage in each for each in rows)
        wrongly[stage] = sum(bool(each - {stage, "wall"}) for each in rows)
        found = [verdicts_on(base, old, [slowed(each, stage, 1.05) for each in new]) for old, new in draws]
        answers = [row.verdict for each in found for row in each.rows if row.stage == stage]
        called_same[stage] = answers.count("same")
        caught[stage] = answers.count("slower")
    return {
        "draws": DRAWS,
        "one_commit_regressions": sum(bool(each.regressions) for each in same),
        "one_commit_verdicts": dict(Counter(row.verdict for each in same for row in each.rows)),
        "slower_by_20_percent_named": named,
        "slower_by_20_percent_another_named": wrongly,
        "slower_by_5_percent_called_same": called_same,
        "slower_by_5_percent_called_slower": caught,
    }


def judge_all(folder: Path, workloads: list[str]) -> None:
    """Answers every question for every workload; prints the answers and writes them.

    Each twice: with every process, and without those that another program held up.
    """
    answers: dict[str, object] = {}
    for workload in workloads:
        whole = Report.from_json(folder / f"regressions-{workload}.json")
        usual = median(median(each.wall_ms) for each in whole.processes)
        quiet = [each for each in whole.processes if median(each.wall_ms) <= DISTURBED * usual]
        for name, processes in (("every process", whole.processes), ("quiet machine", quiet)):
            base = replace(whole, processes=processes)
            answers[f"{workload}, {name}"] = {
                "processes": len(processes),
                "runs": whole.runs,
                **real_pairs(base),
                **{design: judge(base, design) for design in ("in turns", "one after the other")},
            }
    print(json.dumps(answers, indent=1))
    (folder / "regressions.json").write_text(json.dumps(answers, indent=1) + "\n")


def real_pairs(base: Report) -> dict[str, int]:
    """Each stretch of the record, used once, as two sides in turns."""
    stretches = range(0, len(base.processes) - 2 * SIDE + 1, 2 * SIDE)
    found = [verdicts_on(base, *in_turns(base.processes[at : at + 2 * SIDE])) for at in stretches]
    return {
        "real_pairs": len(found),
        "real_pairs_with_a_regression": sum(bool(each.regressions) for each in found),
    }


def main() -> None:
    """Runs one step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["record", "judge"])
    parser.add_argument("workloads", nargs="+", choices=["photo", "face"])
    parser.add_argument("--processes", type=int, default=20)
    add_commit(parser)
    arguments = parser.parse_args()
    folder = results_folder(arguments.commit)
    if arguments.step == "judge":
        judge_all(folder, arguments.workloads)
        return
    for workload in arguments.workloads:
        record(workload, arguments.processes, folder / f"regressions-{workload}.json")


if __name__ == "__main__":
    main()
