"""The tables that landing writes, as Arrow schemas, and how refused records are laid into theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any

import orjson
import pyarrow as pa

from datadock.landing.records import Refusal

_TIME = pa.timestamp("us", "UTC")
_HELD = 1_000
_HELD_BYTES = 8 << 20

RAW_SCHEMA = pa.schema(
    [
        ("payload", pa.string()),
        ("_source", pa.string()),
        ("_entity", pa.string()),
        ("_batch_id", pa.string()),
        ("_file", pa.string()),
        ("_line", pa.int64()),
        ("_received_at", _TIME),
        ("_received_date", pa.string()),
    ]
)
"""``raw/<source>``: one row per record."""

RAW_PARTITION = ["_received_date"]

QUARANTINE_SCHEMA = pa.schema(
    [
        ("rejection_id", pa.string()),
        ("_source", pa.string()),
        ("_batch_id", pa.string()),
        ("_file", pa.string()),
        ("_line", pa.int64()),
        ("_received_at", _TIME),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("reasons", pa.string()),
        ("payload", pa.string()),
        ("raw_bytes", pa.binary()),
    ]
)
"""``quarantine/rejected_records``: one row per refused record."""

RESOLUTIONS = "quarantine/resolutions"
"""Delta table: how refused records were settled."""

RESOLUTION_SCHEMA = pa.schema(
    [("rejection_id", pa.string()), ("resolved_at", _TIME), ("outcome", pa.string()), ("batch_id", pa.string())]
)

BATCH_SCHEMA = pa.schema(
    [
        ("batch_id", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("bytes", pa.int64()),
        ("format", pa.string()),
        ("encoding", pa.string()),
        ("received_at", _TIME),
        ("recorded_at", _TIME),
        ("rows_in", pa.int64()),
        ("rows_loaded", pa.int64()),
        ("rows_quarantined", pa.int64()),
    ]
)
"""``ledger/batches``: one row per batch; rows_in = rows_loaded + rows_quarantined."""

DOCUMENT_SCHEMA = pa.schema(
    [
        ("sha256", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("media_type", pa.string()),
        ("bytes", pa.int64()),
        ("received_at", _TIME),
        ("batch_id", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("metadata", pa.string()),
    ]
)
"""``documents``: one row per landed document."""


@dataclass(frozen=True)
class Origin:
    """Where a batch's records come from: the columns that all of them share."""

    source: str
    entity: str
    batch_id: str
    received_at: datetime


def raw_batch(origin: Origin, files: pa.Array, lines: pa.Array, payload: pa.Array) -> pa.RecordBatch:
    """Lay records into the raw table's columns."""
    count = len(lines)
    constants = (origin.source, origin.entity, origin.batch_id)
    texts = [pa.repeat(pa.scalar(value), count) for value in constants]
    received = pa.repeat(pa.scalar(origin.received_at, _TIME), count)
    date = pa.repeat(pa.scalar(origin.received_at.date().isoformat()), count)
    return pa.record_batch([payload, *texts, files, lines, received, date], schema=RAW_SCHEMA)


def rejection_id(source: str, batch_id: str, file: str, line: int) -> str:
    """Return the id of a refused record; the same record always has the same."""
    return hashlib.sha256(f"{source}|{batch_id}|{file}|{line}".encode()).hexdigest()[:32]


class Spool:
    """Refused records of one batch, on disk beyond the first few, until they are committed together."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._file = SpooledTemporaryFile(max_size=_HELD_BYTES, prefix="datadock-")  # noqa: SIM115  # closed by close()
        self._writer = pa.ipc.new_stream(self._file, QUARANTINE_SCHEMA)
        self._held: list[dict[str, Any]] = []
        self._bytes = 0
        self.count = 0

    def add(self, file: str, refusal: Refusal) -> None:
        """Keep a refused record."""
        origin = self._origin
        self._held.append(
            {
                "rejection_id": rejection_id(origin.source, origin.batch_id, file, refusal.line),
                "_source": origin.source,
                "_batch_id": origin.batch_id,
                "_file": file,
                "_line": refusal.line,
                "_received_at": origin.received_at,
                "stage": refusal.stage,
                "reason": refusal.reasons[0].code,
                "reasons": orjson.dumps([asdict(reason) for reason in refusal.reasons]).decode(),
                "payload": refusal.payload,
                "raw_bytes": refusal.raw,
            }
        )
        self.count += 1
        self._bytes += len(refusal.raw)
        if len(self._held) >= _HELD or self._bytes > _HELD_BYTES:
            self._write()

    def _write(self) -> None:
        if self._held:
            self._writer.write_batch(pa.RecordBatch.from_pylist(self._held, schema=QUARANTINE_SCHEMA))
        self._held, self._bytes = [], 0

    def reader(self) -> pa.RecordBatchReader:
        """Give everything kept, as a stream; nothing can be added afterwards."""
        self._write()
        self._writer.close()
        self._file.seek(0)

        def batches() -> Iterator[pa.RecordBatch]:
            with pa.ipc.open_stream(self._file) as stream:
                yield from stream

        return pa.RecordBatchReader.from_batches(QUARANTINE_SCHEMA, batches())

    def close(self) -> None:
        """Free the space."""
        self._file.close()
