"""A whole file in its normal forms: the input's columns are kept, those of the normal form added.

Text files in any encoding and delimiter are read by the landing's reader, parquet by row groups; both go
through in pieces, so that memory does not grow with the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from datadock.errors import DatadockError
from datadock.landing.csv_dialect import column_names
from datadock.landing.csv_reader import read_csv
from datadock.landing.limits import Limits
from datadock.landing.records import Member, Refusal
from datadock.quality.address import AddressNormaliser
from datadock.quality.file_kinds import KINDS, results_of

_ROWS = 50_000
_TEXT = (".csv", ".tsv", ".txt")
_BLOCK_BYTES = 4 * 2**20


@dataclass(frozen=True)
class FileSummary:
    """What was made of a file.

    Attributes:
        out: The file written.
        rows: Records written.
        statuses: Status to number of records.
        refused: Records that could not be read, with their lines in ``refused_to``.
        refused_to: File of the refused records; None where there are none.
    """

    out: Path
    rows: int
    statuses: dict[str, int]
    refused: int = 0
    refused_to: Path | None = None

    def __str__(self) -> str:
        """Write the summary for a person."""
        counts = ", ".join(f"{name} {count:,}" for name, count in sorted(self.statuses.items()))
        lines = [f"{self.rows:,} rows written to {self.out}: {counts or 'none'}"]
        if self.refused:
            lines.append(f"{self.refused:,} records could not be read; they stand in {self.refused_to}")
        return "\n".join(lines)


class _Writer(Protocol):
    def write(self, frame: pl.DataFrame) -> None: ...

    def close(self) -> None: ...


def normalise_file(
    source: Path,
    out: Path,
    kind: str,
    columns: list[str],
    region: str = "FR",
    normaliser: AddressNormaliser | None = None,
) -> FileSummary:
    """Write a file with the normal forms of some of its columns beside all that it holds.

    Args:
        source: Text with delimiters (any encoding), or parquet.
        out: ``.csv`` or ``.parquet``; lists of codes are joined by ``|`` in csv.
        kind: ``address``, ``phone``, ``email`` or ``name``.
        columns: Columns to read, in their order; several phone or e-mail columns are read as one cell.
        region: Country of phone numbers without a country code.
        normaliser: Reads addresses; by the packaged reference when none is given.

    Returns:
        What was written. An added column whose name the input has already gets ``_2`` behind it.

    Raises:
        DatadockError: When the file, a column, the kind or the result's suffix is none.
    """
    _check(source, out, kind, columns)
    refused: list[Refusal] = []
    chunks = read_frames(source, columns, refused.append)
    statuses: Counter[str] = Counter()
    rows = 0
    writer: _Writer | None = None
    part = out.with_name(f".{out.name}.part")
    try:
        for frame in chunks:
            _known(frame.columns, columns, source)
            results = results_of(kind, frame.select(columns), region, normaliser)
            statuses.update(results["status"].cast(pl.String).to_list())
            writer = writer or (_Parquet(part) if out.suffix == ".parquet" else _Csv(part))
            writer.write(_beside(frame, results))
            rows += frame.height
        if writer is None:
            raise DatadockError(f"no record in {source}", "a header line and at least one record", "check the file")
        writer.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return FileSummary(out, rows, dict(statuses), len(refused), _write_refused(out, refused))


def read_frames(source: Path, columns: list[str], refuse: Callable[[Refusal], None]) -> Iterator[pl.DataFrame]:
    """Read a file in pieces: text with delimiters, in any encoding, as text; parquet as it is typed.

    Args:
        source: The file.
        columns: Columns that are looked for, which tell a header line from a record.
        refuse: Takes the records that cannot be read.

    Raises:
        DatadockError: When it is no parquet file though it is called so.
    """
    return _parquet(source) if source.suffix == ".parquet" else _text(source, columns, refuse)


def _check(source: Path, out: Path, kind: str, columns: list[str]) -> None:
    if kind not in KINDS:
        raise DatadockError(f"no kind {kind!r}", f"one of {', '.join(KINDS)}", "mend --kind")
    if not source.is_file():
        raise DatadockError(f"no file {source}", "a csv or parquet file", "mend the path")
    if source.suffix not in (*_TEXT, ".parquet"):
        raise DatadockError(
            f"{source.name} is none of {', '.join(_TEXT)}, .parquet", "text with delimiters, or parquet", "export it so"
        )
    if out.suffix not in (".csv", ".parquet"):
        raise DatadockError(f"{out} is neither csv nor parquet", "a name that ends in .csv or .parquet", "rename --out")
    if out.resolve() == source.resolve():
        raise DatadockError(f"{out} is the input itself", "another file", "name another --out")
    if not out.parent.is_dir():
        raise DatadockError(f"no folder {out.parent}", "a folder that exists", "make it, or name another --out")
    if not columns:
        raise DatadockError("no column named", "at least one", "name the columns to read with --columns")


def _known(names: list[str], columns: list[str], source: Path) -> None:
    missing = [column for column in columns if column not in names]
    if missing:
        raise DatadockError(
            f"{source.name} has no column {', '.join(missing)}", f"one of {', '.join(names)}", "mend --columns"
        )


def _text(source: Path, columns: list[str], refuse: Callable[[Refusal], None]) -> Iterator[pl.DataFrame]:
    from datadock.catalog.model import Format

    member = Member(source.name, lambda: source.open("rb"), source.stat().st_size, source)
    declared = Format(type="csv", delimiter="\t" if source.suffix == ".tsv" else None)
    for chunk in read_csv(member, declared, columns, Limits(block_bytes=_BLOCK_BYTES)):
        for refusal in chunk.refused:
            refuse(refusal)
        if chunk.columns is not None and chunk.columns.num_rows:
            yield from _frame(chunk.columns).iter_slices(_ROWS)


def _parquet(source: Path) -> Iterator[pl.DataFrame]:
    try:
        opened = pq.ParquetFile(source)
    except pa.ArrowInvalid as error:
        raise DatadockError(f"{source} is no parquet file: {error}", "a parquet file", "check the file") from error
    with opened:
        for batch in opened.iter_batches(batch_size=_ROWS):
            yield _frame(pa.Table.from_batches([batch]))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):  # pragma: no cover - a table is always a frame
        raise TypeError(type(frame))
    return frame


def _beside(frame: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Put results beside the input, under names that the input does not have."""
    named = column_names([*frame.columns, *results.columns])[frame.width :]
    return frame.hstack(results.rename(dict(zip(results.columns, named, strict=True))))


