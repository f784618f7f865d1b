"""Reads contours of IRIS, as INSEE and IGN publish them, into one frame; what cannot be relied on is listed.

A contour is taken as it stands, never mended: an invalid one, one without its code, one told twice are refused each by
itself, and the good ones of the file remain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely

from datadock.errors import DatadockError
from datadock.geography.crs import Geometries, crs_of, in_france, to_degrees
from datadock.geography.features import read_features

SCHEMA = pl.Schema({"code_iris": pl.String(), "code_insee": pl.String(), "name": pl.String(), "contour": pl.Binary()})
"""A contour: codes, name, and its geometry as WKB in degrees (WGS84), normalised."""

_CODE = re.compile(r"(?:\d{2}|2A|2B)\d{7}$")
_CODES = ("code_iris", "dcomiris", "cod_iris")
_NAMES = ("nom_iris", "lib_iris", "lab_iris")
_COMMUNES = ("insee_com", "code_insee", "depcom", "com")


@dataclass(frozen=True)
class Refused:
    """A feature that is not taken.

    Attributes:
        file: Name of its file.
        feature: Its place in the file, from 1.
        code: Its IRIS code, where it has one.
        reason: Why.
    """

    file: str
    feature: int
    code: str
    reason: str


@dataclass(frozen=True)
class ReadContours:
    """The contours of one file.

    Attributes:
        file: Name of the file.
        crs: The system that its numbers are in, ``EPSG:<code>``.
        contours: Frame of ``SCHEMA``, by code.
        refused: Features that are not taken.
    """

    file: str
    crs: str
    contours: pl.DataFrame
    refused: list[Refused]


def read_contours(path: Path, crs: str = "") -> ReadContours:
    """Read the contours of one file.

    Args:
        path: GeoJSON (``.gz`` too) or GeoPackage with a feature per IRIS: ``code_iris`` (``DCOMIRIS``), ``nom_iris``,
            ``insee_com``, in any case.
        crs: System of its numbers, where the file does not name it or names a wrong one.

    Raises:
        DatadockError: The file is unreadable, empty, of another format, of an unclear system, or has no good contour.
    """
    features = read_features(path)
    geometries = features.geometries
    bounds = shapely.total_bounds(geometries)
    if np.isnan(bounds).any():
        raise DatadockError(f"{path.name} holds no geometry", "one contour per feature", "load the file as published")
    system = crs_of(path.name, crs, features.crs, bounds)
    degrees = to_degrees(geometries, system)
    codes = [_text(properties, _CODES) for properties in features.properties]
    communes = [_text(properties, _COMMUNES) for properties in features.properties]
    reasons = _reasons(codes, communes, features.properties, degrees)
    taken = [at for at, reason in enumerate(reasons) if not reason]
    refused = [Refused(path.name, at + 1, codes[at], reason) for at, reason in enumerate(reasons) if reason]
    if not taken:
        raise DatadockError(
            f"{path.name} holds no contour that can be taken: {_summed(refused)}",
            "features with code_iris, nom_iris, insee_com and a valid polygon in France",
            "load the file as published; state its system with --crs where the file names a wrong one",
        )
    frame = pl.DataFrame(
        {
            "code_iris": [codes[at] for at in taken],
            "code_insee": [codes[at][:5] for at in taken],
            "name": [_text(features.properties[at], _NAMES) for at in taken],
            "contour": shapely.to_wkb(shapely.normalize(degrees[taken]), output_dimension=2, byte_order=1),
        },
        schema=SCHEMA,
    )
    return ReadContours(path.name, system, frame.sort("code_iris"), refused)


def twice_told(files: Iterable[ReadContours]) -> list[ReadContours]:
    """Refuse the contours that several files hold, in all of them: which one is right is not known."""
    read = list(files)
    held = Counter(code for file in read for code in file.contours["code_iris"])
    double = [code for code, count in held.items() if count > 1]
    if not double:
        return read
    again = pl.col("code_iris").is_in(double)
    return [
        ReadContours(
            file.file,
            file.crs,
            file.contours.filter(~again),
            [
                *file.refused,
                *(
                    Refused(file.file, 0, code, "another file holds it, too")
                    for code in file.contours.filter(again)["code_iris"]
                ),
            ],
        )
        for file in read
    ]


def _text(properties: dict[str, Any], names: Iterable[str]) -> str:
    """Give the first property that is there; a code that was written as a number gets its leading zero back."""
    for name in names:
        value = properties.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:0{9 if name in _CODES else 5}d}"
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _reasons(codes: list[str], communes: list[str], properties: list[dict[str, Any]], degrees: Geometries) -> list[str]:
    """Give why each feature is not taken; empty where it is."""
    counts = Counter(codes)
    kinds = shapely.get_type_id(degrees)
    invalid = shapely.is_valid_reason(degrees)
    bounds = shapely.bounds(degrees)
    bounded = np.isfinite(bounds).all(axis=1)
    french = in_france(np.where(bounded[:, None], bounds, 0.0))
    reasons = []
    for at, code in enumerate(codes):
        if not code:
            held = ", ".join(sorted(properties[at])) or "none"
            reasons.append(f"no code_iris among its properties: {held}")
        elif not _CODE.match(code):
            reasons.append("code_iris is no IRIS code of nine characters")
        elif communes[at] and communes[at] != code[:5]:
            reasons.append(f"insee_com {communes[at]} is not the commune of its code")
        elif counts[code] > 1:
            reasons.append(f"{counts[code]} features of the file have this code")
        elif kinds[at] not in (3, 6):
            named = "no geometry that can be read" if degrees[at] is None else f"geometry is a {degrees[at].geom_type}"
            reasons.append(named)
        elif not bounded[at]:
            reasons.append("geometry is empty or outside of its system")
        elif invalid[at] != "Valid Geometry":
            reasons.append(f"invalid geometry: {invalid[at]}")
        else:
            reasons.append("" if french[at] else "geometry lies outside of France")
    return reasons


def _summed(refused: list[Refused]) -> str:
    counts = Counter(one.reason.split(":")[0] for one in refused)
    return ", ".join(f"{count} x {reason}" for reason, count in counts.most_common(3))
