"""The memberships asset: clusters from live pairs and decisions, lasting ids, the log by difference.

What the memberships are to become is planned and judged first; where a guard objects nothing is written, so the
next run plans the same again. The log is written first; redirects and lineage follow from it. Every step is found
done or undone by what the lake holds, so a killed run is finished by the next one with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from datadock import names
from datadock.identity.assignment import assign_ids, membership_changes
from datadock.identity.cluster import Clustering
from datadock.identity.guards import Finding
from datadock.identity.increment import TOUCHED, Rest, find_touched, lineage_log, touched_log
from datadock.identity.judgement import judge_memberships, oversized, short_of_reviewed
from datadock.identity.ledger import named_records, read_decisions, since_version
from datadock.identity.lineage import derive_lineage, derive_redirects, latest
from datadock.identity.partition import PartyClusters
from datadock.identity.workspace import PARTIES, Workspace

_KEYS = ["source", "source_key"]
_LOG = pl.Schema(
    [
        ("source", pl.String()),
        ("source_key", pl.String()),
        ("golden_id", pl.String()),
        ("valid_from", pl.Datetime("us", "UTC")),
        ("cause", pl.String()),
        ("run_id", pl.String()),
        ("generation", pl.Int64()),
    ]
)


@dataclass(frozen=True)
class MembershipReport:
    """What became of the ids.

    Attributes:
        changed: False where nothing was written: nothing was new, or a guard objected.
        records: Source contacts.
        golden: Golden contacts.
        created: Ids given for the first time in this run.
        moves: Rows told to the log.
        retired: Ids that lead elsewhere or nowhere now.
        components_split: Components that mean linkage cut.
        largest: Records of the largest cluster.
        conflicts: Decisions that contradict each other.
        findings: What the guards object to.
    """

    changed: bool
    records: int
    golden: int
    created: int = 0
    moves: int = 0
    retired: int = 0
    components_split: int = 0
    largest: int = 0
    conflicts: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether a guard kept the memberships as they were."""
        return any(finding.blocks for finding in self.findings)


@dataclass(frozen=True)
class Plan:
    """What the memberships are to become; nothing of it is written yet.

    Attributes:
        log: The log as it stands, of the records that are looked at.
        assigned: source, source_key, golden_id of every one of them that is there.
        changes: source, source_key, golden_id, cause of every record whose id moves.
        clusterings: Per party type.
        rest: What there is beside.
    """

    log: pl.DataFrame
    assigned: pl.DataFrame
    changes: pl.DataFrame
    clusterings: tuple[Clustering, ...]
    rest: Rest

    @property
    def records(self) -> int:
        """Source contacts."""
        return self.assigned.height + self.rest.records

    @cached_property
    def golden(self) -> int:
        """Golden contacts."""
        return int(self.assigned["golden_id"].n_unique()) + self.rest.golden

    @cached_property
    def created(self) -> int:
        """Golden contacts whose id nobody bore before."""
        borne = self.assigned["golden_id"].unique()
        return int((~borne.is_in(self.log["golden_id"].unique().implode())).sum())

    @cached_property
    def largest(self) -> int:
        """Records of the largest golden contact."""
        sizes = self.assigned.group_by("golden_id").len()["len"]
        return max(int(sizes.max() or 0), self.rest.largest)  # type: ignore[arg-type]  # an integer column

    def everyone(self, current: pl.DataFrame) -> pl.DataFrame:
        """Return source, source_key, golden_id of every record there is.

        Args:
            current: Those who bear an id as the log stands.
        """
        looked_at = pl.concat([frame.select(_KEYS) for frame in (self.log, self.assigned)]).unique()
        others = current.join(looked_at, on=_KEYS, how="anti")
        return pl.concat([frame.select(*_KEYS, "golden_id") for frame in (self.assigned, others)])


def membership_inputs(workspace: Workspace) -> dict[str, Any]:
    """Return what memberships are made of now: scored pairs, decisions, the declared threshold."""
    return {
        **workspace.cursor(names.PAIRS),
        "decisions": workspace.lake.version(names.DECISIONS),
        "threshold": workspace.catalog.identity.threshold.model_dump(),
    }


