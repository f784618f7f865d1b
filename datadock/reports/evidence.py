"""What the page on linking asks of the model: who could be recognised at all.

Figures and words; drawing is ``graphs``', and why a pair weighs what it weighs is ``identity.explain``'s.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from datadock.identity.feature_store import load_features
from datadock.identity.model import Model, load_term_frequencies
from datadock.identity.normalise import install_macros
from datadock.identity.partition import PartyClusters
from datadock.identity.scoring import weigh
from datadock.identity.trainer import without_shared

_SELF = 5_000
"""Records that are held against themselves, at most: of more, a sample by hash."""


def unlinkable(clusters: PartyClusters, threshold: float) -> pl.DataFrame:
    """Hold records against themselves: who does not reach the threshold even so can be joined with nobody.

    Returns:
        source, records (looked at), unlinkable, empty (of these, records with nothing that is compared filled in),
        lacking (what most of them lack, in words).
    """
    schema = {"source": pl.String, "records": pl.Int64, "unlinkable": pl.Int64, "empty": pl.Int64, "lacking": pl.String}
    model, records = clusters.model, clusters.records
    if model is None or not model.comparisons or not records.height:
        return pl.DataFrame(schema=schema)
    if records.height > _SELF:
        records = records.sort(pl.col("source_key").hash()).head(_SELF).sort("rid")
    rows = _compared(clusters, model, records.select(rid_l="rid", rid_r="rid"))
    weights = [f"mw_{c.name}" for c in model.comparisons]
    names = [c.name.replace("_", " ") for c in model.comparisons]
    known = pl.DataFrame({n: rows[w] != 0 for n, w in zip(names, weights, strict=True)})
    found = rows.select(rid="rid_l", short=pl.col("weight") < threshold).hstack(known)
    found = found.join(records.select("rid", "source"), on="rid", how="left").with_columns(
        empty=~pl.any_horizontal(names)
    )
    told = []
    for (source,), part in found.group_by("source", maintain_order=True):
        short = part.filter("short")
        lacks = sorted(((int((~short[name]).sum()), name) for name in names), reverse=True)
        words = ", ".join(f"{name} ({n})" for n, name in lacks[:4] if n)
        told.append((source, part.height, short.height, int((short["empty"]).sum()), words))
    return pl.DataFrame(sorted(told), schema=schema, orient="row")


def _compared(clusters: PartyClusters, model: Model, pairs: pl.DataFrame) -> pl.DataFrame:
    """Every weight of some pairs: rid_l, rid_r, match_weight, mw_*, weight; in the order of the pairs."""
    con = clusters.con
    install_macros(con)
    asked = pairs.select(pl.col("rid_l", "rid_r").cast(pl.Int64)).with_row_index("place")
    con.register("dd_explained", asked.to_arrow())
    con.execute("create or replace temp table dd_explained_pairs as select distinct rid_l, rid_r from dd_explained")
    wanted = np.unique(np.concatenate([asked["rid_l"].to_numpy(), asked["rid_r"].to_numpy()]))
    con.register("dd_explained_rids", pa.table({"rid": wanted}))
    features = load_features(con, clusters.workspace, clusters.loaded, "dd_explained_rids")
    table = without_shared(con, features, model.shared)
    frequencies = load_term_frequencies(clusters.workspace.model_folder, model, con)
    weigh(con, model, table, "dd_explained_pairs", frequencies, "dd_explained_weights")
    found: pl.DataFrame = con.sql(
        "select w.* from dd_explained join dd_explained_weights w using (rid_l, rid_r) order by place"
    ).pl()
    for name in ("dd_explained", "dd_explained_rids"):
        con.unregister(name)
    return found
