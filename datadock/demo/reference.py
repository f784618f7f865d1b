"""The vocabulary of the demo world: first names, surnames, streets and communes, with their weights.

First names and communes are compact seeds of public registers (see ``seeds/README.md``); surnames and
streets are lists of the project's own, with a generator of plausible rarer surnames for the long tail.
Choosing among them is the world's business; rebuilding the seeds is ``seeding``'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

SEEDS = Path(__file__).resolve().parent / "seeds"

STREET_TYPES = {
    "rue": "r",
    "avenue": "av",
    "boulevard": "bd",
    "place": "pl",
    "impasse": "imp",
    "chemin": "ch",
    "allée": "all",
    "route": "rte",
    "square": "sq",
    "cours": "crs",
    "quai": "quai",
}
"""Street types and the abbreviations that people write."""

_STREET_WEIGHTS = (56, 12, 5, 5, 6, 6, 4, 4, 1, 0.6, 0.4)
_COMMON_SURNAME_SHARE = 0.28
_URN = 2**20

_PARTICLES = ("Le ", "La ", "De ", "Du ", "De La ", "Saint-")


def plain(words: pl.Series) -> pl.Series:
    """Return words without accents or ligatures."""
    bare = words.str.normalize("NFD").str.replace_all(r"\p{Mn}", "")
    return bare.str.replace_many(["œ", "Œ", "æ", "’"], ["oe", "Oe", "ae", "'"])


@dataclass(frozen=True)
class Words:
    """A table of words in two spellings, drawn by weight.

    Attributes:
        accented: The words as they are written properly.
        unaccented: The same without accents.
        urn: Indices of the words, each as often as its weight asks; drawing is one look-up.
    """

    accented: pl.Series
    unaccented: pl.Series
    urn: NDArray[np.int32]

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.int32]:
        """Return ``size`` indices of words, by weight."""
        return self.urn[rng.integers(0, len(self.urn), size, dtype=np.int32)]

    def spelled(self, index: NDArray[np.int32], without_accents: NDArray[np.bool_]) -> pl.Series:
        """Return the words at ``index``, unaccented where the mask says so; a negative index gives null."""
        both = pl.concat([self.accented, self.unaccented])
        at = index.astype(np.int64) + np.where(without_accents, len(self.accented), 0)
        return both.gather(pl.Series(np.where(index < 0, -1, at)).replace(-1, None))


def _words(words: pl.Series, weights: NDArray[np.floating], unaccented: pl.Series | None = None) -> Words:
    cumulative = np.cumsum(weights) / np.sum(weights)
    often = np.diff(np.rint(cumulative * _URN).astype(np.int64), prepend=0)
    urn = np.repeat(np.arange(len(words), dtype=np.int32), often)
    return Words(words, plain(words) if unaccented is None else unaccented, urn)


@dataclass(frozen=True)
class Communes:
    """Communes drawn by population: name and one postcode per row (a town of several postcodes has several)."""

    city: Words
    postcode: pl.Series


@dataclass(frozen=True)
class Reference:
    """Everything that names are drawn from; ``given`` holds the men's names, then the women's."""

    given: Words
    men: Words
    women: Words
    surnames: Words
    streets: Words
    street_types: Words
    communes: Communes


@cache
def load_reference() -> Reference:
    """Read the seeds once and derive the drawing tables."""
    first = pl.read_csv(SEEDS / "first_names.csv")
    men, women = _first_names(first, "births_m"), _first_names(first, "births_f")
    street_names = _lines("streets.txt")
    return Reference(
        given=_both(men, women),
        men=men,
        women=women,
        surnames=_surnames(),
        streets=_words(street_names, 1.0 / (np.arange(len(street_names)) + 12.0) ** 0.8),
        street_types=_words(
            pl.Series(list(STREET_TYPES)), np.array(_STREET_WEIGHTS), pl.Series(list(STREET_TYPES.values()))
        ),
        communes=_communes(),
    )


def _first_names(table: pl.DataFrame, births: str) -> Words:
    # A name given to the other sex by a clerk's slip stays out: it must be at least a hundredth of the name's births.
    kept = table.filter(pl.col(births) * 100 > pl.col("births_m") + pl.col("births_f"))
    return _words(kept["first_name"], kept[births].to_numpy().astype(np.float64))


def _both(men: Words, women: Words) -> Words:
    return Words(
        pl.concat([men.accented, women.accented]),
        pl.concat([men.unaccented, women.unaccented]),
        np.concatenate([men.urn, len(men.accented) + women.urn]).astype(np.int32),
    )


def _lines(name: str) -> pl.Series:
    return pl.Series((SEEDS / name).read_text(encoding="utf-8").split("\n")[:-1])


def _surnames() -> Words:
    common = _lines("surnames.txt")
    parts = [
        pl.DataFrame({name: values})
        for name, values in zip("rle", _lines("surname_parts.txt").str.split(","), strict=True)
    ]
    made = (
        parts[0]
        .join(parts[1], how="cross")
        .join(parts[2], how="cross")
        .select(pl.concat_str("r", "l", "e"))
        .to_series()
    )
    made = made.filter(made.is_first_distinct() & ~made.is_in(common.implode()) & (made.str.len_chars() > 3))
    order = np.random.Generator(np.random.PCG64(1789)).permutation(len(made))[:60_000]
    tail = made.gather(order)
    with_particle = np.arange(0, len(tail), 23)
    particles = pl.Series(_PARTICLES).gather(np.arange(len(with_particle)) % len(_PARTICLES))
    tail = tail.scatter(with_particle, particles + tail.gather(with_particle))
    head_weight = 1.0 / (np.arange(len(common)) + 10.0) ** 0.75
    tail_weight = 1.0 / (np.arange(len(tail)) + 400.0) ** 0.85
    weights = np.concatenate(
        [
            head_weight / head_weight.sum() * _COMMON_SURNAME_SHARE,
            tail_weight / tail_weight.sum() * (1 - _COMMON_SURNAME_SHARE),
        ]
    )
    return _words(pl.concat([common, tail.rename(common.name)]), weights)


def _communes() -> Communes:
    table = pl.read_parquet(SEEDS / "communes.parquet").with_columns(pl.col("postcodes").str.split(" "))
    table = table.with_columns(weight=pl.col("population") / pl.col("postcodes").list.len()).explode("postcodes")
    return Communes(_words(table["name"], table["weight"].to_numpy()), table["postcodes"])
