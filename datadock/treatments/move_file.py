"""The import contract of moves: what a file of moved people says, line by line, and what of it can be used.

Keys are golden_id, or source and source_key, or the name with the old address. Who is meant is found in ``matching``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from datadock.contact_points.kinds import ADDRESS_PARTS
from datadock.contact_points.references import References
from datadock.errors import DatadockError
from datadock.treatments.addresses import read_addresses
from datadock.treatments.files import read_rows
from datadock.treatments.rnvp import SETTLED

KEYS = ("golden_id", "source", "source_key")
NAMES = ("civility", "given_name", "family_name")
OLD = tuple(f"old_{name}" for name in ADDRESS_PARTS)
FIELDS = (*KEYS, *NAMES, *OLD, *ADDRESS_PARTS, "moves_on", "status")
"""Fields of a file of moved people; those that it lacks are empty."""

NEW_FORM, OLD_FORM = "after_form", "old_form"

UNREAD, CANCELLED, NO_NEW, TEMPORARY, NO_DAY, BAD_NEW, NOBODY = (
    "LIGNE_ILLISIBLE", "ANNULE", "SANS_ADRESSE_NOUVELLE", "TEMPORAIRE", "SANS_DATE", "ADRESSE_NOUVELLE_DOUTEUSE",
    "SANS_CLE",
)  # fmt: skip
"""Reasons why a line is not used, whoever it means."""

_STATUSES = {
    "": "", "M": "", "D": "", "MOVED": "", "DEMENAGE": "", "DEFINITIF": "", "DEFINITIVE": "", "ANNONCE": "",
    "ANNOUNCED": "", "CANCELLED": CANCELLED, "CANCELED": CANCELLED, "ANNULE": CANCELLED, "TEMPORARY": TEMPORARY,
    "TEMPORAIRE": TEMPORARY, "LEFT": NO_NEW, "PSA": NO_NEW, "PARTI SANS LAISSER D ADRESSE": NO_NEW,
}  # fmt: skip
"""Words of the status, folded, to the reason that they are; nothing for a move that is to be used."""

_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d.%m.%Y")


def read_moves(path: Path, columns: Mapping[str, str], references: References) -> pl.DataFrame:
    """Read a file of moved people.

    Args:
        path: csv, jsonl or parquet.
        columns: Field to the column that holds it, where they differ.
        references: What addresses are read by.

    Returns:
        One row per line: line, ``FIELDS`` (moves_on a date), old_form (normal form of a usable old address), the
        reading of the new address as of ``read_addresses``, refusal (a reason, or null), given (the line in words).

    Raises:
        DatadockError: When the file cannot be read, or has neither a key nor a new address in any column.
    """
    stray = sorted(set(columns) - set(FIELDS))
    read = read_rows(path, [columns.get(name, name) for name in FIELDS])
    frame = read.frame.rename({column: name for name, column in columns.items() if column in read.frame.columns})
    keyed = "golden_id" in frame.columns or {"source", "source_key"} <= set(frame.columns)
    named = "family_name" in frame.columns and set(OLD) & set(frame.columns)
    if stray or not (keyed or named) or not set(ADDRESS_PARTS) & set(frame.columns) or "moves_on" not in frame.columns:
        raise DatadockError(
            f"{path.name} has the columns {', '.join(read.frame.columns[1:])}"
            + (f"; {', '.join(stray)} is no field of a move" if stray else ""),
            expected="golden_id, or source and source_key, or family_name and old_address_line …; "
            "the new address (address_line, postcode, city …); moves_on",
            action="rename the columns, or say which is which with --columns FIELD=COLUMN",
        )
    missing = [pl.lit(None, pl.String()).alias(name) for name in FIELDS if name not in frame.columns]
    rows = frame.with_columns(missing).select("line", *FIELDS).with_columns(moves_on=_day("moves_on"))
    lost = pl.DataFrame({"line": list(read.refused), "status": UNREAD}, schema={"line": pl.Int64, "status": pl.String})
    rows = _old(_new(pl.concat([rows, lost], how="diagonal").sort("line"), references), references)
    return rows.with_columns(refusal=_refusal(), given=_words())


def _day(name: str) -> pl.Expr:
    return pl.coalesce(pl.col(name).str.slice(0, 10).str.to_date(form, strict=False) for form in _DAYS)


def _new(rows: pl.DataFrame, references: References) -> pl.DataFrame:
    declared = {name: f"declared_{name}" for name in ADDRESS_PARTS}
    return read_addresses(rows.rename(declared), references).rename({to: name for name, to in declared.items()})


def _old(rows: pl.DataFrame, references: References) -> pl.DataFrame:
    declared = rows.select(pl.col(f"old_{name}").alias(f"declared_{name}") for name in ADDRESS_PARTS)
    read = read_addresses(declared, references)
    form = pl.when(pl.col("after_status").is_in(("OK", "CORRIGEE"))).then("after_form")
    return rows.with_columns(read.select(form.alias(OLD_FORM)))


def _refusal() -> pl.Expr:
    folded = (
        pl.col("status").fill_null("").str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_uppercase()
        .str.replace_all(r"[^A-Z]+", " ").str.strip_chars()
    )  # fmt: skip
    said = folded.replace_strict(_STATUSES, default=UNREAD, return_dtype=pl.String)
    new = pl.any_horizontal(pl.col(name).is_not_null() for name in ADDRESS_PARTS)
    return (
        pl.when(said != "").then(said)
        .when(~new).then(pl.lit(NO_NEW))
        .when(pl.col("moves_on").is_null()).then(pl.lit(NO_DAY))
        .when(~pl.col("after_status").is_in(SETTLED)).then(pl.lit(BAD_NEW))
    )  # fmt: skip


def _words() -> pl.Expr:
    """Say whom a line means, in its own words."""
    record = pl.concat_str("source", "source_key", separator=":")
    who = pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True)
    where = pl.concat_str("old_address_line", "old_postcode", "old_city", separator=" ", ignore_nulls=True)
    return pl.coalesce("golden_id", record, pl.concat_str(who, where, separator=", "))
