"""What a run measured, as plain values: tables print them and `--json` writes them.

The fields are the keys of the published schema (report.schema.json beside this file, explained in
docs/report-schema.md). The code that builds a report rounds its figures, so that a report that is read back equals the
one that was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from gpen_fast.errors import ReportError, first_line, reason
from gpen_fast.measure.decode import decoded
from gpen_fast.measure.ladder import LadderRow
from gpen_fast.measure.report_parts import (
    BetterChoice,
    DeviceFacts,
    FailedInput,
    InputNote,
    LandmarksUse,
    LiveFigures,
    MemoryPeaks,
    PassedOverFile,
    VideoFigures,
    WeightsFile,
)
from gpen_fast.measure.report_rows import (
    OUTCOMES,
    ComparisonRow,
    DeviceRow,
    IdleRow,
    MixRow,
    PictureRow,
    StageRow,
)
from gpen_fast.measure.samples import ProcessSamples
from gpen_fast.measure.stats import Summary
from gpen_fast.measure.sweep import SweepRow

SCHEMA = 1
CommandName = Literal["enhance", "profile", "video", "live"]
VerdictName = Literal[
    "live", "borderline", "offline", "all_done", "some_failed", "interrupted", "nothing_to_do", "dry_run"
]


@dataclass(frozen=True)
class Report:
    """One run of `enhance`, `profile`, `video` or `live`. A value that is None was not measured or does not apply."""

    command: CommandName
    """The command that ran."""
    version: str
    """Version of gpen-fast."""
    device: DeviceFacts | None = None
    """What ran the network."""
    settings: dict[str, object] | None = None
    """The settings by their flat names; auto is replaced by what was picked."""
    precision_note: str = ""
    """Why the precision is not the one that was asked for."""
    half_precision: str | None = None
    """The arithmetic that --fp16 selects on this device."""
    face_size: int | None = None
    """Side of a face in the network, in pixels."""
    weights: list[WeightsFile] | None = None
    """The files of weights that were loaded."""
    better: list[BetterChoice] = field(default_factory=list)
    """Better choices whose weights are missing."""
    passed_over: list[PassedOverFile] = field(default_factory=list)
    """Files of weights that `auto` did not use."""
    network_note: str = ""
    """What the network that ran does not do; empty for GPEN's own networks."""
    commit: str | None = None
    """Commit of the checkout; None where the package is installed."""
    images: int = 0
    """Pictures that came to their end, restored or not; in `profile` one for each counted run."""
    faces: int = 0
    """Faces restored."""
    faces_kept: int = 0
    """Those of `faces` that were left as found, because the network's result is no better: see --keep-detail."""
    images_kept: int = 0
    """Those of the restored pictures of which every face was left as found."""
    redone_in_fp32: int = 0
    """Faces that half precision made invalid and fp32 repeated."""
    backend_notes: list[str] = field(default_factory=list)
    """Why the network runs slower here than it might."""
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    """Inputs by what became of them."""
    failed: list[FailedInput] = field(default_factory=list)
    """Inputs that failed, and a file of landmarks that could not be written."""
    notes: list[InputNote] = field(default_factory=list)
    """What a user may not expect."""
    no_face: list[str] = field(default_factory=list)
    """Pictures in which no face was found, or none that the settings let through."""
    left_out: list[str] = field(default_factory=list)
    """Those of `no_face` in which faces were found: the settings left all of them out."""
    faces_left_out: int = 0
    """Faces that were found, and that the settings left out, in all pictures."""
    ignored: list[str] = field(default_factory=list)
    """Files that are not pictures."""
    landmarks: LandmarksUse | None = None
    """Faces read from a file or saved to one."""
    not_done: int = 0
    """Pictures that an interrupt left undone."""
    warmup: int | None = None
    """Uncounted runs of `profile`, after the first call."""
    runs: int | None = None
    """Counted runs of `profile`."""
    first_call_ms: float | None = None
    """In `profile` the whole first run; in `enhance` the first call of generate."""
    first_result_ms: float | None = None
    """In `profile` the time to load everything and to restore the first picture; None with random weights."""
    overlap_factor: float | None = None
    """Summed host time of all stages over the wall time of `enhance`: above 1 where stages overlap."""
    bound_by: str | None = None
    """Which part of `enhance` was busiest: readers, device or writers."""
    devices: list[DeviceRow] = field(default_factory=list)
    """One row for each device that shared the work of `enhance`; empty where one did it all."""
    scaling_efficiency: float | None = None
    """Mean share of the wall time in which the devices were busy; None without several."""
    idle: list[IdleRow] = field(default_factory=list)
    """What the network waited for in `enhance`."""
    stages: list[StageRow] = field(default_factory=list)
    """One row for each stage, in the pipeline's order."""
    wall_ms: Summary | None = None
    """Wall time of the counted runs of `profile`, or of the one run of `enhance`."""
    unaccounted_ms: float | None = None
    """Mean wall time of a run of `profile` outside all stages."""
    throughput_per_s: float | None = None
    """Pictures per second of wall time, whatever became of them."""
    restored_per_s: float | None = None
    """Restored pictures per second of wall time; None where none was restored."""
    memory: MemoryPeaks | None = None
    """Peaks of memory."""
    video: VideoFigures | None = None
    """Frames and times of `video`."""
    live: LiveFigures | None = None
    """Frames and times of `live`."""
    model_load_ms: float | None = None
    """Time to find, check and load the weights; None for random weights."""
    target_fps: float | None = None
    """Frames per second that `profile` counts as live."""
    budget_ms: float | None = None
    """The most that the p95 of the wall time of `profile` may be, milliseconds; None without --budget."""
    verdict: VerdictName | None = None
    """How the run ended, in one word; in `profile` whether a picture's time suits `target_fps`."""
    advice: list[str] = field(default_factory=list)
    """What to try next, one sentence or command each."""
    mix: list[MixRow] = field(default_factory=list)
    """One row for each picture of a `profile` of several, those that failed left out."""
    pictures: list[PictureRow] = field(default_factory=list)
    """One row for each input of `enhance`, in the order in which they came to their end."""
    ladder: list[LadderRow] = field(default_factory=list)
    """The rows of `profile --ladder`."""
    sweep: list[SweepRow] = field(default_factory=list)
    """The rows of `profile --sweep`."""
    input_sha256: str | None = None
    """Hash of the profiled picture's file; None in `enhance`."""
    processes: list[ProcessSamples] = field(default_factory=list)
    """Single times of each process of `profile`; empty in `enhance`."""
    comparison: list[ComparisonRow] = field(default_factory=list)
    """This run against the report of --compare; empty without it."""

    @property
    def over_budget(self) -> bool:
        """Whether the p95 of the wall time is above --budget."""
        return bool(self.budget_ms and self.wall_ms and self.wall_ms.p95 > self.budget_ms)

    @property
    def slowest(self) -> StageRow:
        """The stage with the largest share."""
        return max(self.stages, key=lambda row: row.share)

    def setting(self, name: str) -> str:
        """One of the settings as text, such as the name of the model that ran."""
        return str((self.settings or {})[name])

    def to_dict(self) -> dict[str, object]:
        """The report by the published schema: strings, numbers, lists and dicts."""
        made: dict[str, object] = {"schema": SCHEMA, **asdict(self)}
        if self.landmarks:
            made["landmarks"] = {
                key: value for key, value in asdict(self.landmarks).items() if value is not None
            }
        return made

    def as_json(self) -> str:
        """The report as the text of a JSON file."""
        return json_text(self.to_dict())

    @classmethod
    def from_json(cls, source: str | Path) -> Report:
        """Reads a report back.

        Keys that this version does not know are ignored, and keys that an earlier version did not write take their
        defaults.

        Args:
            source: JSON text, or the path of a file that holds it.

        Raises:
            ReportError: The file cannot be read, is no report, or has another schema.
        """
        name = f"{source}: " if isinstance(source, Path) else ""
        try:
            text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
            return decoded(cls, _checked(json.loads(text)))
        except OSError as cause:
            raise ReportError(f"{name}cannot be read: {reason(cause, Path(source))}.") from cause
        except (ValueError, RecursionError) as cause:
            raise ReportError(
                f"{name}no report that this version of gpen-fast reads: {first_line(cause)}. "
                f"Accepted is what enhance, profile, video and live write with --json, in schema {SCHEMA}. "
                "Write the report again with this version."
            ) from cause


def json_text(document: Mapping[str, object]) -> str:
    """A document as the text of a JSON file, indented by two."""
    return json.dumps(document, indent=2) + "\n"


def _checked(document: object) -> object:
    """The document, if it says that it is a report of this schema."""
    if not isinstance(document, dict) or "schema" not in document:
        raise ValueError('it is no JSON object with the key "schema"')
    if document["schema"] != SCHEMA:
        raise ValueError(f"its schema is {document['schema']!r}")
    return document
