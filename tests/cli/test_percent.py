"""Shares as they are typed."""

from __future__ import annotations

import pytest

from gpen_fast.cli.percent import share_of
from gpen_fast.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "share"), [("10%", 0.1), ("0.1", 0.1), (" 2.5 % ", 0.025), ("150%", 1.5), (".5", 0.5)]
)
def test_shares(text: str, share: float) -> None:
    assert share_of("--fail-over", text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["10", "0", "-5%", "ten", "", "10%%", "10%x", "nan", "1"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"accepted are a percentage such as 10%, or a fraction such as 0.1"
    ):
        share_of("--fail-over", text)
