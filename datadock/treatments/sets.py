"""Sets of contacts that a treatment is done on: a file, a condition, a query, or golden ids from elsewhere.

Former ids follow their redirects; what leads to nobody is listed, never dropped in silence.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from datadock.errors import DatadockError
from datadock.settings import Settings
from datadock.treatments.files import read_rows
from datadock.warehouse.publish import query_published

WHERE, QUERY = "where:", "sql:"
"""How a text begins that names a set by a condition on ``marts.dim_contact``, or by a query; else it is a file."""

MEMBERS = "dd_set"
"""Temp table of a connection to a published copy: ``golden_id`` of the contacts of the set."""

_SHAPE = {"given": pl.String(), "golden_id": pl.String(), "source": pl.String(), "source_key": pl.String()}
_HOW = "a column golden_id, or the columns source and source_key"


@dataclass(frozen=True)
class ContactSet:
    """A set of golden contacts, resolved.

    Attributes:
        told: How it was named.
        members: golden_id, given (the text that named it first), sorted by golden_id; each contact once.
        unknown: What was named and leads to no contact, sorted.
    """

    told: str
    members: pl.DataFrame
    unknown: tuple[str, ...]

    @property
    def digest(self) -> str:
        """What the set is, whatever it was named by."""
        return hashlib.sha256("\n".join(self.members["golden_id"]).encode()).hexdigest()


def named_rows(settings: Settings, told: str) -> pl.DataFrame:
    """Read what a text names: given, golden_id, source, source_key; one row per name.

    Args:
        settings: The deployment.
        told: ``where:CONDITION`` over marts.dim_contact, ``sql:QUERY`` that gives golden_id or source and source_key,
            or the path of a csv, jsonl or parquet file with such columns.

    Raises:
        DatadockError: When nothing is named, the query is wrong or the file cannot be read.
    """
    if not told.strip():
        raise DatadockError("no set of contacts is named", "a file, a condition or a query", "give --set or --where")
    if told.startswith((WHERE, QUERY)):
        condition = told.removeprefix(WHERE)
        asked = f"select golden_id from marts.dim_contact where ({condition}\n)"
        columns, rows = query_published(settings, asked if told.startswith(WHERE) else told.removeprefix(QUERY))
        frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row", strict=False)
        return as_names(frame, "the query")
    path = Path(told)
    read = read_rows(path, ("golden_id", "source", "source_key"))
    lost = pl.DataFrame({"given": [f"line {line}" for line in read.refused]}, schema={"given": pl.String()})
    return pl.concat([as_names(read.frame, path.name), lost], how="diagonal")


def as_names(frame: pl.DataFrame, where: str = "the frame") -> pl.DataFrame:
    """Return the names of contacts that a frame holds, as of ``named_rows``.

    Args:
        frame: With golden_id, or source and source_key, or both; rows without either name nobody.
        where: What the frame is, for the error.

    Raises:
        DatadockError: When it has no such columns.
    """
    by_record = {"source", "source_key"} <= set(frame.columns)
    if "golden_id" not in frame.columns and not by_record:
        raise DatadockError(
            f"{where} has the columns {', '.join(frame.columns) or 'none'}", _HOW, "name the columns so, or rename them"
        )
    missing = [pl.lit(None, pl.String()).alias(name) for name in _SHAPE if name not in frame.columns]
    named = frame.with_columns(missing).with_columns(pl.col(list(_SHAPE)).cast(pl.String()))
    record = pl.concat_str("source", "source_key", separator=":")
    nameless = pl.format("line {}", "line") if "line" in frame.columns else pl.lit("a row without a name")
    return named.select(
        pl.coalesce("given", "golden_id", record, nameless).alias("given"), "golden_id", "source", "source_key"
    )


def resolve(con: duckdb.DuckDBPyConnection, told: str, names: pl.DataFrame) -> ContactSet:
    """Resolve names to the contacts of today, and leave them in the connection as ``dd_set``.

    Args:
        con: A published copy.
        told: How the set was named.
        names: As of ``named_rows``.
    """
    found = living(con, names)
    known = found.filter(pl.col("live").is_not_null())
    members = (
        known.select("given", golden_id="live")
        .unique("golden_id", keep="first", maintain_order=True)
        .sort("golden_id")
        .select("golden_id", "given")
    )
    unknown = found.filter(pl.col("live").is_null())["given"].unique().sort().to_list()
    con.register("dd_members", members.to_arrow())
    con.execute(f"create or replace temp table {MEMBERS} as select golden_id from dd_members")
    con.unregister("dd_members")
    return ContactSet(told, members, tuple(unknown))


def living(con: duckdb.DuckDBPyConnection, names: pl.DataFrame) -> pl.DataFrame:
    """Return names with ``live``, the golden id of today; null where there is no such contact. Order is kept.

    Args:
        con: A published copy.
        names: With golden_id, source and source_key; other columns stay.
    """
    con.register("dd_names", names.with_row_index("dd_row").to_arrow())
    found: pl.DataFrame = con.sql(
        "select n.*, coalesce(c.golden_id, t.golden_id, s.golden_id) as live from dd_names n "
        "left join marts.dim_contact c on c.golden_id = n.golden_id "
        "left join marts.golden_redirect r on r.old_id = n.golden_id "
        "left join marts.dim_contact t on t.golden_id = r.new_id "
        "left join marts.dim_contact_source s on n.golden_id is null and s.source = n.source "
        "and s.source_key = n.source_key order by n.dd_row"
    ).pl()
    con.unregister("dd_names")
    return found.drop("dd_row")
