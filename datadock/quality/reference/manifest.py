"""The one manifest of all reference tables: where each comes from, its version, licence, rows and SHA-256.

A folder of tables and its ``manifest.json`` are one version of the reference. The hash is that of a table's
text, uncompressed, so that it does not depend on the program that compressed it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from datadock.errors import DatadockError

DATA = Path(__file__).resolve().parent / "data"
"""The tables that ship with the package."""

MANIFEST = "manifest.json"

LOCALITIES, LABELS, IRIS = "localities", "delivery_labels", "iris"
RANGES, OPERATORS, FIRST_NAMES = "arcep_ranges", "arcep_operators", "first_name_spellings"
STREET_TYPES, LINE_WORDS, MOTIVES = "street_types", "line_words", "return_motives"

PUBLISHED = (LOCALITIES, LABELS, IRIS, RANGES, OPERATORS, FIRST_NAMES)
"""Tables made from what others publish; a newer version of them may be installed in a home."""

OWN = (LINE_WORDS, MOTIVES, STREET_TYPES)
"""Tables that the project writes; they belong to the code that reads them and change with it alone."""

DECIDING = (LOCALITIES, LABELS, FIRST_NAMES, LINE_WORDS, STREET_TYPES)
"""Tables that can change what becomes of an address (first names: how a long street is shortened)."""


@dataclass(frozen=True)
class TableEntry:
    """One table in the manifest.

    Attributes:
        table: Its name.
        file: Its file beside the manifest, compressed where the name ends in ``.gz``.
        rows: Its rows, without the header.
        source: Who publishes it, and where.
        version: The publisher's version.
        licence: Of the data.
        sha256: Hex digest of its text.
        built_on: The day it was made (ISO date).
    """

    table: str
    file: str
    rows: int
    source: str
    version: str
    licence: str
    sha256: str
    built_on: str


def read_manifest(folder: Path = DATA) -> dict[str, TableEntry]:
    """Give the entries of a folder of tables, by table.

    Raises:
        DatadockError: When the folder holds no manifest, or one that is no manifest of reference tables.
    """
    path = folder / MANIFEST
    try:
        entries = [TableEntry(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["tables"]]
    except OSError as error:
        raise DatadockError(
            f"{folder} holds no reference tables: {error.strerror} ({MANIFEST})",
            "a folder written by: datadock refdata build",
            "name another folder, or build the tables",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatadockError(
            f"{path} is no manifest of reference tables: {error}",
            "the file that datadock refdata build writes",
            "build the tables anew",
        ) from error
    return {entry.table: entry for entry in entries}


def write_manifest(folder: Path, entries: dict[str, TableEntry]) -> Path:
    """Write the entries of a folder of tables in the order of their names."""
    path = folder / MANIFEST
    rows = [asdict(entries[name]) for name in sorted(entries)]
    path.write_text(json.dumps({"tables": rows}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return path


def table_text(path: Path) -> bytes:
    """Give the text of a table's file, uncompressed.

    Raises:
        DatadockError: When the file is missing or cannot be uncompressed.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError) as error:
        raise DatadockError(
            f"the reference table {path.name} cannot be read from {path.parent}: {error}",
            "the tables that come with the package, or that datadock refdata build wrote",
            "install the package again, or build the tables anew with: datadock refdata build",
        ) from error


def digest(text: bytes) -> str:
    """Give the hash by which the text of a table is known."""
    return hashlib.sha256(text).hexdigest()


def is_intact(folder: Path, entry: TableEntry) -> bool:
    """Tell whether a table is the one that the manifest was written for."""
    try:
        return digest(table_text(folder / entry.file)) == entry.sha256
    except DatadockError:
        return False


def read_rows(path: Path) -> list[dict[str, str]]:
    """Give the rows of one table's file, compressed or not."""
    return list(csv.DictReader(io.StringIO(table_text(path).decode("utf-8"), newline="")))


def read_table(name: str, folder: Path = DATA) -> list[dict[str, str]]:
    """Give the rows of one table of a folder; what the folder lacks comes from the package."""
    place, entry = entry_of(name, folder)
    return read_rows(place / entry.file)


def entry_of(name: str, folder: Path = DATA) -> tuple[Path, TableEntry]:
    """Give the folder and the entry that a table is read by: a folder's own, else the package's."""
    if name in PUBLISHED and folder != DATA:
        own = _entries(folder, _written_at(folder)).get(name)
        if own:
            return folder, own
    return DATA, _entries(DATA, 0)[name]


def _written_at(folder: Path) -> int:
    path = folder / MANIFEST
    return path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=16)
def _entries(folder: Path, _written_at: int) -> dict[str, TableEntry]:
    return read_manifest(folder)


def deciding_hashes(folder: Path = DATA) -> dict[str, str]:
    """Give the hashes of the tables that can change an address, as they are read for a folder."""
    return {name: entry_of(name, folder)[1].sha256 for name in DECIDING}


def version_of(folder: Path = DATA, extra: str = "", entries: Mapping[str, TableEntry] | None = None) -> str:
    """Name the version of a folder: that of its communes, and a mark that changes with any deciding table.

    Args:
        folder: Folder of tables.
        extra: Hash of a further table that decides (a user's list of CEDEX codes).
        entries: Entries to go by, in place of those that are read for the folder.
    """
    told = entries or {name: entry_of(name, folder)[1] for name in DECIDING}
    mark = digest("".join([*(told[name].sha256 for name in DECIDING), extra]).encode())[:8]
    return f"communes {told[LOCALITIES].version} ({mark})"
