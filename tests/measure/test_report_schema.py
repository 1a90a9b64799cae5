"""The published schema of reports: every report that the command line writes keeps to it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from helpers import DATA, write_photo
from reports import problems, report_of, schema, strict_schema

from gpen_fast.measure import report as reports
from gpen_fast.measure import report_parts as parts
from gpen_fast.measure import report_rows
from gpen_fast.measure.ladder import LadderRow
from gpen_fast.measure.samples import ProcessSamples
from gpen_fast.measure.stats import Summary
from gpen_fast.measure.sweep import SweepRow
from gpen_fast.settings import STAGES, VIDEO_STAGES, Settings

# Definition of the schema -> the dataclass with the same keys.
KINDS = {
    "summary": Summary, "device": parts.DeviceFacts, "weights": parts.WeightsFile,
    "better": parts.BetterChoice, "passed_over": parts.PassedOverFile, "failed": parts.FailedInput,
    "note": parts.InputNote, "landmarks": parts.LandmarksUse, "stage": report_rows.StageRow,
    "picture": report_rows.PictureRow, "device_row": report_rows.DeviceRow, "idle_row": report_rows.IdleRow,
    "mix_row": report_rows.MixRow, "memory": parts.MemoryPeaks, "process": ProcessSamples,
    "comparison_row": report_rows.ComparisonRow, "live": parts.LiveFigures, "latency": parts.LatencyFigures,
    "ladder_row": LadderRow, "sweep_row": SweepRow,
}  # fmt: skip


def test_schema_and_dataclasses_have_the_same_keys() -> None:
    told = schema()
    assert list(told["$defs"]["run"]["properties"]) == [
        "schema",
        *(each.name for each in dataclasses.fields(reports.Report)),
    ]
    for name, kind in KINDS.items():
        assert list(told["$defs"][name]["properties"]) == [each.name for each in dataclasses.fields(kind)]
    assert list(told["$defs"]["outcomes"]["properties"]) == list(report_rows.OUTCOMES)
    assert set(told["$defs"]["settings"]["properties"]) == set(Settings().as_flat())
    names = told["$defs"]["stage"]["properties"]["name"]["enum"]
    assert names[: len(STAGES)] == list(STAGES)
    assert sorted(names) == sorted({*STAGES, *VIDEO_STAGES})


def test_every_key_is_explained_there_and_in_the_docs() -> None:
    told, page = schema(), (DATA.parents[1] / "docs/report-schema.md").read_text()
    for kind in (told, *told["$defs"].values()):
        for key, value in kind["properties"].items():
            text = value.get("description") or told["$defs"][value["$ref"].rpartition("/")[2]]["description"]
            assert f"| `{key}` |" in page
            assert text in page


def test_a_wrong_report_is_caught() -> None:
    made = report_of().to_dict()
    assert problems(made, strict_schema()) == []
    assert problems(made | {"images": "two"}, schema()) == ["$.images: 'two' is not of type 'integer'"]
    assert set(problems(made | {"schema": 2}, schema())) == {"$.schema: 1 was expected"}
    assert problems({"schema": 1, "command": "sing", "version": "0.1.0"}, schema())
    assert problems(made | {"new": 1}, schema()) == []
    assert problems(made | {"new": 1}, strict_schema())


def test_the_schema_accepts_files_of_before() -> None:
    assert problems(json.loads((DATA / "profile-report.json").read_text()), schema()) == []


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_photo(Path("in/good.png"), height=64, width=64)
    Path("in/bad.jpg").write_bytes(b"no picture")
    Path("in/notes.txt").write_text("no picture either")
    return tmp_path


def keeps_to_the_schema(made: dict[str, object]) -> bool:
    found = problems(made, strict_schema()) + list(_long_figures(made))
    assert not found
    return True


def _long_figures(value: object, where: str = "$"):
    """Figures of more than four decimals."""
    if isinstance(value, float) and value != round(value, 4):
        yield f"{where}: {value}"
    children = (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    )
    for key, child in children:
        yield from _long_figures(child, f"{where}.{key}")


def test_a_report_of_enhance_keeps_to_it(cli, album: Path, tiny_weights: Path) -> None:
    common = ["enhance", "in", "out", "--weights", tiny_weights]
    assert cli(*common, "--save-landmarks", "f.jsonl", "--json", "first.json").status == 1
    made = json.loads(Path("first.json").read_text())
    assert keeps_to_the_schema(made)
    assert made["landmarks"] == {"saved": 1, "saved_to": "f.jsonl"}
    assert made["outcomes"] == {"restored": 0, "no_face": 1, "ignored": 1, "skipped": 0, "failed": 1}
    again = [*common, "--landmarks", "f.jsonl", "--overwrite", "--json", "second.json"]
    assert cli(*again).status == 1
    made = json.loads(Path("second.json").read_text())
    assert keeps_to_the_schema(made)
    assert (made["landmarks"]["file"], made["landmarks"]["used"]) == ("f.jsonl", 1)


def test_a_report_of_profile_keeps_to_it(cli, album: Path) -> None:
    arguments = ["--weights", "random:gpen-bfr-256", "--skip-detect", "--runs", 2, "--warmup", 0]
    assert cli("profile", "in/good.png", *arguments, "--json", "r.json").status == 0
    made = json.loads(Path("r.json").read_text())
    assert keeps_to_the_schema(made)
    assert (made["runs"], made["warmup"], made["model_load_ms"], made["face_size"]) == (2, 0, None, 256)


def test_a_report_of_nothing_to_do_keeps_to_it(cli, album: Path) -> None:
    Path("in/bad.jpg").unlink()
    Path("out").mkdir()
    shutil.copy("in/good.png", "out/good.png")
    assert cli("enhance", "in", "out", "--json", "r.json").status == 0
    made = json.loads(Path("r.json").read_text())
    assert keeps_to_the_schema(made)
    assert (made["outcomes"]["skipped"], made["outcomes"]["ignored"], made["device"]) == (1, 1, None)


def test_a_dry_run_names_every_input_on_standard_output_alone(cli, album: Path) -> None:
    ran = cli("enhance", "in", "out", "--dry-run", "--json", "-")
    made = json.loads(ran.out)
    assert keeps_to_the_schema(made)
    assert (made["verdict"], made["not_done"]) == ("dry_run", 2)
    assert {(row["input"], row["outcome"]) for row in made["pictures"]} == {
        ("in/bad.jpg", "not_done"), ("in/good.png", "not_done"), ("in/notes.txt", "ignored"),
    }  # fmt: skip
    assert "in/good.png -> out/good.png" in ran.err


def test_the_rows_are_the_outcomes(cli, album: Path, tiny_weights: Path) -> None:
    common = ["enhance", "in", "out", "--weights", tiny_weights, "--skip-detect"]
    ran = cli(*common, "--json", "-", "--log", "l.jsonl", "--log-format", "json")
    made = json.loads(ran.out)
    assert ran.status == 1
    assert keeps_to_the_schema(made)
    assert (made["verdict"], made["ignored"]) == ("some_failed", ["in/notes.txt"])
    rows = {row["input"]: row for row in made["pictures"]}
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "in/bad.jpg": "failed", "in/good.png": "restored", "in/notes.txt": "ignored",
    }  # fmt: skip
    assert set(rows["in/good.png"]["times_ms"]) == {"load", "crop", "generate", "save"}
    assert rows["in/bad.jpg"]["error"].startswith("not a picture that can be read")
    logged = [json.loads(line) for line in Path("l.jsonl").read_text().splitlines()]
    assert [{key: row[key] for key in row if key != "time"} for row in logged] == made["pictures"]
