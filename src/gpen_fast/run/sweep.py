"""`profile --sweep`: the same face through the network of each size, one process a size."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gpen_fast import __version__
from gpen_fast.device.spawned import SpawnedChild
from gpen_fast.errors import SettingsError
from gpen_fast.measure.advice import frame_verdict
from gpen_fast.measure.report import Report
from gpen_fast.measure.report_parts import FailedInput, WeightsFile
from gpen_fast.measure.stats import DECIMALS
from gpen_fast.measure.sweep import SweepRow, shares_of
from gpen_fast.run.steps import RunsDone, StepProgress
from gpen_fast.run.sweep_size import SizeFailed, SizeMessage, SizeTask, measure_in_child
from gpen_fast.settings import RANDOM, Settings, WeightsOptions
from gpen_fast.store.locate import present
from gpen_fast.store.published import PUBLISHED

_FAMILY = "gpen-bfr-"
# Seconds after which a wait for the process looks whether the user wants to stop.
_LOOK_S = 0.1
_LACK = ": the system may lack memory for it."


@dataclass(frozen=True)
class SweepTask:
    """What `profile --sweep` is to measure."""

    settings: Settings
    """How the pictures are restored; the sizes set the network."""

    picture: Path
    """The file."""

    sizes: Sequence[int]
    """Sides of the networks' faces, pixels."""

    runs: int
    """Counted runs of each size."""

    warmup: int
    """Runs before these, after the first."""

    target_fps: float
    """Frames per second that count as live."""

    def __post_init__(self) -> None:
        weights = self.settings.weights
        if weights.model != "auto" or weights.weights is not None:
            flag = "--model" if weights.model != "auto" else "--weights"
            raise SettingsError(
                f"--sweep runs {_FAMILY}N for each size N, with random weights where it has none: leave {flag} out."
            )


def sizes_of(text: str) -> list[int]:
    """The sizes that a comma-separated list names.

    Args:
        text: The value of --sweep, such as "256,512".

    Returns:
        The sizes in the given order, each once.

    Raises:
        SettingsError: An item is not the size of a network.
    """
    known = {str(spec.config.size): spec.config.size for name, spec in PUBLISHED.items() if _is_swept(name)}
    sizes = []
    for item in (each.strip() for each in text.split(",")):
        if item not in known:
            raise SettingsError(
                f"--sweep {text!r}: there is no network {_FAMILY}{item or 'N'}. Accepted are "
                f"{', '.join(sorted(known, key=int))}, separated by commas."
            )
        sizes.append(known[item])
    return list(dict.fromkeys(sizes))


def run_sweep(task: SweepTask, progress: StepProgress, stopped: threading.Event) -> Report:
    """Measures each size in a process of its own. A size that fails is reported, and the others are measured.

    Args:
        task: What is to be measured.
        progress: Is told of each size and of each run.
        stopped: Once it is set, the present size ends unmeasured, and the report has those before it.

    Returns:
        The report: device, settings and commit are those of the first size; `sweep` has the rows.
    """
    made, rows, failed = Report("profile", __version__), list[SweepRow](), list[FailedInput]()
    weights: list[WeightsFile] = []
    for number, size in enumerate(task.sizes, 1):
        if stopped.is_set():
            break
        network = _network(size, task.settings.weights)
        name = network.weights or network.model
        progress.began(number, len(task.sizes), f"{size} x {size}, {name}")
        report = _measured(task, network, progress, stopped)
        if report is None:
            break
        if isinstance(report, SizeFailed):
            failed.append(FailedInput(f"{size} x {size}, {name}", report.error))
            continue
        made = made if rows else report
        weights += [each for each in report.weights or [] if each not in weights]
        rows.append(_row(size, name, report, task.target_fps))
    interrupted = len(rows) + len(failed) < len(task.sizes)
    return replace(
        made,
        images=len(rows) * task.runs,
        faces=len(rows) * task.runs,
        weights=weights or None,
        failed=failed,
        sweep=rows,
        target_fps=task.target_fps,
        verdict="interrupted" if interrupted else "some_failed" if failed else "all_done",
        # These are of one size; the rows have those of each.
        face_size=None, first_call_ms=None, stages=[], wall_ms=None, unaccounted_ms=None, throughput_per_s=None,
        memory=None, model_load_ms=None, better=[], network_note="", advice=[],
    )  # fmt: skip


def _is_swept(name: str) -> bool:
    return name.startswith(_FAMILY)


def _network(size: int, options: WeightsOptions) -> WeightsOptions:
    """The user's weights of the network for that size, or random ones."""
    name = f"{_FAMILY}{size}"
    if present(name, options):
        return replace(options, model=name)
    return replace(options, weights=f"{RANDOM}{name}")


def _measured(
    task: SweepTask, network: WeightsOptions, progress: StepProgress, stopped: threading.Event
) -> Report | SizeFailed | None:
    """The report of one size; None if the user wants to stop."""
    settings = replace(task.settings, weights=network)
    size_task = SizeTask(settings, task.picture, task.runs, task.warmup, task.target_fps)
    child = SpawnedChild(measure_in_child, size_task, "gpen-fast-size")
    try:
        while not stopped.is_set():
            if not child.pipe.poll(_LOOK_S):
                continue
            message: SizeMessage = child.pipe.recv()
            if not isinstance(message, RunsDone):
                return message
            progress.ran(message)
    except EOFError:
        ended = child.ended_by()
        return SizeFailed(f"its process ended by {ended}{_LACK if 'SIGKILL' in ended else '.'}")
    finally:
        child.kill()
    return None


def _row(size: int, model: str, report: Report, target_fps: float) -> SweepRow:
    wall, memory = report.wall_ms, report.memory
    assert wall is not None and memory is not None, "a profile has both"
    return SweepRow(
        size,
        model,
        wall.mean,
        wall.median,
        wall.p95,
        round(1e3 / wall.mean, DECIMALS),
        shares_of(report.stages),
        memory.device_peak_bytes,
        memory.host_peak_bytes,
        report.model_load_ms,
        frame_verdict(wall.p95, target_fps),
    )
