"""The memberships asset: clusters from live pairs and decisions, lasting ids, the log by difference.

The log is written first; redirects and lineage follow from it. Every step is found done or undone
by what the lake holds, so a killed run is finished by the next one with the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from datadock import names
from datadock.identity.assignment import assign_ids, membership_changes
from datadock.identity.cluster import EDGE, Clustering, Ints, cluster
from datadock.identity.feature_store import load_features, load_records
from datadock.identity.lineage import derive_lineage, derive_redirects, latest
from datadock.identity.model import load_model, load_term_frequencies
from datadock.identity.normalise import install_macros
from datadock.identity.pairs import LIVE_PAIRS, apart_sql, load_live_pairs
from datadock.identity.scoring import score
from datadock.identity.trainer import without_shared
from datadock.identity.workspace import FEATURES, PARTIES, Workspace
from datadock.warehouse.lake_tables import TABLES

MAX_CLUSTER = 200
"""Records beyond which a cluster is told as too large to be one person."""

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
        changed: False where nothing was new and nothing was written.
        records: Source contacts.
        golden: Golden contacts.
        created: Ids given for the first time in this run.
        moves: Rows told to the log.
        retired: Ids that lead elsewhere or nowhere now.
        components_split: Components that mean linkage cut.
        largest: Records of the largest cluster.
        over_cap: Clusters of more than ``MAX_CLUSTER`` records.
        conflicts: Decisions that contradict each other.
    """

    changed: bool
    records: int
    golden: int
    created: int = 0
    moves: int = 0
    retired: int = 0
    components_split: int = 0
    largest: int = 0
    over_cap: int = 0
    conflicts: int = 0


def assign_identities(workspace: Workspace) -> MembershipReport:
    """Bring memberships, redirects and lineage up to the pairs and decisions.

    Args:
        workspace: The run's workspace; ``score_pairs`` has run.
    """
    pairs_inputs = workspace.cursor(names.PAIRS)
    inputs = {**pairs_inputs, "decisions": workspace.lake.version(names.DECISIONS)}
    log = read_log(workspace)
    if workspace.cursor(names.MEMBERSHIPS) == inputs:
        _write_lineage(workspace, log)
        current = current_memberships(log).drop_nulls("golden_id")
        return MembershipReport(False, current.height, current["golden_id"].n_unique())
    with workspace.connection() as con:
        parties = [_Party(con, workspace, party) for party in PARTIES]
        records = pl.concat([party.partition(log, inputs) for party in parties])
        clusterings = [party.clustering for party in parties]
    changes, assigned = _changes(workspace, log, records)
    rows = changes.with_columns(
        valid_from=pl.lit(workspace.run_at).dt.cast_time_unit("us"),
        run_id=pl.lit(workspace.run_id),
        generation=pl.lit(_next_generation(log), dtype=pl.Int64),
    ).select(list(_LOG))
    workspace.append(names.MEMBERSHIPS, rows.cast(_LOG).to_arrow(), inputs)
    stood = log["golden_id"].unique()
    retired = _write_lineage(workspace, pl.concat([log, rows.cast(_LOG)]))
    sizes = assigned.group_by("golden_id").agg(n=pl.len())
    return MembershipReport(
        True,
        records=assigned.height,
        golden=sizes.height,
        created=int((~sizes["golden_id"].is_in(stood.implode())).sum()),
        moves=rows.height,
        retired=retired,
        components_split=sum(c.components_split for c in clusterings),
        largest=int(sizes["n"].max() or 0),  # type: ignore[arg-type]  # an integer column
        over_cap=int((sizes["n"] > MAX_CLUSTER).sum()),
        conflicts=sum(c.conflicts for c in clusterings),
    )


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


