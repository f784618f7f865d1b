"""What the guards are handed: gathered from pairs, clusters, decisions and the last run, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from datadock import names
from datadock.accuracy import PAIR, read_sample, score_sample
from datadock.identity import guards
from datadock.identity.feature_store import load_features
from datadock.identity.guards import DecidedEdges, Finding, LargeCluster, Moves
from datadock.identity.ledger import MUST, standing
from datadock.identity.lineage import latest
from datadock.identity.partition import PartyClusters
from datadock.identity.workspace import Workspace
from datadock.warehouse.lake_tables import TABLES

if TYPE_CHECKING:
    from datadock.identity.memberships import Plan

_KEYS = ["source", "source_key"]
_DECLARED = {"models": "model", "threshold": "threshold", "spec": "fields", "apart": "sources without duplicates"}
_DESCRIBED = 5
"""Clusters that are described in one run: the largest; the others are as many words again."""


def judge_memberships(
    workspace: Workspace, parties: Sequence[PartyClusters], plan: Plan, decisions: pl.DataFrame, inputs: dict[str, Any]
) -> tuple[list[Finding], dict[str, Any]]:
    """Return what the guards object to in planned memberships, and the facts to keep with them.

    Args:
        workspace: The run's workspace.
        parties: Party types that were partitioned.
        plan: What the memberships are to become.
        decisions: The ledger.
        inputs: What the plan is made of.
    """
    rules = workspace.catalog.identity
    now, before = decided_edges(workspace, parties, decisions, inputs)
    moves = count_moves(workspace, plan, inputs)
    findings = oversized(workspace, parties, plan.assigned)
    findings += guards.fallen_precision(now, before, rules.limits)
    findings += guards.id_churn(moves, rules.limits)
    findings += _reviewed(workspace, plan)
    facts = {
        "records": plan.records,
        "golden": plan.golden,
        "largest": plan.largest,
        "decided_edges": {"strong": now.strong, "right": now.right},
        "moved": moves.moved,
        "had_an_id": moves.before,
        "limits": rules.model_dump(),
        "findings": [str(finding) for finding in findings],
    }
    return findings, facts


def _reviewed(workspace: Workspace, plan: Plan) -> list[Finding]:
    """What the reviewed sample says of a plan; everyone's id is gathered only where there is one."""
    from datadock.identity.memberships import current_memberships, read_log  # memberships are judged from there

    if workspace.catalog.reviewed is None:
        return []
    current = current_memberships(read_log(workspace)).drop_nulls("golden_id")
    return short_of_reviewed(workspace, plan.everyone(current))


def short_of_reviewed(workspace: Workspace, assigned: pl.DataFrame) -> list[Finding]:
    """Return where a linking falls short on the reviewed sample of the catalog; nothing where there is none.

    Raises:
        DatadockError: When the sample cannot be read.
    """
    if workspace.catalog.reviewed is None:
        return []
    evaluation = score_sample(assigned, read_sample(workspace.catalog.reviewed))
    return guards.reviewed_accuracy(evaluation.measures(), workspace.catalog.identity.reviewed)


def decided_edges(
    workspace: Workspace, parties: Sequence[PartyClusters], decisions: pl.DataFrame, inputs: dict[str, Any]
) -> tuple[DecidedEdges, DecidedEdges | None]:
    """Count the decided pairs that the present weights would join, and those that the last run's would have.

    The last run's weights are the newest that were stored by its models until it ended.
    """
    decided = decided_pairs(decisions)
    now = DecidedEdges(0, 0)
    for party in parties:
        weights = party.weights_of(decided).filter(pl.col("weight") >= inputs["threshold"][party.party])
        now = DecidedEdges(now.strong + weights.height, now.right + int(weights["same"].sum()))
    last, told = workspace.cursor(names.MEMBERSHIPS), workspace.facts(names.MEMBERSHIPS)
    if not told or not decided.height:
        return now, None
    con = parties[0].con
    con.register("dd_latest_decided", decided.with_row_index("pair").to_arrow())
    stored = workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
    met = " union all ".join(
        f"select d.pair, d.same, p.match_weight, p.recorded_at from dd_latest_decided d join {stored} p on "
        + " and ".join(f"d.{one} = p.{other}" for one, other in zip(PAIR, turned, strict=True))
        + " where p.model_version = $1 and p.recorded_at <= $2::timestamptz"
        for turned in (PAIR, (*PAIR[2:], *PAIR[:2]))
    )
    strong = right = 0
    for party, version in last.get("models", {}).items():
        rows = con.execute(
            "select count(*), count(*) filter (same) from (select same, arg_max(match_weight, recorded_at) as weight "
            f"from ({met}) group by pair, same) where weight >= $3",
            [version, told["at"], last["threshold"][party]],
        ).fetchall()[0]
        strong, right = strong + int(rows[0]), right + int(rows[1])
    con.unregister("dd_latest_decided")
    return now, DecidedEdges(strong, right)


