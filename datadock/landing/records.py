"""What readers hand on: chunks of records in columns, and the records they refused with the reasons.

Every record of a file is in exactly one chunk, read or refused, under its own position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path

import orjson
import pyarrow as pa

from datadock.contracts.reasons import Reason
from datadock.landing.limits import KEPT_BYTES


@dataclass(frozen=True)
class Refusal:
    """One record that does not load.

    Attributes:
        line: Position of the record in its file, from 1; 0 where the file as a whole is refused.
        reasons: At least one.
        raw: The record's bytes as received, or their beginning.
        payload: The record as JSON text, where it could be read.
        stage: ``read`` or ``contract``.
    """

    line: int
    reasons: tuple[Reason, ...]
    raw: bytes
    payload: str | None = None
    stage: str = "read"


@dataclass
class Chunk:
    """Records that follow each other in one file, in columns.

    Attributes:
        lines: Positions of the records that were read (int64).
        columns: Flat formats: one text column per column of the file.
        payload: Other formats: the records as JSON text.
        header: Names of the columns where the file declares them once for all records.
        refused: Records that could not be read.
        encoding: Of the file, where its reader had to find it out.
    """

    lines: pa.Array
    columns: pa.Table | None = None
    payload: pa.Array | None = None
    header: tuple[str, ...] | None = None
    refused: list[Refusal] = field(default_factory=list)
    encoding: str = ""


@dataclass(frozen=True)
class Member:
    """One file to read: the landed file itself or a member of an archive.

    Attributes:
        name: ``export.csv``, or ``export.zip!part.csv``.
        open: Returns a new stream of the bytes from the beginning.
        size: Number of bytes; -1 where it is not known before reading.
        path: Where the bytes stand as they are, for readers that need random access.
    """

    name: str
    open: Callable[[], BufferedIOBase]
    size: int = -1
    path: Path | None = None


class BrokenStreamError(Exception):
    """Raised while reading a stream that cannot be read to its end; readers turn it into a refusal."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.code)


def refuse(line: int, code: str, raw: bytes, *, found: str = "", expected: str = "", field_: str = "") -> Refusal:
    """Make a refusal of the reading stage with one reason; keeps the beginning of long bytes."""
    return Refusal(line, (Reason(code, field_, found, expected),), raw[:KEPT_BYTES])


def refused_only(*refusals: Refusal) -> Chunk:
    """Make a chunk that holds refused records only."""
    return Chunk(lines=pa.array([], pa.int64()), refused=list(refusals))


def json_chunks(records: Iterable[object], size: int = 5_000) -> Iterator[Chunk]:
    """Gather records (JSON-serialisable objects, or refusals) into chunks; positions count from 1."""
    lines: list[int] = []
    payloads: list[str] = []
    refused: list[Refusal] = []
    for line, record in enumerate(records, 1):
        if isinstance(record, Refusal):
            refused.append(record)
        else:
            lines.append(line)
            payloads.append(orjson.dumps(record).decode())
        if len(lines) + len(refused) >= size:
            yield Chunk(pa.array(lines, pa.int64()), payload=pa.array(payloads, pa.string()), refused=refused)
            lines, payloads, refused = [], [], []
    if lines or refused:
        yield Chunk(pa.array(lines, pa.int64()), payload=pa.array(payloads, pa.string()), refused=refused)


__all__ = [
    "BrokenStreamError",
    "Chunk",
    "Member",
    "Reason",
    "Refusal",
    "json_chunks",
    "refuse",
    "refused_only",
]
