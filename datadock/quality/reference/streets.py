"""The pluggable street reference: a user's own BAN files, the public layout of 23 columns.

Without them nothing claims that a street exists (``street_checked`` is false everywhere). With them a
street is looked for among the streets of its commune, by its folded name and by its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from datadock.errors import DatadockError
from datadock.quality.fold import fold, fold_expr

BAN_COLUMNS = (
    "id", "id_fantoir", "numero", "rep", "nom_voie", "code_postal", "code_insee", "nom_commune",
    "code_insee_ancienne_commune", "nom_ancienne_commune", "x", "y", "lon", "lat", "type_position", "alias",
    "nom_ld", "libelle_acheminement", "nom_afnor", "source_position", "source_nom_voie", "certification_commune",
    "cad_parcelles",
)  # fmt: skip
_NEEDED = ("numero", "nom_voie", "code_insee", "nom_afnor", "nom_ld")
_SMALL = frozenset({"DE", "DU", "DES", "D", "LA", "LE", "LES", "L", "ET", "EN", "AU", "AUX", "A"})


def street_key(folded: str) -> str:
    """Give the form in which two street names are compared: without articles, SAINT as ST."""
    words = [{"SAINT": "ST", "SAINTE": "STE"}.get(word, word) for word in folded.split() if word not in _SMALL]
    return " ".join(words)


@dataclass(frozen=True, eq=False)
class StreetReference:
    """Streets and their numbers, by commune.

    Args:
        streets: Printed street name by commune and street key.
        numbers: House numbers by commune and street key.
        version: What evidence quotes.
    """

    streets: Mapping[str, Mapping[str, str]]
    numbers: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    version: str = "BAN"

    def knows(self, code_insee: str) -> bool:
        """Whether any street of the commune is loaded; where none is, nothing can be said."""
        return code_insee in self.streets

    def find(self, code_insee: str, street: str) -> str:
        """Give the reference's name of a street (folded), empty when the commune has none of that name."""
        return self.streets.get(code_insee, {}).get(street_key(street), "")

    @cached_property
    def sorted_names(self) -> dict[str, list[tuple[str, str]]]:
        """Per commune, (folded name, name) in order: with and without the words before the proper name."""
        return {code: _entry_names(names.values()) for code, names in self.streets.items()}


def _entry_names(names: Iterable[str]) -> list[tuple[str, str]]:
    found = set()
    for name in names:
        words = name.split()
        found.add((name, name))
        starts = [at for at in range(1, len(words)) if words[at] not in _SMALL]
        found |= {(" ".join(words[at:]), name) for at in starts}
    return sorted(found)


def load_ban(paths: Path | Iterable[Path], version: str = "") -> StreetReference:
    """Read BAN files (``adresses-XX.csv.gz``, separator ``;``) into a street reference.

    Args:
        paths: One file, several, or a folder that holds them.
        version: What evidence quotes; the files' names when empty.

    Raises:
        DatadockError: A file has not the columns of the public layout.
    """
    files = _files(paths)
    names: dict[str, dict[str, str]] = {}
    numbers: dict[tuple[str, str], set[str]] = {}
    for path in files:
        for insee, street, houses in _read(path).iter_rows():
            key = street_key(street)
            if key:
                names.setdefault(insee, {}).setdefault(key, street)
                numbers.setdefault((insee, key), set()).update(houses)
    return StreetReference(
        names,
        {pair: frozenset(houses) for pair, houses in numbers.items()},
        version or "BAN " + ", ".join(sorted(path.name for path in files)),
    )


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    found = [file for path in given for file in (sorted(path.glob("*.csv*")) if path.is_dir() else [path])]
    missing = [str(path) for path in found if not path.is_file()]
    if missing or not found:
        raise DatadockError(
            f"no BAN file: {', '.join(missing) or paths}", "files adresses-XX.csv.gz", "name the files or their folder"
        )
    return found


def _read(path: Path) -> pl.DataFrame:
    frame = pl.read_csv(path, separator=";", infer_schema=False, columns=None, quote_char='"')
    lacking = [name for name in _NEEDED if name not in frame.columns]
    if lacking:
        raise DatadockError(
            f"{path.name} lacks the columns {', '.join(lacking)}",
            f"the public layout of {len(BAN_COLUMNS)} columns, separated by ;",
            "load the file as it is published",
        )
    folded = frame.select(
        pl.col("code_insee"),
        fold_expr(pl.col("nom_voie").fill_null("")).alias("street"),
        pl.col("numero").fill_null("").alias("number"),
    )
    return (
        folded.filter(pl.col("code_insee").is_not_null() & (pl.col("street") != ""))
        .group_by("code_insee", "street", maintain_order=True)
        .agg(pl.col("number").unique())
    )


def streets_of(rows: Iterable[tuple[str, str]], version: str = "planted") -> StreetReference:
    """Give a street reference from (INSEE code, street name) pairs."""
    names: dict[str, dict[str, str]] = {}
    for insee, street in rows:
        folded = fold(street)
        names.setdefault(insee, {}).setdefault(street_key(folded), folded)
    return StreetReference(names, {}, version)
