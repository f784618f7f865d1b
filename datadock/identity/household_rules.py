"""Who lives with whom at one address, and as what: rules with their reasons, over people in columns.

A shared address is no household: a house may hold eighty flats. What joins two people there is a family name, or a
phone or e-mail of theirs; what parts them is another flat.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

FORM = 1
"""Raised whenever a rule changes its meaning: all households are then looked at again, and keep their ids."""

PEOPLE = "dd_people"
"""Table of people with an address: golden_id, home, surnames (list: all that the records tell, parts of double names
among them), sex, birth_date (yyyymmdd), flat, block, points (list: phones and e-mails that are not a company's)."""

MANY_NAMES = 6
"""Family names at one address from which on it is a house of many flats."""

MANY_OF_A_NAME = 4
"""In such a house, bearers of one name beyond whom the name alone says nothing: they are several families."""

LARGEST = 12
"""People beyond whom names alone make no household: an institution, or an address that many give."""

GENERATION = 16
"""Years between a parent and a child, at least."""

_AGELESS = "substr(golden_id, 13), golden_id"
"""Order of equals: by what of a golden id does not tell time, so that no arrival a moment earlier decides."""

_TIES = (
    ("a phone or e-mail in common", "list_has_any(l.points, r.points)"),
    ("same family name in one flat", "l.flat = r.flat and list_has_any(l.surnames, r.surnames)"),
    ("same family name at the address", "list_has_any(l.surnames, r.surnames) and not crowded"),
)
"""What joins two people at an address, the strongest first."""


def find_households(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Group the people of ``PEOPLE``.

    Returns:
        ``golden_id, home, cluster, reason``, a row per person; the reason is the strongest tie to another member.
    """
    cases = " ".join(f"when {sql} then {rank}" for rank, (_, sql) in enumerate(_TIES))
    con.execute(
        f"create or replace temp table dd_at as select *, row_number() over (order by golden_id) - 1 as place, "
        "count(distinct surnames[1]) over (partition by home) as n_names, "
        f"count(*) over (partition by home, surnames[1]) as n_bearers from {PEOPLE}"
    )
    ties = con.execute(
        "select l, r, tie from (select l.place as l, r.place as r, "
        f"l.n_names > {MANY_NAMES} and greatest(l.n_bearers, r.n_bearers) > {MANY_OF_A_NAME} as crowded, "
        f"case {cases} end as tie from dd_at l join dd_at r on l.home = r.home and l.place < r.place "
        "where not coalesce(l.flat <> r.flat, false) and not coalesce(l.block <> r.block, false)) "
        "where tie is not null order by l, r"
    ).fetchnumpy()
    people: pl.DataFrame = con.sql("select golden_id, home from dd_at order by place").pl()
    left, right, tie = (np.asarray(ties[name], dtype=np.int64) for name in ("l", "r", "tie"))
    group = _components(people.height, left, right)
    if people.height:
        too_large = np.bincount(group)[group] > LARGEST
        kept = ~(too_large[left] & (tie == len(_TIES) - 1))
        left, right, tie = left[kept], right[kept], tie[kept]
        group = _components(people.height, left, right)
    strongest = np.full(people.height, len(_TIES), dtype=np.int64)
    for side in (left, right):
        np.minimum.at(strongest, side, tie)
    reasons = [*(reason for reason, _ in _TIES), "alone at the address"]
    founder = np.full(people.height, people.height, dtype=np.int64)
    np.minimum.at(founder, group, np.arange(people.height))
    placed: pl.DataFrame = people.with_columns(
        cluster=people["golden_id"].gather(founder[group]) if people.height else pl.lit(None, dtype=pl.String),
        reason=pl.Series([reasons[place] for place in strongest], dtype=pl.String),
    )
    return placed


def _components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    edges = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    _, group = connected_components(edges, directed=False)
    return np.asarray(group, dtype=np.int64)


def describe_members(con: duckdb.DuckDBPyConnection, named: str, target: str) -> None:
    """Create the table of members with the role that each seems to have, and why it seems so.

    Args:
        con: Connection that holds ``PEOPLE``.
        named: Table of golden_id, household_id, reason.
        target: Table to create: golden_id, household_id, home, reason, role, role_reason. Roles: ``alone``, ``head``
            (the oldest), ``partner``, ``child``, ``member`` (what else lives there).
    """
    years = "(substr(m.birth_date, 1, 4)::int - substr(h.birth_date, 1, 4)::int)"
    con.execute(
        "create or replace temp table dd_seated as select n.*, p.* exclude (golden_id), "
        f"row_number() over (partition by household_id order by birth_date nulls last, {_AGELESS}) as seat, "
        f"count(*) over (partition by household_id) as size from {named} n join {PEOPLE} p using (golden_id)"
    )
    con.execute(
        f"create or replace temp table dd_related as select m.golden_id, m.household_id, m.home, m.reason, m.seat, "
        f"m.size, {years} as years, coalesce(m.sex <> h.sex, false) as other_sex, "
        "list_has_any(m.surnames, h.surnames) as names_meet, "
        "m.birth_date is not null and h.birth_date is not null as dated from dd_seated m "
        "join (from dd_seated where seat = 1) h using (household_id)"
    )
    con.execute(
        f"create or replace temp table dd_partners as select golden_id from dd_related "
        f"where seat > 1 and dated and years < {GENERATION} and other_sex "
        f"qualify row_number() over (partition by household_id order by years, {_AGELESS}) = 1"
    )
    con.execute(
        f"create or replace temp table {target} as select golden_id, household_id, home, reason, "
        "case when size = 1 then 'alone' when seat = 1 then 'head' when p.golden_id is not null then 'partner' "
        f"when dated and years >= {GENERATION} and names_meet then 'child' else 'member' end as role, "
        "case role when 'alone' then 'nobody else is known there' "
        "when 'head' then case when dated then 'the oldest' else 'no birth date is known' end "
        "when 'partner' then concat('of the other sex, ', years, ' years younger than the oldest') "
        "when 'child' then concat(years, ' years younger than the oldest, same family name') "
        "else case when dated then 'neither age nor name tells more' else 'no birth date' end end as role_reason "
        "from dd_related left join dd_partners p using (golden_id)"
    )
