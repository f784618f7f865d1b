"""Pairs and their weights, by a trained model: all of them, or only those with new records."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb

from datadock.catalog.fields import STORED_FROM
from datadock.identity.engine import columns_used, splink_settings
from datadock.identity.engines import DUCKDB, Engine
from datadock.identity.model import Model

STORE_ABOVE = STORED_FROM
"""Bits. Pairs below are not kept: an unstored pair counts as unlike, and is weighed anew where a cluster needs it."""


def term_frequency_tables(con: duckdb.DuckDBPyConnection, model: Model, table: str) -> dict[str, str]:
    """Count the term frequencies that a model uses, less the expected duplicates of one person.

    A rare name that ten records of one person bear is still rare among people: of the records
    that share a value, those that training expects to be the same person are taken off.
    """
    twins = model.match_share * (model.records - 1)
    tables = {}
    for feature in model.tf_features:
        share = max((model.m[c.name][0] for c in model.comparisons if c.levels[0].tf == feature), default=0.5)
        tables[feature] = f"dd_tf_{model.party}_{feature}"
        con.execute(
            f"create or replace temp table {tables[feature]} as select {feature}, "
            f"greatest(n - {min(1.0, twins)} - {twins * share}, 0.5) / sum(n) over () as tf_{feature} from "
            f"(select {feature}, count(*) as n from {table} where {feature} is not null group by {feature})"
        )
    return tables


def score(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    table: str,
    pairs: str,
    frequencies: Mapping[str, str],
    target: str,
    *,
    above: float | None = STORE_ABOVE,
    engine: Engine = DUCKDB,
) -> None:
    """Weigh pairs.

    Args:
        con: Connection.
        model: Trained model.
        table: Features as of ``trainer.without_shared``.
        pairs: Table with rid_l and rid_r.
        frequencies: Feature to table of frozen term frequencies.
        target: Table to create: rid_l, rid_r, weight, against (bits).
        above: Keep pairs of at least this weight; None keeps all.
        engine: What compares the pairs.
    """
    weigh(con, model, table, pairs, frequencies, "dd_compared", above=above, engine=engine)
    kept = f"where weight >= {above}" if above is not None else ""
    con.execute(
        f"create or replace temp table {target} as select rid_l, rid_r, weight, against from dd_compared {kept}"
    )
    con.execute("drop view dd_compared")
    engine.drop(con, "dd_predicted")


def weigh(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    table: str,
    pairs: str,
    frequencies: Mapping[str, str],
    target: str,
    *,
    above: float | None = None,
    engine: Engine = DUCKDB,
) -> None:
    """Weigh pairs and keep what each comparison adds.

    Args:
        con: Connection.
        model: Trained model.
        table: Features as of ``trainer.without_shared``.
        pairs: Table with rid_l and rid_r.
        frequencies: Feature to table of frozen term frequencies; ``dd_weighed`` then holds those of each record.
        target: View to create, over ``dd_predicted``: what ``engine.compare`` gives, household, against and weight.
        above: Leave out pairs that are below this weight even before a household is thought of.
        engine: What compares the pairs.
    """
    settings = splink_settings(
        model.comparisons, {c.name: (model.m[c.name], model.u[c.name]) for c in model.comparisons}, model.prior
    )
    joined = _with_frequencies(con, table, columns_used(settings), frequencies, pairs)
    engine.compare(con, joined, pairs, settings, "dd_predicted", term_frequencies=frequencies, above=above)
    con.execute(
        f"create or replace temp view {target} as select *, {model.final_weight_sql('household')} as weight from "
        f"(select *, {model.household_sql()} as household, {model.against_sql()} as against from dd_predicted)"
    )


def _with_frequencies(
    con: duckdb.DuckDBPyConnection, table: str, used: Collection[str], frequencies: Mapping[str, str], pairs: str
) -> str:
    """What is compared of the paired records, and the frequency of each term; one never counted is taken as rare."""
    picks, joins = [], []
    features = "".join(f", f.{name}" for name in sorted(used))
    for feature, lookup in frequencies.items():
        rare = con.execute(f"select coalesce(min(tf_{feature}), 1e-4) from {lookup}").fetchall()[0][0]
        picks.append(f", coalesce({lookup}.tf_{feature}, {rare!r}) as tf_{feature}")
        joins.append(f"left join {lookup} on {lookup}.{feature} = f.{feature}")
    con.execute(
        f"create or replace temp table dd_weighed as select rid{features}{''.join(picks)} "
        f"from {table} f {' '.join(joins)} "
        f"where f.rid in (select rid_l from {pairs} union all select rid_r from {pairs})"
    )
    return "dd_weighed"
