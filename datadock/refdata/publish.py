"""Reference tables in the lake, for whoever joins them: communes by version, and the origins of enriched values.

A version is written once. The newest one is the one in use; older ones stay, so that a join says what it was made with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa

from datadock.lake import Lake
from datadock.names import COMMUNES, ORIGINS
from datadock.quality.reference import Reference
from datadock.quality.reference.manifest import FIRST_NAMES, IRIS, LOCALITIES, RANGES, entry_of, read_table


@dataclass(frozen=True)
class Origin:
    """Where an enriched value comes from.

    Attributes:
        attribute: What is added to a contact.
        table: Reference table behind it; empty where a rule alone derives it.
        rule: How it is derived.
    """

    attribute: str
    table: str
    rule: str


ORIGINS_OF = (
    Origin("commune", LOCALITIES, "INSEE code of the best usable postal address"),
    Origin("iris", IRIS, "the commune's only IRIS; in a commune of several the contour that the address lies in"),
    Origin("age_band", "", "from the date of birth, at the day of reading"),
    Origin("sex", FIRST_NAMES, "sex that the first name tells, where neither sex nor civility was declared"),
    Origin("phone_operator", RANGES, "operator that the range of the best usable number was first given to"),
    Origin("phone_type", RANGES, "kind of the best usable number"),
)
"""Every attribute that contacts are enriched with."""


def publish_reference(lake: Lake, reference: Reference, off: Collection[str], at: datetime) -> int:
    """Write the tables of a reference that the lake does not hold as the newest yet.

    Args:
        lake: The lake.
        reference: The reference in use.
        off: Attributes that the deployment does not want.
        at: When (UTC).

    Returns:
        The number of tables written.
    """
    return _write(lake, COMMUNES, _communes(reference), reference.version, at) + _write(
        lake, ORIGINS, _origins(reference, off), reference.version, at
    )


def _communes(reference: Reference) -> pl.DataFrame:
    iris = pl.DataFrame(read_table(IRIS, reference.folder)).group_by("code_insee").agg(
        n_iris=pl.len().cast(pl.Int64), only_iris=pl.when(pl.len() == 1).then(pl.col("code_iris").first())
    )  # fmt: skip
    # An address in Paris, Lyon or Marseille bears the code of its arrondissement, and so do the IRIS there.
    today = pl.DataFrame(reference.localities).filter(
        pl.col("type").is_in(["commune-actuelle", "arrondissement-municipal"])
    )
    return (
        today.join(iris, on="code_insee", how="left")
        .select(
            "code_insee",
            name="nom",
            department="departement",
            postal_codes="codes_postaux",
            population=pl.col("population").cast(pl.Int64, strict=False),
            n_iris=pl.col("n_iris").fill_null(0),
            only_iris="only_iris",
        )
        .unique("code_insee", maintain_order=True)
        .sort("code_insee")
    )


def _origins(reference: Reference, off: Collection[str]) -> pl.DataFrame:
    rows = []
    for origin in ORIGINS_OF:
        entry = entry_of(origin.table, reference.folder)[1] if origin.table else None
        rows.append(
            {
                "attribute": origin.attribute,
                "origin": entry.source if entry else "datadock",
                "version": entry.version if entry else "1",
                "licence": entry.licence if entry else "Apache-2.0",
                "rule": origin.rule,
                "is_on": origin.attribute not in off,
            }
        )
    return pl.DataFrame(rows)


def _write(lake: Lake, table: str, rows: pl.DataFrame, version: str, at: datetime) -> int:
    digest = hashlib.sha256(rows.write_csv().encode() + version.encode()).hexdigest()
    last = lake.last_inputs(table)
    if last.get("content") == digest:
        return 0
    step = int(last.get("step", 0)) + 1
    stamped = rows.with_columns(
        reference=pl.lit(version), step=pl.lit(step, pl.Int64), loaded_at=pl.lit(at, pl.Datetime("us", "UTC"))
    )
    inputs = json.dumps({"content": digest, "step": step})
    lake.append_once(table, plain_texts(stamped.to_arrow()), f"{table}:{inputs}", metadata={"datadock.inputs": inputs})
    return 1


def plain_texts(table: pa.Table) -> pa.Table:
    """Replace Arrow's large texts and bytes by the plain ones that Delta keeps."""
    kinds = {pa.large_string(): pa.string(), pa.string_view(): pa.string(),
             pa.large_binary(): pa.binary(), pa.binary_view(): pa.binary()}  # fmt: skip
    return table.cast(pa.schema([pa.field(one.name, kinds.get(one.type, one.type)) for one in table.schema]))
