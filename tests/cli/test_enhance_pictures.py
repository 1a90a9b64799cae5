"""`gpen-fast enhance`: where results go, what they carry, and what bad input comes to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from formats import SRGB
from helpers import EXAMPLES, TINY, photo, write_photo
from PIL import Image
from safetensors.torch import save_file

from gpen_fast.gpen.checkpoint import random_state
from gpen_fast.image.exif_mark import marked

PORTRAIT = EXAMPLES / "grace_hopper-degraded.jpg"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A portrait and a picture without faces."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    shutil.copy(PORTRAIT, tmp_path / "in/portrait.jpg")
    write_photo(tmp_path / "in/meadow.png")
    return tmp_path


def files(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir() if path.name != ".gpen-fast")


class TestInPlace:
    def test_restores_once_and_leaves_the_rest_untouched(self, cli, folder: Path, tiny_weights: Path) -> None:
        portrait, meadow = Path("in/portrait.jpg"), Path("in/meadow.png")
        portrait.chmod(0o640)
        before, status = portrait.read_bytes(), meadow.stat()
        # At strength 0 the network of the tests leaves a face that is found again.
        command = ["enhance", "in", "--in-place", "--strength", "0", "--weights", tiny_weights]
        assert "1 restored, 1 no face" in cli(*command).out
        restored = portrait.stat()
        assert portrait.read_bytes() != before
        assert restored.st_mode & 0o777 == 0o640
        assert (meadow.stat().st_mtime_ns, meadow.stat().st_ino) == (status.st_mtime_ns, status.st_ino)
        assert files("in") == ["meadow.png", "portrait.jpg"]
        assert "nothing to do: 2 skipped (done already)" in cli(*command).out
        assert portrait.stat().st_mtime_ns == restored.st_mtime_ns
        assert "1 restored, 1 no face" in cli(*command, "--overwrite").out
        assert portrait.stat().st_mtime_ns > restored.st_mtime_ns

    def test_an_output_folder_left_among_the_inputs_is_refused(
        self, cli, folder: Path, tiny_weights: Path
    ) -> None:
        command = ["enhance", "in/", "out/", "--weights", tiny_weights]
        assert cli(*command).status == 0
        before = {path: path.read_bytes() for path in (*Path("in").glob("*.*g"), *Path("out").glob("*.*g"))}
        ran = cli(*command, "--in-place", "--strength", "0.3")
        assert ran.status == 2
        assert "error: out: holds results of an earlier run" in ran.err
        assert {path: path.read_bytes() for path in before} == before

    def test_picture_above_pillows_limit_is_not_restored_again(
        self, cli, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, kind in (("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.webp", "WEBP")):
            Image.fromarray(photo()).save(folder / "in" / name, kind, exif=marked(None))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
        assert "0 to do, 3 skipped" in cli("enhance", "in/[abc].*", "--in-place", "--dry-run").out

    def test_exif_without_room_for_the_mark_stays_as_it_is(
        self, cli, folder: Path, tiny_weights: Path
    ) -> None:
        exif = Image.Exif()
        exif[0x010E] = "m" * 65480
        data = exif.tobytes()
        assert len(data) <= 65533 < len(marked(data))
        with Image.open(PORTRAIT) as image:
            image.save("in/portrait.jpg", exif=data)
        ran = cli("enhance", "in", "--in-place", "--weights", tiny_weights)
        assert ran.status == 0
        assert "note in/portrait.jpg: its EXIF has no room for the mark" in ran.err
        with Image.open("in/portrait.jpg") as image:
            assert image.getexif()[0x010E] == exif[0x010E]

    def test_link_stays_a_link(self, cli, folder: Path, tiny_weights: Path) -> None:
        Path("in/portrait.jpg").rename("real.jpg")
        Path("in/link.jpg").symlink_to(folder / "real.jpg")
        before = Path("real.jpg").read_bytes()
        assert cli("enhance", "in", "--in-place", "--weights", tiny_weights).status == 0
        assert Path("in/link.jpg").is_symlink()
        assert Path("real.jpg").read_bytes() != before

    def test_content_of_another_format_is_left_alone(self, cli, folder: Path, tiny_weights: Path) -> None:
        shutil.copy(EXAMPLES / "astronaut.png", "in/liar.jpg")
        before = Path("in/liar.jpg").read_bytes()
        ran = cli("enhance", "in/liar.jpg", "--in-place", "--weights", tiny_weights)
        assert ran.status == 1
        assert "failed in/liar.jpg: is PNG by its content: rename it, or name an output folder." in ran.err
        assert Path("in/liar.jpg").read_bytes() == before

    def test_further_pictures_in_a_file_are_named_and_in_place_refused(
        self, cli, folder: Path, tiny_weights: Path
    ) -> None:
        with Image.open(PORTRAIT) as image:
            image.save("in/portrait.jpg", "MPO", save_all=True, append_images=[image.copy()])
        ran = cli("enhance", "in/portrait.jpg", "out", "--weights", tiny_weights, "--keep-detail", "0")
        assert "note in/portrait.jpg: left out: further pictures in its file, such as a gain map." in ran.err
        before = Path("in/portrait.jpg").read_bytes()
        ran = cli("enhance", "in", "--in-place", "--weights", tiny_weights)
        assert ran.status == 1
        assert "failed in/portrait.jpg: holds further pictures" in ran.err
        assert Path("in/portrait.jpg").read_bytes() == before

    def test_format_and_missing_output(self, cli, folder: Path) -> None:
        ran = cli("enhance", "in", "--in-place", "--format", "png")
        assert ran.status == 2
        assert "--in-place writes each picture under its own name and in its own format" in ran.err
        ran = cli("enhance", "in")
        assert ran.status == 2
        assert (
            "error: in: missing output. Name a folder after the inputs, or use --in-place to replace the inputs."
            in ran.err
        )
        assert cli("enhance", "in", "in").status == 2

    def test_killed_run_leaves_whole_pictures(self, folder: Path, tiny_weights: Path) -> None:
        shutil.rmtree("in")
        for number in range(60):
            write_photo(folder / f"in/{number:02d}.png", height=80, seed=number)
        old = {path.name: path.read_bytes() for path in Path("in").glob("*.*g")}
        command = [sys.executable, "-m", "gpen_fast", "enhance", "in", "--in-place", "--skip-detect"]
        command += ["--keep-detail", "0", "--weights", str(tiny_weights)]
        run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while all(Path("in", name).read_bytes() == data for name, data in old.items()):
            assert time.monotonic() < deadline
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        for name, data in old.items():
            if Path("in", name).read_bytes() != data:
                with Image.open(Path("in", name)) as image:
                    image.load()
                    assert image.size == (64, 64)


class TestSuffix:
    def test_results_beside_the_inputs(self, cli, folder: Path, tiny_weights: Path) -> None:
        for _ in range(2):
            ran = cli("enhance", "in", "in", "--suffix", "_restored", "--weights", tiny_weights)
            assert ran.status == 0
        assert files("in") == ["meadow.png", "meadow_restored.png", "portrait.jpg", "portrait_restored.png"]
        assert "nothing to do: 2 skipped (done already)" in ran.out
        assert (
            "note in/meadow_restored.png: left out: by its name it is a result of an earlier run (and 1 more)."
            in ran.err
        )


def test_outside_the_faces_every_kind_of_picture_keeps_its_pixels(
    cli, folder: Path, tiny_weights: Path
) -> None:
    """Depth, grey, alpha and profile come through a restoration, not only through reading and writing."""
    with Image.open(EXAMPLES / "astronaut.png") as image:
        rgb = np.array(image.convert("RGB"))
    face = Image.fromarray(rgb)  # without the profile of the file
    deep = rgb.astype(np.uint16) * 257 - rgb % 7
    alpha = face.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(face.size))
    shutil.rmtree("in")
    Path("in").mkdir()
    cv2.imwrite("in/deep.png", deep[:, :, ::-1])
    cv2.imwrite("in/deep.tif", deep[:, :, ::-1])
    alpha.save("in/alpha.png", icc_profile=SRGB)
    face.convert("L").save("in/grey.png")
    face.convert("L").convert("RGB").save("in/colourless.png")
    alpha.save("in/alpha.webp", lossless=True, exact=True)
    cv2.imwrite("in/deepgrey.png", deep[:, :, 1])
    weights = (
        "--weights",
        tiny_weights,
        "--keep-detail",
        "0",
    )  # random weights: by default nothing would change
    ran = cli("enhance", "in", "out", "--format", "png", "--suffix", "_new", *weights)
    assert ran.status == 2, "two alphas"
    ran = cli("enhance", *map(str, sorted(Path("in").glob("*.png"))), "out", *weights)
    assert ran.status == 0, ran.err
    ran = cli("enhance", "in/deep.tif", "in/alpha.webp", "two", *weights)
    assert ran.status == 0, ran.err
    border = np.s_[-60:, :]  # the face is far above
    for name, wanted in {
        "out/deep.png": deep,
        "two/deep.png": deep,
        "out/alpha.png": np.asarray(alpha),
        "two/alpha.png": np.asarray(alpha),
        "out/grey.png": np.asarray(face.convert("L")),
        "out/colourless.png": np.asarray(face.convert("L").convert("RGB")),
        "out/deepgrey.png": deep[:, :, 1],
    }.items():
        got = cv2.imread(name, cv2.IMREAD_UNCHANGED)
        if got.ndim == 3:
            got = got[:, :, [2, 1, 0, 3][: got.shape[2]]]
        assert got.dtype == wanted.dtype, name
        assert got.shape == wanted.shape, name
        assert np.array_equal(got[border], wanted[border]), name
        assert not np.array_equal(got, wanted), f"{name} was not restored"
        if got.shape[-1] == 4:
            assert np.array_equal(got[..., 3], wanted[..., 3]), name
    with Image.open("out/alpha.png") as image:
        assert image.info["icc_profile"] == SRGB


def test_bad_input_is_named_and_the_rest_done(cli, folder: Path, tiny_weights: Path) -> None:
    whole = PORTRAIT.read_bytes()
    Path("in/empty.jpg").write_bytes(b"")
    Path("in/torn.jpg").write_bytes(whole[: len(whole) // 3])
    Path("in/text.jpg").write_text("hello")
    os.mkfifo("in/pipe.png")
    write_photo(folder / "in/large.png", height=300, width=400)
    deep = cv2.imencode(".tif", photo(200, 200, dtype=np.uint16))[1].tobytes()
    Path("in/deep.tif").write_bytes(deep[:3000] + bytes(99) + deep[3099:])
    Path("in/line\nbreak.jpg").write_text("hello")
    ran = cli("enhance", "in", "out", "--weights", tiny_weights, "--max-pixels", "119999", "--json", "r.json")
    assert ran.status == 1
    lines = sorted(line for line in ran.err.splitlines() if line.startswith("failed "))
    for name, words in {
        "empty.jpg": "the file is empty.",
        "torn.jpg": "damaged: image file is truncated",
        "text.jpg": "not a picture that can be read: its content has no known format.",
        "pipe.png": "not a regular file",
        "large.png": "declares 400x300 pixels: accepted are 119999. Try a higher --max-pixels",
        "line\\nbreak.jpg": "not a picture that can be read",
    }.items():
        assert [line for line in lines if line.startswith(f"failed in/{name}: {words}")], (name, lines)
    assert len(lines) >= 6
    assert {"portrait.png", "meadow.png"} <= set(files("out"))
    assert {failure["path"] for failure in json.loads(Path("r.json").read_text())["failed"]} >= {
        "in/line\nbreak.jpg"
    }


def test_max_pixels_stands_for_pillows_own_limit(
    cli, folder: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.fromarray(photo()).save("in/scan.tif")  # Pillow looks at its limit again when it decodes a TIFF
    ran = cli("enhance", "in/scan.tif", "out", "--weights", tiny_weights)
    assert ran.status == 0, ran.err


def test_file_that_vanishes_is_named(
    cli, folder: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpen_fast.run import runtime

    real = runtime.load_runtime

    def vanishing(settings: object) -> object:
        Path("in/portrait.jpg").unlink()
        return real(settings)

    monkeypatch.setattr(runtime, "load_runtime", vanishing)
    ran = cli("enhance", "in", "out", "--weights", tiny_weights)
    assert ran.status == 1
    assert "failed in/portrait.jpg: no such file or directory" in ran.err
    assert files("out") == ["meadow.png"]


def test_unreadable_file_is_named(
    cli, folder: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def denied(path: object, flags: int, *rest: int, **more: object) -> int:
        if str(path).endswith("portrait.jpg"):  # a test may run as root, whom nothing is denied
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", denied)
    ran = cli("enhance", "in", "out", "--weights", tiny_weights)
    assert ran.status == 1
    assert "failed in/portrait.jpg: permission denied" in ran.err


@pytest.mark.parametrize("wrong", ["nan", "text", "other"])
def test_wrong_checkpoint_is_exit_2(cli, folder: Path, wrong: str) -> None:
    if wrong == "text":
        Path("w.pth").write_text("no checkpoint")
    else:
        state = random_state(TINY) if wrong == "nan" else {"weight": torch.zeros(3)}
        first = next(iter(state))
        state[first] = state[first].clone()
        state[first].view(-1)[0] = float("nan")
        save_file(state, "w.safetensors")
    ran = cli("enhance", "in", "out", "--weights", "w.pth" if wrong == "text" else "w.safetensors")
    assert ran.status == 2
    assert ran.complaints.startswith("error: ")
    assert len(ran.complaints.splitlines()) == 1
    assert not Path("out").exists()


def test_folder_without_pictures_is_exit_2(cli, folder: Path) -> None:
    Path("empty").mkdir()
    ran = cli("enhance", "empty", "out")
    assert ran.status == 2
    assert "error: no picture in empty (0 other files). Accepted suffixes: avif, bmp, gif, heic" in ran.err


def test_decoders_keep_quiet_beside_the_line_that_names_a_picture(folder: Path, tiny_weights: Path) -> None:
    shutil.rmtree("in")
    for suffix in ("png", "tif"):
        data = cv2.imencode(f".{suffix}", photo(200, 200, dtype=np.uint16))[1].tobytes()
        Path("in").mkdir(exist_ok=True)
        Path(f"in/{suffix}.{suffix}").write_bytes(data[: len(data) // 2])
    Path(os.fsdecode(b"in/caf\xe9.png")).write_text("no text by its name")
    command = [
        sys.executable,
        "-m",
        "gpen_fast",
        "enhance",
        "in",
        "out",
        "-q",
        "--weights",
        str(tiny_weights),
    ]
    environment = {key: value for key, value in os.environ.items() if key != "OPENCV_LOG_LEVEL"}
    ran = subprocess.run(
        [*command, "--json", "r.json"], capture_output=True, text=True, env=environment, check=False
    )
    assert ran.returncode == 1
    lines = ran.stderr.splitlines()
    assert len(lines) == 3, ran.stderr
    assert all(line.startswith("failed in/") for line in lines)
    assert any("caf\\udce9.png" in line for line in lines)
    assert len(json.loads(Path("r.json").read_text())["failed"]) == 3


def test_density_exif_and_profile_reach_the_result(cli, folder: Path, tiny_weights: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 8, "mother"
    with Image.open(PORTRAIT) as image:
        image.rotate(-90, expand=True).save("in/portrait.jpg", exif=exif, icc_profile=SRGB, dpi=(600, 600))
    for suffix in ("png", "jpg", "webp"):
        ran = cli("enhance", "in/portrait.jpg", f"a.{suffix}", "--weights", tiny_weights)
        assert "1 restored" in ran.out
        with Image.open(f"a.{suffix}") as image, Image.open(PORTRAIT) as upright:
            assert image.size == upright.size
            assert (image.getexif()[0x0112], image.getexif()[0x010E]) == (1, "mother")
            assert image.info["icc_profile"] == SRGB
            if suffix != "webp":
                assert image.info["dpi"] == pytest.approx((600, 600), abs=0.1)


class TestPngLevel:
    def test_small_is_smaller_and_shows_the_same(self, cli, folder: Path, tiny_weights: Path) -> None:
        for level in ("fast", "small"):
            assert (
                cli(
                    "enhance", "in/portrait.jpg", level, "--png-level", level, "--weights", tiny_weights
                ).status
                == 0
            )
        fast, small = Path("fast/portrait.png"), Path("small/portrait.png")
        assert small.stat().st_size < fast.stat().st_size
        assert np.array_equal(cv2.imread(str(fast)), cv2.imread(str(small)))

    def test_another_level_is_refused(self, cli, folder: Path, tiny_weights: Path) -> None:
        ran = cli("enhance", "in", "out", "--png-level", "9", "--weights", tiny_weights)
        assert ran.status == 2
        assert "PNG level '9': accepted are fast, small" in ran.err
        assert not Path("out").exists()


def test_dry_run_names_transparent_pictures_that_jpeg_cannot_hold(cli, folder: Path) -> None:
    Image.fromarray(photo(channels=4)).save("in/clear.png")
    ran = cli("enhance", "in", "out", "--dry-run", "--format", "jpg", "--json", "plan.json")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("note ")]
    assert line.startswith("note in/clear.png: holds transparency by its header: it fails if any pixel is ")
    (note,) = json.loads(Path("plan.json").read_text())["notes"]
    assert note["path"] == "in/clear.png"
    assert "note" not in cli("enhance", "in", "out", "--dry-run").out
