"""Coordinate reference systems: which one a file is in, and its geometries in degrees (WGS84).

A system is stated, named by the file, or known by the range of its numbers; one that is unclear is an error, never a
guess. Whatever pyproj knows may be stated: Lambert-93 (EPSG:2154), the projections of the overseas departments.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from datadock.errors import DatadockError

if TYPE_CHECKING:
    from pyproj import Transformer

WGS84 = "EPSG:4326"
LAMBERT_93 = "EPSG:2154"

_DIGITS = 8
"""Decimals of degrees that are kept: about a millimetre."""
_CRS84 = re.compile(r"crs:?84$", re.IGNORECASE)
_EPSG = re.compile(r"epsg\D*(?:\d+(?:\.\d+)*:)?(\d{4,6})$|^(\d{4,6})$", re.IGNORECASE)
_LAMBERT_RANGE = (0.0, 6_000_000.0, 1_300_000.0, 7_200_000.0)
_FRANCE = np.array(
    [
        (-5.6, 41.2, 9.8, 51.3),  # mainland and Corsica
        (-63.3, 14.2, -60.7, 18.3),  # Guadeloupe, Martinique, Saint-Martin, Saint-Barthélemy
        (-54.8, 2.0, -51.5, 5.9),  # Guyane
        (55.1, -21.5, 55.9, -20.8),  # La Réunion
        (44.9, -13.1, 45.4, -12.5),  # Mayotte
        (-56.6, 46.6, -56.0, 47.3),  # Saint-Pierre-et-Miquelon
    ]
)
"""Longitude and latitude of the corners of each territory."""

Geometries = NDArray[np.object_]


def named_crs(text: str) -> str:
    """Give ``EPSG:<code>`` of what names a system (``EPSG:2154``, ``urn:ogc:def:crs:OGC:1.3:CRS84``, ``2154``).

    Raises:
        DatadockError: The text names no system that is known.
    """
    from pyproj.exceptions import CRSError

    found = _EPSG.search(text.strip())
    code = WGS84 if _CRS84.search(text.strip()) else f"EPSG:{found[1] or found[2]}" if found else ""
    try:
        if code:
            _transformer(code)
            return code
    except CRSError:
        pass
    raise DatadockError(
        f"unknown coordinate reference system: {text}",
        "EPSG:2154 (Lambert-93), EPSG:4326 (WGS84), or another EPSG code",
        "state the system of the file with --crs",
    )


def crs_of(file: str, stated: str, member: str, bounds: NDArray[np.float64]) -> str:
    """Give the system of a file: stated, else named by it, else told by the range of its numbers.

    Args:
        file: Name of the file, for the message.
        stated: What the user stated; empty for nothing.
        member: What the file itself names; empty for nothing.
        bounds: Smallest x and y, largest x and y of all its numbers.

    Raises:
        DatadockError: The system is unknown, or unclear.
    """
    if stated or member:
        return named_crs(stated or member)
    lowest, highest = bounds[:2], bounds[2:]
    if np.all(lowest >= (-180, -90)) and np.all(highest <= (180, 90)):
        return WGS84
    if np.all(lowest >= _LAMBERT_RANGE[:2]) and np.all(highest <= _LAMBERT_RANGE[2:]):
        return LAMBERT_93
    told = ", ".join(f"{number:,.1f}" for number in bounds)
    raise DatadockError(
        f"{file} does not say in which system its numbers are, and their range does not tell: {told}",
        "degrees (WGS84) or metres of Lambert-93, or the file's member crs",
        "state the system with --crs, as --crs EPSG:2975 for La Réunion",
    )


def to_degrees(geometries: Geometries, crs: str) -> Geometries:
    """Give geometries in longitude and latitude, to a millimetre; a point that has none there becomes infinite.

    Args:
        geometries: Geometries in the system; none where one is missing.
        crs: ``EPSG:<code>``.
    """

    def convert(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        if crs != WGS84:
            numbers = np.column_stack(_transformer(crs).transform(numbers[:, 0], numbers[:, 1]))
        return np.round(numbers, _DIGITS)

    converted: Geometries = shapely.transform(geometries, convert)
    return converted


def lambert_to_degrees(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give longitudes and latitudes of Lambert-93 coordinates (metres)."""
    longitude, latitude = _transformer(LAMBERT_93).transform(x, y)
    return np.round(longitude, _DIGITS), np.round(latitude, _DIGITS)


def in_france(bounds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of each row of bounds (degrees) whether it lies within a territory of France."""
    low = np.all(bounds[:, None, :2] >= _FRANCE[None, :, :2], axis=2)
    high = np.all(bounds[:, None, 2:] <= _FRANCE[None, :, 2:], axis=2)
    found: NDArray[np.bool_] = np.any(low & high, axis=1)
    return found


@lru_cache(maxsize=8)
def _transformer(crs: str) -> Transformer:
    from pyproj import Transformer  # slow to import, and most runs convert nothing

    return Transformer.from_crs(crs, WGS84, always_xy=True)
