"""A report's table of stages in Markdown, as GitHub shows it in issues, pages and job summaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gpen_fast.measure.export.flat_rows import Cell, flat_rows
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_rows import MixRow, StageRow


def report_markdown(report: Report) -> str:
    """What ran in one line, then the table of stages, then the wall time.

    The rows of `enhance` add up to its last one: stages overlap, so that their sum is not the wall time. Those of
    `profile` are per run of a picture and add up to its wall time.
    """
    if rows := report.ladder or report.sweep:
        names, cells = flat_rows(rows)
        table = markdown_rows(names, ([_shown(cell) for cell in row] for row in cells))
        return "\n".join([_what_ran(report), "", *table]) + "\n"
    if not report.stages:
        return f"{_command(report)}: nothing was restored.\n"
    body = _profile_table(report) if report.command == "profile" else _enhance_table(report)
    return "\n".join([_what_ran(report), "", *body, "", *_wall(report), *_mix(report)]) + "\n"


def markdown_rows(names: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> Iterator[str]:
    """The lines of a table. Cells may hold any text: a line break or a | does not end them.

    Args:
        names: Of the columns.
        rows: Cells, as many as columns.
        left: The first columns that are aligned to the left; the others hold figures.
    """
    yield f"| {' | '.join(map(_cell, names))} |"
    yield f"| {' | '.join('---' if at < left else '---:' for at in range(len(names)))} |"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|")


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def _what_ran(report: Report) -> str:
    setting = report.setting
    device = report.device.name if report.device else "-"
    random = ", random weights" if any(each.random for each in report.weights or []) else ""
    commit = f", commit {report.commit}" if report.commit else ""
    return (
        f"{_command(report)} on {device}: {setting('model')} ({setting('backend')}, {setting('precision')}{random}), "
        f"detector {setting('detector')}, batch {setting('batch_size')}; gpen-fast {report.version}{commit}"
    )


def _command(report: Report) -> str:
    return f"`gpen-fast {report.command}`"


def _enhance_table(report: Report) -> Iterator[str]:
    on_device = any(row.device_total_ms is not None for row in report.stages)
    names = [
        "stage",
        "calls",
        "items",
        "total s",
        "ms a call",
        *(["device ms a call"] if on_device else []),
        "share",
    ]
    total = sum(row.total_ms or 0.0 for row in report.stages)
    rows: list[Sequence[object]] = []
    for row in report.stages:
        device = [_each(row.device_total_ms, row.count)] if on_device else []
        figures = [
            row.count,
            row.items,
            f"{(row.total_ms or 0.0) / 1e3:.2f}",
            _each(row.total_ms, row.count),
            *device,
        ]
        rows.append([row.name, *_or_skipped(row, figures), f"{row.share:.1%}"])
    rows.append(["all", "", "", f"{total / 1e3:.2f}", "", *([""] if on_device else []), "100.0%"])
    return markdown_rows(names, rows)


def _profile_table(report: Report) -> Iterator[str]:
    on_device = any(row.device_ms is not None for row in report.stages)
    names = ["stage", *(["device ms"] if on_device else []), "mean ms", "median ms", "p95 ms", "share"]
    rows: list[Sequence[object]] = []
    runs = report.images or 1
    for row in report.stages:
        host = row.host_ms
        device = ["-" if row.device_ms is None else f"{row.device_ms.mean:.2f}"] if on_device else []
        times = [
            _each(row.total_ms, runs),
            *([f"{host.median:.2f}", f"{host.p95:.2f}"] if host else ["-", "-"]),
        ]
        rows.append([row.name, *_or_skipped(row, [*device, *times]), f"{row.share:.1%}"])
    empty = [""] if on_device else []
    wall = report.wall_ms
    assert wall is not None, "a profile has a wall time"
    outside = report.unaccounted_ms or 0.0
    rows.append(
        ["outside", *empty, f"{outside:.2f}", "", "", f"{outside / wall.mean:.1%}" if wall.mean else ""]
    )
    rows.append(["wall", *empty, f"{wall.mean:.2f}", f"{wall.median:.2f}", f"{wall.p95:.2f}", "100.0%"])
    return markdown_rows(names, rows)


def _or_skipped(row: StageRow, figures: list[object]) -> list[object]:
    if not row.skipped:
        return figures
    return ["skipped", *[""] * (len(figures) - 1)]


def _each(total_ms: float | None, count: int) -> str:
    return "-" if total_ms is None or not count else f"{total_ms / count:.2f}"


def _wall(report: Report) -> Iterator[str]:
    """The wall time, the pace, and what the network waited for."""
    assert report.wall_ms is not None, "a report with stages has a wall time"
    if report.command == "profile":
        what = f"passes over {len(report.mix)} pictures" if report.mix else "runs"
        yield (
            f"{report.runs} {what} after {report.warmup} warm-up; first picture {_ms(report.first_call_ms)}, "
            f"model load {_ms(report.model_load_ms)}."
        )
        return
    pace = f", {report.throughput_per_s:.2f} a second" if report.throughput_per_s is not None else ""
    yield f"{report.images} pictures, {report.faces} faces in {report.wall_ms.mean / 1e3:.2f} s{pace}."
    for row in report.idle:
        causes = ", ".join(f"{name} {share:.1%}" for name, share in row.causes.items())
        yield f"The {row.resource} was idle {row.share:.1%} of the time: {causes or 'no cause known'}."


def _mix(report: Report) -> Iterator[str]:
    """The pictures of a profile of several."""
    if not report.mix:
        return
    yield ""
    yield from markdown_rows(
        ["picture", "megapixels", "faces", "wall ms", *report.mix[0].stages_ms],
        (_mix_cells(row) for row in report.mix),
    )


def _mix_cells(row: MixRow) -> list[object]:
    stages = [f"{ms:.2f}" for ms in row.stages_ms.values()]
    return [row.path, f"{row.megapixels:.2f}", row.faces, f"{row.wall_ms:.2f}", *stages]


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
