"""The IRIS of points, in bulk: the commune decides where it has one, else the contour that a point lies in.

A pure function over a frame. Points are looked up in a tree, contour by contour, never one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from datadock.geography.crs import Geometries

COMMUNE, CONTOURS = "commune", "contours"
"""What an IRIS was decided by."""

ON_BORDER = "LIMITE"
"""Code of a point that several contours hold: on their border, or where they overlap. The lowest IRIS code is taken."""

NO_CONTOURS, NO_POSITION, OUTSIDE = "contours_absents", "sans_coordonnees", "hors_contours"
"""Why a point has no IRIS: no contour of its commune is loaded, it has no coordinates, or no contour holds it."""

RESULT = pl.Schema({"code_iris": pl.String(), "iris_by": pl.String(), "iris_code": pl.String(), "reason": pl.String()})
"""Columns that ``assign_iris`` gives."""

_CHUNK = 250_000
"""Points that are in a tree at a time, which bounds the memory."""


@dataclass(frozen=True, eq=False)
class Contours:
    """Contours of IRIS, ready to be asked.

    Args:
        frame: ``code_iris``, ``code_insee``, ``contour`` (WKB, degrees) and whatever else; each code once.
    """

    frame: pl.DataFrame

    @cached_property
    def ordered(self) -> pl.DataFrame:
        """The contours by code, with their place in that order."""
        return self.frame.sort("code_iris").with_row_index("at")

    @cached_property
    def geometries(self) -> Geometries:
        """Their geometries in the same order."""
        found: Geometries = shapely.from_wkb(self.ordered["contour"].to_numpy())
        return found

    def several(self) -> list[str]:
        """Communes of which more than one contour is there: whatever an older table says, they have several IRIS."""
        counted = self.frame.group_by("code_insee").len().filter(pl.col("len") > 1)
        return counted["code_insee"].to_list()


def assign_iris(points: pl.DataFrame, contours: Contours, only_iris: Mapping[str, str]) -> pl.DataFrame:
    """Give the IRIS of each point.

    Args:
        points: ``longitude``, ``latitude`` (degrees; null where unknown), ``code_insee`` (null or empty where unknown:
            then all contours are asked). One row per point.
        contours: What is loaded of contours.
        only_iris: The IRIS of each commune that has but one.

    Returns:
        A frame of ``RESULT`` in the order of the points: the IRIS, by what it was decided, ``LIMITE`` where several
        contours hold the point, and the reason where there is no IRIS.
    """
    split = contours.several()
    alone = pl.DataFrame(
        {"code_insee": list(only_iris), "only": list(only_iris.values())},
        schema={"code_insee": pl.String, "only": pl.String},
    ).filter(~pl.col("code_insee").is_in(split))
    known = contours.frame.select("code_insee").unique().with_columns(drawn=pl.lit(value=True))
    asked = (
        points.select("longitude", "latitude", pl.col("code_insee").cast(pl.String).fill_null(""))
        .with_row_index("point")
        .join(alone, on="code_insee", how="left", maintain_order="left")
        .join(known, on="code_insee", how="left", maintain_order="left")
    )
    drawn = pl.col("drawn").fill_null(value=False) | ((pl.col("code_insee") == "") & pl.lit(known.height > 0))
    placed = pl.col("longitude").is_finite().fill_null(value=False) & pl.col("latitude").is_finite().fill_null(
        value=False
    )
    wanted = asked.filter(pl.col("only").is_null() & drawn & placed)
    held = _within(wanted, contours)
    reason = pl.when(~drawn).then(pl.lit(NO_CONTOURS)).when(~placed).then(pl.lit(NO_POSITION)).otherwise(
        pl.lit(OUTSIDE)
    )  # fmt: skip
    return asked.join(held, on="point", how="left", maintain_order="left").select(
        code_iris=pl.coalesce("only", "code_iris"),
        iris_by=pl.when(pl.col("only").is_not_null())
        .then(pl.lit(COMMUNE))
        .when(pl.col("code_iris").is_not_null())
        .then(pl.lit(CONTOURS)),
        iris_code=pl.when(pl.col("held") > 1).then(pl.lit(ON_BORDER)),
        reason=pl.when(pl.coalesce("only", "code_iris").is_null()).then(reason),
    )


def _within(wanted: pl.DataFrame, contours: Contours) -> pl.DataFrame:
    """Give for each point that a contour of its commune holds: the lowest code, and how many hold it."""
    parts = [_chunk(wanted.slice(start, _CHUNK), contours) for start in range(0, wanted.height, _CHUNK)]
    empty = pl.DataFrame(schema={"point": pl.UInt32, "code_iris": pl.String, "held": pl.UInt32})
    return pl.concat([empty, *parts])


def _chunk(points: pl.DataFrame, contours: Contours) -> pl.DataFrame:
    ordered = contours.ordered
    communes = points["code_insee"].unique()
    asked = (
        np.arange(ordered.height) if "" in communes else np.flatnonzero(ordered["code_insee"].is_in(communes.implode()))
    )
    at, place = _pairs(points, contours.geometries[asked])
    return (
        pl.DataFrame({"row": place, "at": asked[at]}, schema={"row": pl.UInt32, "at": pl.UInt32})
        .join(points.select("point", "code_insee").with_row_index("row"), on="row")
        .join(ordered.select("at", "code_iris", owner="code_insee"), on="at")
        .filter((pl.col("owner") == pl.col("code_insee")) | (pl.col("code_insee") == ""))
        .group_by("point")
        .agg(pl.col("code_iris").min(), held=pl.len().cast(pl.UInt32))
    )


def _pairs(points: pl.DataFrame, geometries: Geometries) -> NDArray[np.int64]:
    """Give the pairs of contour and point that touch: each contour is prepared once and asked of the points' tree."""
    tree = shapely.STRtree(shapely.points(points["longitude"].to_numpy(), points["latitude"].to_numpy()))
    found: NDArray[np.int64] = tree.query(geometries, predicate="intersects")
    return found
