"""The bytes of an interrupted download are kept, and continued only where that is safe."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from downloads import (
    BODY,
    OTHER,
    UNKNOWN,
    Notes,
    assert_whole,
    fails,
    fetch,
    in_new_folder,
)
from hostile import Hostile, Reply

from gpen_fast.store.part import Part, part_path


def test_the_next_run_continues_where_the_last_one_ended(server: Hostile, final: Path) -> None:
    server.replies = [Reply(stop=2_000_000), Reply(status=403)]
    assert "interrupted" not in fails(final, server)
    assert part_path(final).stat().st_size == 2_000_000
    server.replies = [Reply()]
    progress = Notes()
    fetch(final, server, progress=progress)
    assert_whole(final)
    assert server.served == len(BODY)
    assert progress.begun == [(2_000_000, len(BODY))]


def test_wrong_bytes_after_resuming_are_fetched_anew_once(server: Hostile, final: Path) -> None:
    """The bytes of the earlier attempt may be the wrong ones."""
    part = Part(in_new_folder(final))
    part.append(OTHER[:1_000_000])
    part.close()
    fetch(final, server)
    assert_whole(final)
    assert [request.start for request in server.requests] == [1_000_000, 0]


def test_complete_part_of_a_killed_process_needs_no_request(server: Hostile, final: Path) -> None:
    part = Part(in_new_folder(final))
    part.append(BODY)
    part.close()
    fetch(final, server)
    assert_whole(final)
    assert not server.requests


def test_a_damaged_note_beside_a_part_is_ignored(server: Hostile, final: Path) -> None:
    part = Part(in_new_folder(final))
    part.append(BODY[:10])
    part.close()
    for text in ("{", "[]", json.dumps({"origin": 5})):
        part_path(final).with_name(f"{part_path(final).name}.json").write_text(text)
        fetch(final, server, expected=UNKNOWN)
        assert_whole(final)
        final.unlink()


def test_a_part_remembers_its_bytes_hash_and_origin(final: Path) -> None:
    part = Part(in_new_folder(final))
    assert (part.size, part.resumed) == (0, False)
    part.set_origin("https://a.example/f", '"one"')
    part.append(b"first")
    part.close()
    again = Part(final)
    assert (again.size, again.resumed) == (5, True)
    assert (again.origin, again.etag) == ("https://a.example/f", '"one"')
    again.append(b"second")
    assert again.sha256 == hashlib.sha256(b"firstsecond").hexdigest()
    again.finish()
    assert final.read_bytes() == b"firstsecond"
    assert [path.name for path in final.parent.iterdir()] == [final.name]


def test_a_restarted_part_forgets_bytes_and_origin(final: Path) -> None:
    part = Part(in_new_folder(final))
    part.set_origin("https://a.example/f", '"one"')
    part.append(b"first")
    part.restart()
    assert (part.size, part.resumed, part.origin, part.etag) == (0, False, None, None)
    assert part.sha256 == hashlib.sha256(b"").hexdigest()
    part.close()
    assert list(final.parent.iterdir()) == [], "an empty part is no use"
