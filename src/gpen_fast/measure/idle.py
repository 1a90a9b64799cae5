"""What the network waited for in an overlapped run, from what each stage took and each worker waited for."""

from __future__ import annotations

from collections.abc import Mapping

from gpen_fast.measure.recorder import Recorder
from gpen_fast.measure.report_rows import IdleRow
from gpen_fast.measure.stats import DECIMALS

# What a worker does itself between two calls of the network. `detect` is one of them unless readers do it.
_BETWEEN = ("detect", "align", "crop", "paste")


def network_idle(
    recorder: Recorder,
    wall_ms: float,
    workers: int,
    waited_ms: Mapping[str, float],
    *,
    readers_detect: bool,
) -> IdleRow:
    """Splits the time in which the network did not run by its cause.

    A worker's time is that of the network, of its other stages, and of its waits. The wait for readers is shared among
    `load` and `detect` as these took the readers' time, where readers detect. On a GPU stages overlap the network, so
    that they add up to more than its idle time: each cause is then scaled down by the same factor.

    Args:
        recorder: What was measured.
        wall_ms: Of the run.
        workers: That shared it.
        waited_ms: What all workers waited for readers (`load`) and for writers (`save`).
        readers_detect: Whether faces are detected by the readers.
    """
    whole = wall_ms * workers
    generate = recorder.series["generate"]
    idle = max(0.0, whole - (generate.device.total if generate.device.count else generate.host.total))
    causes = {stage: recorder.total_host_ms(stage) for stage in _BETWEEN}
    causes |= {"load": waited_ms["load"], "save": waited_ms["save"]}
    if readers_detect:
        load, detect = recorder.total_host_ms("load"), recorder.total_host_ms("detect")
        causes["detect"] = causes["load"] * detect / (load + detect) if load + detect else 0.0
        causes["load"] -= causes["detect"]
    known = sum(causes.values())
    causes["other"] = max(0.0, idle - known)
    scale = min(1.0, idle / known) if known else 1.0
    shares = {
        cause: round(ms * (1.0 if cause == "other" else scale) / whole, DECIMALS)
        for cause, ms in sorted(causes.items(), key=lambda each: -each[1])
    }
    return IdleRow(
        "network", round(idle / whole, DECIMALS), {name: part for name, part in shares.items() if part}
    )
