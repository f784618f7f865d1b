"""The memberships asset: clusters from live pairs and decisions, lasting ids, the log by difference.

What the memberships are to become is planned and judged first; where a guard objects nothing is written, so the
next run plans the same again. The log is written first; redirects and lineage follow from it. Every step is found
done or undone by what the lake holds, so a killed run is finished by the next one with the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from datadock import names
from datadock.identity.assignment import assign_ids, membership_changes
from datadock.identity.cluster import Clustering
from datadock.identity.guards import Finding
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
        log: The log as it stands.
        assigned: source, source_key, golden_id of every record there is.
        changes: source, source_key, golden_id, cause of every record whose id moves.
        clusterings: Per party type.
    """

    log: pl.DataFrame
    assigned: pl.DataFrame
    changes: pl.DataFrame
    clusterings: tuple[Clustering, ...]

    @property
    def sizes(self) -> pl.DataFrame:
        """golden_id and its number of records, n."""
        return self.assigned.group_by("golden_id").agg(n=pl.len())


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
    log = read_log(workspace)
    if workspace.cursor(names.MEMBERSHIPS) == inputs:
        _write_lineage(workspace, log)
        return _standing(workspace, log)
    with workspace.connection() as con:
        parties = [PartyClusters(con, workspace, party) for party in PARTIES]
        decisions = read_decisions(workspace)
        plan = plan_memberships(workspace, parties, log, decisions, inputs["threshold"], inputs)
        findings, facts = judge_memberships(workspace, parties, plan, decisions, inputs)
    sizes, stood = plan.sizes, log["golden_id"].unique()
    report = MembershipReport(
        True,
        records=plan.assigned.height,
        golden=sizes.height,
        created=int((~sizes["golden_id"].is_in(stood.implode())).sum()),
        moves=plan.changes.height,
        components_split=sum(c.components_split for c in plan.clusterings),
        largest=int(sizes["n"].max() or 0),  # type: ignore[arg-type]  # an integer column
        conflicts=sum(c.conflicts for c in plan.clusterings),
        findings=tuple(findings),
    )
    if report.blocked and blocking:
        return replace(report, changed=False)
    rows = plan.changes.with_columns(
        valid_from=pl.lit(workspace.run_at).dt.cast_time_unit("us"),
        run_id=pl.lit(workspace.run_id),
        generation=pl.lit(_next_generation(log), dtype=pl.Int64),
    ).select(list(_LOG)).cast(_LOG)  # fmt: skip
    workspace.append(names.MEMBERSHIPS, rows.to_arrow(), inputs, facts)
    return replace(report, retired=_write_lineage(workspace, pl.concat([log, rows])))


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
    inputs: dict[str, Any] | None = None,
) -> Plan:
    """Work out who is who and which id everybody bears, at a threshold; write nothing.

    Args:
        workspace: The run's workspace.
        parties: Party types, opened.
        log: As of ``read_log``.
        decisions: As of ``ledger.read_decisions``, or with decisions that are only thought of.
        threshold: Party type to bits from which records join.
        inputs: What the memberships are made of; given, only components that something happened to are looked at.
    """
    current = current_memberships(log)
    known = int(workspace.cursor(names.MEMBERSHIPS).get("decisions", -1))
    decided = named_records(since_version(workspace, decisions, known))
    settled = [party.settled(current, inputs, decided) if inputs else None for party in parties]
    records = pl.concat(
        [party.partition(decisions, threshold[party.party], ids) for party, ids in zip(parties, settled, strict=True)]
    )
    changes, assigned = _changes(workspace, log, records, decided)
    return Plan(log, assigned, changes, tuple(party.clustering for party in parties))


def plan_next(workspace: Workspace, log: pl.DataFrame, decisions: pl.DataFrame) -> Plan:
    """Work out what the next run would make of the memberships; arguments as of ``plan_memberships``."""
    inputs = membership_inputs(workspace)
    with workspace.connection() as con:
        parties = [PartyClusters(con, workspace, party) for party in PARTIES]
        return plan_memberships(workspace, parties, log, decisions, inputs["threshold"], inputs)


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


def _next_generation(log: pl.DataFrame) -> int:
    return int(log["generation"].max() or 0) + 1  # type: ignore[arg-type]  # an integer column


def _changes(
    workspace: Workspace, log: pl.DataFrame, records: pl.DataFrame, decided: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows to tell the log, and the golden id of every record there is."""
    placed = records.join(current_memberships(log), on=_KEYS, how="left", maintain_order="left")
    asked, settled = _asked(placed, log)
    borne = log.drop_nulls("golden_id").join(asked, on=_KEYS, how="semi")
    last = borne.filter(pl.col("generation") == pl.col("generation").max().over(_KEYS)) if borne.height else borne
    earlier = (
        borne.join(last, on=[*_KEYS, "golden_id"], how="anti").select(*_KEYS, "golden_id").unique()
        .join(settled, on="golden_id", how="anti")
    )  # fmt: skip
    known = asked.drop("golden_id").join(
        last.select(*_KEYS, previous="golden_id"), on=_KEYS, how="left", maintain_order="left"
    )
    assigned = assign_ids(known, earlier, workspace.id_secret, lambda: log["golden_id"].drop_nulls().unique())
    everyone = pl.concat([frame.select(*_KEYS, "golden_id") for frame in (assigned, settled)])
    told = latest(log).select(*_KEYS, "golden_id").join(settled, on=_KEYS, how="anti")
    return membership_changes(assigned, told, decided), everyone


def _asked(placed: pl.DataFrame, log: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the records whose cluster may bear another id from those that keep theirs.

    A component that was not looked at keeps its ids, unless a record that was bore one of them last.
    """
    looked = placed.filter("looked_at" if placed.height else pl.lit(value=False))
    if looked.height == placed.height:
        return placed, placed.clear()
    wanted = log.drop_nulls("golden_id").join(looked, on=_KEYS, how="semi").select("golden_id").unique()
    bears = placed["golden_id"].is_in(wanted["golden_id"].implode()).fill_null(value=False)
    asked = placed["looked_at"] | bears
    return placed.filter(asked), placed.filter(~asked)


def _write_lineage(workspace: Workspace, log: pl.DataFrame) -> int:
    """Append what redirects and lineage lack of what the log implies; return the number of new redirects."""
    generation = _next_generation(log) - 1
    inputs = {"memberships": workspace.lake.version(names.MEMBERSHIPS), "generation": generation}
    done = workspace.cursor(names.LINEAGE)
    if workspace.cursor(names.REDIRECTS) == inputs and done == inputs:
        return 0
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
    events = derive_lineage(log, int(done.get("generation", 0)))
    known = _stored(workspace, names.LINEAGE)
    if known is not None:
        known = known.join(events.select("golden_id").unique(), on="golden_id", how="semi")
        events = events.join(known, on=["golden_id", "event", "other_id", "run_id"], how="anti", nulls_equal=True)
    workspace.append(names.LINEAGE, events.to_arrow(), inputs)
    return fresh.height


def _latest_redirects(workspace: Workspace) -> pl.DataFrame:
    stored = _stored(workspace, names.REDIRECTS)
    if stored is None or stored.height == 0:
        return pl.DataFrame(schema={"old_id": pl.String, "new_id": pl.String})
    latest = stored.filter(pl.col("at") == pl.col("at").max().over("old_id"))
    return latest.select("old_id", "new_id")


def _stored(workspace: Workspace, table: str) -> pl.DataFrame | None:
    files = workspace.lake.files(table)
    return pl.concat([pl.read_parquet(file) for file in files]) if files else None
