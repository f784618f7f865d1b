"""The journal of what was committed: payloads on disk before anything else, until they have landed in the raw zone.

A segment is a file of one source, one payload a line; all its records were received when it was opened. It lands as a
whole by the door of the raw zone, once, and is removed when the index has met its records in the lake.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from datadock.catalog.model import Format, Source
from datadock.dock import Dock
from datadock.lake import Lake
from datadock.landing.land import Batch, land_bytes
from datadock.landing.limits import Limits

_LONGEST_OPEN = 30_000_000
"""Microseconds for which a segment takes records: the reception of a record is told that exactly."""
_BITS = str.maketrans("01", " \t")


@dataclass(frozen=True)
class Segment:
    """One file of the journal.

    Attributes:
        path: Where it is; in ``landed/`` once the raw zone has it.
        source: Source of its records.
        received_at: When it was opened, microseconds since 1970 UTC: its records were received then.
    """

    path: Path
    source: str
    received_at: int

    @property
    def name(self) -> str:
        """Its name, which it keeps when it has landed."""
        return self.path.name

    @property
    def has_landed(self) -> bool:
        """Whether the raw zone has it."""
        return self.path.parent.name == "landed"

    def payloads(self, skip: int = 0) -> Iterator[dict[str, Any]]:
        """Give its payloads in order; a line that a killed process left unfinished was never committed."""
        lines = self.path.read_bytes().split(b"\n")[1:-1]
        for line in lines[skip:]:
            yield orjson.loads(line)


class Journal:
    """The segments of a deployment.

    Args:
        folder: The folder of the index; the segments stand in ``journal/``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        (self.folder / "landed").mkdir(parents=True, exist_ok=True)
        self._open: dict[str, tuple[Segment, int]] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the journal: one process commits or lands at a time; freed by the system when the process ends."""
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def segments(self, *, landed: bool = True) -> list[Segment]:
        """Return the segments in the order in which they were opened; those that landed only on demand."""
        found = []
        for folder in (self.folder, self.folder / "landed") if landed else (self.folder,):
            for name in os.listdir(folder):  # noqa: PTH208  # asked for at every commit
                if name.endswith(".jsonl"):
                    source, _, opened = name.removesuffix(".jsonl").rpartition("-")
                    found.append(Segment(folder / name, source, int(opened)))
        return sorted(found, key=lambda segment: segment.received_at)

    def landings(self) -> int:
        """Return a number that changes when a segment lands."""
        return (self.folder / "landed").stat().st_mtime_ns

    def segment(self, source: str) -> Segment:
        """Return the segment that a source's next record goes into; the journal is held."""
        known = self._open.get(source)
        now = time.time_ns() // 1000
        last = max((one.received_at for one in self.segments(landed=False) if one.source == source), default=0)
        if known and known[0].received_at == last and now - last < _LONGEST_OPEN:
            return known[0]
        if known:
            os.close(self._open.pop(source)[1])
        opened = max(now, last + 1)
        segment = Segment(self.folder / f"{source}-{opened}.jsonl", source, opened)
        handle = os.open(segment.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        # Blanks that spell the moment: a segment of equal payloads is another batch, and blank lines are no records.
        os.write(handle, f"{opened:051b}".translate(_BITS).encode() + b"\n")
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self._open[source] = (segment, handle)
        return segment

    def append(self, segment: Segment, payloads: Iterable[Mapping[str, Any]]) -> None:
        """Write payloads at the end of an open segment; they last from the next ``sync`` on."""
        os.write(self._open[segment.source][1], b"".join(orjson.dumps(payload) + b"\n" for payload in payloads))

    def sync(self, segment: Segment) -> None:
        """Return when all that was written to an open segment is on disk."""
        os.fdatasync(self._open[segment.source][1])

    def close(self) -> None:
        """Leave the open segments; the next record opens another one."""
        for _, handle in self._open.values():
            os.close(handle)
        self._open.clear()

    def land(self, lake: Lake, source: Source, limits: Limits | None = None) -> list[Batch]:
        """Land a source's segments in the raw zone, each once; killed anywhere, a repeated call ends the same.

        Args:
            lake: Where to.
            source: Its declaration.
            limits: Limits of the landing.

        Raises:
            LakeError: When the lake's storage refuses; the segments stay.
        """
        with self.locked():
            waiting = [segment for segment in self.segments(landed=False) if segment.source == source.name]
            landed = [self._land(lake, source, segment, limits) for segment in waiting]
            return [batch for batch in landed if batch is not None]

    def _land(self, lake: Lake, source: Source, segment: Segment, limits: Limits | None) -> Batch | None:
        whole = segment.path.read_bytes()
        if whole.count(b"\n") < 2:  # opened by a process that was killed before its first record
            segment.path.unlink()
            return None
        data = whole[: whole.rfind(b"\n") + 1]  # what follows was never committed
        received = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=segment.received_at)
        batch = land_bytes(
            lake, source, data, segment.name, limits, written_as=Format(type="jsonl"), received_at=received
        )
        segment.path.replace(self.folder / "landed" / segment.name)
        return batch

    def forget(self, segment: Segment) -> None:
        """Remove a landed segment: the lake and the index have its records."""
        segment.path.unlink(missing_ok=True)


def land_committed(dock: Dock, source: Source) -> list[Batch]:
    """Land what was committed of a source by the identity index, where there is anything; see ``Journal.land``."""
    folder = dock.settings.identity_index
    if not (folder / "journal").is_dir():
        return []
    return Journal(folder).land(dock.lake, source, Limits.from_settings(dock.settings))
