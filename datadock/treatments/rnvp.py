"""RNVP on a set: its addresses are read by a postal reference, each kept as declared, as known before, as read now.

The declared address stays what it is; nothing outside the set is looked at.
"""

from __future__ import annotations

import functools

import duckdb
import polars as pl

from datadock import names
from datadock.contact_points.kinds import ADDRESS
from datadock.contact_points.references import References, references_in_use
from datadock.dock import Dock
from datadock.refdata import current_streets, reference_at
from datadock.refdata.status import named_reference
from datadock.treatments.addresses import STORED, differs, load_stored, read_addresses
from datadock.treatments.prepared import Prepared, Request
from datadock.treatments.sets import ContactSet

NO_ADDRESS = "SANS_ADRESSE"
"""Reason: no record of the contact says an address."""

TOUCHED = "touched:"
"""Names the set of contacts with an address that the references in use may read otherwise than it stands."""

SETTLED = ("OK", "CORRIGEE", "ETRANGERE")
"""Statuses of a reading that may be written to."""

_POINT = ("golden_id", "contact_source", "contact_key", "field", "value_id")


def prepare(dock: Dock, con: duckdb.DuckDBPyConnection, contacts: ContactSet, request: Request) -> Prepared:
    """Work out RNVP on a set.

    Raises:
        DatadockError: When there is no reference of the name asked for.
    """
    used = _references(dock, request.reference)
    load_stored(con)
    stored = con.sql(f"from {STORED} order by golden_id, contact_source, contact_key, field, value_id").pl()
    rows = read_addresses(stored, used).with_columns(is_changed=differs())
    told = _outcomes(contacts, rows)
    statuses = {f"addresses {status}": n for status, n in sorted(rows["after_status"].value_counts().iter_rows())}
    counts = {
        "addresses": rows.height,
        "read otherwise than before": int(rows["is_changed"].sum()),
        **statuses,
        "contacts without an address": told.filter(pl.col("reason") == NO_ADDRESS).height,
    }
    return Prepared(
        {"reference": used.version},
        told,
        {names.TREATED_ADDRESSES: rows},
        rows.select(*_POINT, "after_form", "after_status", "after_code_insee"),
        counts,
    )


def _outcomes(contacts: ContactSet, rows: pl.DataFrame) -> pl.DataFrame:
    """Say of each contact whether all its addresses may be written to, and what is wrong with the others."""
    open_ = ~pl.col("after_status").is_in(SETTLED)
    of_contact = rows.group_by("golden_id").agg(
        statuses=pl.col("after_status").filter(open_).unique().sort(),
        codes=pl.col("after_codes").filter(open_).explode().drop_nulls().unique().sort(),
    )
    doubt = pl.col("statuses").list.join(", ")
    told = contacts.members.join(of_contact, on="golden_id", how="left", maintain_order="left")
    return told.select(
        "golden_id",
        "given",
        outcome=pl.when(doubt.is_null()).then(pl.lit("unmatched"))
        .when(doubt == "").then(pl.lit("treated"))
        .otherwise(pl.lit("doubtful")),
        reason=pl.when(doubt.is_null()).then(pl.lit(NO_ADDRESS)).when(doubt != "").then(doubt),
        detail=pl.when(doubt != "").then(pl.col("codes").list.join(", ")),
    )  # fmt: skip


def touched_contacts(dock: Dock, con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return golden_id of the contacts of the set ``touched:``.

    Args:
        dock: The opened deployment.
        con: A published copy.
    """
    used = references_in_use(dock.settings)
    found = []
    for (version,) in con.execute("select distinct reference from marts.normal_address order by all").fetchall():
        if version == used.version:
            continue
        rows = con.sql("select * from marts.normal_address where reference = $1", params=[version]).pl()
        found.append(rows.filter(used.touches(version, ADDRESS.declared)).select("value_id"))
    touched = pl.concat(found) if found else pl.DataFrame(schema={"value_id": pl.String()})
    con.register("dd_touched", touched.to_arrow())
    contacts: pl.DataFrame = con.sql(
        "select distinct m.golden_id from marts.dim_contact_point p semi join dd_touched using (value_id) "
        "join marts.dim_contact_source m on p.contact_source = m.source and p.contact_key = m.source_key "
        "where p.kind = 'address' and p.is_current and m.golden_id is not null order by all"
    ).pl()
    return contacts


def _references(dock: Dock, name: str) -> References:
    if name == "current":
        return references_in_use(dock.settings)
    stated = named_reference(dock.settings, name)
    return References(stated, current_streets(dock.settings), functools.partial(reference_at, dock.settings))
