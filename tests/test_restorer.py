"""The Python interface, by its contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from formats import SRGB
from helpers import EXAMPLES, photo, shared_picture, write_photo
from PIL import Image
from safetensors.torch import load_file, save_file

import gpen_fast
from gpen_fast import Restorer, Settings
from gpen_fast.errors import CheckpointError, InputsError, PictureError, SettingsError, WeightsNotFoundError
from gpen_fast.gpen.select import FoldedForm
from gpen_fast.settings import STAGES
from gpen_fast.stages.generate import folded


@pytest.fixture(scope="module")
def restorer(tiny_weights: Path) -> Restorer:
    return Restorer(weights=tiny_weights, precision="fp32", keep_detail=0.0)


@pytest.fixture(scope="module")
def aligned(tiny_weights: Path) -> Restorer:
    return Restorer(weights=tiny_weights, detector="none", precision="fp32")


def test_portrait_is_restored_inside_its_face_only(restorer: Restorer) -> None:
    before = np.asarray(Image.open(EXAMPLES / "astronaut.png"))
    done = restorer.restore(EXAMPLES / "astronaut.png")
    assert done.error is None
    assert done.image.shape == before.shape
    assert done.image.dtype == np.uint8
    changed = (done.image != before).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert changed.mean() > 0.01
    assert rows.max() < 280
    assert 100 < columns.min() < columns.max() < 350
    assert set(done.timing) == set(STAGES) - {"save"}


def test_what_makes_the_network_slower_is_told(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Restorer(weights=tiny_weights, precision="fp32").notes == []
    torch_only = FoldedForm(lambda faces: faces, "its kernels are not used on cuda:0 (no Triton).")
    monkeypatch.setattr(folded, "select_form", lambda *given: torch_only)
    restorer = Restorer(weights=tiny_weights, precision="fp32", backend="folded")
    assert restorer.notes == ["its kernels are not used on cuda:0 (no Triton)."]


def test_what_runs_is_told_and_that_the_embedded_network_is_not_gpens(
    restorer: Restorer, aligned: Restorer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert (restorer.model, restorer.detector) == ("custom-64", "lite")
    assert (aligned.detector, restorer.notes) == ("none", [])
    limits = "gpen-lite-256 cleans and smooths faces; it does not restore them as GPEN does."
    with caplog.at_level("INFO", logger="gpen_fast"):
        embedded = Restorer(detector="none", precision="fp32")
    assert (embedded.model, embedded.notes[0]) == ("gpen-lite-256", limits)
    assert embedded.notes[1] == "A better network: gpen-fast weights pull gpen-bfr-512"
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("WARNING", limits) in logged
    assert any(text.startswith("reading ") for _, text in logged)
    assert capfd.readouterr() == ("", "")


def test_the_library_prints_nothing_and_logs_what_fails(aligned: Restorer, tmp_path: Path) -> None:
    code = f"""
import sys
from gpen_fast import Restorer
restorer = Restorer(detector="none", precision="fp32", device="cpu")
if sys.argv[1:]:
    import logging
    logging.basicConfig(format="%(name)s %(levelname)s %(message)s")