def _changes(workspace: Workspace, log: pl.DataFrame, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
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
    decided = _touched_by_decisions(workspace, log)
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


def _touched_by_decisions(workspace: Workspace, log: pl.DataFrame) -> pl.DataFrame:
    """Records named by decisions taken since the last membership was written."""
    decisions = read_decisions(workspace)
    since = log["valid_from"].max()
    if since is not None:
        decisions = decisions.filter(pl.col("decided_at") > since)
    return pl.concat(
        [decisions.select(source=f"{side}_source", source_key=f"{side}_key") for side in ("left", "right")]
    )


def read_decisions(workspace: Workspace) -> pl.DataFrame:
    """Read the decision ledger: kind, left_source, left_key, right_source, right_key, decided_at."""
    columns = ["kind", "left_source", "left_key", "right_source", "right_key"]
    files = workspace.lake.files(names.DECISIONS)
    if not files:
        return pl.DataFrame(schema={**dict.fromkeys(columns, pl.String), "decided_at": pl.Datetime("us", "UTC")})
    read = pl.concat([pl.read_parquet(file, columns=[*columns, "decided_at"]) for file in files])
    return read.sort("decided_at")


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
    events = derive_lineage(log, redirects, int(done.get("generation", 0)))
    known = _stored(workspace, names.LINEAGE)
    if known is not None:
        known = known.join(events.select("golden_id").unique(), on="golden_id", how="semi")
        events = events.join(known, on=["golden_id", "event", "other_id"], how="anti", nulls_equal=True)
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


class _Party:
    """Clustering of one party type."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace: Workspace, party: str) -> None:
        self.con, self.workspace, self.party = con, workspace, party
        self.model = load_model(workspace.model_folder, party)
        self.records = load_records(con, workspace, party)
        self.clustering = Clustering(np.empty(0, dtype=np.int64), 0, 0, 0, np.empty(0, dtype=np.bool_))

    def partition(self, log: pl.DataFrame, inputs: dict[str, Any]) -> pl.DataFrame:
        """Return source, source_key, received_at, cluster, looked_at of every record of the party."""
        records = self.con.sql(
            f"select rid, source, source_key, received_at from {self.records.table} order by rid"
        ).pl()
        if records.height:
            load_live_pairs(self.con, self.workspace, self.party, self.model.version if self.model else "")
            found = self.con.execute(
                f"select rid_l, rid_r, weight from {LIVE_PAIRS} where weight >= {EDGE} order by rid_l, rid_r"
            ).fetchnumpy()
            must, never = self._decisions(records)
            self.clustering = cluster(
                records.height,
                np.asarray(found["rid_l"], dtype=np.int64),
                np.asarray(found["rid_r"], dtype=np.int64),
                np.asarray(found["weight"], dtype=np.float64),
                weigh=self._weigh,
                must=must,
                never=never,
                single=self._single(records),
                settled=self._settled(records, log, inputs),
            )
        labels = pl.Series("cluster", [f"{self.party}:"] * records.height, dtype=pl.String)
        numbers = pl.Series("cluster", self.clustering.labels).cast(pl.String)
        clusters: pl.DataFrame = records.select(*_KEYS, "received_at").with_columns(
            (labels + numbers).alias("cluster"), looked_at=pl.Series(self.clustering.looked_at)
        )
        return clusters

    def _settled(self, records: pl.DataFrame, log: pl.DataFrame, inputs: dict[str, Any]) -> Ints | None:
        """Earlier cluster of every record that nothing happened to since the memberships were last written."""
        before = self.workspace.cursor(names.MEMBERSHIPS)
        fixed = ("spec", "store", "apart", "decisions")
        if (
            not before
            or any(before.get(key) != inputs.get(key) for key in fixed)
            or before.get("models", {}).get(self.party) != inputs["models"].get(self.party)
        ):
            return None
        moved = self.con.sql(self._moved_sql(int(before["generation"]))).pl().with_columns(moved=pl.lit(value=True))
        placed = records.join(current_memberships(log), on=_KEYS, how="left", maintain_order="left").join(
            moved, on=_KEYS, how="left", maintain_order="left"
        )
        codes = placed.select(
            pl.when(pl.col("moved") | pl.col("golden_id").is_null())
            .then(-1)
            .otherwise(pl.col("golden_id").cast(pl.Categorical).to_physical().cast(pl.Int64))
            .alias("code")
        )
        return codes["code"].to_numpy().astype(np.int64)

    def _moved_sql(self, since: int) -> str:
        """Records that changed, and all that a strong pair ever joined them to: their component may have broken."""
        changed = (
            f"(select distinct source, source_key from {self.workspace.scan(FEATURES)} where generation > {since})"
        )
        stored = self.workspace.scan_or_empty(names.PAIRS, TABLES[names.PAIRS])
        pairs = f"(select * from {stored} where match_weight >= {EDGE})"
        ends = [
            f"select p.{other}_source as source, p.{other}_key as source_key from {pairs} p semi join {changed} c "
            f"on p.{side}_source = c.source and p.{side}_key = c.source_key"
            for side, other in (("left", "right"), ("right", "left"))
        ]
        return f"from {changed} union {' union '.join(ends)}"

    def _weigh(self, left: Ints, right: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Weigh pairs inside a component: there the odds against strangers are gone, so only contradictions count."""
        if self.model is None or not self.model.comparisons:
            return np.full(len(left), -1.0)
        con = self.con
        install_macros(con)
        con.register("dd_asked", pa.table({"place": np.arange(len(left)), "rid_l": left, "rid_r": right}))
        con.execute("create or replace temp table dd_wanted as select rid_l, rid_r from dd_asked")
        named = "select rid_l as rid from dd_asked union select rid_r from dd_asked"
        con.execute(f"create or replace temp table dd_named as {named}")
        some = load_features(con, self.workspace, self.records, "dd_named")
        table = without_shared(con, some, self.model.shared)
        frequencies = load_term_frequencies(self.workspace.model_folder, self.model, con)
        score(con, self.model, table, "dd_wanted", frequencies, "dd_given", above=None)
        answer = con.execute(
            "select case when weight < 0 then greatest(weight, against) else weight end as weight "
            "from dd_asked join dd_given using (rid_l, rid_r) order by place"
        ).fetchnumpy()
        con.unregister("dd_asked")
        return np.asarray(answer["weight"], dtype=np.float64)

    def _decisions(self, records: pl.DataFrame) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """Must-link and never-link pairs by rid; of contradicting decisions on a pair the latest holds."""
        decisions = read_decisions(self.workspace)
        ids = records.select("rid", *_KEYS)
        for side in ("left", "right"):
            decisions = decisions.join(
                ids.rename({"rid": f"{side}_rid", "source": f"{side}_source", "source_key": f"{side}_key"}),
                on=[f"{side}_source", f"{side}_key"],
                how="inner",
                maintain_order="left",
            )
        decisions = decisions.with_columns(
            low=pl.min_horizontal("left_rid", "right_rid"), high=pl.max_horizontal("left_rid", "right_rid")
        ).unique(["low", "high"], keep="last", maintain_order=True)
        must, never = (decisions.filter(pl.col("kind") == kind) for kind in ("must_link", "never_link"))
        return (
            (must["low"].to_numpy().astype(np.int64), must["high"].to_numpy().astype(np.int64)),
            (never["low"].to_numpy().astype(np.int64), never["high"].to_numpy().astype(np.int64)),
        )

    def _single(self, records: pl.DataFrame) -> Ints:
        if not apart_sql(self.workspace):
            return np.full(records.height, -1, dtype=np.int64)
        without = sorted(s.name for s in self.workspace.catalog.sources.values() if s.deduplicated)
        numbers = {name: place for place, name in enumerate(without)}
        mapped = records["source"].replace_strict(numbers, default=-1, return_dtype=pl.Int64)
        return mapped.to_numpy().astype(np.int64)
