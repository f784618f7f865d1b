"""Whom the lines of a file of moved people mean, within the set: sure, doubtful, or nobody, each with its reason.

By key it is who the key names. By name and old address it is sure only where one contact alone has that address, that
family name and that given name; whatever is less is left to a person.
"""

from __future__ import annotations

import duckdb
import polars as pl

from datadock.quality.names import normalise_names
from datadock.treatments.addresses import STORED
from datadock.treatments.move_file import NOBODY, OLD_FORM
from datadock.treatments.sets import MEMBERS, living

UNKNOWN_ID, OUTSIDE, NOT_THERE, OLD_UNREAD, OTHER_NAME, SEVERAL, TWO_NEW = (
    "ID_INCONNU", "HORS_ENSEMBLE", "INCONNU_A_L_ADRESSE", "ANCIENNE_ADRESSE_ILLISIBLE", "PRENOM_DIFFERENT",
    "PLUSIEURS_CONTACTS", "DEUX_ADRESSES",
)  # fmt: skip
"""Reasons why a line that could be used moves nobody."""

_OUTCOME = {
    UNKNOWN_ID: "unknown", OUTSIDE: "outside", NOT_THERE: "unmatched", OLD_UNREAD: "unmatched", NOBODY: "unmatched",
}  # fmt: skip


def match(con: duckdb.DuckDBPyConnection, moves: pl.DataFrame) -> pl.DataFrame:
    """Find whom lines mean.

    Args:
        con: A published copy with ``dd_set`` and ``dd_stored``.
        moves: As of ``read_moves``.

    Returns:
        The lines with golden_id (of the contact meant; null where it is not known), outcome (``treated``, ``doubtful``,
        ``unmatched``, ``outside``, ``unknown``), reason, and detail (who may be meant).
    """
    keyed = pl.col("golden_id").is_not_null() | pl.col("source_key").is_not_null()
    found = pl.concat([_by_key(con, moves.filter(keyed)), _by_name(con, moves.filter(~keyed))], how="diagonal_relaxed")
    # What the line itself cannot bear comes before whom it means.
    reason = pl.coalesce("refusal", "reason")
    found = found.with_columns(reason=reason)
    same_day = pl.col("reason").is_null() & (
        pl.col("after_form").n_unique().over("golden_id", "moves_on", "reason") > 1
    )
    found = found.with_columns(reason=pl.when(same_day).then(pl.lit(TWO_NEW)).otherwise("reason"))
    outcome = (
        pl.when(pl.col("reason").is_null())
        .then(pl.lit("treated"))
        .otherwise(pl.col("reason").replace_strict(_OUTCOME, default="doubtful", return_dtype=pl.String))
    )
    return found.with_columns(outcome=outcome).sort("line")


def _by_key(con: duckdb.DuckDBPyConnection, moves: pl.DataFrame) -> pl.DataFrame:
    members = con.sql(f"from {MEMBERS}").pl()["golden_id"].implode()
    live = pl.col("live")
    reason = (
        pl.when(live.is_null()).then(pl.lit(UNKNOWN_ID)).when(~live.is_in(members)).then(pl.lit(OUTSIDE))
    )  # fmt: skip
    return living(con, moves).with_columns(
        reason=reason, golden_id=pl.when(reason.is_null()).then(live), detail=pl.lit(None, pl.String())
    ).drop("live")  # fmt: skip


def _by_name(con: duckdb.DuckDBPyConnection, moves: pl.DataFrame) -> pl.DataFrame:
    names = normalise_names(moves["given_name"], moves["family_name"], moves["civility"])
    wanted = moves.select("line", OLD_FORM).hstack(names.select("first_key", "last_key"))
    con.register("dd_wanted", wanted.to_arrow())
    con.execute("create or replace temp table dd_known as select distinct " + _KNOWN)
    found = con.sql(
        "with near as (select w.line, k.golden_id, bool_or(k.first_key = w.first_key) as same from dd_wanted w "
        "join dd_known k on k.form = w.old_form and k.last_key = w.last_key "
        "where w.first_key is null or k.first_key is null or k.first_key[1] = w.first_key[1] group by all) "
        "select w.line, w.old_form is null as unread, w.last_key is null as nameless, "
        "count(n.golden_id) filter (n.same) as sure, count(n.golden_id) as near, "
        "min(n.golden_id) filter (n.same) as only_one, "
        "string_agg(n.golden_id, ', ' order by n.golden_id) as candidates "
        "from dd_wanted w left join near n using (line) group by all"
    ).pl()
    con.unregister("dd_wanted")
    reason = (
        pl.when(pl.col("nameless")).then(pl.lit(NOBODY))
        .when(pl.col("unread")).then(pl.lit(OLD_UNREAD))
        .when(pl.col("sure") > 1).then(pl.lit(SEVERAL))
        .when((pl.col("sure") == 0) & (pl.col("near") > 0)).then(pl.lit(OTHER_NAME))
        .when(pl.col("sure") == 0).then(pl.lit(NOT_THERE))
    )  # fmt: skip
    told = found.select(
        "line", reason=reason, meant=pl.when(reason.is_null()).then("only_one"),
        detail=pl.when(reason.is_not_null()).then("candidates"),
    )  # fmt: skip
    return moves.join(told, on="line", how="left").with_columns(golden_id="meant").drop("meant")


_KNOWN = (
    f"t.golden_id, t.before_form as form, n.first_key, n.last_key from {STORED} t "
    "join marts.dim_contact_name d on d.source = t.contact_source and d.source_key = t.contact_key "
    "join marts.normal_name n on n.value_id = d.value_id where t.field <> 'address_move'"
)
"""Names of the set's contacts at each address that their records say."""
