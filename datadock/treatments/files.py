"""Files that people hand to a treatment: sets of contacts, moves, open data; read as text, with their lines.

What the columns mean is not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from datadock.errors import DatadockError
from datadock.landing.records import Refusal
from datadock.quality.file import read_frames

_JSON_LINES = (".jsonl", ".ndjson")
_KNOWN = (".csv", ".tsv", ".txt", ".parquet", *_JSON_LINES)


@dataclass(frozen=True)
class Rows:
    """A file as it was read.

    Attributes:
        frame: ``line`` (position of the record, from 1) and the file's columns as text; empty texts are null.
        refused: Lines that could not be read.
    """

    frame: pl.DataFrame
    refused: tuple[int, ...] = ()


def read_rows(path: Path, columns: Collection[str]) -> Rows:
    """Read a csv, jsonl or parquet file as text.

    Args:
        path: The file.
        columns: Columns that are looked for; they tell a header line from a record.

    Raises:
        DatadockError: When the file is missing, of another kind, or cannot be read.
    """
    if not path.is_file() or path.suffix not in _KNOWN:
        raise DatadockError(
            f"{path} is {'of another kind' if path.is_file() else 'no file'}",
            expected=f"a file that ends in {', '.join(_KNOWN)}",
            action="mend the path, or export the file so",
        )
    refused: list[Refusal] = []
    try:
        if path.suffix in _JSON_LINES:
            frame = pl.read_ndjson(path, infer_schema_length=None)
        else:
            parts = list(read_frames(path, list(columns), refused.append))
            frame = pl.concat(parts, how="vertical_relaxed") if parts else pl.DataFrame()
    except pl.exceptions.PolarsError as error:
        raise DatadockError(f"{path} cannot be read: {error}", "a whole file of one form", "export it anew") from error
    return Rows(_as_text(frame, {one.line for one in refused}), tuple(sorted(one.line for one in refused)))


def _as_text(frame: pl.DataFrame, refused: Collection[int]) -> pl.DataFrame:
    """Number the records as they stand in the file, refused ones included."""
    lines = (number for number in range(1, frame.height + len(refused) + 1) if number not in refused)
    numbered = pl.Series("line", [line for line, _ in zip(lines, range(frame.height), strict=False)], pl.Int64)
    text = frame.select(pl.col(name).cast(pl.String).str.strip_chars().replace("", None) for name in frame.columns)
    return text.select(numbered, pl.exclude("line"))


def require(frame: pl.DataFrame, columns: Collection[str], path: Path, action: str) -> None:
    """Refuse a file that lacks columns.

    Raises:
        DatadockError: With the columns that are missing and those that are there.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        there = ", ".join(name for name in frame.columns if name != "line") or "none"
        raise DatadockError(f"{path.name} has no column {', '.join(missing)}: it has {there}", action=action)


def sha256_of(path: Path) -> str:
    """Return the digest of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_frame(frame: pl.DataFrame, out: Path) -> None:
    """Write rows for a person: parquet, or csv with lists joined by ``|`` and evidence as JSON.

    Raises:
        DatadockError: When the name has another ending, or the folder does not exist.
    """
    if out.suffix not in (".csv", ".parquet") or not out.parent.is_dir():
        raise DatadockError(
            f"{out} cannot be written", "a name that ends in .csv or .parquet, in a folder", "mend --out"
        )
    if out.suffix == ".parquet":
        frame.write_parquet(out)
        return
    texts = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    nested = [name for name, kind in frame.schema.items() if kind.is_nested() and name not in texts]
    flat = frame.with_columns(
        *(pl.col(name).list.join("|") for name in texts),
        *(pl.col(name).list.eval(pl.element().struct.json_encode()).list.join("|") for name in nested),
    )
    flat.write_csv(out)
