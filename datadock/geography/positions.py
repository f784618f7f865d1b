"""Positions of numbered addresses, as a BAN file tells them, and the position of an address among them.

A number that stands in the BAN has its own position. One that does not is put between its neighbours of the same side
of the street; an address without a number, or beside no other, stands in the middle of its street.
"""

from __future__ import annotations

import duckdb
import numpy as np
import polars as pl

from datadock.geography.crs import lambert_to_degrees
from datadock.quality.address.words import REPETITIONS
from datadock.quality.fold import fold_expr
from datadock.quality.reference.streets import street_key_expr

NUMBER, STREET, DECLARED = "numero", "voie", "declaree"
"""How exact a position is: that of the number, a place in its street, or what a source declared."""

KEY = ("code_insee", "street", "number", "repetition")
"""What names a position; ``street`` is the key by which streets are compared."""

SCHEMA = pl.Schema(
    {
        "code_insee": pl.String(),
        "street": pl.String(),
        "number": pl.Int64(),
        "repetition": pl.String(),
        "longitude": pl.Float64(),
        "latitude": pl.Float64(),
    }
)

_EXACT = ("entrée", "bâtiment", "cage d’escalier", "logement", "parcelle", "segment")
"""Kinds of position, the most exact first; the first of them is taken where a number has several."""


def positions_in(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the positions of a BAN file, each number of a street once.

    Args:
        frame: The file, every column as text. Without longitude and latitude, x and y of the mainland are read.

    Returns:
        A frame of ``SCHEMA``, by its key; numbers without a position are left out.
    """
    there = [name for name in ("lon", "lat", "x", "y", "rep", "type_position") if name not in frame.columns]
    told = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in there)
    mark = fold_expr(pl.col("rep").fill_null("")).replace(REPETITIONS)
    read = told.select(
        "code_insee",
        street=street_key_expr(fold_expr(pl.col("nom_voie").fill_null(""))),
        number=pl.col("numero").str.strip_chars().cast(pl.Int64, strict=False),
        repetition=mark,
        longitude=pl.col("lon").cast(pl.Float64, strict=False),
        latitude=pl.col("lat").cast(pl.Float64, strict=False),
        x=pl.col("x").cast(pl.Float64, strict=False),
        y=pl.col("y").cast(pl.Float64, strict=False),
        exact=pl.col("type_position").replace_strict(_EXACT, range(len(_EXACT)), default=len(_EXACT)),
    )
    placed = _from_metres(read).filter(
        pl.col("longitude").is_between(-180, 180) & pl.col("latitude").is_between(-90, 90)
    )
    named = placed.filter((pl.col("street") != "") & (pl.col("number") > 0) & pl.col("code_insee").is_not_null())
    ordered = named.sort(*KEY, "exact", "longitude", "latitude")
    return ordered.unique(KEY, keep="first", maintain_order=True).select(list(SCHEMA))


def _from_metres(read: pl.DataFrame) -> pl.DataFrame:
    """Fill missing degrees from Lambert-93 metres, on the mainland and Corsica."""
    lacking = pl.col("longitude").is_null() & pl.col("x").is_not_null() & ~pl.col("code_insee").str.starts_with("97")
    part = read.filter(lacking)
    if not part.height:
        return read
    longitude, latitude = lambert_to_degrees(part["x"].to_numpy(), part["y"].to_numpy())
    finite = np.where(np.isfinite(longitude), longitude, 999.0)
    mended = part.with_columns(longitude=pl.Series(finite), latitude=pl.Series(latitude))
    return pl.concat([read.filter(~lacking.fill_null(value=False)), mended])


def locate(con: duckdb.DuckDBPyConnection, wanted: str, positions: str) -> pl.DataFrame:
    """Give the positions of addresses whose street is known.

    Args:
        con: Connection.
        wanted: Relation of ``value_id``, ``code_insee``, ``street`` (key), ``number`` (null for none), ``repetition``
            (empty for none).
        positions: Relation of the columns of ``SCHEMA`` and ``version``, each key once.

    Returns:
        ``value_id``, ``longitude``, ``latitude``, ``precision`` (``numero`` or ``voie``) and ``position_version`` of
        each address of which the street has a position; others are left out.
    """
    con.execute(_NUMBERS.format(positions=positions))
    found: pl.DataFrame = con.sql(_LOCATED.format(wanted=wanted, positions=positions)).pl()
    return found


_NUMBERS = """
create or replace temp table dd_numbers as
select code_insee, street, number, number % 2 as side,
    arg_min(longitude, repetition) as longitude, arg_min(latitude, repetition) as latitude,
    arg_min(version, repetition) as version
from {positions} group by code_insee, street, number
"""

_LOCATED = """
with exact as (
    select w.value_id, p.longitude, p.latitude, 'numero' as precision, p.version as position_version
    from {wanted} w join {positions} p using (code_insee, street, number, repetition)
),
others as (select * from {wanted} anti join exact using (value_id)),
sided as (select *, number % 2 as side from others where number is not null),
below as (
    select s.value_id, n.number, n.longitude, n.latitude, n.version from sided s asof join dd_numbers n
    on s.code_insee = n.code_insee and s.street = n.street and s.side = n.side and s.number >= n.number
),
above as (
    select s.value_id, n.number, n.longitude, n.latitude, n.version from sided s asof join dd_numbers n
    on s.code_insee = n.code_insee and s.street = n.street and s.side = n.side and s.number <= n.number
),
middles as (
    select code_insee, street, avg(longitude) as longitude, avg(latitude) as latitude, max(version) as version
    from dd_numbers group by code_insee, street
),
shares as (
    select o.value_id, b.longitude as b_lon, b.latitude as b_lat, a.longitude as a_lon, a.latitude as a_lat,
        m.longitude as m_lon, m.latitude as m_lat, coalesce(greatest(a.version, b.version), m.version) as version,
        case when a.number > b.number then (o.number - b.number) / (a.number - b.number) else 0 end as share
    from others o join middles m using (code_insee, street)
    left join below b using (value_id) left join above a using (value_id)
)
select value_id, longitude, latitude, precision, position_version from exact
union all
select value_id,
    round(coalesce(b_lon + share * (a_lon - b_lon), b_lon, a_lon, m_lon), 8),
    round(coalesce(b_lat + share * (a_lat - b_lat), b_lat, a_lat, m_lat), 8), 'voie', version
from shares
"""
