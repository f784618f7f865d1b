"""Reads files of features: GeoJSON, compressed or not, and GeoPackage; properties and geometries as they stand.

A geometry that cannot be read is none, and its reason is told; what the properties mean is not known here.
A file is read into memory as a whole.
"""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from datadock.errors import DatadockError
from datadock.geography.crs import Geometries

_ENVELOPES = (0, 32, 48, 48, 64)
"""Bytes of a GeoPackage geometry's envelope, by its kind."""
_SQLITE = b"SQLite format 3\x00"
_EXPECTED = "a FeatureCollection as GeoJSON (.geojson, .json, .gz), or a GeoPackage (.gpkg)"


@dataclass(frozen=True)
class Features:
    """What a file holds.

    Attributes:
        crs: The coordinate reference system that it names; empty where it names none.
        properties: Properties of each feature, their names in lower case.
        geometries: Geometry of each feature; none where there is none that can be read.
    """

    crs: str
    properties: list[dict[str, Any]]
    geometries: Geometries


def read_features(path: Path) -> Features:
    """Read a file of features.

    Raises:
        DatadockError: The file is missing, unreadable, of another format or empty.
    """
    try:
        with path.open("rb") as stream:
            is_package = stream.read(16) == _SQLITE
        found = _package(path) if is_package else _geojson(path)
    except (OSError, EOFError, zlib.error, sqlite3.DatabaseError) as error:
        raise DatadockError(f"{path} cannot be read: {error}", _EXPECTED, "name the file, or fetch it again") from error
    if not found.properties:
        raise DatadockError(f"{path.name} holds no feature", "one feature per IRIS", "fetch the file again")
    return found


def _geojson(path: Path) -> Features:
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if not content.strip():
        raise DatadockError(f"{path.name} is empty", _EXPECTED, "fetch the file again")
    try:
        document = orjson.loads(content)
    except ValueError as error:
        raise DatadockError(f"{path.name} is no GeoJSON: {error}", _EXPECTED, "load the file as published") from error
    kind = document.get("type") if isinstance(document, dict) else type(document).__name__
    if kind != "FeatureCollection" or not isinstance(document.get("features"), list):
        raise DatadockError(f"{path.name} is no FeatureCollection but {kind}", _EXPECTED, "load the file as published")
    features = [feature if isinstance(feature, dict) else {} for feature in document["features"]]
    texts = [orjson.dumps(feature.get("geometry")).decode() for feature in features]
    readable = [text if text != "null" else None for text in texts]
    geometries = shapely.from_geojson(np.array(readable, dtype=object), on_invalid="ignore")
    return Features(_member(document.get("crs")), [_lowered(one.get("properties")) for one in features], geometries)


def _member(crs: Any) -> str:
    """Give the name of GeoJSON's member crs."""
    properties = crs.get("properties") if isinstance(crs, dict) else None
    return str(properties.get("name", "")) if isinstance(properties, dict) else ""


def _lowered(properties: Any) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in properties.items()} if isinstance(properties, dict) else {}


def _package(path: Path) -> Features:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute(
            "select g.table_name, g.column_name, s.organization, s.organization_coordsys_id as code "
            "from gpkg_geometry_columns g left join gpkg_spatial_ref_sys s using (srs_id)"
        ).fetchall()
        if len(tables) != 1:
            named = ", ".join(row["table_name"] for row in tables) or "none"
            raise DatadockError(f"{path.name} has {len(tables)} layers: {named}", "one layer", "export the one of IRIS")
        layer, column = tables[0]["table_name"], tables[0]["column_name"]
        name = layer.replace('"', '""')
        rows = [dict(row) for row in connection.execute(f'select * from "{name}"')]
    blobs = [_wkb(row.pop(column)) for row in rows]
    known = str(tables[0]["organization"] or "").upper() == "EPSG"
    geometries = shapely.from_wkb(np.array(blobs, dtype=object), on_invalid="ignore")
    return Features(f"EPSG:{tables[0]['code']}" if known else "", [_lowered(row) for row in rows], geometries)


def _wkb(blob: Any) -> bytes | None:
    """Give the WKB behind the header of a GeoPackage geometry."""
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8:
        return None
    kind = blob[3] >> 1 & 0b111
    return blob[8 + _ENVELOPES[kind] :] if kind < len(_ENVELOPES) else None
