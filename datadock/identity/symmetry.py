"""Whether a level of agreement depends on which record of a pair comes first: pairs are compared both ways round.

Training refuses such a comparison, and every scoring looks at a sample, for a model may come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from datadock.identity.comparisons import Comparison
from datadock.identity.engine import compare, level_settings
from datadock.identity.guards import TurnedLevel

_SAMPLE = 500
"""Pairs of one scoring that are compared both ways round."""


def sampled_levels(
    con: duckdb.DuckDBPyConnection, table: str, pairs: str, comparisons: Sequence[Comparison]
) -> list[TurnedLevel]:
    """Compare a sample of pairs both ways round; return the levels that differ.

    Args:
        con: Connection.
        table: Features, as they are scored.
        pairs: Table with rid_l and rid_r.
        comparisons: Of the model.
    """
    con.execute(
        "create or replace temp table dd_sampled as "
        f"from {pairs} order by hash(rid_l * 1000003 + rid_r) limit {_SAMPLE}"
    )
    if not comparisons or not con.execute("select count(*) from dd_sampled").fetchall()[0][0]:
        return []
    both = "(select 'as met' as kind, * from dd_sampled union all select 'turned', rid_r, rid_l from dd_sampled)"
    compare(con, table, both, level_settings(comparisons), "dd_both_ways", kind="kind")
    return turned_levels(con, "dd_both_ways", comparisons)


def turned_levels(
    con: duckdb.DuckDBPyConnection, compared: str, comparisons: Sequence[Comparison]
) -> list[TurnedLevel]:
    """Return the levels that another one answers the other way round.

    Args:
        con: Connection.
        compared: Pairs compared by ``engine.level_settings``; those of kind 'turned' are others the other way round.
        comparisons: What was compared.
    """
    joined = (
        f"from {compared} a join {compared} b on a.rid_l = b.rid_r and a.rid_r = b.rid_l "
        "where a.kind = 'turned' and b.kind <> 'turned'"
    )
    counts = ", ".join(f"count(*) filter (where a.mw_{c.name} <> b.mw_{c.name})" for c in comparisons)
    sampled, *uneven = con.execute(f"select count(*), {counts} {joined}").fetchall()[0]
    found = []
    for comparison, count in zip(comparisons, uneven, strict=True):
        if not count:
            continue
        one, other = f"b.mw_{comparison.name}", f"a.mw_{comparison.name}"
        level, turned, pairs = con.execute(
            f"select round({one})::int as one, round({other})::int as other, count(*) as n {joined} "
            f"and {one} <> {other} group by all order by n desc, one, other limit 1"
        ).fetchall()[0]
        found.append(
            TurnedLevel(comparison.name, _name(comparison, level), _name(comparison, turned), int(pairs), int(sampled))
        )
    return found


def _name(comparison: Comparison, number: int) -> str:
    """Name of a level by its number: 0 unknown, 1 differs, then from the weakest agreement to the strongest."""
    if number < 2:
        return ("unknown", "differs")[number]
    return comparison.levels[len(comparison.levels) + 1 - number].name
