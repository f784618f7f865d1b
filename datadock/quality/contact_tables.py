"""Reference tables behind phones and names: ARCEP number ranges with their operators, INSEE births by first name.

They are read once, from the package or from the folder that ``read_tables_from`` names. Nothing is read before
the first value that needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from datadock.quality.fold import fold
from datadock.quality.reference.manifest import DATA, FIRST_NAMES, OPERATORS, RANGES, entry_of, read_table


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


class _Place:
    """The folder that this process reads contact tables from, and the caches that hold what was read."""

    folder: Path = DATA
    forget: list[Callable[[], None]] = []


def read_tables_from(folder: Path = DATA) -> None:
    """Read phones and names by the tables of a folder from now on; what it lacks comes from the package."""
    if folder != _Place.folder:
        _Place.folder = folder
        for forget in _Place.forget:
            forget()


def forgets(clear: Callable[[], None]) -> None:
    """Register a cache of answers that hold only for the tables in use."""
    _Place.forget.append(clear)


@cache
def reference(name: str) -> str:
    """Name a table and its version, as evidence cites it (``first_name_spellings 2019``)."""
    return f"{name} {entry_of(name, _Place.folder)[1].version}"


@cache
def number_blocks() -> dict[str, Block]:
    """Return number ranges by their leading digits, without the trunk zero (``6122`` is all of 06 12 2)."""
    operators = {row["code"]: row["name"] for row in read_table(OPERATORS, _Place.folder)}
    made: dict[tuple[str, str], Block] = {}
    blocks: dict[str, Block] = {}
    for row in read_table(RANGES, _Place.folder):
        key = row["operator"], row["region"]
        if key not in made:
            made[key] = Block(operators.get(key[0], key[0]), key[1])
        blocks[row["prefix"]] = made[key]
    return blocks


@cache
def first_name_spellings() -> dict[str, Births]:
    """Return births by first name as registered, in capitals with accents (``JEAN-PIERRE``, ``CHLOÉ``)."""
    rows = read_table(FIRST_NAMES, _Place.folder)
    return {row["first_name"]: Births(int(row["male"]), int(row["female"])) for row in rows}


@cache
def first_name_keys() -> dict[str, tuple[str, ...]]:
    """Return the registered spellings of each folded first name, the most frequent one first."""
    spellings = first_name_spellings()
    keys: dict[str, list[str]] = {}
    for spelling in spellings:
        keys.setdefault(fold(spelling), []).append(spelling)
    return {key: tuple(sorted(names, key=lambda n: (-spellings[n].total, n))) for key, names in keys.items()}


for _read in (reference, number_blocks, first_name_spellings, first_name_keys):
    forgets(_read.cache_clear)
