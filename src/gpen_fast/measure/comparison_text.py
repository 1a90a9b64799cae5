"""A comparison in words: the cells of its table, its sentences, and both as Markdown."""

from __future__ import annotations

from gpen_fast.measure.compare import CONFIDENCE, DISTURBED, STAGE_DRIFT, WALL, WALL_DRIFT, Comparison
from gpen_fast.measure.report_rows import ComparisonRow

HEADINGS = ("stage", "old ms", "new ms", "ratio", "between", "verdict")
# A larger number of processes than this is no advice.
_MANY = 100
# A change of the machine's speed that is worth a sentence.
_TOLD_CHANGE = 0.02


def comparison_cells(row: ComparisonRow) -> tuple[str, ...]:
    """The cells of one row, under `HEADINGS`."""
    between = "" if row.low is None or row.high is None else f"{row.low:.2f} and {row.high:.2f}"
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    return (row.stage, f"{row.old_ms:.2f}", f"{row.new_ms:.2f}", ratio, between, _verdict(row))


def comparison_sentences(made: Comparison) -> list[str]:
    """What a reader must know beside the table, the result first."""
    told = [_result(made), _method(made)]
    if made.disturbed:
        told.append(
            f"Left out: {made.disturbed} more, whose wall time is over {DISTURBED:g} times the median of their side."
        )
    if abs(made.machine - 1) >= _TOLD_CHANGE:
        told.append(
            f"All stages together take {_change(made.machine)} time on the new side: the machine, or what all stages "
            "share. The ratios of stages are corrected for it, the wall time's is not."
        )
    if waiting := _waiting(made):
        told.append(waiting)
    return [*told, *(f"Note: {note}" for note in made.notes)]


def comparison_markdown(made: Comparison) -> str:
    """The table and the sentences as Markdown, for the summary of a CI job."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"| --- | {'---: | ' * 4}--- |"]
    bad = {row.stage for row in made.regressions}
    for row in made.rows:
        cells = comparison_cells(row)
        if row.stage in bad:
            cells = (f"**{cells[0]}**", *cells[1:-1], f"**{cells[-1]}**")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in comparison_sentences(made))]) + "\n"


def _verdict(row: ComparisonRow) -> str:
    if row.verdict == "not_judged":
        return "not judged"
    if row.more_processes is None:
        return row.verdict
    more = f"{row.more_processes}" if row.more_processes <= _MANY else f"over {_MANY}"
    return f"undecided: {more} more"


def _result(made: Comparison) -> str:
    over = f"{100 * made.fail_over:g} %"
    if not made.regressions:
        return f"No regression: nothing is known to be slower by more than {over}."
    named = ", ".join(
        f"{'the wall time' if row.stage == WALL else row.stage} {_change(row.ratio or 1.0)}"
        for row in made.regressions
    )
    return f"Regression, slower by more than {over}: {named} time."


def _method(made: Comparison) -> str:
    counts = f"{made.old_processes} process{'es' * (made.old_processes != 1)} against {made.new_processes}"
    if min(made.old_processes, made.new_processes) < 2:
        return f"{counts}: an interval needs two on each side, and a useful one five (profile --repeat 5)."
    how = (
        "measured in turns"
        if made.in_turns
        else f"measured one side after the other, so that each interval also allows for the machine's drift: "
        f"{100 * WALL_DRIFT:g} % of the wall time, {100 * STAGE_DRIFT:g} % of a stage"
    )
    judged = sum(row.verdict != "not_judged" for row in made.rows)
    return (
        f"{counts}, {how}. All {judged} intervals together hold the true ratios with {100 * CONFIDENCE:g} %."
    )


def _change(ratio: float) -> str:
    """`12 % more` or `12 % less`."""
    return f"{100 * abs(ratio - 1):.0f} % {'more' if ratio > 1 else 'less'}"


def _waiting(made: Comparison) -> str:
    """How many more processes would decide; "" where none would, or nothing is undecided."""
    wanted = [row.more_processes for row in made.rows if row.more_processes is not None]
    if not wanted:
        return ""
    most = max(wanted)
    if most > _MANY:
        return f"More than {_MANY} more processes a side would be needed to decide every row."
    return f"About {most} more processes a side would decide every row that has a number."
