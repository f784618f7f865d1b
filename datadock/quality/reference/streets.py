"""The pluggable street reference: a user's own BAN files, the public layout of 23 columns.

Without them nothing claims that a street exists (``street_checked`` is false everywhere). With them a
street is looked for among the streets of its commune, by its folded name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
_INSEE = r"^(?:[0-9]{2}|2A|2B)[0-9]{3}$"
_NEEDED = ("numero", "nom_voie", "code_insee", "nom_afnor", "nom_ld")
_SMALL = frozenset({"DE", "DU", "DES", "D", "LA", "LE", "LES", "L", "ET", "EN", "AU", "AUX", "A"})


_SAME = {"SAINT": "ST", "SAINTE": "STE"}


def street_key(folded: str) -> str:
    """Give the form in which two street names are compared: without articles, SAINT as ST."""
    words = [_SAME.get(word, word) for word in folded.split() if word not in _SMALL]
    return " ".join(words)


def street_key_expr(folded: pl.Expr) -> pl.Expr:
    """Give ``street_key`` of a column of folded names."""
    word = pl.element()
    kept = word.filter(~word.is_in(sorted(_SMALL)) & (word != "")).replace(_SAME)
    return folded.str.split(" ").list.eval(kept).list.join(" ")


@dataclass(frozen=True, eq=False)
class StreetReference:
    """Streets by commune.

    Args:
        streets: Printed street name by commune and street key.
        version: What tells one set of streets from another.
    """

    streets: Mapping[str, Mapping[str, str]]
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
        version: What tells this set of streets from another; the files' names when empty.

    Raises:
        DatadockError: A file is missing, unreadable, empty, or has not the columns of the public layout.
    """
    files = _files(paths)
    frames = (streets_in(read_ban(path), path.name).select("code_insee", "street").iter_rows() for path in files)
    named = version or "BAN " + ", ".join(sorted(path.name for path in files))
    return street_reference((row for rows in frames for row in rows), named)


def street_reference(rows: Iterable[tuple[str, str]], version: str) -> StreetReference:
    """Give a street reference from (INSEE code, folded street) pairs; of two writings the first is kept."""
    names: dict[str, dict[str, str]] = {}
    for insee, street in rows:
        key = street_key(street)
        if key:
            names.setdefault(insee, {}).setdefault(key, street)
    return StreetReference(names, version)


def _files(paths: Path | Iterable[Path]) -> list[Path]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    found = [file for path in given for file in (sorted(path.glob("*.csv*")) if path.is_dir() else [path])]
    missing = [str(path) for path in found if not path.is_file()]
    if missing or not found:
        raise DatadockError(
            f"no BAN file: {', '.join(missing) or paths}", "files adresses-XX.csv.gz", "name the files or their folder"
        )
    return found


def read_ban(path: Path) -> pl.DataFrame:
    """Read one BAN file as it is published, every column as text.

    Raises:
        DatadockError: The file is unreadable, empty, or has not the columns of the public layout.
    """
    try:
        frame = pl.read_csv(path, separator=";", infer_schema=False, quote_char='"')
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DatadockError(
            f"{path} cannot be read: {str(error).splitlines()[0]}",
            "a file adresses-XX.csv.gz as adresse.data.gouv.fr publishes it",
            "fetch it again",
        ) from error
    lacking = [name for name in _NEEDED if name not in frame.columns]
    if lacking:
        raise DatadockError(
            f"{path.name} lacks the columns {', '.join(lacking)}",
            f"the public layout of {len(BAN_COLUMNS)} columns, separated by ;",
            "load the file as it is published",
        )
    return frame


def streets_in(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    """Give the streets of a BAN file: ``code_insee``, ``street`` (folded) and its number of ``addresses``.

    Raises:
        DatadockError: There is none.
    """
    folded = frame.select(pl.col("code_insee"), fold_expr(pl.col("nom_voie").fill_null("")).alias("street"))
    streets = (
        folded.filter(pl.col("code_insee").str.contains(_INSEE) & (pl.col("street") != ""))
        .group_by("code_insee", "street", maintain_order=True)
        .agg(pl.len().alias("addresses"))
    )
    if not streets.height:
        raise DatadockError(
            f"{file} holds no street of a commune", "rows with code_insee and nom_voie", "fetch the file again"
        )
    return streets


def streets_of(rows: Iterable[tuple[str, str]], version: str = "planted") -> StreetReference:
    """Give a street reference from (INSEE code, street name) pairs."""
    return street_reference(((insee, fold(street)) for insee, street in rows), version)
