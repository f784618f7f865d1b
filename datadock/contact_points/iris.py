"""The IRIS of a set: of any addresses, as the next run would assign it, or of golden contacts, as they stand published.

Nothing is written. What a run keeps of the addresses that it knows stands in ``places``.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from datadock.contact_points.kinds import ADDRESS
from datadock.contact_points.places import FULL_STREET, contours_of, hold_positions
from datadock.contact_points.references import References
from datadock.geography import assign_iris
from datadock.geography.positions import locate
from datadock.identity.workspace import Workspace
from datadock.quality.reference.streets import street_key_expr
from datadock.settings import Settings
from datadock.warehouse.publish import query_published
from datadock.warehouse.values_sql import literal

_PLACED = ("code_insee", "longitude", "latitude", "precision", "position_version")


def iris_of_addresses(workspace: Workspace, addresses: pl.DataFrame, references: References) -> pl.DataFrame:
    """Give the IRIS of each address, by what is loaded now.

    Args:
        workspace: The deployment's, for the positions and contours of its lake.
        addresses: ``address_line``, ``address_extra``, ``postcode``, ``city``, ``country`` as declared, as text.
        references: Communes and streets in use.

    Returns:
        In the order of the addresses: ``code_insee``, ``longitude``, ``latitude``, ``precision`` (``numero``,
        ``voie``), ``position_version``, ``code_iris``, ``iris_by`` (``commune``, ``contours``), ``iris_code``,
        ``reason`` and ``iris_version`` (of the contour).
    """
    declared = addresses.select(pl.col(name).cast(pl.String).alias(f"declared_{name}") for name in ADDRESS.inputs)
    read = ADDRESS.read(declared, references.normaliser).with_row_index("row")
    with workspace.connection() as con:
        con.register("dd_read", read.to_arrow())
        streets: pl.DataFrame = con.sql(
            f"select row::varchar as value_id, coalesce(code_insee, '') as code_insee, case when street_checked then "
            f"{FULL_STREET} else '' end as street, try_cast(nullif(numero, '') as bigint) as number, "
            "coalesce(repetition, '') as repetition from dd_read order by row"
        ).pl()
        keyed = streets.with_columns(street_key_expr(pl.col("street")))
        con.register("dd_asked", keyed.filter(pl.col("street") != "").to_arrow())
        hold_positions(con, workspace)
        located = locate(con, "dd_asked", "dd_positions")
        placed = keyed.join(located, on="value_id", how="left", maintain_order="left").select(_PLACED)
        contours = contours_of(con, workspace, placed)
    reference = references.reference.iris
    only = {code: iris[0] for code, iris in reference.items() if len(iris) == 1}
    versions = contours.frame.select("code_iris", iris_version="version")
    found = placed.hstack(assign_iris(placed, contours, only))
    return found.join(versions, on="code_iris", how="left", maintain_order="left")


def iris_of_contacts(settings: Settings, golden_ids: Collection[str]) -> pl.DataFrame:
    """Give the published IRIS of some golden contacts, or the reason why there is none.

    Args:
        settings: The deployment.
        golden_ids: Active golden ids.

    Returns:
        The rows of ``marts.contact_iris``, by golden id; ids that it does not know are left out.

    Raises:
        WarehouseError: When nothing is published yet.
    """
    listed = ", ".join(literal(golden_id) for golden_id in sorted(set(golden_ids))) or "null"
    query = f"select * from marts.contact_iris where golden_id in ({listed}) order by golden_id"
    columns, rows = query_published(settings, query, limit=max(len(golden_ids), 1))
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
