"""A small made-up world of communes with several IRIS, and the truth about it.

Real codes of communes and IRIS on made-up ground: each commune is a square of Lambert-93 metres, each IRIS the part of
it that lies nearest to its seed point (a Voronoi cell). So the truth of a point is its nearest seed, told without any
polygon. Streets with numbered addresses stand on the same ground, written as a BAN file.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import shapely
from pyproj import Transformer

from datadock.quality.reference import load_reference
from datadock.quality.reference.streets import BAN_COLUMNS

SIDE = 4000.0
"""Metres of a commune's side; communes stand apart by as much."""
MARGIN = 0.5
"""Metres from a border within which no point with a truth is put."""
WORDS = ("LILAS", "ACACIAS", "TILLEULS", "ROSIERS", "CHENES", "ORMES", "PINS", "SAULES", "NOYERS", "CEDRES")

_DEGREES = Transformer.from_crs(2154, 4326, always_xy=True)


def degrees(xy):
    """Longitudes and latitudes (n, 2) of Lambert-93 metres (n, 2)."""
    return np.column_stack(_DEGREES.transform(xy[:, 0], xy[:, 1]))


@dataclass(frozen=True)
class Commune:
    """One commune: its code, the corner of its square, its IRIS codes and their seeds (n, 2)."""

    code: str
    corner: np.ndarray
    iris: tuple[str, ...]
    seeds: np.ndarray

    def truth(self, xy):
        """The IRIS of each point (n, 2), and how far from a border it is at least, in metres."""
        away = np.linalg.norm(xy[:, None, :] - self.seeds[None, :, :], axis=2)
        order = np.argsort(away, axis=1)
        rows = np.arange(len(xy))
        nearest, second = order[:, 0], order[:, 1]
        apart = np.linalg.norm(self.seeds[nearest] - self.seeds[second], axis=1)
        margin = (away[rows, second] ** 2 - away[rows, nearest] ** 2) / (2 * apart)
        return np.array(self.iris)[nearest], margin

    def cells(self):
        """The polygon of each IRIS, in the order of its codes."""
        square = shapely.box(*self.corner, *(self.corner + SIDE))
        parts = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(self.seeds), extend_to=square))
        owners = shapely.STRtree(shapely.points(self.seeds)).query(parts, predicate="contains")
        found = dict(zip(owners[1], parts[owners[0]], strict=True))
        return [shapely.intersection(found[at], square) for at in range(len(self.iris))]

    def points(self, count, rng):
        """Points (count, 2) inside the commune, none nearer to a border than the margin, with their truth."""
        xy = self.corner + rng.uniform(MARGIN, SIDE - MARGIN, (count * 2 + 20, 2))
        iris, margin = self.truth(xy)
        kept = np.flatnonzero(margin > MARGIN)[:count]
        return xy[kept], iris[kept]


def make_world(seed=1, communes=4, fewest=3, most=60):
    """Make communes that really have several IRIS; ``fewest`` and ``most`` bound their number."""
    rng = np.random.default_rng(seed)
    several = [code for code, iris in sorted(load_reference().iris.items()) if fewest <= len(iris) <= most]
    # Lambert-93 is for the mainland; a commune that is no more has no postal code.
    several = [code for code in several if code < "96" and code in load_reference().by_insee]
    chosen = sorted(rng.choice(several, communes, replace=False).tolist())
    width = int(np.ceil(np.sqrt(communes)))
    made = []
    for at, code in enumerate(chosen):
        corner = np.array([500_000.0, 6_400_000.0]) + 2 * SIDE * np.array([at % width, at // width])
        iris = tuple(sorted(load_reference().iris[code]))
        made.append(Commune(code, corner, iris, corner + rng.uniform(0.02, 0.98, (len(iris), 2)) * SIDE))
    return made


def features(world, crs="EPSG:2154", step=0.0):
    """The GeoJSON features of all IRIS; ``step`` cuts their edges into pieces of so many metres."""
    made = []
    for commune in world:
        for code, cell in zip(commune.iris, commune.cells(), strict=True):
            drawn = shapely.segmentize(cell, step) if step else cell
            shape = shapely.transform(drawn, degrees) if crs == "EPSG:4326" else drawn
            properties = {"code_iris": code, "nom_iris": f"IRIS {code[5:]}", "insee_com": commune.code}
            made.append(
                {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(shape))}
            )
    return made


def write_contours(path: Path, made, crs=""):
    """Write features as a FeatureCollection, compressed where the name ends in .gz; ``crs`` is named in it."""
    document = {"type": "FeatureCollection", "features": made}
    if crs:
        document["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs.replace(':', '::')}"}}
    text = json.dumps(document).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


def points(world, count, seed=2):
    """Points over all communes: longitude, latitude, code_insee, truth."""
    rng = np.random.default_rng(seed)
    share = -(-count // len(world))
    parts = []
    for commune in world:
        xy, iris = commune.points(share, rng)
        lonlat = degrees(xy)
        parts.append(
            pl.DataFrame({"longitude": lonlat[:, 0], "latitude": lonlat[:, 1], "truth": iris}).with_columns(
                code_insee=pl.lit(commune.code)
            )
        )
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=seed).head(count)


def addresses(world, streets=6, numbers=12, seed=3):
    """Numbered addresses of made-up streets: code_insee, street, number, longitude, latitude, truth."""
    rng = np.random.default_rng(seed)
    rows = []
    for commune in world:
        for street in range(streets):
            xy, iris = commune.points(numbers, rng)
            for at, ((longitude, latitude), code) in enumerate(zip(degrees(xy), iris, strict=True)):
                rows.append((commune.code, f"Rue des {WORDS[street].title()}", at + 1, longitude, latitude, str(code)))
    return pl.DataFrame(rows, schema=["code_insee", "street", "number", "longitude", "latitude", "truth"], orient="row")


def write_ban(path: Path, rows: pl.DataFrame):
    """Write addresses as a BAN file of the public layout; ``rep`` is read where it stands among the columns."""
    made = []
    for row in rows.iter_rows(named=True):
        told = {
            "numero": str(row["number"]),
            "rep": row.get("rep") or "",
            "nom_voie": row["street"],
            "code_insee": row["code_insee"],
            "lon": f"{row['longitude']:.6f}",
            "lat": f"{row['latitude']:.6f}",
        }
        made.append(";".join((dict.fromkeys(BAN_COLUMNS, "") | told).values()))
    path.write_bytes(gzip.compress(("\n".join([";".join(BAN_COLUMNS), *made]) + "\n").encode(), mtime=0))
    return path
