"""The losers beside the winner: every value that a contact's records tell of a field, and why it is not the golden one.

The standing of a value comes from the criteria of ``survivorship``; nothing here chooses.
"""

from __future__ import annotations

from typing import Any

import duckdb

from datadock.catalog.model import Survivorship
from datadock.errors import DatadockError
from datadock.identity.memberships import current_memberships, read_log
from datadock.identity.survivorship import criterion_sql, groups_of, survive
from datadock.identity.told import create_members
from datadock.identity.workspace import Workspace

WON, SAME = "won", "same value"
_ORDER = "order of source and key"


def candidate_values(workspace: Workspace, golden_id: str) -> list[dict[str, Any]]:
    """Return all that is told of a contact's fields, the winner of each field first.

    Args:
        workspace: The workspace of a deployment; the warehouse holds the contacts.
        golden_id: A live golden id.

    Returns:
        A row per field and record that tells it: ``field, value, source, source_key, observed_at, rule, standing``;
        the standing is ``won``, ``same value``, or ``lost by <criterion>``, the first that told it from the winner.

    Raises:
        DatadockError: When no record is of this contact.
        WarehouseError: When the contacts cannot be read.
    """
    members = current_memberships(read_log(workspace)).drop_nulls("golden_id")
    members = members.filter(members["golden_id"] == golden_id)
    if not members.height:
        raise DatadockError(f"no record is of {golden_id}", expected="a live golden id", action="see: datadock contact")
    with workspace.connection(with_contacts=True) as con:
        con.register("dd_current", members.to_arrow())
        con.execute("create or replace temp table dd_touched as select $1 as golden_id", [golden_id])
        create_members(con, workspace)
        trust = {source.name: source.trust for source in workspace.catalog.sources.values()}
        survive(con, "dd_touched_members", workspace.catalog.survivorship, trust)
        return told_values(con, workspace.catalog.survivorship)


def told_values(con: duckdb.DuckDBPyConnection, survivorship: Survivorship) -> list[dict[str, Any]]:
    """Return the candidates of the one contact that ``survive`` has just looked at, as ``candidate_values`` does."""
    rows: list[dict[str, Any]] = []
    for leader, (rule, fields) in groups_of(survivorship).items():
        counted = f"count(*) over (partition by lower(strip_accents(trim({leader}::varchar))))"
        criteria = [f"{criterion_sql(name, leader)} as by_{name}" for name in rule.by]
        places = ", ".join(["tie", "source", "source_key", "observed_at", *fields, *criteria])
        answer = con.execute(
            f"select m.*, w.w_{leader} = m.tie as won from (select {places}, contact from (select *, "
            f"{counted} as n_{leader} from dd_members)) m join dd_winners w using (contact) order by tie desc"
        )
        names = [column[0] for column in answer.description or []]
        records = [dict(zip(names, record, strict=True)) for record in answer.fetchall()]
        winner = next((record for record in records if record["won"]), None)
        for field in fields:
            told = [record for record in records if record[field] is not None]
            told.sort(key=lambda record: not record["won"])
            rows.extend(_row(record, winner, field, leader, rule.by) for record in told)
    return rows


def _row(
    record: dict[str, Any], winner: dict[str, Any] | None, field: str, leader: str, by: list[Any]
) -> dict[str, Any]:
    return {
        "field": field,
        "value": str(record[field]),
        **{name: record[name] for name in ("source", "source_key", "observed_at")},
        "rule": " > ".join(by),
        "standing": _standing(record, winner, field, leader, by),
    }


def _standing(record: dict[str, Any], winner: dict[str, Any] | None, field: str, leader: str, by: list[Any]) -> str:
    if winner is None or record["won"]:
        return WON
    if record[field] == winner[field]:
        return SAME
    if record[leader] is None:
        return f"lost by {leader}, which it does not tell"
    first = next((name for name in by if record[f"by_{name}"] != winner[f"by_{name}"]), _ORDER)
    return f"lost by {first}"
