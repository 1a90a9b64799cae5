"""`gpen-fast profile` as a user runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from helpers import BACKEND, EXAMPLES, write_photo

from gpen_fast.run import profile_run
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.settings import STAGES

HOPPER = EXAMPLES / "grace_hopper-degraded.jpg"


def test_profile_accounts_for_the_wall_time(cli, tmp_path: Path, tiny_weights: Path) -> None:
    report = tmp_path / "r.json"
    ran = cli("profile", HOPPER, "--runs", "4", "--warmup", "1", "--weights", tiny_weights, "--json", report)
    assert ran.status == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    made = json.loads(report.read_text())
    assert (made["runs"], made["warmup"], made["faces"], made["images"]) == (4, 1, 4, 4)
    assert [stage["name"] for stage in made["stages"]] == list(STAGES)
    assert all(stage["count"] == 4 for stage in made["stages"])
    hosts = sum(stage["host_ms"]["mean"] for stage in made["stages"])
    assert hosts + made["unaccounted_ms"] == pytest.approx(made["wall_ms"]["mean"], rel=1e-3)
    assert made["unaccounted_ms"] >= 0
    shares = sum(stage["share"] for stage in made["stages"])
    assert shares == pytest.approx(hosts / made["wall_ms"]["mean"], abs=1e-3)
    assert made["memory"]["host_peak_bytes"] > 0
    assert made["model_load_ms"] > 0
    assert made["first_call_ms"] > 0
    for words in (
        "\nwall ",
        "\noutside ",
        "model load",
        "first run",
        "memory peak",
        "frames/s",
        "advice: ",
    ):
        assert words in ran.out


def test_every_run_is_made_and_every_stage_waited_for(
    cli, monkeypatch: pytest.MonkeyPatch, tiny_weights: Path
) -> None:
    runs, waits = [], []
    restore = Pipeline.restore
    monkeypatch.setattr(
        Pipeline, "restore", lambda self, source: runs.append(source) or restore(self, source)
    )
    monkeypatch.setattr(profile_run, "synchronize", waits.append)
    assert cli("profile", HOPPER, "--runs", "2", "--warmup", "3", "--weights", tiny_weights).status == 0
    assert len(runs) == 1 + 3 + 2
    assert len(waits) >= len(STAGES) * len(runs)


def test_verdict_follows_the_target(cli, tiny_weights: Path) -> None:
    common = ["profile", HOPPER, "--runs", "2", "--warmup", "0", "--weights", tiny_weights]
    assert ": live (p95" in cli(*common, "--target-fps", "0.01").out
    assert ": offline (p95" in cli(*common, "--target-fps", "100000").out


def test_a_budget_decides_the_exit_status(cli, tmp_path: Path, tiny_weights: Path) -> None:
    common = ["profile", HOPPER, "--runs", "2", "--warmup", "0", "--weights", tiny_weights]
    kept = cli(*common, "--budget", "1e6")
    assert (kept.status, "over budget" in kept.err) == (0, False)
    over = cli(*common, "--budget", "0.5", "--json", tmp_path / "r.json")
    assert over.status == 1
    report = json.loads((tmp_path / "r.json").read_text())
    p95 = report["wall_ms"]["p95"]
    assert f"over budget: the p95 of the wall time is {p95:.1f} ms, --budget 0.5\n" in over.err
    assert report["budget_ms"] == 0.5


def test_random_weights_say_so(cli) -> None:
    ran = cli("profile", HOPPER, "--runs", "1", "--warmup", "0", "--weights", "random:gpen-bfr-256")
    assert ran.status == 0
    assert "random weights: timing only" in ran.out
    assert f"gpen-bfr-256 ({BACKEND})" in ran.out
    ran = cli("profile", HOPPER, "--weights", "random:gpen")
    assert ran.status == 2
    assert "unknown model 'gpen': accepted are auto, gpen-bfr-512" in ran.err
    ran = cli("profile", HOPPER, "--model", "gpen-bfr-512", "--weights", "random:gpen-bfr-256")
    assert ran.status == 2
    assert "--model gpen-bfr-512 and --weights random:gpen-bfr-256 contradict each other" in ran.err


def test_skipped_stages_say_so(cli, tiny_weights: Path) -> None:
    ran = cli("profile", HOPPER, "--runs", "1", "--skip-detect", "--weights", tiny_weights)
    assert len(re.findall(r"^(detect|align|paste) +skipped", ran.out, re.MULTILINE)) == 3


def test_picture_without_a_face_is_pointed_out(cli, tmp_path: Path, tiny_weights: Path) -> None:
    ran = cli("profile", write_photo(tmp_path / "meadow.png"), "--runs", "1", "--weights", tiny_weights)
    assert ran.status == 0
    assert "no face was found: the network did not run. Try --skip-detect" in ran.out


def test_missing_and_broken_pictures(cli, tmp_path: Path, tiny_weights: Path) -> None:
    ran = cli("profile", tmp_path / "none.jpg", "--weights", tiny_weights)
    assert ran.status == 2
    assert "none.jpg: no such file. profile takes pictures and folders." in ran.err
    (tmp_path / "bad.jpg").write_text("x")
    ran = cli("profile", tmp_path / "bad.jpg", "--weights", tiny_weights)
    assert ran.status == 1
    assert ran.complaints.startswith(f"failed {tmp_path / 'bad.jpg'}: not a picture that can be read")
    assert "stage" not in ran.out


def test_a_mix_names_what_each_stage_costs_and_goes_on_after_a_failure(
    cli, tmp_path: Path, tiny_weights: Path
) -> None:
    folder = tmp_path / "mix"
    (folder / "below").mkdir(parents=True)
    (folder / "below/face.jpg").write_bytes(HOPPER.read_bytes())
    write_photo(folder / "meadow.png", height=300, width=500)
    (folder / "bad.jpg").write_text("x")
    (folder / "notes.txt").write_text("no picture")
    files = {name: tmp_path / f"r.{name}" for name in ("json", "csv", "md")}
    ran = cli(
        "profile", folder, "--runs", "2", "--warmup", "0", "--weights", tiny_weights, "--json", files["json"],
        "--csv", files["csv"], "--markdown", files["md"],
    )  # fmt: skip
    assert ran.status == 1, "one of them failed"
    assert ran.complaints.startswith(f"failed {folder / 'bad.jpg'}: not a picture that can be read")
    made = json.loads(files["json"].read_text())
    assert (made["runs"], made["images"], made["faces"], len(made["failed"])) == (2, 4, 2, 1)
    rows = {Path(row["path"]).name: row for row in made["mix"]}
    assert {name: (row["faces"], row["runs"]) for name, row in rows.items()} == {
        "face.jpg": (1, 2), "meadow.png": (0, 2),
    }  # fmt: skip
    assert (rows["meadow.png"]["width"], rows["meadow.png"]["height"]) == (500, 300)
    assert rows["meadow.png"]["megapixels"] == 0.15
    assert "generate" not in rows["meadow.png"]["stages_ms"]
    for row in rows.values():
        assert sum(row["stages_ms"].values()) == pytest.approx(row["wall_ms"], rel=0.5)
    assert made["first_result_ms"] == pytest.approx(made["model_load_ms"] + made["first_call_ms"], abs=0.01)
    hosts = sum(stage["total_ms"] for stage in made["stages"])
    assert hosts / 4 + made["unaccounted_ms"] == pytest.approx(made["wall_ms"]["mean"], rel=1e-3)
    assert max(map(len, ran.out.splitlines())) <= 80
    for words in (
        "ms a picture",
        "ms a megapixel",
        "2 passes over 2 pictures with 1 face and 0.",
        "time to the first result: ",
        "model load ",
        "steady state: ",
    ):
        assert words in " ".join(ran.out.split())
    assert files["csv"].read_text().startswith("stage,calls,")
    assert "2 passes over 2 pictures" in files["md"].read_text()


def test_a_mix_of_which_every_picture_fails_has_no_table(cli, tmp_path: Path, tiny_weights: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_text("x")
    ran = cli("profile", tmp_path, "--weights", tiny_weights)
    assert ran.status == 1
    assert ran.complaints.count("failed ") == 2
    assert "stage" not in ran.out


def test_without_weights_the_error_leads_on(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_embedded: None
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("profile", HOPPER)
    assert ran.status == 2
    assert "no weights for any published model" in ran.err
    assert "--weights random:gpen-bfr-512" in ran.err
