"""The lake: Delta tables that are appended to exactly once, and the archive of original bytes.

Nothing here knows what a source or a contact is. Tables are named by ``datadock.names``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from datadock.errors import LakeError
from datadock.lake_files import DataFiles, fits

_CHUNK = 1 << 20
_TABLE_OPTIONS = {
    "delta.enableChangeDataFeed": "true",
    "delta.logRetentionDuration": "interval 3650 days",
    "delta.setTransactionRetentionDuration": "interval 36500 days",
}


@dataclass(frozen=True)
class StoredObject:
    """One original file in the archive.

    Attributes:
        sha256: Hex digest of the bytes; also the object's name.
        path: Where the bytes are.
        size: Number of bytes.
        received_at: When these bytes first came in (UTC); kept, so that a repeated landing agrees.
        known: Whether the archive held these bytes before this call.
    """

    sha256: str
    path: Path
    size: int
    received_at: datetime
    known: bool


class Lake:
    """A folder of Delta tables and a content-addressed archive of original bytes.

    Args:
        root: Folder of the lake.

    Raises:
        LakeError: When storage refuses (disk full, folder not writable, table unreadable).
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def path(self, table: str) -> Path:
        """Return the folder of a table."""
        return self.root / table

    def open(self, table: str, version: int | None = None) -> DeltaTable | None:
        """Open a table at a version (latest by default), or return None where it does not exist."""
        try:
            return DeltaTable(self.path(table), version=version)
        except TableNotFoundError:
            return None
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"the lake table {table} cannot be read: {_first_line(error)}",
                action=f"mend {self.path(table)}, or take it back from a backup",
            ) from error

    def version(self, table: str) -> int:
        """Return the latest version of a table, -1 where it does not exist."""
        opened = self.open(table)
        return -1 if opened is None else opened.version()

    def files(self, table: str, version: int | None = None) -> list[str]:
        """Return the data files of a table's version, sorted; empty where it does not exist."""
        opened = self.open(table, version)
        return [] if opened is None else self.files_of(table, opened)

    def files_of(self, table: str, opened: DeltaTable) -> list[str]:
        """Return the data files of an opened table as paths; Delta gives URLs, where a blank reads %20."""
        relative = (uri.rpartition(f"/{table}/")[2] for uri in opened.file_uris())
        return sorted(str(self.path(table) / name) for name in relative)

    def has_transaction(self, table: str, transaction: str) -> bool:
        """Tell whether an application transaction was already committed to a table."""
        opened = self.open(table)
        return opened is not None and opened.transaction_version(transaction) is not None

    def transactions_among(self, table: str, transactions: Iterable[str]) -> set[str]:
        """Return those of several application transactions that were already committed to a table."""
        opened = self.open(table)
        if opened is None:
            return set()
        return {name for name in transactions if opened.transaction_version(name) is not None}

    def append_once(
        self,
        table: str,
        data: pa.RecordBatchReader | pa.Table,
        transaction: str | Sequence[str],
        *,
        partition_by: list[str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        """Append rows under an application transaction, unless that transaction is already in the table.

        Args:
            table: Name of the table; created with the data's schema where it does not exist.
            data: Rows; a reader is streamed and never held in memory as a whole.
            transaction: Name of the transaction; the same name adds nothing a second time. Of several
                names none may be in the table yet.
            partition_by: Partition columns, used when the table is created.
            metadata: Kept in the commit.

        Returns:
            The committed version, or None where the transaction was there before.

        Raises:
            LakeError: When storage refuses. Nothing is visible then.
        """
        names = [transaction] if isinstance(transaction, str) else list(transaction)
        handle: DeltaTable | None = self.open(table)
        if handle is None:
            handle = self._create(table, data.schema, partition_by)
        if any(handle.transaction_version(name) is not None for name in names):
            return None
        properties = CommitProperties(
            custom_metadata=dict(metadata or {}), app_transactions=[Transaction(name, 0) for name in names]
        )
        try:
            _append(handle, self.path(table), data, properties)
        except CommitFailedError:
            if self.transactions_among(table, names):
                return None
            raise
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"rows could not be appended to {table}: {_first_line(error)}",
                action="free space or mend the folder, then run again: nothing half-written is visible",
            ) from error
        return handle.version()

    def last_inputs(self, table: str) -> dict[str, Any]:
        """Return what the last append to a table recorded of its inputs; empty where there is none."""
        return self.last_noted(table, "datadock.inputs")

    def last_noted(self, table: str, key: str) -> dict[str, Any]:
        """Return what the newest commit that has a key in its metadata, of the last 20, holds there; or nothing."""
        opened = self.open(table)
        if opened is None:
            return {}
        for entry in opened.history(20):
            if key in entry:
                found: dict[str, Any] = json.loads(entry[key])
                return found
        return {}

    def _create(self, table: str, schema: pa.Schema, partition_by: list[str] | None) -> DeltaTable:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / ".create.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # two creators at once would both write the table's metadata
                return self.open(table) or DeltaTable.create(
                    self.path(table),
                    schema=schema,
                    partition_by=partition_by,
                    configuration=_TABLE_OPTIONS,
                )
        except (OSError, DeltaError) as error:
            raise LakeError(
                f"the lake table {table} cannot be created: {_first_line(error)}",
                expected=f"a folder {self.root} that can be written",
                action="mend the folder or its rights, then run again",
            ) from error

    def store(self, stream: BinaryIO, facts: Mapping[str, Any]) -> StoredObject:
        """Put original bytes into the archive, once.

        The bytes stand at ``objects/<2 hex>/<sha256>`` beside ``<sha256>.json``, which keeps the
        ``facts`` and the time of the first reception (``received_at`` among the facts, where it was
        before now). Both appear by an atomic rename, bytes last.

        Args:
            stream: The bytes; read in chunks.
            facts: What is known of the origin (source, file name); JSON-serialisable.

        Returns:
            The stored object; ``known`` where the same bytes were there before.
        """
        folder = self.root / "objects"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as temporary:
                digest = hashlib.sha256()
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
                    temporary.write(chunk)
                temporary.flush()
                os.fsync(temporary.fileno())
            return self._settle(Path(temporary.name), digest.hexdigest(), facts)
        except OSError as error:
            raise LakeError(
                f"the archive {folder} refused the bytes: {error}",
                action="free space or mend the folder's rights, then land the file again",
            ) from error

    def _settle(self, temporary: Path, sha256: str, facts: Mapping[str, Any]) -> StoredObject:
        target = self.root / "objects" / sha256[:2] / sha256
        note = target.with_suffix(".json")
        target.parent.mkdir(exist_ok=True)
        if not note.exists():
            received = {"received_at": datetime.now(UTC).isoformat(), **facts}
            draft = temporary.with_suffix(".note")
            draft.write_text(json.dumps(received, ensure_ascii=False), encoding="utf-8")
            draft.replace(note)
        known = target.exists()
        size = temporary.stat().st_size
        if known:
            temporary.unlink()
        else:
            temporary.replace(target)
        kept = json.loads(note.read_text(encoding="utf-8"))
        return StoredObject(sha256, target, size, datetime.fromisoformat(kept["received_at"]), known)

    def object_path(self, sha256: str) -> Path:
        """Return where the bytes with this digest stand."""
        return self.root / "objects" / sha256[:2] / sha256

    def sweep(self, min_age_seconds: float = 3600.0) -> int:
        """Remove what a killed landing left in the archive's folder; return the number of files.

        Args:
            min_age_seconds: Younger files may belong to a landing that is under way.
        """
        limit = time.time() - min_age_seconds
        left = [path for path in (self.root / "objects").glob(".incoming-*") if _changed_at(path) <= limit]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def drop(self, tables: Iterable[str]) -> None:
        """Delete whole tables; for derived tables that can be rebuilt, never for raw ones."""
        for table in tables:
            shutil.rmtree(self.path(table), ignore_errors=True)


def _first_line(error: Exception) -> str:
    """Leave off the backtrace that the storage library adds."""
    return str(error).split("\n", 1)[0]


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _append(
    handle: DeltaTable, folder: Path, data: pa.RecordBatchReader | pa.Table, properties: CommitProperties
) -> None:
    """Commit rows on the handle whose transactions were looked up."""
    if not fits(data.schema, handle.schema()):
        write_deltalake(handle, data, mode="append", schema_mode="merge", commit_properties=properties)
        return
    partition_by = handle.metadata().partition_columns
    batches = data if isinstance(data, pa.RecordBatchReader) else data.to_batches()
    files = DataFiles(folder, data.schema, partition_by)
    actions = files.write(batches)
    try:
        handle.create_write_transaction(
            actions, "append", handle.schema(), partition_by=partition_by, commit_properties=properties
        )
    except (OSError, DeltaError):
        files.remove()
        raise
    handle.update_incremental()
