"""The data files of one Delta append, written as a stream: memory stays flat, nothing is visible before the commit.

pyarrow writes them, at two thirds of the CPU of the Delta library's own writer (which splits rows
by partition even where all are in one) and with plain errors where the disk is full.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import Schema
from deltalake.transaction import AddAction, RemoveAction

_ROW_GROUP = 122_880
"""Rows that DuckDB reads at a time."""
_ROW_GROUP_BYTES = 64 << 20
_FILE_BYTES = 2 << 30
"""Bytes in memory after which the next file begins; they are a fifth of it on disk."""
_NEVER_REPEATED = frozenset({"payload", "raw_bytes"})
"""Columns whose values never repeat: a dictionary of them is made in vain, and their extremes tell nothing."""

_Partition = tuple[str | None, ...]


class DataFiles:
    """Writes batches into Parquet files below a table's folder.

    Args:
        folder: The table's folder.
        schema: Schema of the batches, one that ``fits`` the table.
        partition_by: The table's partition columns; they stand in the path, not in the files.
    """

    def __init__(self, folder: Path, schema: pa.Schema, partition_by: Sequence[str]) -> None:
        self._folder = folder
        self._schema = schema
        self._partition_by = list(partition_by)
        self._open: dict[_Partition, _DataFile] = {}
        self._done: list[_DataFile] = []

    def write(self, batches: Iterable[pa.RecordBatch]) -> list[AddAction | RemoveAction]:
        """Write every batch; return the actions that make the files part of the table.

        Raises:
            OSError: When storage refuses. What was written is removed then, as after any error.
        """
        finished = False
        try:
            for batch in batches:
                for values, part in self._parts(batch):
                    self._file(values).add(part)
            for values in list(self._open):
                self._close(values)
            finished = True
        finally:
            if not finished:
                self.remove()
        return [file.action() for file in self._done]

    def remove(self) -> None:
        """Remove the files: their rows were not committed."""
        for file in [*self._open.values(), *self._done]:
            file.path.unlink(missing_ok=True)

    def _parts(self, batch: pa.RecordBatch) -> Iterator[tuple[_Partition, pa.RecordBatch]]:
        """Split a batch by its partition values."""
        while batch.num_rows:
            first = [batch.column(name)[0] for name in self._partition_by]
            same = None
            for name, value in zip(self._partition_by, first, strict=True):
                column = batch.column(name)
                equal = pc.equal(column, value) if value.is_valid else pc.is_null(column)
                equal = pc.fill_null(equal, fill_value=False)
                same = equal if same is None else pc.and_(same, equal)
            values = tuple(str(value.as_py()) if value.is_valid else None for value in first)
            if same is None or pc.all(same).as_py():
                yield values, batch
                return
            yield values, batch.filter(same)
            batch = batch.filter(pc.invert(same))

    def _file(self, values: _Partition) -> _DataFile:
        if values in self._open and self._open[values].bytes > _FILE_BYTES:
            self._close(values)
        if values not in self._open:
            partition = dict(zip(self._partition_by, values, strict=True))
            self._open[values] = _DataFile(self._folder, self._schema, partition)
        return self._open[values]

    def _close(self, values: _Partition) -> None:
        self._done.append(self._open.pop(values))
        self._done[-1].close()


class _DataFile:
    def __init__(self, folder: Path, schema: pa.Schema, partition: dict[str, str | None]) -> None:
        self._partition = partition
        steps = [f"{name}={_in_path(value)}" for name, value in partition.items()]
        self._name = "/".join([*steps, f"part-{uuid.uuid4()}.parquet"])
        self.path = folder / self._name
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._columns = [name for name in schema.names if name not in partition]
        repeated = [name for name in self._columns if name not in _NEVER_REPEATED]
        self._writer = pq.ParquetWriter(
            self.path,
            pa.schema([schema.field(name) for name in self._columns]),
            compression="snappy",  # zstd halves the size, for 0.8 CPU s more per million records written and read
            use_dictionary=repeated,
            write_statistics=repeated,
        )
        self._held: list[pa.RecordBatch] = []
        self._held_rows = self._held_bytes = 0
        self._rows = 0
        self.bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch.select(self._columns))
        self._held_rows += batch.num_rows
        self._held_bytes += batch.nbytes
        if self._held_rows >= _ROW_GROUP or self._held_bytes >= _ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held), row_group_size=self._held_rows)
        self._rows += self._held_rows
        self.bytes += self._held_bytes
        self._held, self._held_rows, self._held_bytes = [], 0, 0

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def action(self) -> AddAction:
        facts = self.path.stat()
        return AddAction(
            path=self._name,
            size=facts.st_size,
            partition_values=self._partition,
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=json.dumps({"numRecords": self._rows}),
        )


def _in_path(value: str | None) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else quote(value, safe="")


def fits(schema: pa.Schema, table: Schema) -> bool:
    """Tell whether rows of this schema may be written as they are: the table's columns in the table's types."""
    there = {field.name: field.type for field in pa.schema(table.to_arrow())}
    here = {field.name: field.type for field in schema}
    return there.keys() == here.keys() and all(_plain(there[name]) == kind for name, kind in here.items())


def _plain(kind: pa.DataType) -> pa.DataType:
    """Give one spelling to types that Delta does not tell apart."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return kind