def _is_nested(dtype: pl.DataType) -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object)


class _Csv:
    def __init__(self, path: Path) -> None:
        self.stream = path.open("wb")
        self.first = True

    def write(self, frame: pl.DataFrame) -> None:
        lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
        odd = [name for name, dtype in frame.schema.items() if name not in lists and _is_nested(dtype)]
        if odd:
            raise DatadockError(
                f"csv cannot hold the column {', '.join(odd)}", "columns of single values", "write --out to .parquet"
            )
        flat = frame.with_columns(pl.col(name).list.join("|") for name in lists)
        flat.write_csv(self.stream, include_header=self.first)
        self.first = False

    def close(self) -> None:
        self.stream.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: pq.ParquetWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        plain = frame.with_columns(pl.col(pl.Enum).cast(pl.String), pl.col(pl.Categorical).cast(pl.String))
        table = plain.to_arrow()
        self.writer = self.writer or pq.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table.cast(self.writer.schema))

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _write_refused(out: Path, refused: list[Refusal]) -> Path | None:
    if not refused:
        return None
    path = out.with_name(f"{out.stem}.refused.csv")
    rows = [
        {"line": r.line, "reason": r.reasons[0].code, "record": r.raw[:2_000].decode("utf-8", "replace")}
        for r in refused
    ]
    pl.DataFrame(rows).write_csv(path)
    return path
