"""What a probe finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OK, ABSENT, BROKEN = "ok", "absent", "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried.

    state: ok, absent (not there, and that is no fault) or broken. needed: restoring cannot work without it.
    mend: what to do, a command where there is one.
    """

    group: str
    name: str
    state: str
    text: str
    needed: bool = False
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dict(vars(self))


def works(findings: list[Finding]) -> bool:
    """Whether pictures can be restored here."""
    return all(finding.state == OK for finding in findings if finding.needed)


def said(error: BaseException) -> str:
    """An exception in one line: its text, or its kind and its text where it is not ours."""
    from gpen_fast.errors import GpenError, first_line, kind_and_line

    return first_line(error) if isinstance(error, GpenError) else kind_and_line(error)
