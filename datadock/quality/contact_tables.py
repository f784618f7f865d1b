"""Reference tables behind phones and names: ARCEP number ranges with their operators, INSEE births by first name.

The tables ship with the package, each with its source, version, licence and SHA-256 in
``reference/data/contacts.json``; ``build_contact_tables`` makes them anew from the published files.
Nothing is read before the first value that needs it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from datadock.quality.fold import fold

DATA = Path(__file__).parent / "reference" / "data"
MANIFEST = "contacts.json"
RANGES, OPERATORS, FIRST_NAMES = "arcep_ranges", "arcep_operators", "first_name_spellings"

_SOURCES = {
    RANGES: ("ARCEP, numbering plan, as in PyPI fr-phonenumbers", "0.1.1", "MIT; data: Licence Ouverte 2.0"),
    OPERATORS: ("ARCEP, operator codes, as in PyPI fr-phonenumbers", "0.1.1", "MIT; data: Licence Ouverte 2.0"),
    FIRST_NAMES: ("INSEE, births by first name, 1900-2019", "2019", "Licence Ouverte 2.0"),
}
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


@dataclass(frozen=True, slots=True)
class Block:
    """A range of French numbers: the operator it was given to and the region whose country code it takes."""

    operator: str
    region: str


@dataclass(frozen=True, slots=True)
class Births:
    """Births of one first name, both sexes, over the years of the table."""

    male: int
    female: int

    @property
    def total(self) -> int:
        """All births of the name."""
        return self.male + self.female

    def __add__(self, other: Births) -> Births:
        """Add the births of two spellings."""
        return Births(self.male + other.male, self.female + other.female)


def reference(name: str) -> str:
    """Name a table and its version, as evidence cites it (``first_name_spellings 2019``)."""
    return f"{name} {_SOURCES[name][1]}"


@cache
def number_blocks() -> dict[str, Block]:
    """Return number ranges by their leading digits, without the trunk zero (``6122`` is all of 06 12 2)."""
    operators = {row["code"]: row["name"] for row in _rows(OPERATORS)}
    made: dict[tuple[str, str], Block] = {}
    blocks: dict[str, Block] = {}
    for row in _rows(RANGES):
        key = row["operator"], row["region"]
        if key not in made:
            made[key] = Block(operators.get(key[0], key[0]), key[1])
        blocks[row["prefix"]] = made[key]
    return blocks


@cache
def first_name_spellings() -> dict[str, Births]:
    """Return births by first name as registered, in capitals with accents (``JEAN-PIERRE``, ``CHLOÉ``)."""
    return {row["first_name"]: Births(int(row["male"]), int(row["female"])) for row in _rows(FIRST_NAMES)}


@cache
def first_name_keys() -> dict[str, tuple[str, ...]]:
    """Return the registered spellings of each folded first name, the most frequent one first."""
    spellings = first_name_spellings()
    keys: dict[str, list[str]] = {}
    for spelling in spellings:
        keys.setdefault(fold(spelling), []).append(spelling)
    return {key: tuple(sorted(names, key=lambda n: (-spellings[n].total, n))) for key, names in keys.items()}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def build_contact_tables(ranges: Path, operators: Path, first_names: Path, out: Path = DATA) -> None:
    """Write the tables and their manifest from the published files; the same input gives the same bytes.

    Args:
        ranges: ARCEP ranges (``range,num_debut,num_fin,operateur,zone``).
        operators: ARCEP operators (``code,operateur``).
        first_names: Births by first name (``prenom,n_m,n_f``).
        out: Folder to write to.
    """
    entries = [
        _write(out, RANGES, ("prefix", "operator", "region"), _range_rows(ranges)),
        _write(
            out, OPERATORS, ("code", "name"), ((r["code"].strip(), r["operateur"].strip()) for r in _read(operators))
        ),
        _write(
            out,
            FIRST_NAMES,
            ("first_name", "male", "female"),
            ((r["prenom"].strip(), r["n_m"], r["n_f"]) for r in _read(first_names)),
        ),
    ]
    (out / MANIFEST).write_text(json.dumps({"tables": entries}, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _range_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Keep ranges of nine digits that are all the numbers under a prefix: short and machine numbers are left out."""
    for row in _read(path):
        prefix = row["range"].strip()
        first, last = row["num_debut"], row["num_fin"]
        if (len(first), first, last) == (9, prefix.ljust(9, "0"), prefix.ljust(9, "9")):
            yield prefix, row["operateur"].strip(), _REGIONS.get(row["zone"].strip(), "FR")


def _write(out: Path, name: str, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> dict[str, object]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    kept = sorted(rows)
    writer.writerows([header, *kept])
    packed = gzip.compress(text.getvalue().encode(), 9, mtime=0)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.csv.gz").write_bytes(packed)
    source, version, licence = _SOURCES[name]
    return {
        "name": name,
        "file": f"{name}.csv.gz",
        "source": source,
        "version": version,
        "licence": licence,
        "sha256": hashlib.sha256(packed).hexdigest(),
        "rows": len(kept),
    }
