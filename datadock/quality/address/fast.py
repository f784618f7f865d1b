"""The plain shape of an address, taken from whole columns: a street, code and city, and what stands beside the street.

Each distinct street, place and neighbour is read once and joined back. Only what the one-line path would read the
same way is taken; whatever else stands in a row leaves it to the one-line path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from datadock.quality.address.beside import read_beside
from datadock.quality.address.plain_result import RESULT_NAMES, results_of
from datadock.quality.address.plain_street import LATIN, numbered, read_streets

if TYPE_CHECKING:
    from datadock.quality.address.columns import AddressColumns
    from datadock.quality.address.normalise import AddressNormaliser

_CODE_CITY = r"^(.*?)[ ,]*(?:^|[ ,])([0-9]{5}) ([^0-9]+)$"
_HOME = ("", "FR", "FRA", "FRANCE", "FRANCE METROPOLITAINE")
"""What a cell of the country says at home, in capitals."""
_BLOCK = (6, 7)
"""Free lines that may be a normal block, in which every line keeps its place."""
_NORMAL = "^[A-Z0-9 ]*$"


def read_plain(texts: pl.DataFrame, columns: AddressColumns, worker: AddressNormaliser) -> pl.DataFrame:
    """Give the results of the rows of the plain shape, with their ``row``; the others are left out.

    Args:
        texts: The address columns as text without nulls, and ``row``.
        columns: Which column holds what.
        worker: The normaliser whose reference and settings count.
    """
    split = _split(texts, columns)
    if split is None or not split.height:
        return pl.DataFrame(schema={"row": pl.UInt32})
    number, text = numbered("upper")
    in_line = bool(split["line"][0])
    cells = split.select("row", number.alias("numero"), text.alias("text"), "beside", "code", "city")
    streets = read_streets(cells["text"], worker.reference)
    if in_line:
        streets = streets.filter(~pl.col("open_end"))
    places = worker.places.of(cells).filter(pl.col("readable"))
    if in_line:
        places = places.filter(pl.col("known"))
    tables = (("text",), streets), (("beside",), read_beside(cells["beside"])), (("code", "city"), places)
    return results_of(_checked(_plain(_together(cells, tables), worker), worker))


_Table = tuple[Sequence[str], pl.DataFrame]
"""Columns that tell a row of a table, and the table."""


def _together(cells: pl.DataFrame, tables: Sequence[_Table]) -> pl.DataFrame:
    """Give the cells that every table knows, with what the tables say.

    Joins carry places alone, and what stands there is gathered once, of one piece: out of several pieces it takes
    Polars sixty times as long.
    """
    for at, (keys, table) in enumerate(tables):
        places = table.select(*keys, pl.int_range(pl.len(), dtype=pl.UInt32).alias(f"at_{at}"))
        cells = cells.join(places, on=keys, how="inner").drop(keys)
    said = [table.drop(keys).rechunk()[cells[f"at_{at}"]] for at, (keys, table) in enumerate(tables)]
    return pl.concat([cells, *said], how="horizontal")


def _plain(rows: pl.DataFrame, worker: AddressNormaliser) -> pl.DataFrame:
    """Leave out what only its parts together make doubtful: a hamlet named as its commune or beside something."""
    beside = pl.any_horizontal(pl.col(name) != "" for name in ("line_1", "line_2", "line_3"))
    own_name = pl.col("commune").str.contains(pl.col("name").str.split(" ").list.last(), literal=True)
    rows = rows.filter(~(pl.col("hamlet") & (beside | own_name | (pl.col("line_5") != ""))))
    return rows.filter(pl.col("repetition") == "") if worker.long_repetition else rows


def _split(texts: pl.DataFrame, columns: AddressColumns) -> pl.DataFrame | None:
    """Split the rows into ``upper`` (the street), ``beside``, ``code`` and ``city``; none when no row can be plain."""
    other = [columns.name, columns.locality, *columns.complements]
    empty = pl.all_horizontal([pl.col(name).str.strip_chars() == "" for name in other if name] or [pl.lit(value=True)])
    if columns.country:
        empty = empty & pl.col(columns.country).str.strip_chars().str.to_uppercase().is_in(_HOME)
    names = [*columns.lines, *filter(None, [columns.street])]
    if columns.postal_code and columns.city:
        return _beside_columns(texts.filter(empty), names, columns)
    if not (columns.postal_code or columns.city or columns.street) and columns.lines:
        return _in_lines(texts.filter(empty), columns.lines)
    return None


def _beside_columns(texts: pl.DataFrame, names: list[str], columns: AddressColumns) -> pl.DataFrame:
    """Take code and city from their columns; of two cells with text the second is the street."""
    coded = texts.select(
        "row", *names, pl.col(columns.postal_code).str.strip_chars(" ").alias("code"),
        pl.col(columns.city).alias("city"), pl.lit(value=False).alias("line"),
    ).filter(pl.col("code").str.contains(r"^[0-9]{5}$"))  # fmt: skip
    told = _told(names)
    cells = coded.select("row", "code", "city", "line", told.alias("told")).filter(pl.col("told").list.len() <= 2)
    upper = pl.col("told").list.last().fill_null("").str.strip_chars(" ,")
    first = pl.when(pl.col("told").list.len() == 2).then(pl.col("told").list.first()).otherwise(pl.lit(""))
    found = cells.select("row", "code", "city", "line", upper.alias("upper"), first.alias("beside"))
    return found.filter((pl.col("upper") != "") | (cells["told"].list.len() == 0))


def _in_lines(texts: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Cut code and city off the last line with text; the street stands before them or on the line above."""
    most = 3
    if len(names) in _BLOCK:
        most = 2
        texts = texts.filter(
            (pl.col(names[3]) == "") | (pl.col(names[5]) == "") | ~pl.concat_str(names).str.contains(_NORMAL)
        )
    told = texts.select("row", _told(names).alias("told")).filter(pl.col("told").list.len().is_between(1, most))
    if len(names) == 1:
        told = told.filter(pl.col("told").list.len() == 1)
    else:
        told = told.filter(pl.col("told").list.len() > 1)
    lines = pl.col("told")
    whole = told.select(
        "row",
        lines.list.slice((lines.list.len() - 2).clip(0) if len(names) > 1 else 0).list.join(", ").alias("whole"),
        pl.when(lines.list.len() == 3).then(lines.list.first()).otherwise(pl.lit("")).alias("beside"),
    ).with_columns(pl.col("whole").str.extract_groups(_CODE_CITY).alias("cut"), pl.lit(value=True).alias("line"))
    cells = whole.unnest("cut").rename({"1": "upper", "2": "code", "3": "city"})
    plain = pl.col("city").str.contains(LATIN) & ~pl.col("city").str.contains(" [-]+ ")
    return cells.filter(plain & (pl.col("upper") != "")).with_columns(pl.col("upper").str.strip_chars(" "))


