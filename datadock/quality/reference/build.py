"""Makes the reference tables anew from the published packages and files, with their manifest.

The packages are fetched by the ordinary ``npm pack`` client, or read from a folder that holds their
archives. This runs when a maintainer asks for it, never when addresses are read.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from datadock.errors import DatadockError
from datadock.quality.fold import fold
from datadock.quality.reference.tables import DATA, MANIFEST

COMMUNES = "@etalab/decoupage-administratif"
LABELS = "codes-postaux"
COMMUNES_VERSION = "6.0.0"
FORMER_VERSIONS = ("0.7.0", "4.1.0", "5.3.0")
LABELS_VERSION = "4.1.2"
OPEN_LICENCE = "Licence Ouverte 2.0"

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table to write: its columns, its rows and where they come from."""

    name: str
    columns: Row
    rows: list[Row]
    source: str
    version: str
    licence: str


def fetch_package(name: str, version: str, folder: Path) -> Path:
    """Give the archive of an npm package, packed into the folder by the ``npm`` client unless it is there."""
    archive = folder / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", f"{name}@{version}", "--silent"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode or not archive.exists():
            raise DatadockError(
                f"npm pack {name}@{version} gave no archive: {done.stderr.strip()[-300:]}",
                f"the archive {archive.name}",
                "install npm and reach its registry, or put the archive into the folder and name the folder",
            )
    return archive


def read_member(archive: Path, member: str) -> Any:
    """Give one JSON document of a package's archive."""
    with tarfile.open(archive) as tar:
        stream = tar.extractfile(f"package/{member}")
        if stream is None:
            raise DatadockError(f"{archive.name} has no file {member}", "a package of the known layout")
        return json.load(stream)


def locality_rows(communes: Iterable[Mapping[str, Any]], older: Sequence[Iterable[Mapping[str, Any]]]) -> list[Row]:
    """Give one row per commune, municipal arrondissement and former or delegated commune.

    Args:
        communes: Records of the newest version of the package.
        older: Records of older versions; names that the newest has lost come back as former names.
    """
    newest = list(communes)
    current = {item["code"]: item for item in newest if item["type"] == "commune-actuelle"}
    merged = {old: code for code, item in current.items() for old in item.get("anciensCodes", [])}
    rows = [_locality(item, item["type"], _parent(item), current) for item in newest]
    known = {(row[3], fold(row[1])) for row in rows}
    for version in older:
        for item in version:
            code = item["code"] if item["code"] in current else merged.get(item["code"], "")
            if code and (code, fold(item["nom"])) not in known:
                known.add((code, fold(item["nom"])))
                rows.append(_locality(item, "ancien-nom", code, current))
    return sorted(rows)


def _parent(item: Mapping[str, Any]) -> str:
    return str(item.get("chefLieu") or item.get("commune") or item["code"])


def _locality(item: Mapping[str, Any], kind: str, parent: str, current: Mapping[str, Mapping[str, Any]]) -> Row:
    own = item if kind in ("commune-actuelle", "arrondissement-municipal") else current.get(parent, {})
    codes = "|".join(own.get("codesPostaux", []))
    people = str(item.get("population", "")) if own is item else ""
    return (item["code"], item["nom"], kind, parent, item.get("departement", ""), codes, people)


def label_rows(labels: Iterable[Mapping[str, str]]) -> list[Row]:
    """Give one row per postal code, commune and delivery label, the article put back before the name."""
    rows = set()
    for item in labels:
        name, _, article = item["libelleAcheminement"].partition(" (")
        rows.add((item["codePostal"], item["codeCommune"], fold(f"{article.rstrip(')')} {name}")))
    return sorted(rows)


def iris_rows(path: Path) -> list[Row]:
    """Give IRIS code, commune, kind and population."""
    frame = pl.read_parquet(path).select(pl.col("iris", "com", "typ_iris", "pop").cast(pl.String)).fill_null("")
    return sorted(tuple(row) for row in frame.iter_rows())


def write_table(table: Table, folder: Path, loaded_at: str) -> dict[str, Any]:
    """Write one table, compressed and byte for byte repeatable; give its entry in the manifest."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    content = text.getvalue().encode()
    target = folder / f"{table.name}.csv.gz"
    target.write_bytes(gzip.compress(content, 9, mtime=0))
    return {
        "table": table.name,
        "file": target.name,
        "rows": len(table.rows),
        "source": table.source,
        "version": table.version,
        "licence": table.licence,
        "sha256": hashlib.sha256(content).hexdigest(),
        "loaded_at": loaded_at,
    }


def build_reference(packages: Path, published: Path, target: Path = DATA, version: str = COMMUNES_VERSION) -> Path:
    """Make every table from its source and write the manifest beside them.

    Args:
        packages: Folder of the npm archives; what is missing is fetched into it.
        published: Folder with ``insee-prenoms`` and ``iris-insee``.
        target: Folder to write to.
        version: Version of the communes' package.

    Returns:
        The manifest's path.
    """
    target.mkdir(parents=True, exist_ok=True)
    communes = read_member(fetch_package(COMMUNES, version, packages), "data/communes.json")
    former = [item for item in FORMER_VERSIONS if item != version]
    older = [read_member(fetch_package(COMMUNES, item, packages), "data/communes.json") for item in former]
    labels = read_member(fetch_package(LABELS, LABELS_VERSION, packages), "codes-postaux.json")
    tables = [*_postal_tables(communes, older, labels, version, former), *_published_tables(published)]
    loaded_at = datetime.now(UTC).isoformat(timespec="seconds")
    entries = [write_table(table, target, loaded_at) for table in tables]
    manifest = target / MANIFEST
    kept = _written_by_hand(target, loaded_at, {entry["file"] for entry in entries})
    manifest.write_text(json.dumps({"tables": entries + kept}, indent=2) + "\n", encoding="utf-8")
    return manifest


def _postal_tables(
    communes: Any, older: Sequence[Any], labels: Any, version: str, former: Sequence[str]
) -> list[Table]:
    return [
        Table(
            "localities",
            ("code_insee", "nom", "type", "code_actuel", "departement", "codes_postaux", "population"),
            locality_rows(communes, older),
            f"npm {COMMUNES}, former names from {', '.join(former)}",
            version,
            OPEN_LICENCE,
        ),
        Table(
            "delivery_labels",
            ("code_postal", "code_insee", "libelle"),
            label_rows(labels),
            f"npm {LABELS} (DGFiP FIMOCT, frozen in 2023)",
            LABELS_VERSION,
            f"MIT, data {OPEN_LICENCE}",
        ),
    ]


def _published_tables(published: Path) -> list[Table]:
    return [
        Table(
            "iris",
            ("code_iris", "code_insee", "type_iris", "population"),
            iris_rows(published / "iris-insee" / "iris_2021.parquet"),
            "INSEE, RP 2021, geography 2024",
            "2021",
            OPEN_LICENCE,
        ),
    ]


def _written_by_hand(folder: Path, loaded_at: str, built: set[str]) -> list[dict[str, Any]]:
    """Give the entries of the tables that the project writes itself (street types, words)."""
    return [
        {
            "table": path.stem,
            "file": path.name,
            "rows": len(path.read_text(encoding="utf-8").splitlines()) - 1,
            "source": "datadock, after NF Z10-011",
            "version": "1",
            "licence": "Apache-2.0",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "loaded_at": loaded_at,
        }
        for path in sorted(folder.glob("*.csv"))
        if path.name not in built
    ]
