"""Which picture becomes which file, decided before any work starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import write_photo
from PIL import Image
from runs import pairs

from gpen_fast.errors import InputsError
from gpen_fast.image.exif_mark import marked
from gpen_fast.run.plan import plan
from gpen_fast.settings import OutputOptions


def test_folder_is_walked_and_its_tree_kept(album: Path) -> None:
    made = plan(["in"], Path("out"), OutputOptions())
    assert pairs(made) == {
        "in/a.jpg": "out/a.png",
        "in/b.PNG": "out/b.png",
        "in/1931/c.jpeg": "out/1931/c.png",
        "in/1931/ä ö.webp": "out/1931/ä ö.png",
    }
    assert sorted(map(str, made.ignored)) == ["in/1931/._c.jpeg", "in/notes.txt"]


def test_same_format_keeps_each_suffix_and_bmp_becomes_png(album: Path) -> None:
    write_photo(album / "in/d.bmp")
    targets = set(pairs(plan(["in"], Path("out"), OutputOptions("same"))).values())
    assert targets == {"out/a.jpg", "out/b.PNG", "out/1931/c.jpeg", "out/1931/ä ö.webp", "out/d.png"}


def test_format_that_same_cannot_keep_is_noted_once(album: Path) -> None:
    for name in ("d.bmp", "e.bmp", "f.avif"):
        write_photo(album / "in" / name)
    assert [(str(path), note) for path, note in plan(["in"], Path("out"), OutputOptions("same")).notes] == [
        ("in/f.avif", ".avif can be read but not written: the result is a PNG."),
        ("in/d.bmp", ".bmp can be read but not written (and 1 more): the result is a PNG."),
    ]
    assert not plan(["in"], Path("out"), OutputOptions("png")).notes


def test_output_inside_the_input_is_not_walked(album: Path) -> None:
    write_photo(album / "in/out/old.png")
    assert "in/out/old.png" not in pairs(plan(["in"], Path("in/out"), OutputOptions()))


def test_glob_that_no_shell_expanded(album: Path) -> None:
    assert pairs(plan(["in/**/*.j*g"], Path("out"), OutputOptions())) == {
        "in/a.jpg": "out/a.png",
        "in/1931/c.jpeg": "out/c.png",
    }
    with pytest.raises(InputsError, match=r"in/\*\.gif: the pattern matches no file"):
        plan(["in/*.gif"], Path("out"), OutputOptions())


def test_file_whose_name_looks_like_a_glob(album: Path) -> None:
    write_photo(album / "in/x[1].png")
    assert pairs(plan(["in/x[1].png"], Path("out"), OutputOptions())) == {"in/x[1].png": "out/x[1].png"}


def test_one_file_to_one_file(album: Path) -> None:
    assert pairs(plan(["in/a.jpg"], Path("done.webp"), OutputOptions("webp"))) == {"in/a.jpg": "done.webp"}
    assert pairs(plan(["in/a.jpg"], Path("done"), OutputOptions())) == {"in/a.jpg": "done/a.png"}
    (album / "folder.png").mkdir()
    assert pairs(plan(["in/a.jpg"], Path("folder.png"), OutputOptions())) == {"in/a.jpg": "folder.png/a.png"}


def test_results_that_exist_are_skipped_unless_overwritten(album: Path) -> None:
    write_photo(album / "out/a.png")
    made = plan(["in"], Path("out"), OutputOptions())
    assert [str(item.source) for item in made.skipped] == ["in/a.jpg"]
    assert len(made.todo) == 3
    assert len(plan(["in"], Path("out"), OutputOptions(overwrite=True)).todo) == 4


def test_two_inputs_for_one_output_are_refused(album: Path) -> None:
    write_photo(album / "in/a.webp")
    with pytest.raises(
        InputsError,
        match=r"out/a\.png from in/a\.jpg and in/a\.webp\. Try --on-clash number .* or --format same",
    ):
        plan(["in"], Path("out"), OutputOptions())
    assert len(plan(["in"], Path("out"), OutputOptions("same")).todo) == 5


def test_formats_that_become_png_collide_under_same_too(album: Path) -> None:
    write_photo(album / "in/d.bmp")
    write_photo(album / "in/d.ppm")
    with pytest.raises(InputsError, match=r"become one result: out/d\.png from in/d.bmp and in/d.ppm\. Try"):
        plan(["in"], Path("out"), OutputOptions("same"))


def test_same_file_named_twice_is_restored_once(album: Path) -> None:
    for inputs in (["in", "in/a.jpg"], ["in", "in/1931"], ["in", str(album / "in/a.jpg")]):
        assert len(plan(inputs, Path("out"), OutputOptions()).todo) == 4


def test_output_below_a_glob_is_left_out(album: Path) -> None:
    write_photo(album / "in/out/old.png")
    assert set(pairs(plan(["in/*"], Path("in/out"), OutputOptions()))) == {
        "in/a.jpg", "in/b.PNG", "in/1931/c.jpeg", "in/1931/ä ö.webp",
    }  # fmt: skip
    assert "in/out/old.png" not in pairs(plan(["in/**/*.*"], Path("in/out"), OutputOptions("same")))


@pytest.mark.parametrize(
    ("inputs", "out"),
    [
        (["in/a.jpg"], "out.bmp"),
        (["in/a.jpg"], "out.gif"),
        (["in/a.jpg", "in/b.PNG"], "both.png"),
        (["in"], "all.jpg"),
    ],
)
def test_picture_name_for_what_is_not_one_picture(album: Path, inputs: list[str], out: str) -> None:
    with pytest.raises(
        InputsError, match=r"is not a folder, and these inputs cannot be written to one file of that name"
    ):
        plan(inputs, Path(out), OutputOptions())


def test_what_cannot_be_read_is_named(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(album / "in/pipe.jpg")
    (album / "in/gone.png").symlink_to(album / "nowhere.png")
    (album / "in/secret").mkdir()
    real = os.scandir

    def denied(folder: str) -> object:  # a test may run as root, whom nothing is denied
        if folder == "in/secret":
            raise PermissionError(13, "Permission denied", folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", denied)
    made = plan(["in"], Path("out"), OutputOptions())
    assert len(made.todo) == 4
    assert {str(path): why for path, why in made.failed} == {
        "in/secret": "permission denied",
        "in/pipe.jpg": "not a regular file, or a broken link.",
        "in/gone.png": "not a regular file, or a broken link.",
    }


def test_output_that_cannot_be_written_is_refused_before_the_work(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputsError, match=r"out/new: cannot be written: no permission to write to "):
        plan(["in"], Path("out/new"), OutputOptions())


@pytest.mark.parametrize(
    ("inputs", "out", "words"),
    [
        (["none.jpg"], "out", "none.jpg: no such file or folder."),
        (["in"], "in", "in: the output folder is an input folder. Name another"),
        (["in"], "in/notes.txt", "in/notes.txt: is a file. The output must be a folder"),
        (
            ["in/notes.txt"],
            "out",
            "no picture in in/notes.txt (1 other files: notes.txt). Accepted suffixes: avif, bmp, gif, heic",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(
    album: Path, inputs: list[str], out: str, words: str
) -> None:
    with pytest.raises(InputsError) as refusal:
        plan(inputs, Path(out), OutputOptions())
    assert words in str(refusal.value)


def test_inputs_are_never_overwritten(album: Path) -> None:
    write_photo(album / "in/e.png")
    with pytest.raises(InputsError, match=r"in/e\.png: would overwrite an input"):
        plan(["in/e.png"], Path("in"), OutputOptions())
    write_photo(album / "out/a.png")
    with pytest.raises(InputsError, match=r"out/a\.png from in/a.jpg and out/a.png"):
        plan(["in/a.jpg", "out/a.png"], Path("out"), OutputOptions())


def test_named_folder_inside_the_output_is_restored(album: Path) -> None:
    write_photo(album / "out/src/x.png")
    assert pairs(plan(["in", "out/src"], Path("out"), OutputOptions()))["out/src/x.png"] == "out/x.png"


@pytest.mark.parametrize("inputs", [["in/a.jpg", "in/e.webp"], ["in/*.webp", "in/a.jpg"], ["in/*.jpg"]])
def test_results_may_stand_beside_named_inputs(album: Path, inputs: list[str]) -> None:
    write_photo(album / "in/e.webp")
    made = plan(inputs, Path("in"), OutputOptions())
    assert "in/a.jpg" in pairs(made)
    assert len(made.todo) == len(inputs)


def test_output_below_a_file_and_folder_in_the_way(album: Path) -> None:
    with pytest.raises(InputsError, match=r"in/a\.jpg/out: cannot be created: .*in/a\.jpg is a file"):
        plan(["in/b.PNG"], Path("in/a.jpg/out"), OutputOptions())
    (album / "out/a.png").mkdir(parents=True)
    with pytest.raises(InputsError, match=r"out/a\.png \(for in/a\.jpg\): is a folder where results"):
        plan(["in/a.jpg"], Path("out"), OutputOptions())


def test_folder_without_pictures(album: Path) -> None:
    (album / "empty").mkdir()
    with pytest.raises(InputsError, match=r"no picture in empty \(0 other files\)"):
        plan(["empty"], Path("out"), OutputOptions())


def test_links_are_followed_once(album: Path) -> None:
    (album / "in/loop").symlink_to(album / "in", target_is_directory=True)
    (album / "elsewhere").mkdir()
    write_photo(album / "elsewhere/z.png")
    (album / "in/link").symlink_to(album / "elsewhere", target_is_directory=True)
    planned = plan(["in"], Path("out"), OutputOptions())
    made = pairs(planned)
    assert len(made) == 5
    assert made["in/link/z.png"] == "out/link/z.png"
    assert planned.notes == [(Path("in/loop"), "leads back to in, which is walked once.")]


def test_loops_of_links_are_named(album: Path) -> None:
    (album / "in/x.png").symlink_to(album / "in/y.png")
    (album / "in/y.png").symlink_to(album / "in/x.png")
    made = plan(["in"], Path("out"), OutputOptions())
    assert [str(path) for path, _ in made.failed] == ["in/x.png", "in/y.png"]
    (album / "one").symlink_to(album / "two")
    (album / "two").symlink_to(album / "one")
    with pytest.raises(InputsError, match=r"^one: is a broken link\. Name another output"):
        plan(["in"], Path("one"), OutputOptions())
    assert [str(path) for path, _ in plan(["in/x.png", "in/a.jpg"], Path("out"), OutputOptions()).failed] == [
        "in/x.png"
    ]


def test_output_folder_may_be_a_link(album: Path) -> None:
    (album / "real").mkdir()
    (album / "out").symlink_to(album / "real", target_is_directory=True)
    assert pairs(plan(["in/a.jpg"], Path("out"), OutputOptions())) == {"in/a.jpg": "out/a.png"}
    (album / "again").symlink_to(album / "in", target_is_directory=True)
    with pytest.raises(InputsError, match="again: the output folder is an input folder"):
        plan(["in"], Path("again"), OutputOptions())


def test_names_longer_than_a_file_system_takes(album: Path) -> None:
    with pytest.raises(InputsError, match=r"a{300}: no such file or folder"):
        plan(["a" * 300], Path("out"), OutputOptions())
    for out in ("a" * 300, "a" * 300 + ".png"):
        with pytest.raises(
            InputsError, match=r"the name is too long\. File systems accept 255 bytes at most"
        ):
            plan(["in/a.jpg"], Path(out), OutputOptions())
    longest = "ö" * 125 + ".png"  # 254 bytes
    write_photo(album / "in" / longest)
    assert len(plan(["in"], Path("out"), OutputOptions()).todo) == 5
    made = plan(["in"], Path("out"), OutputOptions(suffix="_restored"))
    assert len(made.todo) == 4
    assert made.failed == [
        (Path("in") / longest, "its result's name would be longer than 255 bytes. Rename the picture.")
    ]


def test_ignored_files_are_named_where_there_is_no_picture(album: Path) -> None:
    (album / "other").mkdir()
    for number in range(11):
        (album / f"other/{number:02d}.txt").touch()
    with pytest.raises(InputsError, match=r"\(11 other files: 00\.txt, .*, 07\.txt and 3 more\)\. Accepted"):
        plan(["other"], Path("out"), OutputOptions())


def test_hidden_pictures_are_restored_where_they_are_named(album: Path) -> None:
    write_photo(album / "in/.hid.jpg")
    assert pairs(plan(["in/.hid.jpg"], Path("out"), OutputOptions())) == {"in/.hid.jpg": "out/.hid.png"}
    assert pairs(plan(["in/.h*.jpg"], Path("out"), OutputOptions())) == {"in/.hid.jpg": "out/.hid.png"}
    made = plan(["in"], Path("out"), OutputOptions())
    assert Path("in/.hid.jpg") in made.ignored
    with pytest.raises(InputsError, match=r"\(1 other files: \._c\.jpeg\)"):  # macOS's own file of a picture
        plan(["in/1931/._c.jpeg"], Path("out"), OutputOptions())


class TestSuffix:
    def test_ends_every_name(self, album: Path) -> None:
        write_photo(album / "in/x.y.png")
        made = pairs(plan(["in"], Path("out"), OutputOptions("same", suffix="_new")))
        assert made["in/a.jpg"] == "out/a_new.jpg"
        assert made["in/1931/c.jpeg"] == "out/1931/c_new.jpeg"
        assert made["in/x.y.png"] == "out/x.y_new.png"

    def test_beside_named_files(self, album: Path) -> None:
        write_photo(album / "in/a_new.png")
        made = plan(["in/a.jpg", "in/a_new.png"], Path("in"), OutputOptions(suffix="_new"))
        assert (len(made.todo), len(made.skipped)) == (0, 1)

    def test_contradicts_a_named_result(self, album: Path) -> None:
        with pytest.raises(
            InputsError, match=r"--suffix _new and the output name out\.png contradict each other"
        ):
            plan(["in/a.jpg"], Path("out.png"), OutputOptions(suffix="_new"))


IN_PLACE = OutputOptions("same", in_place=True)


class TestInPlace:
    def test_each_picture_is_its_own_target(self, album: Path) -> None:
        made = pairs(plan(["in"], None, IN_PLACE))
        assert len(made) == 4
        assert all(source == target for source, target in made.items())

    def test_what_a_link_leads_to_is_replaced_once(self, album: Path) -> None:
        (album / "in/link.jpg").symlink_to("a.jpg")
        write_photo(album / "elsewhere/z.png")
        (album / "in/z.png").symlink_to(album / "elsewhere/z.png")
        made = pairs(plan(["in", "in"], None, IN_PLACE))
        assert len(made) == 5
        assert made["in/z.png"] == str(album / "elsewhere/z.png")

    def test_what_cannot_be_replaced_is_named_and_the_rest_done(self, album: Path) -> None:
        write_photo(album / "in/d.bmp")
        (album / "in/a.jpg").chmod(0o444)
        made = plan(["in"], None, IN_PLACE)
        assert len(made.todo) == 3
        assert made.failed == [
            (Path("in/a.jpg"), "is read-only. Allow writing, or name an output folder."),
            (
                Path("in/d.bmp"),
                ".bmp can be read but not written, so it cannot be replaced. Name an output folder.",
            ),
        ]

    def test_folder_that_cannot_be_written(self, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).suffix != "")
        made = plan(["in/a.jpg"], None, IN_PLACE)
        assert made.failed == [
            (Path("in/a.jpg"), "its folder in is read-only. Allow writing, or name an output folder.")
        ]

    def test_marked_pictures_are_done(self, album: Path) -> None:
        with Image.open("in/a.jpg") as image:
            image.save("in/a.jpg", exif=marked(None))
        made = plan(["in"], None, IN_PLACE)
        assert [str(item.source) for item in made.skipped] == ["in/a.jpg"]
        assert len(plan(["in"], None, OutputOptions("same", in_place=True, overwrite=True)).todo) == 4
        assert len(plan(["in"], Path("out"), OutputOptions()).todo) == 4, "elsewhere the mark does not matter"


def test_in_place_names_pictures_whose_original_cannot_be_kept(album: Path) -> None:
    (album / "in/.gpen-fast").write_text("a file")
    made = plan(["in"], None, OutputOptions("same", in_place=True))
    assert [str(path) for path, _ in made.failed] == ["in/a.jpg", "in/b.PNG"]
    assert all("its original cannot be kept: in/.gpen-fast is no folder" in cause for _, cause in made.failed)
    assert len(made.todo) == 2
    without = plan(["in"], None, OutputOptions("same", in_place=True, no_backup=True))
    assert len(without.todo) == 4


def test_kept_originals_are_not_replaced(album: Path) -> None:
    kept = write_photo(album / "in/.gpen-fast/originals/a.jpg")
    (album / "in/1931/link.jpg").symlink_to(kept)
    made = plan(["in/.gpen-fast/originals", "in/1931"], None, OutputOptions("same", in_place=True))
    assert [str(path) for path, _ in made.failed] == ["in/.gpen-fast/originals/a.jpg"]
    assert "is the kept original of another picture, which is not replaced." in made.failed[0][1]
    assert len(plan(["in/.gpen-fast/originals"], Path("out"), OutputOptions()).todo) == 1
