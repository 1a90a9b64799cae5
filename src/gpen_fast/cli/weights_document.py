"""What the commands on weights write with --json. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from gpen_fast import __version__
from gpen_fast.settings import WeightsOptions
from gpen_fast.store.folders import search_places
from gpen_fast.store.status import Status


def weights_document(
    command: str, found: list[Status], options: WeightsOptions, failed: Mapping[str, str] | None = None
) -> dict[str, object]:
    """The JSON of one command, by the schema of docs/report-schema.md.

    Args:
        command: Its name after `gpen-fast weights`.
        found: The state of the files that it was about, when it ended.
        options: Where weights are searched.
        failed: Why, by the name of each file with which it failed.
    """
    wanted = [one.entry for one in found if one.used is None and (one.entry.recommended or failed)]
    return {
        "schema": 1,
        "command": f"weights {command}",
        "version": __version__,
        "verdict": "some_failed" if failed else "all_done",
        "advice": [known.get_it for known in wanted],
        "folders": [
            {"why": place.why, "path": str(place.path) if place.path else None}
            for place in search_places(options)
        ],
        "weights": [one.as_dict() for one in found],
        "failed": [{"name": name, "error": why} for name, why in (failed or {}).items()],
    }
