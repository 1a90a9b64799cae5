"""`profile` in several fresh processes, and against an earlier report. Imports no torch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gpen_fast.cli.flags import ProfileOptions
from gpen_fast.cli.percent import share_of

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

# Processes of --compare without --repeat.
_USUAL = 5
# Flags of the whole command, each with a value, that its processes do not get.
_OWN_FLAGS = frozenset(
    {"--compare", "--fail-over", "--repeat", "--json", "--csv", "--markdown", "--trace", "--budget"}
)


def in_processes(options: ProfileOptions) -> bool:
    """Whether `profile` runs in processes of its own."""
    return options.compare is not None or (options.repeat or 1) > 1


def profile_again(options: ProfileOptions) -> Report:
    """Runs this command's profile in fresh processes, and prints its table and the comparison.

    Args:
        options: How often, and what to compare with.

    Returns:
        One report of all processes; with --compare it holds the rows of the comparison.

    Raises:
        SettingsError: --fail-over is no share.
        ReportError: The earlier report cannot be read.
        ProfileError: A process failed, or the earlier report comes from another device.
    """
    fail_over = share_of("--fail-over", options.fail_over)
    from gpen_fast.measure.report import Report

    earlier = Report.from_json(options.compare) if options.compare else None
    report = _measured(options.repeat or _USUAL, earlier)
    from gpen_fast.cli.table import print_profile

    print_profile(report)
    if earlier is None:
        return report
    from gpen_fast.cli.comparison_table import print_comparison
    from gpen_fast.measure.compare import compare_sides

    comparison = compare_sides([earlier], [report], fail_over=fail_over)
    print()
    print_comparison(comparison)
    return replace(report, comparison=comparison.rows)


def is_slower(report: Report, options: ProfileOptions) -> bool:
    """Whether the report's comparison has a regression."""
    if not report.comparison:
        return False
    from gpen_fast.measure.compare import regressions_of

    return bool(regressions_of(report.comparison, share_of("--fail-over", options.fail_over)))


def forwarded(command_line: Sequence[str]) -> list[str]:
    """What each process gets: the arguments of `profile` without the flags of the whole command."""
    given = list(command_line)
    if "profile" in given:
        del given[: given.index("profile") + 1]
    kept = []
    while given:
        word = given.pop(0)
        name, equals, _ = word.partition("=")
        if name in _OWN_FLAGS:
            if not equals and given:
                del given[0]
        else:
            kept.append(word)
    return kept


def _measured(count: int, earlier: Report | None) -> Report:
    """One report of so many processes. The first of them shows whether the earlier report is comparable."""
    from gpen_fast.measure.comparable import refuse_other_devices
    from gpen_fast.measure.fresh import fresh_profile
    from gpen_fast.measure.merge import merged_report

    arguments = forwarded(sys.argv[1:])
    made: list[Report] = []
    for number in range(count):
        made.append(fresh_profile(arguments))
        _tell(number + 1, count, made[-1])
        if earlier:
            refuse_other_devices([earlier], made[-1:])
    return merged_report(made)


def _tell(number: int, count: int, report: Report) -> None:
    wall = f"{report.wall_ms.median:.1f} ms" if report.wall_ms else "no time"
    print(f"process {number} of {count}: wall {wall} at the median", file=sys.stderr, flush=True)
