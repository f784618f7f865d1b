"""Clustering of one party type: its records, live pairs, decisions and declared threshold, handed to ``cluster``.

Reads only. A run, a what-if and a report partition through here, so that they agree; ids are ``memberships``'.
"""

from __future__ import annotations

from functools import cached_property

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from datadock.identity.cluster import Clustering, Floats, Ints, cluster
from datadock.identity.feature_store import load_features, load_records
from datadock.identity.ledger import standing
from datadock.identity.model import Model, load_model, load_term_frequencies
from datadock.identity.normalise import install_macros
from datadock.identity.pairs import LIVE_PAIRS, load_live_pairs
from datadock.identity.scoring import score
from datadock.identity.trainer import without_shared
from datadock.identity.workspace import Workspace, apart_sql

_KEYS = ["source", "source_key"]


class PartyClusters:
    """Clustering of one party type.

    Args:
        con: Connection that the party's tables are made in.
        workspace: The run's workspace.
        party: ``person`` or ``company``.
        model: A model that is not in use yet; the one in use by default.
        wanted: Table with source and source_key of the records to look at; all of them by default.

    Attributes:
        weigh_below: The highest of several thresholds that will be asked for, from low to high: a pair below it, which
            no cluster holds then, is weighed with the first.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        workspace: Workspace,
        party: str,
        model: Model | None = None,
        wanted: str | None = None,
    ) -> None:
        self.con, self.workspace, self.party = con, workspace, party
        self.model = model or load_model(workspace.model_folder, party)
        self.loaded = load_records(con, workspace, party, wanted)
        self.clustering = Clustering(np.empty(0, dtype=np.int64), 0, 0, 0)
        self._known = (np.empty(0, dtype=np.int64), np.empty(0))
        self.weigh_below: float | None = None

    @cached_property
    def records(self) -> pl.DataFrame:
        """rid, source, source_key, received_at of every record, in order of rid."""
        found: pl.DataFrame = self.con.sql(
            f"select rid, source, source_key, received_at from {self.loaded.table} order by rid"
        ).pl()
        return found

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """rid_l, rid_r, weight of every live pair that is stored."""
        load_live_pairs(self.con, self.workspace, self.party, self.model.version if self.model else "")
        found: pl.DataFrame = self.con.sql(f"from {LIVE_PAIRS} order by rid_l, rid_r").pl()
        return found

    def partition(self, decisions: pl.DataFrame, threshold: float) -> pl.DataFrame:
        """Cluster the records; the clustering itself is kept in ``clustering``.

        Args:
            decisions: The ledger, as of ``ledger.read_decisions``.
            threshold: Bits from which pairs make components and groups may join.

        Returns:
            source, source_key, received_at, cluster of every record.
        """
        records = self.records
        if records.height:
            edges = self.pairs.filter(pl.col("weight") >= threshold)
            must, never = self._decided(decisions)
            self.clustering = cluster(
                records.height,
                edges["rid_l"].to_numpy(),
                edges["rid_r"].to_numpy(),
                edges["weight"].to_numpy(),
                weigh=self._weigh,
                must=must,
                never=never,
                single=self._single(),
                edge=threshold,
            )
        labels = pl.Series("cluster", [f"{self.party}:"] * records.height, dtype=pl.String)
        numbers = pl.Series("cluster", self.clustering.labels).cast(pl.String).str.zfill(12)  # of equals the first
        clusters: pl.DataFrame = records.select(*_KEYS, "received_at").with_columns((labels + numbers).alias("cluster"))
        return clusters

    def weights_of(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return pairs whose records are both there, with their live weight, null where it is not kept.

        Args:
            pairs: left_source, left_key, right_source, right_key, and whatever else.
        """
        met = self.pairs_by_rid(pairs).join(
            self.pairs, left_on=["low", "high"], right_on=["rid_l", "rid_r"], how="left", maintain_order="left"
        )
        return met.select(*pairs.columns, "weight")

    def pairs_by_rid(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return pairs whose records are both of this party, with their rids: low and high."""
        ids = self.records.select("rid", *_KEYS)
        for side in ("left", "right"):
            pairs = pairs.join(
                ids.rename({"rid": f"{side}_rid", "source": f"{side}_source", "source_key": f"{side}_key"}),
                on=[f"{side}_source", f"{side}_key"],
                how="inner",
                maintain_order="left",
            )
        return pairs.with_columns(
            low=pl.min_horizontal("left_rid", "right_rid"), high=pl.max_horizontal("left_rid", "right_rid")
        )

    def _weigh(self, left: Ints, right: Ints) -> Floats:
        """Weigh pairs inside a component: there the odds against strangers are gone, so only contradictions count.

        What was weighed is kept: at another threshold most of the same pairs are asked for again.
        """
        if self.model is None or not self.model.comparisons:
            return np.full(len(left), -1.0)
        codes = left * np.int64(self.records.height) + right
        fresh = ~np.isin(codes, self._known[0])
        if fresh.any():
            left, right = self._with_stored(left[fresh], right[fresh])
            found = np.concatenate([self._known[1], self._weigh_anew(self.model, left, right)])
            known = np.concatenate([self._known[0], left * np.int64(self.records.height) + right])
            order = np.argsort(known)
            self._known = (known[order], found[order])
        weights: Floats = self._known[1][np.searchsorted(self._known[0], codes)]
        return weights

    def _with_stored(self, left: Ints, right: Ints) -> tuple[Ints, Ints]:
        """Add the stored pairs that a higher threshold will ask for, so that all of them are weighed at once."""
        if self.weigh_below is None:
            return left, right
        stored = self.pairs.filter(pl.col("weight") < self.weigh_below).select("rid_l", "rid_r").to_numpy()
        self.weigh_below = None
        many = np.int64(self.records.height)
        codes = np.unique(np.concatenate([left * many + right, stored[:, 0] * many + stored[:, 1]]))
        codes = codes[~np.isin(codes, self._known[0])]
        return codes // many, codes % many

    def _weigh_anew(self, model: Model, left: Ints, right: Ints) -> Floats:
        con = self.con
        install_macros(con)
        con.register("dd_asked", pa.table({"place": np.arange(len(left)), "rid_l": left, "rid_r": right}))
        con.execute("create or replace temp table dd_wanted as select rid_l, rid_r from dd_asked")
        named = "select rid_l as rid from dd_asked union select rid_r from dd_asked"
        con.execute(f"create or replace temp table dd_named as {named}")
        some = load_features(con, self.workspace, self.loaded, "dd_named")
        table = without_shared(con, some, model.shared)
        frequencies = load_term_frequencies(self.workspace.model_folder, model, con)
        score(con, model, table, "dd_wanted", frequencies, "dd_given", above=None)
        answer = con.execute(
            "select case when weight < 0 then greatest(weight, against) else weight end as weight "
            "from dd_asked join dd_given using (rid_l, rid_r) order by place"
        ).fetchnumpy()
        con.unregister("dd_asked")
        return np.asarray(answer["weight"], dtype=np.float64)

    def _decided(self, decisions: pl.DataFrame) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """Must-link and never-link pairs by rid."""
        decisions = self.pairs_by_rid(standing(decisions))
        must, never = (decisions.filter(pl.col("kind") == kind) for kind in ("must_link", "never_link"))
        return (
            (must["low"].to_numpy().astype(np.int64), must["high"].to_numpy().astype(np.int64)),
            (never["low"].to_numpy().astype(np.int64), never["high"].to_numpy().astype(np.int64)),
        )

    def _single(self) -> Ints:
        if not apart_sql(self.workspace):
            return np.full(self.records.height, -1, dtype=np.int64)
        without = sorted(s.name for s in self.workspace.catalog.sources.values() if s.deduplicated)
        numbers = {name: place for place, name in enumerate(without)}
        mapped = self.records["source"].replace_strict(numbers, default=-1, return_dtype=pl.Int64)
        return mapped.to_numpy().astype(np.int64)
