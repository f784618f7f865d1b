"""The vocabulary of the demo world: first names, surnames, streets and communes, with their weights.

First names and communes are compact seeds of public registers (see ``seeds/README.md``); surnames and
streets are lists of the project's own, with a generator of plausible rarer surnames for the long tail.
Choosing among them is the world's business; rebuilding the seeds is ``seeding``'s.
"""

from __future__ import annotations

import itertools
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

_ROOTS = (
    "Bal Bar Bas Bel Ber Bes Bon Bor Bou Bour Bra Bre Bru Cal Cam Car Cas Cha Cham Char Chau Cler Cor Cou Cour Cra "
    "Dal Dar Del Des Dom Dor Dou Du Es Fa Fal Far Fer Fla Fon For Fou Fra Gal Gar Gau Ger Gi Gou Gra Gri Gui Ha Her "
    "Hou Jau Jo Jou La Lam Lan Lau Le Lou Mai Mal Man Mar Mau Men Mi Mon Mor Mou Na Nou Or Pa Pel Per Pi Plan Poi Pon "
    "Por Pou Pra Que Ra Re Ri Ro Rou Sa Sal San Sau Ser Sou Ta Tal Ter Thi Tho Tou Tra Va Val Ver Vi Vil Vin Vou"
).split()
_LINKS = "|b|bin|ch|chin|d|den|g|gn|guin|l|ll|lin|m|man|n|nn|nier|p|r|rr|rin|s|ss|sin|t|tt|tin|v|vin".split("|")
_ENDINGS = (
    "ac ain al and ard as at aud ault aux ay eau el elle ent er ert et ette eux ez ic ié ier ieu in ière is oin ois ol "
    "on ond onnet ot oud oux ua uet y"
).split()
_PARTICLES = ("Le ", "La ", "De ", "Du ", "De La ", "Saint-")

_PLAIN = str.maketrans("àâäáãçéèêëîïíôöóõûüùúÿñÀÂÄÁÇÉÈÊËÎÏÔÖÛÜÙŸÑ", "aaaaaceeeeiiioooouuuuynAAAACEEEEIIOOUUUYN")


def plain(text: str) -> str:
    """Return ``text`` without accents or ligatures."""
    return text.translate(_PLAIN).replace("œ", "oe").replace("Œ", "Oe").replace("æ", "ae").replace("’", "'")


@dataclass(frozen=True)
class Words:
    """A table of words in two spellings, drawn by weight.

    Attributes:
        accented: The words as they are written properly.
        unaccented: The same without accents.
        cumulative: Cumulative weights, the last one 1.0.
    """

    accented: pl.Series
    unaccented: pl.Series
    cumulative: NDArray[np.float64]

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.int32]:
        """Return ``size`` indices of words, by weight."""
        found = np.searchsorted(self.cumulative, rng.random(size), side="right")
        return np.minimum(found, len(self.cumulative) - 1).astype(np.int32)

    def spelled(self, index: NDArray[np.int32], without_accents: NDArray[np.bool_]) -> pl.Series:
        """Return the words at ``index``, unaccented where the mask says so; a negative index gives null."""
        both = pl.concat([self.accented, self.unaccented])
        at = index.astype(np.int64) + np.where(without_accents, len(self.accented), 0)
        return both.gather(pl.Series(np.where(index < 0, -1, at)).replace(-1, None))


def _words(words: list[str], weights: NDArray[np.float64]) -> Words:
    cumulative = np.cumsum(weights) / weights.sum()
    cumulative[-1] = 1.0
    return Words(pl.Series(words, dtype=pl.String), pl.Series([plain(w) for w in words], dtype=pl.String), cumulative)


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
    types = list(STREET_TYPES)
    street_names = (SEEDS / "streets.txt").read_text(encoding="utf-8").split("\n")[:-1]
    return Reference(
        given=_both(men, women),
        men=men,
        women=women,
        surnames=_surnames(),
        streets=_words(street_names, 1.0 / (np.arange(len(street_names)) + 12.0) ** 0.8),
        street_types=Words(
            pl.Series(types),
            pl.Series([STREET_TYPES[word] for word in types]),
            np.cumsum(_STREET_WEIGHTS) / np.sum(_STREET_WEIGHTS),
        ),
        communes=_communes(),
    )


def _first_names(table: pl.DataFrame, births: str) -> Words:
    # A name given to the other sex by a clerk's slip stays out: it must be at least a hundredth of the name's births.
    kept = table.filter(pl.col(births) * 100 > pl.col("births_m") + pl.col("births_f"))
    return _words(kept["first_name"].to_list(), kept[births].to_numpy().astype(np.float64))


def _both(men: Words, women: Words) -> Words:
    return Words(
        pl.concat([men.accented, women.accented]),
        pl.concat([men.unaccented, women.unaccented]),
        np.concatenate([men.cumulative / 2, 0.5 + women.cumulative / 2]),
    )


def _surnames() -> Words:
    common = (SEEDS / "surnames.txt").read_text(encoding="utf-8").split("\n")[:-1]
    known = set(common)
    rare = ["".join(parts) for parts in itertools.product(_ROOTS, _LINKS, _ENDINGS)]
    rare = [word for word in dict.fromkeys(rare) if word not in known and len(word) > 3]
    order = np.random.Generator(np.random.PCG64(1789)).permutation(len(rare))[:60_000]
    tail = [rare[i] for i in order]
    tail = [_PARTICLES[i % len(_PARTICLES)] + word if i % 23 == 0 else word for i, word in enumerate(tail)]
    head_weight = 1.0 / (np.arange(len(common)) + 10.0) ** 0.75
    tail_weight = 1.0 / (np.arange(len(tail)) + 400.0) ** 0.85
    weights = np.concatenate(
        [
            head_weight / head_weight.sum() * _COMMON_SURNAME_SHARE,
            tail_weight / tail_weight.sum() * (1 - _COMMON_SURNAME_SHARE),
        ]
    )
    return _words(common + tail, weights)


def _communes() -> Communes:
    table = pl.read_parquet(SEEDS / "communes.parquet").with_columns(pl.col("postcodes").str.split(" "))
    table = table.with_columns(weight=pl.col("population") / pl.col("postcodes").list.len()).explode("postcodes")
    return Communes(_words(table["name"].to_list(), table["weight"].to_numpy()), table["postcodes"])
