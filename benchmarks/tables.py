"""The tables of the pages, drawn from the results that are committed as JSON. `redraw.py` puts them into the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gpen_fast.measure.published import PUBLISHED_LADDER, PUBLISHED_SWEEP

RESULTS = Path(__file__).parent / "results"
# A document as json.loads returns it: each suite has its own keys.
Document = dict[str, Any]
CONTESTANTS = (
    ("folded", "fp32"), ("folded", "bf16"), ("openvino", "fp32"), ("openvino", "bf16"), ("onnxruntime", "fp32"),
    ("eager", "fp32"),
)  # fmt: skip
NETWORK_ORDER = ("gpen-bfr-256", "gpen-bfr-512", "gpen-bfr-1024", "gpen-bfr-2048", "gpen-lite-256")


def network(results: Path) -> list[str]:
    """The generator alone: one row a run, one column a contestant, in ms a face and times over the floor."""
    files = _found(results, "generator-*.json")
    rows = []
    for model in NETWORK_ORDER:
        for file, document in files.items():
            for measured in document["models"]:
                if measured["model"] == model:
                    rows.append([_run_name(model, file), *_contestants(measured["rows"])])
    head = ["model", *(" ".join(each) for each in CONTESTANTS)]
    return [*_table(head, rows), "", _sources(files)]


def _run_name(model: str, file: Path) -> str:
    """What tells a run of a model from the others: `again`, or its batch."""
    rest = file.stem.removeprefix(f"generator-{model}").strip("-")
    return f"{model}, {rest.replace('-', ' ')}" if rest else model


def _contestants(rows: list[Document]) -> list[str]:
    cells = []
    for backend, precision in CONTESTANTS:
        found = [row for row in rows if (row["backend"], row["precision"]) == (backend, precision)]
        # A run of batches has rows of one face, too.
        row = max(found, key=lambda row: row["batch"], default=None)
        cells.append(f"{_short(row['ms_a_face']['median'])} ({row['over_floor']:.2f})" if row else "-")
    return cells


def png(results: Path) -> list[str]:
    """The PNG encoders on pictures of 512x512."""
    files = _found(results, "png-256-512-1024.json")
    rows = [
        [
            row["kind"],
            row["method"],
            f"{row['ms']['median']:.1f}",
            f"{row['times_faster']:.1f}",
            f"{row['over_raw']:.3f}",
            f"{row['over_torchvision']['median']:.3f}, {row['over_torchvision']['max']:.3f}",
        ]
        for document in files.values()
        for row in document["rows"]
        if row["height"] == 512 and row["kind"] in {"photograph", "face"} and "batch" not in row["method"]
    ]
    head = ["pictures", "method", "ms", "times torchvision's speed", "bytes over raw",
            "over torchvision 6: median, most"]  # fmt: skip
    return [*_table(head, rows), "", _sources(files)]


def engine(results: Path) -> list[str]:
    """A long run of `enhance`."""
    files = _found(results, "engine.json")
    named = {
        "images_per_s": "pictures a second, `--skip-detect`",
        "idle": "wall time over (CPU time / cores): 1.00 means that no core ever waited",
        "over_one_by_one": "over the same stages one after the other on all cores",
        "of_the_parts": "of what decoding, network and PNG alone would allow",
        "of_the_parts_without_keep_detail": "the same with `--keep-detail 0`",
        "two_over_one": "with detection: two processes (`--devices cpu:2`) over one that is pinned to one core",
    }
    medians = [document["medians"] for document in files.values()]
    rows = [[text, *(f"{each[key]:.3g}" for each in medians)] for key, text in named.items()]
    return [*_table(["figure", *(_machine(file) for file in files)], rows), "", _sources(files)]


def faults(results: Path) -> list[str]:
    """Faults that were planted, and how runs ended."""
    files = _found(results, "faults.json")
    rows = [
        [row["fault"], row["by"], f"{row['good']} of {row['tries']}", row["outcome"]]
        for document in files.values()
        for row in document["rows"]
    ]
    return [*_table(["fault", "by", "good", "how the run ends"], rows), "", _sources(files)]


def keep_detail(results: Path) -> list[str]:
    """PSNR of the input, of --keep-detail 0 and of the default, by damage and size."""
    files = _found(results, "keep-detail.json")
    cells = [cell for d in files.values() for cell in d["cells"] if cell["network"] == "embedded"]
    sizes = sorted({cell["size"] for cell in cells})
    rows = []
    for damage in dict.fromkeys(cell["damage"] for cell in cells):
        at = {cell["size"]: cell for cell in cells if cell["damage"] == damage}
        rows.append([damage, *(_decibels(at[size]) if size in at else "-" for size in sizes)])
    return [*_table(["damage", *(f"{size:g}x" for size in sizes)], rows), "", _sources(files)]


def _decibels(cell: Document) -> str:
    before = "-" if cell["before"] is None else f"{cell['before']:.1f}"
    after = "equal" if cell["after"] is None else f"{cell['after']:.1f}"
    return f"{before} / {cell['today']:.1f} / {after}"


def angles(results: Path) -> list[str]:
    """Faces that are found in turned portraits."""
    files = _found(results, "angles.json")
    shown = range(0, 360, 30)
    rows = []
    for document in files.values():
        for detector in document["detectors"]:
            for key, flag in (("off", "--no-any-angle"), ("on", "--any-angle")):
                found = {row["degrees"]: row for row in detector["angles"][key]}
                sums = [sum(row[what] for row in found.values()) for what in ("found", "false")]
                cells = [found[angle]["found"] for angle in shown]
                rows.append([f"`{detector['detector']}`, `{flag}`", *map(str, [*cells, *sums])])
    return [*_table(["detector", *map(str, shown), "found", "false"], rows), "", _sources(files)]


def fidelity(results: Path) -> list[str]:
    """How far the profile's own figures can be trusted."""
    files = _found(results, "fidelity.json")
    rows = []
    for file, document in files.items():
        for row in document["rows"]:
            judged = [each["ratio"] for each in row["agreement"] if each["judged"]]
            worst = max(judged, key=lambda ratio: abs(ratio - 1))
            costs = [_percent_of(row[key]) if key in row else "-" for key in ("clock", "trace")]
            rows.append([_machine(file), f"{row['model']}, {row['precision']}", f"{row['unaccounted']:.2%}",
                         f"{worst:.3f} ({len(judged)} stages)", *costs])  # fmt: skip
    head = ["machine", "network", "unaccounted", "clock over profiler, worst stage", "cost of the clock",
            "cost of a trace"]  # fmt: skip
    return [*_table(head, rows), "", _sources(files)]


