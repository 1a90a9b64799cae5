"""Which findings decide whether pictures can be restored."""

from __future__ import annotations

from gpen_fast.doctor.findings import ABSENT, BROKEN, OK, Finding, works


def test_only_what_is_needed_decides() -> None:
    good = Finding("device", "device", OK, "cpu", needed=True)
    unneeded = Finding("packages", "basicsr", BROKEN, "broken")
    assert works([good, unneeded])
    assert works([])
    for state in (ABSENT, BROKEN):
        assert not works([good, Finding("weights", "--model auto", state, "none", needed=True)])


def test_keys_for_programs() -> None:
    finding = Finding("codecs", "HEIC", ABSENT, "no plug-in", mend="pip install pillow-heif")
    assert finding.as_dict() == {
        "group": "codecs", "name": "HEIC", "state": "absent", "text": "no plug-in", "needed": False,
        "mend": "pip install pillow-heif",
    }  # fmt: skip
