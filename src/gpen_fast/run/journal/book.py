"""The journals of one run: what the plan asks of them, and what the run writes into them. Imports no torch."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from gpen_fast.errors import reason
from gpen_fast.files import remove_leftovers
from gpen_fast.run.journal.file import JournalFile
from gpen_fast.run.journal.judge import RESTORED, Judged, ResultState, Wanted, judge, judge_in_place
from gpen_fast.run.journal.keys import SettingsKeys
from gpen_fast.run.journal.lock import RunLock
from gpen_fast.run.journal.rows import FileFacts, JournalRow, RecordedOutcome, facts_of
from gpen_fast.run.targets import kinds_by_suffix
from gpen_fast.run.walk import Told
from gpen_fast.settings import OutputOptions

# What the user is told of results in each state, after their number.
_SENTENCES: dict[ResultState, str] = {
    "adopted": "made without a record of their settings: taken as done (--overwrite restores them again)",
    "retried": "failed in an earlier run: tried again",
    "broken": "empty or no picture: made again",
    "changed_input": "made from pictures that have changed since: made again",
    "other_settings": "made with other settings: made again",
    "kept_settings": "restored in place with other settings: left as they are. To make them again: gpen-fast undo "
    "first, or --overwrite",
    "edited": "changed since they were written: left as they are (--overwrite replaces them)",
}


class JournalBook:
    """Knows which results are there, and records what a run makes of each picture.

    The plan opens it and asks for each picture; the run begins it and adds a row for each result. A row is written
    just before its result gets its name: whenever the process is killed, the rows tell what is on disk.
    """

    def __init__(
        self,
        keys: SettingsKeys | None,
        output: OutputOptions,
        *,
        dry_run: bool = False,
        redone_since_ns: int = 0,
    ) -> None:
        """Opens nothing yet.

        Args:
            keys: The keys of the run's settings; None: no journal is read or written.
            output: How results are written.
            dry_run: Nothing is locked or written.
            redone_since_ns: With `overwrite`, results recorded since this time are not made again: the run is the
                continuation of one that began then, in nanoseconds since 1970. 0: every one is made again.
        """
        self._keys = keys
        self._output = output
        self._dry_run = dry_run
        self._since_ns = redone_since_ns
        self._files: dict[Path, JournalFile] = {}
        self._locks: dict[Path, RunLock] = {}
        self._pending: dict[Path, list[JournalRow]] = {}
        # The folder of results above each folder of targets; filled where there are several.
        self._by_folder: dict[str, Path | None] = {}
        self._kind_of = kinds_by_suffix()
        self._begun: set[Path] = set()
        self._read: dict[Path, FileFacts] = {}
        self._first: dict[ResultState, str] = {}
        self.counts: Counter[ResultState] = Counter()
        """Pictures of the plan by the state of their results."""

    def __enter__(self) -> JournalBook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def keeps_rows(self) -> bool:
        """Whether the run is recorded."""
        return bool(self._begun)

    def open(self, homes: Iterable[Path], notes: Told, *, alone: bool) -> None:
        """Reads the journals of the folders of results, and locks them.

        Args:
            homes: The output folder; in place the folders that were named. They need not exist.
            notes: Is told where a folder cannot be locked or its journal not be read.
            alone: The run has one picture: it needs no lock, since it writes one file and one row.

        Raises:
            InputsError: Another run writes into one of them.
        """
        if self._keys is None:
            return
        self._pending.clear()
        self._by_folder.clear()
        self.counts.clear()
        for home in sorted(set(homes)):
            self._files[home] = JournalFile(home)
            if not alone:
                self._locks[home] = RunLock(home)
            if home.is_dir():
                self._lock(home, notes)
            if self._output.overwrite and not self._since_ns:
                continue
            try:
                self._files[home].read()
            except OSError as error:
                path = self._files[home].path
                notes.append((path, f"the journal of earlier runs cannot be read: {reason(error, path)}"))

    def judged(self, source: str, target: str) -> Judged:
        """Whether a result is there and is what this run would make."""
        file = self._file(target)
        rows = file.rows.get(file.name(target), ()) if file else ()
        if self._output.overwrite:
            done = self._since_ns and rows and rows[-1].time_ns >= self._since_ns and rows[-1].output
            return Judged("done" if done else "new")
        wanted = Wanted(source, target, self._key(target), self._output.save_faces)
        found = (judge_in_place if self._output.in_place else judge)(wanted, rows)
        if found.renewed and file and not self._dry_run:
            row = replace(found.renewed, target=file.name(target))
            self._pending.setdefault(file.home, []).append(row)
        self.counts[found.state] += 1
        self._first.setdefault(found.state, target)
        return found

    def wants(self, source: str, target: str, failed: Told) -> bool | None:
        """Whether the picture is to be restored; None for one that cannot be, of which `failed` is told."""
        found = self.judged(source, target)
        if found.state == "other_source":
            other = found.row.source if found.row else "another picture"
            failed.append(
                (
                    Path(source),
                    f"its result would replace {target}, the result of {other}. "
                    "Name another output, or --overwrite.",
                )
            )
            return None
        return found.state in RESTORED

    def tell(self, notes: Told) -> None:
        """Adds a note for each state of results that the user may not expect, with its first result."""
        for state, sentence in _SENTENCES.items():
            if count := self.counts[state]:
                notes.append((Path(self._first[state]), f"{count} {sentence}."))

    def begin(self, targets: Iterable[str | Path], notes: Told) -> None:
        """Locks what is not locked yet, removes what killed runs left, and starts to record.

        Args:
            targets: The results that the run is to write.
            notes: Is told where nothing can be recorded.

        Raises:
            InputsError: Another run writes into one of the folders.
        """
        if self._keys:
            self._keys.forget()
        for folder in {os.path.dirname(target) for target in targets}:  # noqa: PTH120
            remove_leftovers(Path(folder))
        for home, file in self._files.items():
            if self._dry_run or home in self._begun:
                continue
            try:
                file.path.parent.mkdir(parents=True, exist_ok=True)
                self._lock(home, notes)
                if home in self._locks and self._locks[home].held:
                    file.shorten()
                file.start()
                file.append(self._pending.pop(home, []))
            except OSError as error:
                notes.append(
                    (
                        home,
                        f"no journal can be kept here ({reason(error, home)}): results are known by their names.",
                    )
                )
            else:
                self._begun.add(home)

    def reading(self, source: Path) -> Path:
        """Notes a picture's size and time just before it is read. Returns the path."""
        if self._begun:
            try:
                self._read[source] = facts_of(os.stat(source))  # noqa: PTH116
            except OSError:
                self._read[source] = FileFacts(-1, 0)
        return source

    def before(
        self, source: Path, target: Path, outcome: RecordedOutcome, input_sha256: str, output_sha256: str
    ) -> Callable[[Path], None]:
        """What is to be called with the complete temporary file of a result, just before it gets its name.

        Args:
            source: The picture.
            target: The result's name.
            outcome: What became of the picture.
            input_sha256: Hash of the bytes that were decoded.
            output_sha256: Hash of the result's bytes.
        """

        def add(written: Path) -> None:
            output = facts_of(os.stat(written), output_sha256)  # noqa: PTH116
            self._add(source, target, outcome, input_sha256, output=output)

        return add

    def left(self, source: Path, target: Path, outcome: RecordedOutcome, sha256: str) -> None:
        """Records that a picture stays as it is, in place. sha256: of the bytes that were decoded."""
        read = self._read.get(source)
        self._add(source, target, outcome, sha256, output=replace(read, sha256=sha256) if read else None)

    def home_of(self, target: Path) -> Path | None:
        """The folder of results to which a result belongs; None where nothing is recorded."""
        file = self._file(target)
        return file.home if file and file.home in self._begun else None

    def failed(self, source: Path, target: Path, error: str) -> None:
        """Records that a picture failed, so that the next run tries it again."""
        self._add(source, target, "failed", "", error=error)

    def close(self) -> None:
        """Writes what the plan learned, closes the files and frees the locks."""
        if self._pending and not self._dry_run:
            self.begin((), [])
        for file in self._files.values():
            file.close()
        for lock in self._locks.values():
            lock.free()
        self._begun.clear()

    def _add(
        self,
        source: Path,
        target: Path,
        outcome: RecordedOutcome,
        sha256: str,
        *,
        output: FileFacts | None = None,
        error: str = "",
    ) -> None:
        file, read = self._file(target), self._read.pop(source, None)
        if file is None or file.home not in self._begun or read is None:
            return
        key = self._key(target) or ""
        file.append(
            [
                JournalRow(
                    file.name(target),
                    os.path.abspath(source),  # noqa: PTH100
                    replace(read, sha256=sha256),
                    output,
                    key,
                    outcome,
                    self._output.save_faces,
                    error,
                    time.time_ns(),
                )
            ]
        )

    def _key(self, target: str | Path) -> str | None:
        return self._keys.key(self._kind_of(os.path.splitext(target)[1])) if self._keys else None  # noqa: PTH122

    def _file(self, target: str | Path) -> JournalFile | None:
        """The journal of a result: that of the folder that holds it, or of the only one there is."""
        if len(self._files) > 1:
            folder = os.path.dirname(target)  # noqa: PTH120
            if folder not in self._by_folder:
                above = (Path(folder), *Path(folder).parents)
                self._by_folder[folder] = next((each for each in above if each in self._files), None)
            if home := self._by_folder[folder]:
                return self._files[home]
        return next(iter(self._files.values()), None)

    def _lock(self, home: Path, notes: Told) -> None:
        lock = self._locks.get(home)
        if lock is None or self._dry_run:
            return
        if why := lock.take():
            notes.append((home, f"this folder cannot be locked ({why}): start no second run into it."))