def _told(names: Sequence[str]) -> pl.Expr:
    """Give the cells of some columns that hold text, in their order."""
    return pl.concat_list(
        [pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in names]
        or [pl.lit(None, pl.String)]
    ).list.drop_nulls()


def _checked(rows: pl.DataFrame, worker: AddressNormaliser) -> pl.DataFrame:
    """Look each distinct street up in the loaded streets, where there are some."""
    streets = worker.streets
    if streets is None:
        return rows.with_columns(pl.lit(value=False).alias("street_checked"), pl.lit(value=False).alias("unknown"))
    pairs = rows.filter(~pl.col("hamlet") & (pl.col("full") != "")).select("code_insee", "full", "hamlet").unique()
    found = [
        (insee, full, hamlet, bool(streets.find(insee, full)), streets.knows(insee) and not streets.find(insee, full))
        for insee, full, hamlet in pairs.iter_rows()
    ]
    schema: dict[str, pl.DataType] = {
        "code_insee": pl.String(),
        "full": pl.String(),
        "hamlet": pl.Boolean(),
        "street_checked": pl.Boolean(),
        "unknown": pl.Boolean(),
    }
    known = pl.DataFrame(found, schema=schema, orient="row")
    joined = rows.join(known, on=("code_insee", "full", "hamlet"), how="left")
    return joined.with_columns(pl.col("street_checked", "unknown").fill_null(value=False))


__all__ = ["RESULT_NAMES", "read_plain"]
