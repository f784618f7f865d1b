"""Which golden contacts can be reached by which channel, and whose consents contradict each other, for any membership.

Channels go through the steps of the mart itself, a macro of the dbt project, over memberships that are only thought of:
the rule stands in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
from jinja2 import Environment

from datadock.identity.workspace import Workspace

_MACRO = "contact_channels"
_POINTS = "dim_contact_point"
_CONSENTS = "fct_consent"


@dataclass(frozen=True)
class Reach:
    """How contacts can be reached.

    Attributes:
        contacts: Channel to the number of golden contacts that can be reached by it.
        consent_conflicts: Golden contacts whose records say different things of one channel and purpose.
    """

    contacts: dict[str, int]
    consent_conflicts: int


def channels_sql(dbt_project: Path, members: str, points: str) -> str:
    """Return SQL of the channels of contacts, columns as of ``dim_contact_channel``.

    Args:
        dbt_project: Folder of the dbt project.
        members: Relation of source, source_key, golden_id.
        points: Relation of contact points, as of ``dim_contact_point``.
    """
    text = (dbt_project / "macros" / f"{_MACRO}.sql").read_text(encoding="utf-8")
    call = f"{{{{ {_MACRO}('{members}', '{points}') }}}}"
    return f"with {Environment(autoescape=False).from_string(text + call).render()} select * from final"


def measure_reach(workspace: Workspace, published: Path | None, assigned: pl.DataFrame) -> Reach:
    """Measure what memberships would mean for reach; nothing is known before the first publication.

    Args:
        workspace: For limits of memory and threads.
        published: The published copy of the warehouse.
        assigned: source, source_key, golden_id of every record.
    """
    if published is None:
        return Reach({}, 0)
    with workspace.connection() as con:
        con.execute(f"attach '{str(published).replace(chr(39), chr(39) * 2)}' as published (read_only)")
        there = {name for (name,) in con.execute(
            "select table_name from information_schema.tables where table_catalog = 'published' "
            "and table_schema = 'marts'"
        ).fetchall()}  # fmt: skip
        con.register("dd_assigned", assigned.select("source", "source_key", "golden_id").to_arrow())
        con.execute("create temp table dd_members_then as from dd_assigned")
        return Reach(_channels(con, workspace, there), _conflicts(con, there))


def _channels(con: duckdb.DuckDBPyConnection, workspace: Workspace, there: set[str]) -> dict[str, int]:
    if _POINTS not in there:
        return {}
    channels = channels_sql(workspace.dbt_project, "dd_members_then", f"published.marts.{_POINTS}")
    counted = f"select channel, count(*) from ({channels}) where addressable group by channel order by channel"
    return dict(con.execute(counted).fetchall())


def _conflicts(con: duckdb.DuckDBPyConnection, there: set[str]) -> int:
    """Count contacts in which two records' latest answers to one question differ."""
    if _CONSENTS not in there:
        return 0
    latest = (
        "select contact_source, contact_key, channel, purpose, arg_max(status, decided_at) as status "
        f"from published.marts.{_CONSENTS} group by all"
    )
    return int(con.execute(
        "select count(distinct golden_id) from (select m.golden_id from "
        f"({latest}) c join dd_members_then m on m.source = c.contact_source and m.source_key = c.contact_key "
        "group by m.golden_id, c.channel, c.purpose having count(distinct c.status) > 1)"
    ).fetchall()[0][0])  # fmt: skip
