"""The folders of an index: one per build, the pointer to the one in use, the empty file of changes.

What is in the files is in ``base`` and ``store``.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from datadock.identity.compiled.numbers import numbering

_SCHEMA = """
create table meta(name text primary key, value text) without rowid;
create table record(
    rid integer primary key, party text, source text, source_key text, received_at integer, changed_at integer,
    golden text, segment text, features text
);
create unique index record_of on record(source, source_key);
create index record_golden on record(golden) where golden is not null;
create table gone(place integer primary key, rid integer);
create table moved(place integer primary key, rid integer, received_at integer, changed_at integer, golden text);
create index moved_golden on moved(golden);
create table post(key integer, rid integer, primary key (key, rid)) without rowid;
create table edge(one integer, other integer, weight real, primary key (one, other)) without rowid;
create table earlier(source text, source_key text, golden text, primary key (source, source_key, golden)) without rowid;
create table given(rid integer primary key, golden text);
create index given_golden on given(golden);
create table decision(
    kind text, left_source text, left_key text, right_source text, right_key text, place integer primary key
);
create table applied(segment text primary key, lines integer, bytes integer, settled integer) without rowid;
"""


def form() -> str:
    """Return what changes when the files change their form, or numbers are made otherwise."""
    return f"2 {numbering()}"


def current_folder(folder: Path) -> Path | None:
    """Return the folder of the build in use, None where nothing was built."""
    pointer = folder / "current"
    path = folder / pointer.read_text(encoding="ascii").strip() if pointer.exists() else None
    return path if path is not None and path.is_dir() else None


def pointed(folder: Path) -> tuple[int, int]:
    """Return what changes when another build is put in use; zeros where there is none."""
    try:
        facts = (folder / "current").stat()
    except FileNotFoundError:
        return (0, 0)
    return facts.st_ino, facts.st_mtime_ns


def switch_to(folder: Path, path: Path) -> None:
    """Put a build in use, and remove the others; a process that has one open keeps what it has."""
    draft = folder / ".current.draft"
    draft.write_text(path.name, encoding="ascii")
    draft.replace(folder / "current")
    for old in folder.glob("identity-*"):
        if old.name != path.name:
            shutil.rmtree(old) if old.is_dir() else old.unlink()


def create_changes(path: Path) -> sqlite3.Connection:
    """Create the file of the changes of a build, open in a transaction; commit and close it."""
    db = sqlite3.connect(path / "changes.sqlite", isolation_level=None, check_same_thread=False)
    db.executescript("pragma synchronous = full; pragma journal_mode = wal;")
    db.executescript(_SCHEMA)
    db.execute("begin")
    return db