(done,) = restorer.restore_many(["{tmp_path}/gone.png"])
assert done.error
"""
    command = [sys.executable, "-c", code]
    silent = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (silent.stdout, silent.stderr) == ("", "")
    told = subprocess.run([*command, "log"], capture_output=True, text=True, check=True)
    assert f"gpen_fast.restorer WARNING failed: {tmp_path}/gone.png: " in told.stderr


def test_faces_tell_their_way(restorer: Restorer) -> None:
    (face,) = restorer.restore(str(EXAMPLES / "astronaut.png")).faces
    assert face.crop.shape == face.restored.shape == (3, 64, 64)
    assert face.matrix.shape == (2, 3)
    assert 0 < face.score <= 1
    assert face.landmarks is not None
    assert face.landmarks.shape == (5, 2)
    x0, y0, x1, y1 = face.box
    assert x0 < 223 < x1
    assert y0 < 107 < y1


def test_image_has_the_inputs_kind(restorer: Restorer) -> None:
    array = np.asarray(Image.open(EXAMPLES / "astronaut.png"))
    wanted = restorer.restore(array).image
    chw = torch.from_numpy(array.copy()).permute(2, 0, 1)
    tensor = restorer.restore(chw).image
    pil = restorer.restore(Image.fromarray(array)).image
    path = restorer.restore(EXAMPLES / "astronaut.png").image
    assert isinstance(tensor, torch.Tensor)
    assert isinstance(pil, Image.Image)
    assert np.array_equal(tensor.permute(1, 2, 0).numpy(), wanted)
    assert np.array_equal(np.asarray(pil), wanted)
    assert np.array_equal(path, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(512, 512), (512, 512, 1), (512, 512, 3), (512, 512, 4)])
def test_depth_and_channels_are_kept(restorer: Restorer, dtype: type, shape: tuple[int, ...]) -> None:
    colour = np.asarray(Image.open(EXAMPLES / "astronaut.png"))
    array = colour[..., 1] if len(shape) == 2 or shape[2] == 1 else colour
    if shape[-1] == 4:
        array = np.concatenate([colour, photo(512, 512, 1)[..., None]], axis=-1)
    array = array.reshape(shape).astype(dtype) * (257 if dtype == np.uint16 else 1)
    array = array.astype(dtype)
    done = restorer.restore(array)
    assert len(done.faces) == 1
    assert done.image.shape == array.shape
    assert done.image.dtype == dtype
    if shape[-1] == 4:
        assert np.array_equal(done.image[..., 3], array[..., 3])


def test_black_and_white_photograph_stored_as_colour_gets_no_colour(restorer: Restorer) -> None:
    grey = np.asarray(Image.open(EXAMPLES / "astronaut.png").convert("L"))
    image = restorer.restore(np.stack([grey] * 3, axis=-1)).image
    assert image.shape == (512, 512, 3)
    assert np.array_equal(image[..., 0], image[..., 1])
    assert np.array_equal(image[..., 0], image[..., 2])
    assert not np.array_equal(image[..., 0], grey)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((100, 100), (64, 64)),
        ((30, 30), (64, 64)),
        ((64, 64), (64, 64)),
        ((50, 100), (32, 64)),
        ((99, 33), (64, 21)),
    ],
)
def test_aligned_picture_is_never_stretched(
    aligned: Restorer, shape: tuple[int, int], wanted: tuple[int, int]
) -> None:
    done = aligned.restore(photo(*shape))
    assert done.image.shape == (*wanted, 3)
    assert set(done.timing) == {"load", "crop", "generate"}


def test_aligned_picture_with_no_strength_is_the_resized_input(tiny_weights: Path) -> None:
    """Shows that the window cut out of the padded square is the picture itself."""
    restorer = Restorer(weights=tiny_weights, detector="none", precision="fp32", strength=0.0)
    array = photo(60, 120)
    image = restorer.restore(array).image
    resized = np.asarray(Image.fromarray(array).resize((64, 32), Image.Resampling.BICUBIC))
    assert np.abs(image.astype(int) - resized).mean() < 1


def test_aligned_non_square_crop_is_edge_padded_and_in_place(aligned: Restorer) -> None:
    (face,) = aligned.restore(photo(32, 64)).faces
    crop = face.crop.permute(1, 2, 0).numpy()
    assert np.abs(crop[16:48].astype(int) - photo(32, 64)).max() <= 1
    assert np.abs(crop[:16].astype(int) - crop[16]).max() <= 1
    assert np.abs(crop[48:].astype(int) - crop[47]).max() <= 1
    middle = face.matrix @ np.array([31.5, 15.5, 1])
    assert np.allclose(middle, [31.5, 31.5])


def test_only_largest_and_strength(tiny_weights: Path) -> None:
    picture = shared_picture("solvay_conference_1927.png")
    one = Restorer(weights=tiny_weights, precision="fp32", only_largest=True).restore(picture)
    assert len(one.faces) == 1
    untouched = Restorer(weights=tiny_weights, precision="fp32", only_largest=True, strength=0.0).restore(
        picture
    )
    assert np.array_equal(untouched.image, np.asarray(Image.open(picture)))


def test_template_is_the_files_own_unless_one_is_named(tiny_weights: Path, tmp_path: Path) -> None:
    declared, unknown = tmp_path / "ffhq.safetensors", tmp_path / "odd.safetensors"
    save_file(load_file(tiny_weights), declared, metadata={"template": "ffhq"})
    save_file(load_file(tiny_weights), unknown, metadata={"template": "arcface"})

    def scale(**settings: object) -> float:
        (face,) = Restorer(precision="fp32", **settings).restore(EXAMPLES / "astronaut.png").faces
        return float(np.hypot(face.matrix[0, 0], face.matrix[1, 0]))

    gpen, ffhq = scale(weights=tiny_weights), scale(weights=declared)
    assert ffhq / gpen > 1.1, "FFHQ's crop shows less of the head"
    assert scale(weights=tiny_weights, template="ffhq") == ffhq
    assert scale(weights=declared, template="gpen") == gpen
    with pytest.raises(CheckpointError, match=r"declares the template 'arcface': known are gpen, ffhq"):
        Restorer(weights=unknown)


def test_restore_raises_and_restore_many_yields_errors(restorer: Restorer, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("hello")
    with pytest.raises(PictureError):
        restorer.restore(tmp_path / "bad.jpg")
    paths = [write_photo(tmp_path / "a.png"), tmp_path / "bad.jpg", str(EXAMPLES / "astronaut.png")]
    results = list(restorer.restore_many(paths))
    assert [result.path for result in results] == [Path(path) for path in paths]
    assert [result.error is None for result in results] == [True, False, True]
    assert results[1].image is None
    assert isinstance(results[1].error, PictureError)
    assert [len(result.faces) for result in results] == [0, 0, 1]
    assert np.array_equal(results[2].image, restorer.restore(paths[2]).image)


@pytest.mark.parametrize("path", ["a.jpg", b"a.jpg", Path("a.jpg")])
def test_one_path_is_not_several(restorer: Restorer, path: str | bytes | Path) -> None:
    with pytest.raises(InputsError, match=r"'a\.jpg' is one path: restore_many takes several"):
        next(restorer.restore_many(path))


def test_profile_and_upright_exif_are_on_a_pil_result(restorer: Restorer, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "an artist"
    Image.fromarray(photo(40, 50)).save(tmp_path / "a.jpg", exif=exif, icc_profile=SRGB)
    with Image.open(tmp_path / "a.jpg") as given:
        image = restorer.restore(given).image
    assert image.size == (40, 50)
    assert image.info["icc_profile"] == SRGB
    assert (image.getexif()[0x0112], image.getexif()[0x013B]) == (1, "an artist")


def test_picture_without_faces_comes_back_unchanged(restorer: Restorer) -> None:
    array = photo(100, 100)
    done = restorer.restore(array)
    assert done.faces == ()
    assert np.array_equal(done.image, array)


def test_result_is_a_picture_of_its_own(restorer: Restorer) -> None:
    grey = torch.from_numpy(np.stack([photo(100, 100, 1)] * 3))
    before = grey.clone()
    result = restorer.restore(grey).image
    result[0] = 0
    assert torch.equal(grey, before), "the result shares the caller's memory"
    assert torch.equal(result[1], before[1]), "the result's channels share memory"


def test_settings_are_named_flat(tiny_weights: Path) -> None:
    named = {"strength": 0.5, "batch_size": 3, "min_face": 9, "max_pixels": 10**6, "template": "ffhq"}
    settings = Restorer("auto", "haar", "cpu", "fp32", weights=tiny_weights, **named).settings
    wanted = named | {"detector": "haar", "device": "cpu", "precision": "fp32", "weights": str(tiny_weights)}
    assert settings == Settings.from_flat(**wanted)


def test_unknown_setting_and_missing_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_embedded: None
) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'fp16': accepted are model, weights"):
        Restorer(fp16=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        WeightsNotFoundError, match=r"none of GPEN-BFR-512\.pth.* is in .*GPEN_FAST_WEIGHTS.*--weights FILE"
    ):
        Restorer()
    with pytest.raises(WeightsNotFoundError, match=r"weights 'none\.pth': no such file"):
        Restorer(weights="none.pth")
    with pytest.raises(SettingsError, match="random weights restore nothing"):
        Restorer(weights="random:gpen-bfr-256")
    with pytest.raises(SettingsError, match="unknown model 'gfpgan': accepted are auto, gpen-bfr-512"):
        Restorer("gfpgan")


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, gpen_fast, gpen_fast.gpen, gpen_fast.cli.app; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert gpen_fast.Settings is Settings
    with pytest.raises(AttributeError, match="no attribute 'Restore'"):
        _ = gpen_fast.Restore


@pytest.mark.cuda
def test_cuda_equals_the_cpu_but_for_rounding(tiny_weights: Path, restorer: Restorer) -> None:
    on_cpu = restorer.restore(EXAMPLES / "astronaut.png").image
    on_cuda = (
        Restorer(weights=tiny_weights, device="cuda", precision="fp32")
        .restore(EXAMPLES / "astronaut.png")
        .image
    )
    error = np.abs(on_cuda.astype(int) - on_cpu)
    assert error.mean() < 0.05
    assert error.max() <= 12


@pytest.mark.cuda
def test_many_on_cuda_equal_single_ones(tiny_weights: Path) -> None:
    restorer = Restorer(weights=tiny_weights, device="cuda", precision="fp32", batch_size=2)
    paths = sorted(EXAMPLES.glob("*.jpg")) * 5
    for result in restorer.restore_many(paths):
        single = restorer.restore(result.path).image
        assert np.abs(result.image.astype(int) - single).max() <= 2


def test_a_face_at_the_far_end_of_a_huge_picture_is_restored_and_nothing_else(
    tiny_weights: Path, tmp_path: Path
) -> None:
    """Beyond 32767 pixels a side, where OpenCV's warp ends."""
    face = np.asarray(Image.open(EXAMPLES / "astronaut.png"))[:300, 80:380]
    canvas = np.full((300, 33400, 3), 120, np.uint8)
    canvas[:, 33000:33300] = face
    Image.fromarray(canvas).save(tmp_path / "long.tif", compression="tiff_adobe_deflate")
    restorer = Restorer(weights=tiny_weights, detector="lite", detect_size="full", keep_detail=0.0)
    done = restorer.restore(tmp_path / "long.tif")
    assert len(done.faces) >= 1
    changed = np.nonzero((done.image != canvas).any(axis=2).any(axis=0))[0]
    assert changed.min() >= 33000
    assert changed.max() < 33300
    assert len(changed) > 50
