"""The contours of IRIS that a home has loaded: which files, of which version and licence, and the log of contours.

A load replaces the contours of the communes that it holds; those of other communes stay. A contour that a newer
version draws as the one before keeps the version that it came with. ``<home>/reference/iris/iris.json`` lists the
files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from datadock.dock import exclusive
from datadock.geography.contours import ReadContours, Refused, read_contours, twice_told
from datadock.lake import Lake
from datadock.names import IRIS_CONTOURS
from datadock.refdata.loaded import file_digest, named_files, read_list, write_list
from datadock.refdata.log import Change, write_difference
from datadock.settings import Settings

_LEDGER = "iris.json"
_SUFFIXES = (".geojson", ".json", ".geojson.gz", ".json.gz", ".gpkg")
_EXPECTED = f"files of contours of IRIS ({', '.join(_SUFFIXES)}), or a folder of them"
_FETCH = "fetch them from https://geoservices.ign.fr/contoursiris"


@dataclass(frozen=True)
class ContourFile:
    """One loaded file of contours.

    Attributes:
        file: Its name.
        source: Who publishes it.
        version: The publisher's version.
        licence: Of the data.
        crs: The system that its numbers are in.
        communes: Number of its communes.
        contours: Number of contours that were taken.
        refused: Number of features that were not.
        sha256: Hex digest of its bytes.
        loaded_at: When it was loaded (UTC, ISO).
    """

    file: str
    source: str
    version: str
    licence: str
    crs: str
    communes: int
    contours: int
    refused: int
    sha256: str
    loaded_at: str


@dataclass(frozen=True)
class LoadedContours:
    """What became of a load.

    Attributes:
        files: Each file, and whether it was new.
        change: What it changed in the contours in force.
        refused: Features that were not taken.
    """

    files: list[tuple[ContourFile, bool]]
    change: Change
    refused: list[Refused]


def loaded_iris(settings: Settings) -> list[ContourFile]:
    """Give the files of contours that a home has loaded, by name."""
    return [ContourFile(**row) for row in read_list(settings.home_path / "reference" / "iris" / _LEDGER)]


def install_iris(
    settings: Settings, paths: Iterable[Path], *, version: str, source: str, licence: str, crs: str = ""
) -> LoadedContours:
    """Load contours of IRIS into the home; every file is read before anything changes.

    Args:
        settings: The deployment.
        paths: Files (GeoJSON, GeoPackage), or folders of them.
        version: The publisher's version, as ``2024-01-01``.
        source: Who publishes them.
        licence: Of the data.
        crs: System of their numbers, where the files do not name it.

    Raises:
        DatadockError: When a file cannot be read at all or is of an unclear system, or a run is under way; nothing
            changes.
    """
    known = {item.file: item for item in loaded_iris(settings)}
    told = {"source": source, "version": version, "licence": licence}
    paths = named_files(paths, _inside, "file of contours", _EXPECTED, _FETCH)
    digests = {path.name: file_digest(path) for path in paths}
    same = {name for name, sha256 in digests.items() if name in known and known[name].sha256 == sha256}
    done = {name for name in same if told.items() <= asdict(known[name]).items()}
    read = twice_told(read_contours(path, crs) for path in paths if path.name not in done)
    items = {file.file: _described(file, digests[file.file], told) for file in read}
    with exclusive(settings.home_path):
        change = _write(Lake(settings.lake_root), read, told, anew=bool(same - done))
        write_list(settings.home_path / "reference" / "iris" / _LEDGER, known | items)
    files = [(items.get(path.name) or known[path.name], path.name in items) for path in paths]
    return LoadedContours(files, change, [one for file in read for one in file.refused])


def _write(lake: Lake, read: list[ReadContours], told: dict[str, str], *, anew: bool) -> Change:
    if not read:
        return Change(0, 0, 0)
    rows = pl.concat([file.contours for file in read])
    return write_difference(
        lake,
        IRIS_CONTOURS,
        rows,
        ("code_iris",),
        scope=pl.col("code_insee").is_in(rows["code_insee"].unique().to_list()),
        stamps=told,
        at=datetime.now(UTC),
        noted={},
        kept={one.code for file in read for one in file.refused},
        anew=anew,
    )


def _inside(folder: Path) -> Iterable[Path]:
    return (path for path in folder.iterdir() if path.name.lower().endswith(_SUFFIXES))


def _described(file: ReadContours, sha256: str, told: dict[str, str]) -> ContourFile:
    communes, now = file.contours["code_insee"].n_unique(), datetime.now(UTC).isoformat(timespec="seconds")
    return ContourFile(
        file.file, told["source"], told["version"], told["licence"], file.crs, communes, file.contours.height,
        len(file.refused), sha256, now,
    )  # fmt: skip
