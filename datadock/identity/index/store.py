"""The index in use: the built part (``base``) with the changes since in an SQLite file beside it.

Reads and writes of rows, nothing of what they mean; changes are transactions. A record of the build that changed is
gone, and stands anew among the changes, with another number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import orjson

from datadock.errors import WarehouseError
from datadock.identity.compiled.numbers import number_of
from datadock.identity.index.base import Base
from datadock.identity.index.files import form


class Record(NamedTuple):
    """A record of the index.

    Attributes:
        rid: Its number; a changed record gets another one.
        party: ``person`` or ``company``.
        source: Its source.
        source_key: Its key there.
        received_at: When its bytes came in, microseconds since 1970 UTC.
        changed_at: When its source says that this version was made, else when it came in.
        golden: Golden id that the membership log gives it; None where the batch has not met it.
        segment: Segment of the journal that it came by; None where the batch has met it.
        row: Scored features, in the order of the party's columns.
    """

    rid: int
    party: str
    source: str
    source_key: str
    received_at: int
    changed_at: int
    golden: str | None
    segment: str | None
    row: list[Any]


_COLUMNS = "rid, party, source, source_key, received_at, changed_at, golden, segment, features"
_SIGN = 1 << 63
_BETWEEN_CHECKPOINTS = 256


class Store:
    """An opened index.

    Args:
        path: Folder of its build.

    Raises:
        WarehouseError: When it is no index.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.db = sqlite3.connect(
                f"file:{path / 'changes.sqlite'}?mode=rw",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=60.0,
            )
            # The journal beside it is what makes a commit last; the file may lose its last transactions.
            self.db.executescript(
                "pragma synchronous = normal; pragma cache_size = -65536; pragma mmap_size = 4294967296;"
            )
            if self.meta("form") == form():
                self.base = Base(path)
                self._parties: list[str] = self.meta("parties")
                self._sources: list[str] = self.meta("sources")
                self._forget_changes()
        except (sqlite3.Error, OSError, ValueError) as error:
            raise WarehouseError(
                f"the identity index {path} cannot be read: {error}",
                expected="the folder that the asset golden/identity_index builds",
                action="remove the file `current` beside it and run: datadock run",
            ) from error
        self._number = number_of()
        self._since_checkpoint = 0

    def close(self) -> None:
        """Close the file of changes."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do several changes or none."""
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            self._forget_changes()
            raise
        self.db.execute("commit")

    def checkpoint_beside(self) -> None:
        """Now and then write what transactions have left in SQLite's log to its place, while nobody waits for it."""
        self._since_checkpoint += 1
        if self._since_checkpoint == 1:
            self.db.execute("pragma wal_autocheckpoint = 0")
        if self._since_checkpoint % _BETWEEN_CHECKPOINTS == 0:
            Thread(target=_checkpoint, args=(self.path / "changes.sqlite",), daemon=True).start()

    def meta(self, name: str) -> Any:
        """Return what is noted under a name, None where nothing is."""
        found = self.db.execute("select value from meta where name = ?", (name,)).fetchone()
        return None if found is None else orjson.loads(found[0])

    def note(self, name: str, value: Any) -> None:
        """Note a value under a name."""
        self.db.execute("insert or replace into meta values (?, ?)", (name, orjson.dumps(value).decode()))

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    def count(self, condition: str = "true") -> int:
        """Return the number of records; of those that changed since the build, only those that meet a condition."""
        gone = self.db.execute("select count(distinct rid) from gone").fetchone()[0]
        changed = self.db.execute(f"select count(*) from record where {condition}").fetchone()[0]
        return self.base.count - int(gone) + int(changed)

    def everyone(self) -> Iterator[Record]:
        """Give all records."""
        for rid in range(self.base.count):
            record = self.record(rid)
            if record is not None:
                yield record
        for row in self.db.execute(f"select {_COLUMNS} from record").fetchall():
            yield _made(row)

    def record(self, rid: int) -> Record | None:
        """Return a record by its number."""
        found = self.records((rid,))
        return found[0] if found else None

    def records(self, rids: Sequence[int]) -> list[Record]:
        """Return several records by their numbers; those that are no more are left out."""
        count = self.base.count
        found = [self._read(rid) for rid in rids if rid < count and rid not in self._gone]
        new = [rid for rid in rids if rid >= count]
        if len(new) == 1:
            rows = self.db.execute(f"select {_COLUMNS} from record where rid = ?", (new[0],)).fetchall()
        else:
            rows = self._among("record", _COLUMNS, new) if new else []
        return found + [_made(row) for row in rows]

    def _read(self, rid: int) -> Record:
        party, source, source_key, received_at, changed_at, golden, row = self.base.record(rid)
        if rid in self._moved:
            received_at, changed_at, golden = self._moved[rid]
        return Record(
            rid, self._parties[party], self._sources[source], source_key, received_at, changed_at, golden, None, row
        )

    def _forget_changes(self) -> None:
        self._gone: set[int] = set()
        self._moved: dict[int, tuple[int, int, str | None]] = {}
        self._read_to = [0, 0]
        self.read_changes()

    def read_changes(self) -> None:
        """Read which records of the build are gone or moved, as far as that is not known yet."""
        for place, rid in self.db.execute("select place, rid from gone where place > ?", (self._read_to[0],)):
            self._gone.add(rid)
            self._read_to[0] = place
        query = "select place, rid, received_at, changed_at, golden from moved where place > ? order by place"
        for place, rid, received_at, changed_at, golden in self.db.execute(query, (self._read_to[1],)):
            self._moved[rid] = (received_at, changed_at, golden)
            self._read_to[1] = place

    def _among(self, table: str, columns: str, rids: Sequence[int]) -> list[Any]:
        listed = ",".join(map(str, rids))
        return self.db.execute(
            f"select {columns} from {table} where rid in (select value from json_each(?))", (f"[{listed}]",)
        ).fetchall()

    def record_of(self, source: str, source_key: str) -> Record | None:
        """Return a record by its source and key."""
        found = self.db.execute(
            f"select {_COLUMNS} from record where source = ? and source_key = ?", (source, source_key)
        ).fetchone()
        if found is not None:
            return _made(found)
        for rid in self.base.postings.rows(self._number("record", source, source_key)):
            record = self.record(rid)
            if record is not None and (record.source, record.source_key) == (source, source_key):
                return record
        return None

    def rids_by_keys(self, keys: Sequence[int]) -> list[int]:
        """Return the numbers of the records that have one of some keys, each once."""
        rows = self.base.postings.rows
        old = sorted({rid for key in keys for rid in rows(key)})
        asked = ",".join(str(_signed(key)) for key in keys)
        found = self.db.execute(
            "select distinct post.rid from json_each(?) asked cross join post on post.key = asked.value",
            (f"[{asked}]",),
        ).fetchall()
        return [rid for rid in old if rid not in self._gone] + [row[0] for row in found]

    def edges(self, rid: int) -> list[tuple[int, float]]:
        """Return the records that a strong pair joins a record to, with the pair's weight."""
        new = self.db.execute("select other, weight from edge where one = ?", (rid,)).fetchall()
        if rid >= self.base.count:
            return new
        return [*((other, weight) for other, weight in self.base.edges(rid) if other not in self._gone), *new]

    def some_edges(self, count: int) -> list[tuple[int, int, float]]:
        """Return some strong pairs of the build and of the changes: both records and the weight."""
        step = max(1, self.base.edges_count // count)
        old = [self.base.edge(place) for place in range(0, self.base.edges_count, step)]
        new = self.db.execute("select one, other, weight from edge order by one desc limit ?", (count,))
        return [*old, *new.fetchall()]

    def bearers(self, golden: str) -> list[int]:
        """Return the records that the membership log gives a golden id."""
        old = self.base.postings.rows(self._number("golden", golden))
        found = [record.rid for record in self.records(old) if record.golden == golden]
        query = "select rid from record where golden = ?1 union select rid from moved where golden = ?1"
        later = self.records([row[0] for row in self.db.execute(query, (golden,)) if row[0] not in found])
        return found + [record.rid for record in later if record.golden == golden]

    def members(self, golden: str) -> list[int]:
        """Return the records that bear a golden id now."""
        bearers = self.bearers(golden)
        other = {row[0] for row in self._among("given", "rid", bearers)} if bearers else set()
        given = self.db.execute("select rid from given where golden = ?", (golden,))
        return [rid for rid in bearers if rid not in other] + [row[0] for row in given]

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
        found = self.base.postings.rows(self._number(f"term {party} {feature}", value))
        return self.base.term(found[0]) if found else None

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
        self.db.executemany("insert into post values (?, ?)", [(_signed(key), record.rid) for key in keys])
        for other, weight in edges:
            self.join(record.rid, other, weight)

    def move(self, record: Record) -> None:
        """Keep what changed of a record beside its features."""
        told = (record.received_at, record.changed_at, record.golden)
        if record.rid < self.base.count:
            self.db.execute(
                "insert into moved(received_at, changed_at, golden, rid) values (?, ?, ?, ?)", (*told, record.rid)
            )
            self._moved[record.rid] = told
        else:
            self.db.execute(
                "update record set received_at = ?, changed_at = ?, golden = ?, segment = ? where rid = ?",
                (*told, record.segment, record.rid),
            )

    def join(self, one: int, other: int, weight: float) -> None:
        """Add a strong pair."""
        both = ((one, other, weight), (other, one, weight))
        self.db.executemany("insert or replace into edge values (?, ?, ?)", both)

    def part(self, rid: int) -> None:
        """Remove all strong pairs of a record that came after the build."""
        others = [row[0] for row in self.db.execute("select other from edge where one = ?", (rid,))]
        if others:
            self.db.execute("delete from edge where one = ?", (rid,))
            self.db.executemany("delete from edge where one = ? and other = ?", [(other, rid) for other in others])

    def remove(self, rid: int, keys: Iterable[int]) -> None:
        """Remove a record with its keys and edges."""
        if rid < self.base.count:
            self.db.execute("insert into gone(rid) values (?)", (rid,))
            self._gone.add(rid)
        else:
            self.db.execute("delete from record where rid = ?", (rid,))
            self.db.executemany("delete from post where key = ? and rid = ?", [(_signed(key), rid) for key in keys])
        self.db.execute("delete from given where rid = ?", (rid,))
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
        self.db.execute(
            "insert into applied values (?1, ?2, ?3, 0) on conflict do update set lines = lines + ?2, bytes = ?3",
            (segment, lines, size),
        )

    def applied_of(self, segment: str) -> tuple[int, int]:
        """Return how many lines of a segment are in the index, and the size of its file then."""
        found = self.db.execute("select lines, bytes from applied where segment = ?", (segment,)).fetchone()
        return (0, 0) if found is None else (found[0], found[1])

    def settle(self, segment: str) -> None:
        """Note that a segment is done with: the batch has met its records."""
        self.db.execute("insert into applied values (?, 0, 0, 1) on conflict do update set settled = 1", (segment,))

    def is_settled(self, segment: str) -> bool:
        """Whether a segment is done with."""
        found = self.db.execute("select 1 from applied where segment = ? and settled", (segment,)).fetchall()
        return bool(found)

    def next_rid(self) -> int:
        """Return the number of the next new record; numbers of removed records are not given again."""
        found = self.db.execute(
            "insert into meta values ('last_rid', ?) on conflict do update set value = value + 1 returning value",
            (str(self.base.count),),
        )
        return int(found.fetchall()[0][0])


def _checkpoint(path: Path) -> None:
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=60.0)) as db:
        db.execute("pragma wal_checkpoint(passive)")


def _signed(number: int) -> int:
    return number - (number >= _SIGN) * 2 * _SIGN


def _made(row: tuple[Any, ...]) -> Record:
    return Record._make((*row[:-1], orjson.loads(row[-1])))