def decided_pairs(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs that people decided on, the decision that holds of each: left, right, same."""
    return standing(decisions).select(*PAIR, same=pl.col("kind") == MUST)


def count_moves(workspace: Workspace, plan: Plan, inputs: dict[str, Any]) -> Moves:
    """Count the records that leave an id, but for those of contacts that a decision touches."""
    last = workspace.cursor(names.MEMBERSHIPS)
    held = latest(plan.log).drop_nulls("golden_id").select(*_KEYS, previous="golden_id")
    changed = plan.changes.drop_nulls("golden_id").join(held, on=_KEYS, how="inner")
    by_decision = changed.filter(pl.col("cause") == "decision")
    touched = pl.concat([by_decision["golden_id"], by_decision["previous"]]).unique().implode()
    moved = changed.filter(~pl.col("golden_id").is_in(touched) & ~pl.col("previous").is_in(touched))
    still = held.join(plan.assigned, on=_KEYS, how="semi").height + plan.rest.records
    anew = tuple(words for key, words in _DECLARED.items() if last and _differs(last.get(key), inputs.get(key)))
    leaving = moved.group_by("previous").agg(n=pl.len()).sort("n", "previous", descending=[True, False]).head(3)
    return Moves(moved.height, still, anew, tuple(f"{golden} ({n:,})" for golden, n in leaving.iter_rows()))


def _differs(before: Any, now: Any) -> bool:
    """Whether an input changed; of one per party type, for a party that was there before."""
    if isinstance(before, dict) and isinstance(now, dict):
        return any(now.get(party) != value for party, value in before.items())
    return bool(before != now)


def oversized(workspace: Workspace, parties: Sequence[PartyClusters], assigned: pl.DataFrame) -> list[Finding]:
    """Return what the guard objects to in the sizes of golden contacts.

    Args:
        workspace: The run's workspace.
        parties: Party types, opened.
        assigned: source, source_key, golden_id of every record.
    """
    limit = workspace.catalog.identity.limits.cluster_records
    large = assigned.group_by("golden_id").agg(n=pl.len()).filter(pl.col("n") > limit)
    chosen = large.sort("n", "golden_id", descending=[True, False]).head(_DESCRIBED)
    described = [
        _described(workspace, parties, golden, assigned.filter(pl.col("golden_id") == golden))
        for golden in chosen["golden_id"]
    ]
    return guards.oversized_clusters(described, limit)


def _described(
    workspace: Workspace, parties: Sequence[PartyClusters], golden_id: str, members: pl.DataFrame
) -> LargeCluster:
    sources = members.group_by("source").len().sort("len", "source", descending=[True, False])
    held: list[str] = []
    for party in parties:
        mine = party.records.join(members, on=_KEYS, how="semi")["rid"]
        if mine.len() > 1:
            threshold = workspace.catalog.identity.threshold.model_dump()[party.party]
            held += _bonds(party, mine, threshold) + shared_values(party, mine)
    examples = members.sort(_KEYS).head(3)
    return LargeCluster(
        golden_id,
        members.height,
        dict(sources.iter_rows()),
        tuple(held),
        tuple(f"{source}:{key}" for source, key in examples.select(_KEYS).iter_rows()),
    )


def _bonds(party: PartyClusters, members: pl.Series, threshold: float) -> list[str]:
    inside = party.pairs.filter(pl.col("rid_l").is_in(members.implode()) & pl.col("rid_r").is_in(members.implode()))
    strong = inside.filter(pl.col("weight") >= threshold)["weight"]
    possible = members.len() * (members.len() - 1) // 2
    if not strong.len():
        return ["decisions"]
    least, mean = strong.to_numpy().min(), strong.to_numpy().mean()
    told = f"{strong.len():,} of {possible:,} pairs of {threshold:g} bits or more"
    return [f"{told} (mean {mean:.1f}, weakest {least:.1f})"]


def shared_values(party: PartyClusters, members: pl.Series, count: int = 3) -> list[str]:
    """Return the values that most of some records share, masked: what, value, how many records."""
    from datadock.reports.mask import masked  # reports read identity, and are seldom needed here

    con = party.con
    con.register("dd_members", pa.table({"rid": np.asarray(members, dtype=np.int64)}))
    features = load_features(con, party.workspace, party.loaded, "dd_members")
    compared = [c for c in features.columns if party.model is not None and c in party.model.features]
    kinds = dict(con.execute(f"select column_name, column_type from (describe {features.table})").fetchall())
    parts = [
        f"select '{c}' as what, {f'unnest({c})' if kinds[c].endswith('[]') else f'{c}::varchar'} as value, rid "
        f"from {features.table}"
        for c in compared
    ]
    rows = con.execute(
        f"select what, any_value(value), count(distinct rid) as n from ({' union all '.join(parts)}) "
        "where value is not null group by what, value order by n desc, what limit 40"
    ).fetchall() if parts else []  # fmt: skip
    con.unregister("dd_members")
    found: dict[str, str] = {}
    for what, value, records in rows:
        if records > 1 and what not in found:
            found[what] = f"{what} {masked(value)} in {records:,}"
    return list(found.values())[:count]