def _percent_of(cost: Document) -> str:
    counters = f", counters {cost['counters']:.2%}" if "counters" in cost else ""
    return f"{cost['ratio'] - 1:+.2%} ({cost['low'] - 1:+.2%} to {cost['high'] - 1:+.2%}){counters}"


def ladder(results: Path) -> list[str]:
    """The published steps on each machine, beside the published times."""
    files = _found(results, "ladder-*.json")
    lines = []
    for file, document in files.items():
        rows = [
            [row["name"], _ms(row["ms"]), _times(row["speedup"]), _likeness(row), _number(row["ssim"], 3),
             _ms(published.ms if (published := PUBLISHED_LADDER.get(row["name"])) else None), row["note"]]
            for row in document["ladder"]
        ]  # fmt: skip
        lines += [f"{_machine(file)}, {document['settings']['model']}:", ""]
        lines += [*_table(["step", "ms", "speed-up", "PSNR", "SSIM", "published ms", "note"], rows), ""]
    return [*lines, _sources(files)]


def sweep(results: Path) -> list[str]:
    """Times by resolution on each machine, beside the published ones."""
    files = _found(results, "sweep-*.json")
    rows = [
        [_machine(file), f"{row['size']}x{row['size']}", row["model"], _ms(row["mean_ms"]), _ms(row["p95_ms"]),
         f"{row['fps']:.2f}", _mib(row["device_peak_bytes"]), _mib(row["host_peak_bytes"]), row["verdict"],
         _published(row["size"])]
        for file, document in files.items()
        for row in document["sweep"]
    ]  # fmt: skip
    head = ["machine", "picture", "network", "mean ms", "p95 ms", "fps", "device MiB", "host MiB", "verdict",
            "published ms, A10G"]  # fmt: skip
    return [*_table(head, rows), "", _sources(files)]


