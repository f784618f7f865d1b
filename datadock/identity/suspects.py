"""The suspects asset: pairs a person should look at, most doubtful decisions first.

Two kinds: pairs too weak to join and too strong to forget, and pairs strong enough by themselves
whose clusters were held apart. A suspect that is no longer one is closed, never deleted.
"""

from __future__ import annotations

from dataclasses import dataclass

from datadock import names
from datadock.identity.feature_store import load_records
from datadock.identity.memberships import current_memberships, read_decisions, read_log
from datadock.identity.model import load_model
from datadock.identity.pairs import load_live_pairs
from datadock.identity.scoring import STORE_ABOVE
from datadock.identity.workspace import PARTIES, Workspace
from datadock.warehouse.lake_tables import TABLES

SUSPECT_ABOVE = STORE_ABOVE
"""Bits: about one in seventeen. Pairs from here on that are not in one golden contact are suspects."""

_PAIR = "left_source, left_key, right_source, right_key"


@dataclass(frozen=True)
class SuspectsReport:
    """The state of the review queue.

    Attributes:
        changed: False where nothing was new and nothing was written.
        opened: Suspects new in this run.
        closed: Suspects that are none any more.
        open: Suspects now.
    """

    changed: bool
    opened: int
    closed: int
    open: int


def find_suspects(workspace: Workspace) -> SuspectsReport:
    """Bring the review queue up to pairs, memberships and decisions.

    Args:
        workspace: The run's workspace; ``assign_identities`` has run.
    """
    inputs = {
        "pairs": workspace.lake.version(names.PAIRS),
        "memberships": workspace.lake.version(names.MEMBERSHIPS),
        "decisions": workspace.lake.version(names.DECISIONS),
    }
    unchanged = workspace.cursor(names.SUSPECTS) == inputs
    with workspace.connection() as con:
        stored = workspace.scan_or_empty(names.SUSPECTS, TABLES[names.SUSPECTS])
        con.execute(
            f"create or replace temp table dd_queue as select {_PAIR}, arg_max(status, recorded_at) as status, "
            "arg_max(match_weight, recorded_at) as match_weight, "
            "arg_max(match_probability, recorded_at) as match_probability "
            f"from {stored} group by all"
        )
        if unchanged:
            open_ = int(con.execute("select count(*) from dd_queue where status = 'open'").fetchall()[0][0])
            return SuspectsReport(False, 0, 0, open_)
        con.register("dd_current", current_memberships(read_log(workspace)).drop_nulls("golden_id").to_arrow())
        con.register("dd_decided", read_decisions(workspace).to_arrow())
        found = []
        for party in PARTIES:
            model = load_model(workspace.model_folder, party)
            load_records(con, workspace, party)
            live = load_live_pairs(con, workspace, party, model.version if model else "")
            con.execute(f"create or replace temp table dd_suspects_{party} as {_suspects_sql(party, live)}")
            found.append(f"from dd_suspects_{party}")
        con.execute(f"create or replace temp table dd_suspects as {' union all '.join(found)}")
        rows = con.sql(_difference_sql(workspace)).to_arrow_table()
        counts = con.execute("select count(*) from dd_suspects").fetchall()[0][0]
    workspace.append(names.SUSPECTS, rows, inputs)
    closed = rows.column("status").to_pylist().count("closed")
    return SuspectsReport(True, rows.num_rows - closed, closed, int(counts))


def _suspects_sql(party: str, live: str) -> str:
    decided = (
        f"select {_PAIR} from dd_decided union select right_source, right_key, left_source, left_key from dd_decided"
    )
    return (
        "select * from (select l.source as left_source, l.source_key as left_key, r.source as right_source, "
        "r.source_key as right_key, p.weight as match_weight, "
        "1 / (1 + power(2.0, -p.weight)) as match_probability "
        f"from {live} p join dd_{party} l on l.rid = p.rid_l join dd_{party} r on r.rid = p.rid_r "
        "join dd_current a on a.source = l.source and a.source_key = l.source_key "
        "join dd_current b on b.source = r.source and b.source_key = r.source_key "
        f"where p.weight >= {SUSPECT_ABOVE} and a.golden_id <> b.golden_id) "
        f"anti join ({decided}) using ({_PAIR})"
    )


def _difference_sql(workspace: Workspace) -> str:
    tail = f"'{workspace.run_id}' as run_id, '{workspace.run_at.isoformat()}'::timestamptz as recorded_at"
    return (
        f"select {_PAIR}, s.match_weight, s.match_probability, {tail}, 'open' as status from dd_suspects s "
        f"left join dd_queue q using ({_PAIR}) where q.status is null or q.status <> 'open' "
        "or q.match_weight <> s.match_weight "
        f"union all select {_PAIR}, q.match_weight, q.match_probability, {tail}, 'closed' as status from dd_queue q "
        f"anti join dd_suspects using ({_PAIR}) where q.status = 'open' order by {_PAIR}"
    )
