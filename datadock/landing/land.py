"""Landing one file or payload: archive, raw table, quarantine, ledger, each exactly once.

The four commits share one key, ``<source>:<sha256>``, and times come from the archive's note. So a
landing that was killed anywhere is finished by landing the same bytes again, with the same rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from datadock.catalog.model import Format, Source
from datadock.contracts import Door
from datadock.contracts.reasons import Reason
from datadock.errors import LakeError, LandingError
from datadock.lake import Lake, StoredObject
from datadock.landing.documents import DocumentRows
from datadock.landing.limits import KEPT_BYTES, Limits
from datadock.landing.payload import Encoder
from datadock.landing.portions import Portion, portions
from datadock.landing.reading import read_file
from datadock.landing.records import Chunk, Member, Refusal
from datadock.landing.tables import BATCH_SCHEMA, DOCUMENT_SCHEMA, RAW_PARTITION, RAW_SCHEMA, Origin, Spool, raw_batch
from datadock.names import BATCHES, DOCUMENTS, QUARANTINE, raw_table


@dataclass(frozen=True)
class Batch:
    """One landed file or payload; rows_in = rows_loaded + rows_quarantined.

    Attributes:
        batch_id: SHA-256 of the bytes, hex.
        source: The source it belongs to.
        file: The file's name.
        bytes: Its size.
        format: The declared format.
        encoding: Of its text, where it has one.
        received_at: When these bytes first came in.
        rows_in: Records met.
        rows_loaded: Records in the raw table.
        rows_quarantined: Records in quarantine.
        known: Whether the batch was complete before this call, which then added nothing.
    """

    batch_id: str
    source: str
    file: str
    bytes: int
    format: str
    encoding: str
    received_at: datetime
    rows_in: int
    rows_loaded: int
    rows_quarantined: int
    known: bool = False


def land_file(lake: Lake, source: Source, path: Path, limits: Limits | None = None) -> Batch:
    """Land a file; it stays where it is.

    Args:
        lake: Where to.
        source: The declaration of its source.
        path: The file.
        limits: Limits of the landing; the defaults where None.

    Raises:
        LandingError: When the file cannot be read at all.
        LakeError: When the lake's storage refuses; nothing half-written is visible.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise LandingError(
            f"{path} cannot be read: {error.strerror}", expected="a readable file", action="mend the path or its rights"
        ) from error
    with stream:
        return land_stream(lake, source, stream, path.name, limits)


def land_bytes(
    lake: Lake,
    source: Source,
    data: bytes,
    name: str,
    limits: Limits | None = None,
    *,
    written_as: Format | None = None,
    received_at: datetime | None = None,
) -> Batch:
    """Land a payload that was received rather than dropped.

    Args:
        lake: Where to.
        source: The declaration of its source.
        data: The payload.
        name: What to call it, in place of a file name.
        limits: Limits of the landing; the defaults where None.
        written_as: The payload's format, where it is not the declared one.
        received_at: When it was received, where that was before now.

    Raises:
        LakeError: When the lake's storage refuses; nothing half-written is visible.
    """
    if written_as is not None:
        source = source.model_copy(update={"format": written_as})
    return land_stream(lake, source, io.BytesIO(data), name, limits, received_at)


def land_stream(
    lake: Lake,
    source: Source,
    stream: BinaryIO,
    name: str,
    limits: Limits | None = None,
    received_at: datetime | None = None,
) -> Batch:
    """Land a stream of bytes; see ``land_file`` and ``land_bytes``."""
    facts = {"source": source.name, "file": name, "format": source.format.type}
    if received_at is not None:
        facts["received_at"] = received_at.isoformat()
    try:
        stored = lake.store(stream, facts)
        known = _ledger_row(lake, source, stored)
        return known if known is not None else _Landing(lake, source, stored, name, limits or Limits()).run()
    except OSError as error:
        raise LakeError(
            f"{name} could not be landed: {error}",
            action="free space or mend the folder, then land it again: nothing half-written is visible",
        ) from error


def _ledger_row(lake: Lake, source: Source, stored: StoredObject) -> Batch | None:
    """Return the batch as the ledger has it, None where it was never completed."""
    if not lake.has_transaction(BATCHES, f"{source.name}:{stored.sha256}"):
        return None
    mine = (pl.col("batch_id") == stored.sha256) & (pl.col("source") == source.name)
    row: dict[str, Any] = (
        pl.scan_parquet(lake.files(BATCHES)).filter(mine).drop("recorded_at").collect().row(0, named=True)
    )
    return Batch(**row, known=True)


