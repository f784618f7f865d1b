"""The index file: one SQLite database per build, and the pointer to the one in use.

Reads and writes of rows, nothing of what they mean. A build writes a file of its own and is switched to by an atomic
rename of the pointer; changes of a file in use are transactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from datadock.errors import WarehouseError

FORM = "1"
"""Raised when the tables of the file change; a file of another form is built anew."""

_SCHEMA = """
create table meta(name text primary key, value text) without rowid;
create table record(
    rid integer primary key, party text, source text, source_key text, received_at integer, feature_hash text,
    golden text, segment text, features text
);
create table post(key integer, rid integer, primary key (key, rid)) without rowid;
create table edge(one integer, other integer, weight real, primary key (one, other)) without rowid;
create table term(party text, feature text, value text, tf real, primary key (party, feature, value)) without rowid;
create table earlier(source text, source_key text, golden text, primary key (source, source_key, golden)) without rowid;
create table given(rid integer primary key, golden text);
create table decision(
    kind text, left_source text, left_key text, right_source text, right_key text, place integer primary key
);
create table applied(segment text primary key, lines integer, bytes integer) without rowid;
"""
_INDEXES = """
create unique index record_of on record(source, source_key);
create index record_golden on record(golden) where golden is not null;
create index given_golden on given(golden);
"""


class Record(NamedTuple):
    """A record of the index.

    Attributes:
        rid: Its number; a changed record gets another one.
        party: ``person`` or ``company``.
        source: Its source.
        source_key: Its key there.
        received_at: When its bytes came in, microseconds since 1970 UTC.
        feature_hash: Digest of its features.
        golden: Golden id that the membership log gives it; None where the batch has not met it.
        segment: Segment of the journal that it came by; None where the batch has met it.
        row: Scored features, in the order of the party's columns.
    """

    rid: int
    party: str
    source: str
    source_key: str
    received_at: int
    feature_hash: str
    golden: str | None
    segment: str | None
    row: list[Any]


_COLUMNS = "rid, party, source, source_key, received_at, feature_hash, golden, segment, features"


def current_file(folder: Path) -> Path | None:
    """Return the index file in use, None where none was built."""
    pointer = folder / "current"
    path = folder / pointer.read_text(encoding="ascii").strip() if pointer.exists() else None
    return path if path is not None and path.exists() else None


def pointed(folder: Path) -> tuple[int, int]:
    """Return what changes when another file is put in use; zeros where none is."""
    try:
        facts = (folder / "current").stat()
    except FileNotFoundError:
        return (0, 0)
    return facts.st_ino, facts.st_mtime_ns


def switch_to(folder: Path, path: Path) -> None:
    """Put a built file in use, and remove the others."""
    draft = folder / ".current.draft"
    draft.write_text(path.name, encoding="ascii")
    draft.replace(folder / "current")
    for old in folder.glob("identity-*.sqlite*"):
        if not old.name.startswith(path.name):
            old.unlink(missing_ok=True)


def create_file(path: Path) -> sqlite3.Connection:
    """Create an index file for a build: no journal, as a killed build leaves a file that nothing points to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.executescript("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144;")
    db.executescript(_SCHEMA)
    db.execute("begin")
    return db


def finish_file(db: sqlite3.Connection) -> None:
    """Complete a build: indexes, everything on disk, ready for transactions."""
    db.execute("commit")
    db.executescript(f"{_INDEXES} pragma synchronous = full; pragma journal_mode = wal;")
    db.close()