def temporal(results: Path) -> list[str]:
    """Flicker, jitter and PSNR of `video`: frame by frame, and with --temporal at its default."""
    files = _found(results, "temporal.json")
    head = [
        "clip",
        "damage",
        "flicker of the input",
        "alone",
        "temporal",
        "ratio",
        "jitter alone",
        "temporal",
        "ratio",
    ]
    rows = []
    for document in files.values():
        for row in document["rows"]:
            clip = (
                row["clip"] if row["clip"] not in ("cut", "crossing") else f"{row['clip']}, {row['face'][:5]}"
            )
            given, alone, steady = row["flicker"]
            shaken = [1000 * each for each in row["jitter"]]
            mouth = " to ".join(f"{each:.2f}" for each in row.get("mouth", [])[1:]) or "-"
            rows.append([
                clip, row["damage"], *(f"{each:.2f}" for each in (given, alone, steady)), _ratio(alone, steady, 0.2),
                *(f"{each:.1f}" for each in shaken), _ratio(*shaken, 1.0),
                *(f"{each:.2f}" for each in row["psnr"][1:]), mouth,
            ])  # fmt: skip
    return [*_table([*head, "PSNR alone", "temporal", "of the mouth"], rows), "", _sources(files)]


def _ratio(alone: float, steady: float, least: float) -> str:
    """How much is left; nothing where frame by frame there is next to none."""
    return f"{max(0.0, steady) / alone:.2f}" if alone >= least else "-"


def identities(results: Path) -> list[str]:
    """Whose face is whose: a row for each clip, its damages together."""
    files = _found(results, "identities.json")
    rows = []
    for document in files.values():
        for scene in dict.fromkeys(row["scene"] for row in document["rows"]):
            found = [row for row in document["rows"] if row["scene"] == scene]
            sums = [sum(row[what] for row in found) for what in ("swaps", "ghosts", "missed", "expected")]
            most = [max(len(row["tracks"].get(who, [])) for row in found) for who in found[0]["tracks"]]
            over = str(max(row["left_over"] for row in found)) if "left_over" in found[0] else "-"
            rows.append(
                [scene, str(len(found[0]["cuts"])), " + ".join(map(str, most)), *map(str, sums), over]
            )
    head = [
        "clip",
        "cuts",
        "tracks",
        "swaps",
        "ghosts",
        "faces missed",
        "of",
        "left after a cut, grey levels",
    ]
    return [*_table(head, rows), "", _sources(files)]


def _published(size: int) -> str:
    row = PUBLISHED_SWEEP.get(size)
    return "-" if row is None else f"{'> ' if row.at_least else ''}{_ms(row.mean_ms)}"


def _found(results: Path, pattern: str) -> dict[Path, Document]:
    """The documents of that name, by file, in a fixed order."""
    files = sorted(results.glob(f"*/{pattern}"), key=lambda file: (file.parent, len(file.stem), file.stem))
    return {file: json.loads(file.read_text()) for file in files}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _sources(files: Mapping[Path, Document]) -> str:
    """Which commits the figures are of, and where the documents lie."""
    if not files:
        return "Not measured yet."
    commits = ", ".join(sorted({str(document.get("commit")) for document in files.values()}))
    folders = ", ".join(f"`{name}`" for name in sorted({file.parent.name for file in files}))
    names = sorted({file.name for file in files})
    shown = f"`{names[0]}`" if len(names) == 1 else f"`{names[0].split('-')[0]}-*.json`"
    return f"From {shown} in benchmarks/results/ of {folders}; commit {commits}."


def _machine(file: Path) -> str:
    """A results folder's name as words: `amd-epyc-2-threads` is `amd epyc, 2 threads`."""
    words = file.parent.name.split("-")
    if words[-1] != "threads":
        return " ".join(words)
    known = (
        " ".join(words[:-2]).replace("intel r xeon r processor", "Intel Xeon").replace("amd epyc", "AMD EPYC")
    )
    return f"{known}, {words[-2]} thread{'s' if words[-2] != '1' else ''}"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _ms(value: float | None) -> str:
    return "-" if value is None else _short(value)


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _likeness(row: Document) -> str:
    """PSNR of a step's pictures against the first step's."""
    if row["psnr"] is None and row["ssim"] == 1:
        return "equal"
    return _number(row["psnr"], 1)


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _mib(value: int | None) -> str:
    return "-" if value is None else f"{value / 2**20:.0f}"


TABLES: dict[str, Callable[[Path], list[str]]] = {
    "network": network, "png": png, "engine": engine, "faults": faults, "keep-detail": keep_detail,
    "angles": angles, "fidelity": fidelity, "ladder": ladder, "sweep": sweep,
    "temporal": temporal, "identities": identities,
}  # fmt: skip