class _Landing:
    """One batch on its way in."""

    def __init__(self, lake: Lake, source: Source, stored: StoredObject, name: str, limits: Limits) -> None:
        self.lake = lake
        self.source = source
        self.stored = stored
        self.name = name
        self.limits = limits
        self.transaction = f"{source.name}:{stored.sha256}"
        self.origin = Origin(source.name, source.main_entity, stored.sha256, stored.received_at)
        self.door = Door(source)
        self.encoder = Encoder()
        self.spool = Spool(self.origin)
        self.documents = DocumentRows(self.origin, source.format.type)
        self.loaded = 0
        self.encoding = ""
        self.error: Exception | None = None

    def run(self) -> Batch:
        try:
            self._raw()
            self._refused()
            self._documents()
            return self._ledger()
        finally:
            self.spool.close()

    def _raw(self) -> None:
        table = raw_table(self.source.name)
        if self.lake.has_transaction(table, self.transaction):
            self._repair(table)
            return
        batches = self._batches()
        first = next(batches, None)
        if first is None:
            return
        reader = pa.RecordBatchReader.from_batches(RAW_SCHEMA, self._kept(first, batches))
        try:
            self.lake.append_once(table, reader, self.transaction, partition_by=RAW_PARTITION)
        finally:
            if self.error is not None:
                raise self.error
        for batch in batches:  # only where another process landed the same bytes meanwhile
            self.loaded += batch.num_rows

    def _kept(self, first: pa.RecordBatch, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Give the batches, keeping an error that the writer would reword."""
        try:
            self.loaded += first.num_rows
            yield first
            for batch in batches:
                self.loaded += batch.num_rows
                yield batch
        except GeneratorExit:
            raise
        except Exception as error:
            self.error = error
            raise

    def _repair(self, table: str) -> None:
        """Finish a landing that was killed behind its raw commit: what is in raw counts as loaded.

        Today's declaration may judge otherwise than the one that the killed landing had.
        """
        mine = pl.col("_batch_id") == self.stored.sha256
        there = pl.scan_parquet(self.lake.files(table)).filter(mine).select("_file", "_line").collect()
        held = set(there.iter_rows())
        final = Spool(self.origin)
        for batch in self._batches(final, held):
            for file, line, payload in zip(batch["_file"], batch["_line"], batch["payload"], strict=True):
                if (file.as_py(), line.as_py()) not in held:
                    reason = Reason("contract_changed", "", "another contract when it was landed", "a retry")
                    text = payload.as_py()
                    final.add(
                        file.as_py(), Refusal(line.as_py(), (reason,), text.encode()[:KEPT_BYTES], text, "contract")
                    )
        self.loaded = len(held)
        self.spool.close()
        self.spool = final

    def _batches(
        self, spool: Spool | None = None, held: set[tuple[str, int]] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Read the file; give raw rows, keep refused records, note documents."""
        spool = spool or self.spool
        file = Member(self.name, lambda: self.stored.path.open("rb"), self.stored.size, self.stored.path)
        for portion in portions(self._read(file)):
            self.encoding = self.encoding or portion.chunk.encoding
            broken, payload = self._judged(portion.chunk)
            files, lines = portion.files, portion.chunk.lines
            refused = [*portion.refused, *_broken(portion, broken, payload)]
            for name, refusal in refused:
                if held is None or (name, refusal.line) not in held:
                    spool.add(name, refusal)
            if broken:
                passes = pc.invert(pc.is_in(pa.array(range(len(payload))), pa.array(list(broken))))
                files, lines, payload = files.filter(passes), lines.filter(passes), payload.filter(passes)
            if len(lines):
                self.documents.add(files, payload)
                yield raw_batch(self.origin, files, lines, payload)

    def _read(self, file: Member) -> Iterator[tuple[Member, Chunk]]:
        """Read the file; documents out of an archive go into the lake's own, so that their digests find them."""
        for member, chunk in read_file(file, self.source, self.limits):
            if self.source.format.type == "document" and member.path is None and len(chunk.lines):
                with member.open() as stream:
                    self.lake.store(cast(BinaryIO, stream), {"source": self.source.name, "file": member.name})
            yield member, chunk

    def _judged(self, chunk: Chunk) -> tuple[dict[int, tuple[Reason, ...]], pa.Array]:
        """Apply the contract: the rows that break it, and every row's payload."""
        if chunk.columns is not None:
            broken = self.door.judge(chunk.columns, flat=True, header=chunk.header)
            return broken, self.encoder.encode(chunk.columns)
        if chunk.payload is None:
            return {}, pa.array([], pa.string())
        return self.door.judge(pa.table({"payload": chunk.payload}), flat=False, header=chunk.header), chunk.payload

    def _refused(self) -> None:
        if self.spool.count:
            self.lake.append_once(QUARANTINE, self.spool.reader(), self.transaction)

    def _documents(self) -> None:
        rows = self.documents.rows
        if rows:
            self.lake.append_once(DOCUMENTS, pa.Table.from_pylist(rows, schema=DOCUMENT_SCHEMA), self.transaction)

    def _ledger(self) -> Batch:
        refused = self.spool.count
        batch = Batch(
            batch_id=self.stored.sha256,
            source=self.source.name,
            file=self.name,
            bytes=self.stored.size,
            format=self.source.format.type,
            encoding=self.encoding,
            received_at=self.stored.received_at,
            rows_in=self.loaded + refused,
            rows_loaded=self.loaded,
            rows_quarantined=refused,
        )
        row = {name: value for name, value in vars(batch).items() if name != "known"}
        row["recorded_at"] = datetime.now(UTC)
        self.lake.append_once(BATCHES, pa.Table.from_pylist([row], schema=BATCH_SCHEMA), self.transaction)
        return batch


def _broken(
    portion: Portion, broken: dict[int, tuple[Reason, ...]], payload: pa.Array
) -> Iterator[tuple[str, Refusal]]:
    """Give the records that break the contract as refusals, with the name of their file."""
    for row, reasons in sorted(broken.items()):
        text = payload[row].as_py()
        refusal = Refusal(portion.chunk.lines[row].as_py(), reasons, text.encode()[:KEPT_BYTES], text, "contract")
        yield portion.files[row].as_py(), refusal
