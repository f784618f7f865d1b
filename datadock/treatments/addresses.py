"""Addresses of a set as the platform read them, and as a reference reads them now: what rnvp and moves share."""

from __future__ import annotations

import duckdb
import polars as pl

from datadock.contact_points.kinds import ADDRESS
from datadock.contact_points.references import References
from datadock.treatments.sets import MEMBERS

LINES = tuple(f"line_{place}" for place in range(2, 8))
READ = ("form", "status", "codes", "score", "code_insee")
"""What is kept of a reading, before and after a treatment."""

STORED = "dd_stored"
"""Temp table: golden_id, contact_source, contact_key, field, value_id, declared texts, and the reading before."""


def load_stored(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``dd_stored``: every address that the records of the set say now, as the platform read it last."""
    declared = ", ".join(f"a.{name}" for name in ADDRESS.declared)
    con.execute(
        f"create or replace temp table {STORED} as select s.golden_id, p.contact_source, p.contact_key, p.field, "
        f"p.value_id, {declared}, a.form as before_form, a.status as before_status, a.codes as before_codes, "
        "a.score as before_score, a.code_insee as before_code_insee, a.reference as before_reference "
        f"from {MEMBERS} s join marts.dim_contact_source m using (golden_id) "
        "join marts.dim_contact_point p on p.contact_source = m.source and p.contact_key = m.source_key "
        f"join (select *, {ADDRESS.normal_form} as form from marts.normal_address) a using (value_id) "
        "where p.kind = 'address' and p.is_current"
    )


def read_addresses(rows: pl.DataFrame, references: References) -> pl.DataFrame:
    """Read declared addresses by a reference.

    Args:
        rows: Columns ``declared_address_line`` and so on, as text.
        references: Reference and streets to read with.

    Returns:
        The rows with after_form, after_status, after_codes, after_score, after_code_insee, after_line_2 to 7,
        after_street_checked, after_evidence and after_reference, in their order.
    """
    distinct = rows.select(ADDRESS.declared).unique(maintain_order=True)
    results = ADDRESS.read(distinct, references.normaliser).with_columns(
        pl.col("status").cast(pl.String), pl.col("codes").cast(pl.List(pl.String))
    )
    with duckdb.connect() as con:
        con.register("dd_results", results.to_arrow())
        forms = con.sql(f"select {ADDRESS.normal_form} as form from dd_results").pl()
    kept = [*READ, *LINES, "street_checked", "evidence"]
    after = results.hstack(forms).select(kept).rename({name: f"after_{name}" for name in kept})
    read = distinct.hstack(after).with_columns(after_reference=pl.lit(references.version))
    return rows.join(read, on=list(ADDRESS.declared), how="left", nulls_equal=True, maintain_order="left")


def differs() -> pl.Expr:
    """Give whether the reading after is another than the one before; true where there was none."""
    return pl.any_horizontal(
        pl.col(f"before_{name}").ne_missing(pl.col(f"after_{name}")) for name in ("form", "status", "code_insee")
    )