def assign_identities(workspace: Workspace, *, blocking: bool = True) -> MembershipReport:
    """Bring memberships, redirects and lineage up to the pairs and decisions.

    Args:
        workspace: The run's workspace; ``score_pairs`` has run.
        blocking: Whether a guard that objects keeps the log as it was; else its finding is only told.
    """
    inputs = membership_inputs(workspace)
    if workspace.cursor(names.MEMBERSHIPS) == inputs:
        _write_lineage(workspace)
        return _standing(workspace, read_log(workspace))
    decisions = read_decisions(workspace)
    with open_plan(workspace, decisions, inputs) as (parties, plan):
        findings, facts = judge_memberships(workspace, parties, plan, decisions, inputs)
    report = MembershipReport(
        True,
        records=plan.records,
        golden=plan.golden,
        created=plan.created,
        moves=plan.changes.height,
        components_split=sum(c.components_split for c in plan.clusterings),
        largest=plan.largest,
        conflicts=sum(c.conflicts for c in plan.clusterings),
        findings=tuple(findings),
    )
    if report.blocked and blocking:
        return replace(report, changed=False)
    rows = plan.changes.with_columns(
        valid_from=pl.lit(workspace.run_at).dt.cast_time_unit("us"),
        run_id=pl.lit(workspace.run_id),
        generation=pl.lit(_generation(workspace) + 1, dtype=pl.Int64),
    )
    workspace.append(names.MEMBERSHIPS, _as_log(rows).to_arrow(), inputs, facts)
    return replace(report, retired=_write_lineage(workspace))


def _standing(workspace: Workspace, log: pl.DataFrame) -> MembershipReport:
    """What there is where nothing is new; a lowered limit and a new reviewed sample are heeded all the same."""
    current = current_memberships(log).drop_nulls("golden_id")
    sizes = current.group_by("golden_id").agg(n=pl.len())
    largest = int(sizes["n"].max() or 0)  # type: ignore[arg-type]  # an integer column
    findings = short_of_reviewed(workspace, current)
    if largest > workspace.catalog.identity.limits.cluster_records:
        with workspace.connection() as con:
            parties = [PartyClusters(con, workspace, party) for party in PARTIES]
            findings += oversized(workspace, parties, current)
    return MembershipReport(False, current.height, sizes.height, largest=largest, findings=tuple(findings))


def plan_memberships(
    workspace: Workspace,
    parties: Sequence[PartyClusters],
    log: pl.DataFrame,
    decisions: pl.DataFrame,
    threshold: Mapping[str, float],
    rest: Rest | None = None,
) -> Plan:
    """Work out who is who and which id everybody bears, at a threshold; write nothing.

    Args:
        workspace: The run's workspace.
        parties: Party types, opened.
        log: As of ``read_log``.
        decisions: As of ``ledger.read_decisions``, or with decisions that are only thought of.
        threshold: Party type to bits from which records join.
        rest: What there is beside, where parties and log hold only what a change can reach.
    """
    known = int(workspace.cursor(names.MEMBERSHIPS).get("decisions", -1))
    decided = named_records(since_version(workspace, decisions, known))
    records = pl.concat([party.partition(decisions, threshold[party.party]) for party in parties])
    changes, assigned = _changes(workspace, log, records, decided)
    return Plan(log, assigned, changes, tuple(party.clustering for party in parties), rest or Rest())


@contextmanager
def open_plan(
    workspace: Workspace, decisions: pl.DataFrame, inputs: dict[str, Any]
) -> Iterator[tuple[list[PartyClusters], Plan]]:
    """Plan what the next run would make of the memberships, of what a change can reach; keep the parties open."""
    with workspace.connection() as con:
        rest = find_touched(con, workspace, inputs, decisions)
        wanted = None if rest is None else TOUCHED
        log = read_log(workspace) if rest is None else _as_log(con.sql(touched_log(workspace)).pl())
        parties = [PartyClusters(con, workspace, party, wanted=wanted) for party in PARTIES]
        yield parties, plan_memberships(workspace, parties, log, decisions, inputs["threshold"], rest)


def plan_next(workspace: Workspace, decisions: pl.DataFrame) -> Plan:
    """Work out what the next run would make of the memberships; decisions as of ``plan_memberships``."""
    with open_plan(workspace, decisions, membership_inputs(workspace)) as (_, plan):
        return plan


def is_settled(workspace: Workspace) -> bool:
    """Tell whether the memberships are up to the pairs and decisions that there are."""
    return workspace.cursor(names.MEMBERSHIPS) == membership_inputs(workspace)


def read_log(workspace: Workspace) -> pl.DataFrame:
    """Read the whole membership log."""
    files = workspace.lake.files(names.MEMBERSHIPS)
    if not files:
        return pl.DataFrame(schema=_LOG)
    return pl.concat([pl.read_parquet(file, columns=list(_LOG)).cast(_LOG) for file in files])