class Store:
    """An opened index file.

    Args:
        path: The file.

    Raises:
        WarehouseError: When it is no index.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60.0)
            # The journal beside it is what makes a commit last; the file may lose its last transactions.
            self.db.executescript(
                "pragma synchronous = normal; pragma cache_size = -65536; pragma mmap_size = 4294967296;"
            )
            self.meta("form")
        except sqlite3.Error as error:
            raise WarehouseError(
                f"the identity index {path} cannot be read: {error}",
                expected="the file that the asset golden/identity_index builds",
                action="remove the folder's `current` and run: datadock run",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do several changes or none."""
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")

    def meta(self, name: str) -> Any:
        """Return what is noted under a name, None where nothing is."""
        found = self.db.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if found is None else orjson.loads(found[0])

    def note(self, name: str, value: Any) -> None:
        """Note a value under a name."""
        self.db.execute("insert or replace into meta values (?, ?)", (name, orjson.dumps(value).decode()))

    def record(self, rid: int) -> Record | None:
        """Return a record by its number."""
        found = self.db.execute(f"select {_COLUMNS} from record where rid = ?", (rid,)).fetchone()
        return _record(found)

    def records(self, rids: Sequence[int]) -> list[Record]:
        """Return several records by their numbers; those that are no more are left out."""
        asked = orjson.dumps(list(rids)).decode()
        found = self.db.execute(
            f"select {_COLUMNS} from record where rid in (select value from json_each(?))", (asked,)
        )
        return [_made(row) for row in found]

    def record_of(self, source: str, source_key: str) -> Record | None:
        """Return a record by its source and key."""
        found = self.db.execute(
            f"select {_COLUMNS} from record where source = ? and source_key = ?", (source, source_key)
        ).fetchone()
        return _record(found)

    def rids_by_keys(self, keys: Sequence[int]) -> list[int]:
        """Return the numbers of the records that have one of some keys, each once."""
        asked = orjson.dumps(list(keys)).decode()
        found = self.db.execute(
            "select distinct post.rid from json_each(?) asked cross join post on post.key = asked.value", (asked,)
        )
        return [row[0] for row in found]

    def edges(self, rid: int) -> list[tuple[int, float]]:
        """Return the records that a strong pair joins a record to, with the pair's weight."""
        return self.db.execute("select other, weight from edge where one = ?", (rid,)).fetchall()

    def bearers(self, golden: str) -> list[int]:
        """Return the records that the membership log gives a golden id."""
        return [row[0] for row in self.db.execute("select rid from record where golden = ?", (golden,))]

    def members(self, golden: str) -> list[int]:
        """Return the records that bear a golden id now."""
        found = self.db.execute(
            "select rid from given where golden = ?1 union select rid from record where golden = ?1 "
            "and rid not in (select rid from given)",
            (golden,),
        )
        return [row[0] for row in found]

    def golden(self, record: Record) -> str | None:
        """Return the golden id that a record bears now."""
        found = self.db.execute("select golden from given where rid = ?", (record.rid,)).fetchone()
        return found[0] if found else record.golden

    def earlier(self, source: str, source_key: str) -> list[str]:
        """Return golden ids that a record bore before its present one."""
        found = self.db.execute("select golden from earlier where source = ? and source_key = ?", (source, source_key))
        return [row[0] for row in found]

    def frequency(self, party: str, feature: str, value: str) -> float | None:
        """Return the frequency of a term, None where it was never counted."""
        found = self.db.execute(
            "select tf from term where party = ? and feature = ? and value = ?", (party, feature, value)
        ).fetchone()
        return None if found is None else float(found[0])

    def decisions(self) -> list[tuple[str, str, str, str, str]]:
        """Return the decisions of stewards, the latest last: kind, left source and key, right source and key."""
        return self.db.execute(
            "select kind, left_source, left_key, right_source, right_key from decision order by place"
        ).fetchall()

    def insert(self, record: Record, keys: Iterable[int], edges: Iterable[tuple[int, float]]) -> None:
        """Add a record with its keys and edges."""
        self.db.execute(
            f"insert into record({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*record[:-1], orjson.dumps(record.row).decode()),
        )
        self.db.executemany("insert into post values (?, ?)", [(key, record.rid) for key in keys])
        for other, weight in edges:
            self.join(record.rid, other, weight)

    def join(self, one: int, other: int, weight: float) -> None:
        """Add a strong pair."""
        both = ((one, other, weight), (other, one, weight))
        self.db.executemany("insert or replace into edge values (?, ?, ?)", both)

    def part(self, rid: int) -> None:
        """Remove all strong pairs of a record."""
        others = [row[0] for row in self.db.execute("select other from edge where one = ?", (rid,))]
        self.db.execute("delete from edge where one = ?", (rid,))
        self.db.executemany("delete from edge where one = ? and other = ?", [(other, rid) for other in others])

    def remove(self, rid: int, keys: Iterable[int]) -> None:
        """Remove a record with its keys and edges."""
        self.db.execute("delete from record where rid = ?", (rid,))
        self.db.execute("delete from given where rid = ?", (rid,))
        self.db.executemany("delete from post where key = ? and rid = ?", [(key, rid) for key in keys])
        self.part(rid)

    def give(self, given: Iterable[tuple[int, str | None]]) -> None:
        """Keep the golden ids that records bear now; None where it is the log's."""
        for rid, golden in given:
            if golden is None:
                self.db.execute("delete from given where rid = ?", (rid,))
            else:
                self.db.execute("insert or replace into given values (?, ?)", (rid, golden))

    def applied(self, segment: str, lines: int, size: int) -> None:
        """Note that further lines of a segment are in the index now, up to this size of its file."""
        before = self.applied_of(segment)[0]
        self.db.execute("insert or replace into applied values (?, ?, ?)", (segment, before + lines, size))

    def applied_of(self, segment: str) -> tuple[int, int]:
        """Return how many lines of a segment are in the index, and the size of its file then."""
        found = self.db.execute("select lines, bytes from applied where segment = ?", (segment,)).fetchone()
        return (0, 0) if found is None else (found[0], found[1])

    def next_rid(self) -> int:
        """Return the number of the next new record; numbers of removed records are not given again."""
        highest = int(self.db.execute("select coalesce(max(rid), -1) from record").fetchone()[0])
        last = max(int(self.meta("last_rid") or 0), highest)
        self.note("last_rid", last + 1)
        return last + 1


def _record(found: tuple[Any, ...] | None) -> Record | None:
    return None if found is None else _made(found)


def _made(row: tuple[Any, ...]) -> Record:
    return Record._make((*row[:-1], orjson.loads(row[-1])))
