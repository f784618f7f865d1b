"""The reference tables as they are read: communes by code and by name, labels, first names, IRIS, words.

``load_reference`` reads the committed tables once; a ``Reference`` can also be made from other rows, which
is how two versions are compared and how tests plant small ones. Indexes are made when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from datadock.quality.fold import fold
from datadock.quality.reference.manifest import (
    DATA,
    FIRST_NAMES,
    IRIS,
    LABELS,
    LOCALITIES,
    deciding_hashes,
    digest,
    read_rows,
    read_table,
    table_text,
    version_of,
)

COMMON_NAME = 50
"""Births from which a word of a street counts as a first name."""
CEDEX_TOWNS = ((3500, 4), (8000, 6), (20_000, 8))
"""Inhabitants from which a town may have CEDEX codes of its own, written without the word, and their last digit."""
CEDEX_CITY = 100_000
"""Inhabitants from which such a code may differ in its fourth digit or end in 0 or 9."""
DOMINANT = 0.9
"""Share of the inhabitants of all communes of a name from which one of them is proposed, with a doubt."""
MAX_LABEL = 32
SAME_WORDS = {"SAINT": "ST", "SAINTE": "STE", "SAINTS": "STS", "SAINTES": "STES", "LEZ": "LES", "S": "SUR"}
SAME_WORDS |= {"SS": "SOUS", "ND": "NOTRE DAME"}
_ARTICLES = ("LE ", "LA ", "LES ", "L ")

Row = Mapping[str, str]

MONACO: Row = {
    "code_insee": "99138", "nom": "Monaco", "type": "commune-actuelle", "code_actuel": "99138",
    "departement": "98", "codes_postaux": "98000", "population": "38000",
}  # fmt: skip
"""Served by the French post without being a French commune; its code is that of the country."""


@lru_cache(maxsize=200_000)
def name_key(folded: str) -> str:
    """Give the form in which two names of communes are compared: SAINT and ST, LES and LEZ are equal."""
    return " ".join([SAME_WORDS.get(word, word) for word in folded.split()])


def without_article(key: str) -> str:
    """Give a name without its leading article (``LE HAVRE`` and ``HAVRE`` are both met)."""
    for article in _ARTICLES:
        if key.startswith(article) and len(key) > len(article) + 1:
            return key[len(article) :]
    return key


def neighbours(code: str) -> list[str]:
    """Give the codes that differ from a code in exactly one digit."""
    other = ((at, digit) for at in range(len(code)) for digit in "0123456789" if digit != code[at])
    return [code[:at] + digit + code[at + 1 :] for at, digit in other]


@dataclass(frozen=True, slots=True)
class Locality:
    """A name that a commune goes by.

    Args:
        label: The name as it is printed on line 6 (A-Z, 0-9, at most 32 characters).
        code_insee: Code of the commune of today (of the municipal arrondissement in Paris, Lyon, Marseille).
        departement: First two or three characters of the INSEE code.
        codes: Its postal codes.
        population: Inhabitants of the commune of today.
        former: Whether the name is one of a former, delegated or associated commune.
        current_label: Label of the commune of today.
        name: The whole name, folded, where the label had to be shortened.
        quarter: Whether this is a municipal arrondissement, which only its postal code tells from the city.
    """

    label: str
    code_insee: str
    departement: str
    codes: tuple[str, ...]
    population: int
    former: bool
    current_label: str
    name: str
    quarter: bool = False

    @property
    def key(self) -> str:
        """The form in which the name is compared."""
        return name_key(self.name)


@dataclass(frozen=True, eq=False)
class Reference:
    """One version of the reference tables.

    Args:
        localities: Rows of the table of the same name.
        labels: Rows of ``delivery_labels``.
        version: What evidence quotes as the reference; another text where any table that can change an address is.
        cedex: Known CEDEX codes with the INSEE code of their office, when a user has such a list.
        folder: Where the further tables (first names, IRIS) are read from.
        hashes: Hash by table of those that can change an address.
    """

    localities: Sequence[Row]
    labels: Sequence[Row] = ()
    version: str = "planted"
    cedex: Mapping[str, str] = field(default_factory=dict)
    folder: Path = DATA
    hashes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def entries(self) -> list[Locality]:
        """Every name of every commune, former ones after those of today."""
        return _entries(self.localities, self.labels)

    @cached_property
    def by_code(self) -> dict[str, dict[str, list[Locality]]]:
        """Names within each postal code, by key; with and without their article."""
        index: dict[str, dict[str, list[Locality]]] = {}
        for entry in self.entries:
            for code in entry.codes:
                _add(index.setdefault(code, {}), entry)
        return index

    @cached_property
    def chiefs(self) -> dict[str, str]:
        """INSEE code of the largest commune of each postal code."""
        found: dict[str, Locality] = {}
        for entry in self.entries:
            for code in () if entry.former else entry.codes:
                if code not in found or entry.population > found[code].population:
                    found[code] = entry
        return {code: entry.code_insee for code, entry in found.items()}

    @cached_property
    def by_name(self) -> dict[str, list[Locality]]:
        """All communes by the key of a name."""
        index: dict[str, list[Locality]] = {}
        for entry in self.entries:
            if not entry.quarter:
                _add(index, entry)
        return index

    @cached_property
    def by_insee(self) -> dict[str, Locality]:
        """The commune of today by its INSEE code."""
        return {entry.code_insee: entry for entry in reversed(self.entries) if not entry.former}

    @cached_property
    def longest_name(self) -> int:
        """Number of words of the longest name."""
        return max((key.count(" ") + 1 for key in self.by_name), default=0)

    @cached_property
    def iris(self) -> dict[str, list[str]]:
        """IRIS codes by commune; a single one is decided by the commune alone."""
        index: dict[str, list[str]] = {}
        for row in read_table(IRIS, self.folder):
            index.setdefault(row["code_insee"], []).append(row["code_iris"])
        return index

    @cached_property
    def first_names(self) -> frozenset[str]:
        """First names, folded, that are common enough to be one in a street's label."""
        births: dict[str, int] = {}
        for row in read_table(FIRST_NAMES, self.folder):
            name = fold(row["first_name"])
            births[name] = births.get(name, 0) + int(row["male"]) + int(row["female"])
        return frozenset(name for name, count in births.items() if count >= COMMON_NAME)


