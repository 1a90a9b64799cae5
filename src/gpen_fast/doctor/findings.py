"""The result of a probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["ok", "absent", "broken"]

OK: Literal["ok"] = "ok"
ABSENT: Literal["absent"] = "absent"
BROKEN: Literal["broken"] = "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. Its fields are the keys of `doctor --json`."""

    group: str
    """The heading under which it is shown."""

    name: str
    """What was tried."""

    state: FindingState
    """`OK`, `ABSENT` (missing, which is no fault) or `BROKEN`."""

    text: str
    """What was found."""

    needed: bool = False
    """Pictures cannot be restored without it."""

    mend: str = ""
    """What repairs it: a command where there is one; empty if there is nothing to do."""

    def as_dict(self) -> dict[str, object]:
        """Returns the finding for JSON."""
        return dict(vars(self))


def works(findings: list[Finding]) -> bool:
    """Returns whether pictures can be restored: everything that is needed is ok."""
    return all(finding.state == OK for finding in findings if finding.needed)
