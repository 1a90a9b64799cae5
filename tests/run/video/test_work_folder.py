"""A folder that one run holds, under a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.video.work_folder import frames_work_folder, has_key, held_folder, is_keyed, write_key


def test_one_run_holds_the_folder_and_another_may_after_it(tmp_path: Path) -> None:
    folder = frames_work_folder(tmp_path / "out")
    with held_folder(folder, tmp_path / "out"):
        with (
            pytest.raises(InputsError, match="another run of gpen-fast writes it"),
            held_folder(folder, tmp_path),
        ):
            pass
        assert not is_keyed(folder)
        write_key(folder, {"a": 1, "b": [2]})
    with held_folder(folder, tmp_path / "out"):
        assert is_keyed(folder)
        assert has_key(folder, {"b": [2], "a": 1})
        assert not has_key(folder, {"b": [3], "a": 1})