def _add(index: dict[str, list[Locality]], entry: Locality) -> None:
    key, short = entry.key, name_key(entry.label)
    for form in dict.fromkeys((key, without_article(key), short, without_article(short))):
        known = index.setdefault(form, [])
        if not any(item.code_insee == entry.code_insee for item in known):
            known.append(entry)


def _entries(localities: Sequence[Row], labels: Sequence[Row]) -> list[Locality]:
    delivery: dict[str, list[str]] = {}
    for row in labels:
        delivery.setdefault(row["code_insee"], []).append(row["libelle"])
    today = [row for row in localities if row["type"] == "commune-actuelle"]
    quarters = [row for row in localities if row["type"] == "arrondissement-municipal"]
    whole = {row["code_insee"]: fold(row["nom"]) for row in today}
    entries: dict[str, Locality] = {}
    for row in today:
        entries[row["code_insee"]] = _today(row, _print_label(row["nom"], delivery.get(row["code_insee"], ())))
    names = list(entries.values())
    names = [_whole_city(entry, quarters) for entry in names]
    names += [_today(row, whole[row["code_actuel"]], quarter=True) for row in quarters if row["code_actuel"] in whole]
    for row in localities:
        main = entries.get(row["code_actuel"])
        if main and row["type"] not in ("commune-actuelle", "arrondissement-municipal"):
            names.append(_other_name(main, fold(row["nom"]), former=True))
    names += _label_names(entries, labels, names)
    return names


def _whole_city(entry: Locality, quarters: Iterable[Row]) -> Locality:
    """Take from a city of arrondissements the codes that belong to one of them."""
    if not any(row["code_actuel"] == entry.code_insee for row in quarters):
        return entry
    return Locality(
        entry.label, entry.code_insee, entry.departement, (), entry.population, False, entry.label, entry.name
    )


def _label_names(entries: Mapping[str, Locality], labels: Sequence[Row], names: Iterable[Locality]) -> list[Locality]:
    """Give the delivery labels that say something else than the commune's own names, for their code alone."""
    known = {(entry.code_insee, entry.key) for entry in names}
    today = {(code, entry.key) for entry in names if not entry.former for code in entry.codes}
    found = []
    for row in labels:
        main = entries.get(row["code_insee"])
        key = name_key(row["libelle"])
        if main and (main.code_insee, key) not in known and (row["code_postal"], key) not in today:
            label = row["libelle"][:MAX_LABEL].strip()
            codes = (row["code_postal"],)
            found.append(
                Locality(label, main.code_insee, main.departement, codes, main.population, False, label, row["libelle"])
            )
    return found


def _today(row: Row, label: str, *, quarter: bool = False) -> Locality:
    codes = tuple(code for code in row["codes_postaux"].split("|") if code)
    people = int(row["population"] or 0)
    return Locality(
        label,
        row["code_insee"],
        row["departement"],
        codes,
        people,
        False,
        label,
        fold(row["nom"]) if not quarter else label,
        quarter,
    )


def _other_name(main: Locality, label: str, *, former: bool) -> Locality:
    return Locality(
        _fit(label), main.code_insee, main.departement, main.codes, main.population, former, main.current_label, label
    )


def _fit(label: str) -> str:
    short = label if len(label) <= MAX_LABEL else name_key(label)
    return short if len(short) <= MAX_LABEL else short[:MAX_LABEL].rsplit(" ", 1)[0]


def _print_label(name: str, labels: Iterable[str]) -> str:
    """Give the printed form of a commune: its name, or its delivery label where the name is too long."""
    own = fold(name)
    if len(own) <= MAX_LABEL:
        return own
    short = [label for label in labels if len(label) <= MAX_LABEL]
    return short[0] if short else _fit(own)


def load_reference(folder: Path = DATA, cedex: Path | None = None) -> Reference:
    """Give the reference tables of a folder, read once while they stay as they are.

    Args:
        folder: Folder of the tables and their manifest; tables that it lacks are the package's.
        cedex: A user's own list of CEDEX codes: a CSV with ``code_cedex`` and ``code_insee``.
    """
    mark = digest(table_text(cedex)) if cedex else ""
    return _load(folder, cedex, version_of(folder, mark), mark)


@lru_cache(maxsize=4)
def _load(folder: Path, cedex: Path | None, version: str, mark: str) -> Reference:
    offices = {row["code_cedex"]: row["code_insee"] for row in read_rows(cedex)} if cedex else {}
    hashes = deciding_hashes(folder) | ({"cedex": mark} if mark else {})
    localities = [*read_table(LOCALITIES, folder), MONACO]
    return Reference(localities, read_table(LABELS, folder), version, offices, folder, hashes)
