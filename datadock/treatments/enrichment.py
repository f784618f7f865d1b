"""Enrichment of a set: attributes of a declared data set, or the IRIS, beside the declared values of the set only.

Each attribute keeps where it comes from: data set, publisher, version, date, licence. It is told of the source records
of the contact, so that a merge or a split loses none.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from datadock import names
from datadock.catalog.model import DataSet
from datadock.dock import Dock
from datadock.errors import DatadockError
from datadock.treatments.files import read_rows, require, sha256_of
from datadock.treatments.prepared import Prepared, Request
from datadock.treatments.sets import MEMBERS, ContactSet

NO_KEY, NOT_HELD, NO_IRIS = "SANS_CLE", "CLE_ABSENTE", "SANS_IRIS"
"""Reasons: the contact lacks what the data set is joined by; the data set does not hold it; there is no IRIS."""

_ENRICHED = "select golden_id, value as key from marts.contact_enrichment where attribute = '{}'"
_ADDRESSED = (
    "select c.golden_id, nullif({}, '') as key from marts.dim_contact_channel c "
    "join marts.normal_address a using (value_id) where c.channel = 'postal' and c.addressable"
)
_KEYS = {
    "golden_id": "select golden_id, golden_id as key from marts.dim_contact",
    "siren": "select golden_id, siren as key from marts.dim_contact",
    "commune": _ENRICHED.format("commune"),
    "iris": _ENRICHED.format("iris"),
    "department": _ADDRESSED.format(
        "left(a.code_insee, case when a.code_insee[1:2] in ('97', '98') then 3 else 2 end)"
    ),
    "postcode": _ADDRESSED.format("a.code_postal"),
}
"""What contacts are joined to a data set by, and where it stands."""


def prepare(dock: Dock, con: duckdb.DuckDBPyConnection, contacts: ContactSet, request: Request) -> Prepared:
    """Work out the enrichment of a set by a declared data set.

    Raises:
        DatadockError: When no such data set is declared, or its file is not what the declaration says.
    """
    declared = _declared(dock, request.data_set)
    path = dock.catalog.folder / declared.file
    held = _held(path, declared)
    keys = con.sql(f"select golden_id, k.key from {MEMBERS} left join ({_KEYS[declared.key.of]}) k using (golden_id)")
    told = contacts.members.join(keys.pl().unique("golden_id"), on="golden_id", how="left", maintain_order="left")
    joined = told.join(held, on="key", how="left", maintain_order="left")
    found = pl.any_horizontal(pl.col(name).is_not_null() for name in declared.attributes)
    outcomes = joined.select(
        "golden_id",
        "given",
        outcome=pl.when(found).then(pl.lit("treated")).otherwise(pl.lit("unmatched")),
        reason=pl.when(pl.col("key").is_null()).then(pl.lit(NO_KEY)).when(~found).then(pl.lit(NOT_HELD)),
        detail="key",
    )
    values = joined.unpivot(
        list(declared.attributes), index="golden_id", variable_name="attribute", value_name="value"
    ).drop_nulls("value")
    rows = _of_records(con, values).with_columns(
        layer=pl.lit("joined"),
        data_set=pl.lit(request.data_set),
        origin=pl.lit(declared.origin),
        origin_version=pl.lit(declared.version),
        origin_date=pl.lit(declared.date),
        licence=pl.lit(declared.licence),
    )
    inputs = {"data_set": request.data_set, "version": declared.version, "sha256": sha256_of(path)}
    return _prepared(inputs, outcomes, rows, rows)


def prepare_iris(dock: Dock, con: duckdb.DuckDBPyConnection, contacts: ContactSet, request: Request) -> Prepared:
    """Work out the IRIS of a set, from what the platform joined to its contacts; without one, with the reason."""
    del dock, request
    standing = con.sql(
        f"select s.golden_id, i.value, i.layer, i.origin, i.origin_version, i.as_of as origin_date, o.licence, "
        "i.reason, c.value as commune, ch.reason as unreached, ch.golden_id is not null as has_address "
        f"from {MEMBERS} s "
        "left join (from marts.contact_enrichment where attribute = 'iris') i using (golden_id) "
        "left join (from marts.contact_enrichment where attribute = 'commune') c using (golden_id) "
        "left join (from marts.dim_contact_channel where channel = 'postal') ch using (golden_id) "
        "left join (from marts.enrichment_origin where attribute = 'iris') o on true"
    ).pl()
    told = contacts.members.join(standing, on="golden_id", how="left", maintain_order="left")
    missing = (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(~pl.col("has_address"))
        .then(pl.lit("SANS_ADRESSE"))
        .when(pl.col("unreached").is_not_null())
        .then("unreached")
        .otherwise(pl.lit(NO_IRIS))
    )
    known = pl.col("value").is_not_null()
    outcomes = told.select(
        "golden_id",
        "given",
        outcome=pl.when(known).then(pl.lit("treated")).otherwise(pl.lit("unmatched")),
        reason=pl.when(~known).then(missing),
        detail=pl.coalesce("value", "commune"),
    )
    values = told.filter(known).select(
        "golden_id", pl.lit("iris").alias("attribute"), "value", "layer", "origin", "origin_version", "origin_date",
        "licence", data_set=pl.lit("iris"),
    )  # fmt: skip
    rows = _of_records(con, values)
    versions = values["origin_version"].unique().sort().to_list()
    return _prepared({"data_set": "iris", "version": ", ".join(versions)}, outcomes, rows, rows.drop("origin_date"))


def _prepared(inputs: dict[str, str], outcomes: pl.DataFrame, rows: pl.DataFrame, decides: pl.DataFrame) -> Prepared:
    reasons = outcomes.drop_nulls("reason")["reason"].value_counts().sort("reason")
    counts = {
        "contacts enriched": outcomes.filter(pl.col("outcome") == "treated").height,
        "attributes": rows.select("golden_id", "attribute").unique().height,
        **{f"unmatched {reason}": n for reason, n in reasons.iter_rows()},
    }
    return Prepared(inputs, outcomes, {names.TREATED_ATTRIBUTES: rows}, decides, counts)


def _declared(dock: Dock, name: str) -> DataSet:
    known = dock.catalog.enrichments.data_sets
    if name not in known:
        raise DatadockError(
            f"no data set is called {name!r}",
            expected=f"one of {', '.join(known) or '(none declared)'}",
            action=f"declare it under data_sets in {dock.catalog.folder / 'enrichments.yml'}",
        )
    return known[name]


def _held(path: Path, declared: DataSet) -> pl.DataFrame:
    """Return key and attributes of a data set, one row per key."""
    columns = [declared.key.column, *declared.attributes.values()]
    frame = read_rows(path, columns).frame
    require(frame, columns, path, action="mend the declaration in enrichments.yml, or the file")
    attributes = [pl.col(column).alias(name) for name, column in declared.attributes.items()]
    held = frame.select(pl.col(declared.key.column).alias("key"), *attributes).drop_nulls("key").unique()
    twice = held.filter(pl.col("key").is_duplicated())["key"].unique().sort().to_list()
    if twice:
        raise DatadockError(
            f"{path.name} says several things of {', '.join(twice[:5])}{' …' if len(twice) > 5 else ''}",
            expected=f"one row per {declared.key.column}",
            action="reduce the file to one row per key",
        )
    return held


def _of_records(con: duckdb.DuckDBPyConnection, values: pl.DataFrame) -> pl.DataFrame:
    """Tell values of golden contacts of each of their source records."""
    con.register("dd_values", values.to_arrow())
    rows: pl.DataFrame = con.sql(
        "select v.*, m.source, m.source_key from dd_values v join marts.dim_contact_source m using (golden_id) "
        "order by golden_id, attribute, source, source_key"
    ).pl()
    con.unregister("dd_values")
    return rows