def current_memberships(log: pl.DataFrame) -> pl.DataFrame:
    """Return source, source_key, golden_id (null where the record is gone) as the log has it now."""
    return latest(log).select(*_KEYS, "golden_id")


def _as_log(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(list(_LOG)).cast(_LOG)


def _generation(workspace: Workspace) -> int:
    """The generation of the log."""
    log = workspace.scan_or_empty(names.MEMBERSHIPS, {"generation": "bigint"})
    with workspace.connection() as con:
        return int(con.execute(f"select coalesce(max(generation), 0) from {log}").fetchall()[0][0])


def _changes(
    workspace: Workspace, log: pl.DataFrame, records: pl.DataFrame, decided: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows to tell the log, and the golden id of every record there is."""
    borne = log.drop_nulls("golden_id").join(records, on=_KEYS, how="semi")
    last = borne.filter(pl.col("generation") == pl.col("generation").max().over(_KEYS)) if borne.height else borne
    earlier = borne.join(last, on=[*_KEYS, "golden_id"], how="anti").select(*_KEYS, "golden_id").unique()
    known = records.join(last.select(*_KEYS, previous="golden_id"), on=_KEYS, how="left", maintain_order="left")
    with_ids = assign_ids(known, earlier, workspace.id_secret, lambda fresh: _ever_used(workspace, fresh))
    assigned = with_ids.select(*_KEYS, "golden_id")
    return membership_changes(assigned, current_memberships(log), decided), assigned


def _ever_used(workspace: Workspace, ids: pl.Series) -> pl.Series:
    """Those of some golden ids that were ever given."""
    log = workspace.scan_or_empty(names.MEMBERSHIPS, {"golden_id": "varchar"})
    with workspace.connection() as con:
        con.register("dd_fresh", pl.DataFrame({"golden_id": ids}).to_arrow())
        found: pl.DataFrame = con.sql(f"select distinct golden_id from {log} semi join dd_fresh using (golden_id)").pl()
    return found["golden_id"]


def _write_lineage(workspace: Workspace) -> int:
    """Append what redirects and lineage lack of what the log implies; return the number of new redirects."""
    generation = _generation(workspace)
    inputs = {"memberships": workspace.lake.version(names.MEMBERSHIPS), "generation": generation}
    done = workspace.cursor(names.LINEAGE)
    if workspace.cursor(names.REDIRECTS) == inputs and done == inputs:
        return 0
    since = int(done.get("generation", 0))
    with workspace.connection() as con:
        log = _as_log(con.sql(lineage_log(con, workspace, since)).pl()) if since else read_log(workspace)
    redirects = derive_redirects(log)
    stored = _latest_redirects(workspace)
    fresh = redirects.join(stored, on=["old_id", "new_id"], how="anti", nulls_equal=True)
    back = (
        stored.drop_nulls("new_id")
        .join(redirects, on="old_id", how="anti")
        .select("old_id", new_id=pl.lit(None, dtype=pl.String), at=pl.lit(workspace.run_at).dt.cast_time_unit("us"),
                cause=pl.lit("restored"), run_id=pl.lit(workspace.run_id))
    )  # fmt: skip
    rows = pl.concat([fresh, back.cast(fresh.schema)])
    workspace.append(names.REDIRECTS, rows.to_arrow(), inputs)
    events = derive_lineage(log, since)
    known = _stored(workspace, names.LINEAGE, pl.col("run_id").is_in(events["run_id"].unique().implode()))
    if known is not None:
        events = events.join(known, on=["golden_id", "event", "other_id", "run_id"], how="anti", nulls_equal=True)
    workspace.append(names.LINEAGE, events.to_arrow(), inputs)
    return fresh.height


def _latest_redirects(workspace: Workspace) -> pl.DataFrame:
    stored = _stored(workspace, names.REDIRECTS)
    if stored is None or stored.height == 0:
        return pl.DataFrame(schema={"old_id": pl.String, "new_id": pl.String})
    latest = stored.filter(pl.col("at") == pl.col("at").max().over("old_id"))
    return latest.select("old_id", "new_id")


def _stored(workspace: Workspace, table: str, wanted: pl.Expr | None = None) -> pl.DataFrame | None:
    files = workspace.lake.files(table)
    if not files:
        return None
    rows = pl.scan_parquet(files)
    return (rows if wanted is None else rows.filter(wanted)).collect()
