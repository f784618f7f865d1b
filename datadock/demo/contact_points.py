"""Telephone numbers and e-mail addresses of the demo world: plausible, valid, and nobody else's.

Who shares one with whom is the world's business; how they are written, the views'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from datadock.demo.reference import Reference
from datadock.demo.streams import Rng, spread

_MOBILE_PREFIXES = pl.Series(["60", "61", "62", "64", "65", "66", "67", "68", "73", "74", "75", "76", "77", "78"])
_AREAS = {
    "1": "75 77 78 91 92 93 94 95",
    "2": "14 18 22 27 28 29 35 36 37 41 44 45 49 50 53 56 61 72 76 85",
    "3": "02 08 10 21 25 39 51 52 54 55 57 58 59 60 62 67 68 70 71 80 88 89 90",
    "5": "09 12 16 17 19 23 24 31 32 33 40 46 47 64 65 79 81 82 86 87",
}
_AREA = {department: area for area, departments in _AREAS.items() for department in departments.split()}

_DOMAINS = (
    "gmail.com", "orange.fr", "hotmail.fr", "free.fr", "laposte.net", "yahoo.fr", "sfr.fr", "wanadoo.fr", "outlook.fr",
    "hotmail.com", "icloud.com", "live.fr", "bbox.fr", "outlook.com", "neuf.fr", "aol.com", "proton.me",
)  # fmt: skip
_DOMAIN_SHARES = np.cumsum([34, 12, 8, 7.5, 6, 6, 5, 4.5, 4, 3.5, 3, 2, 1.5, 1.2, 0.8, 0.6, 0.4]) / 100


def build_mobiles(size: int, rng: Rng, first: int) -> pl.Series:
    """Return national numbers of nine digits, valid for mobiles, one per person, never the same."""
    modulus = len(_MOBILE_PREFIXES) * 10**7
    number = spread(first + np.arange(size), modulus, 48_271_001, int(rng.integers(modulus)))
    prefix = _MOBILE_PREFIXES.gather(number // 10**7)
    return prefix + pl.Series(number % 10**7 + 10**7).cast(pl.String).str.slice(1)


def build_landlines(department: pl.Series, rng: Rng, first: int) -> pl.Series:
    """Return national numbers of nine digits in the area of each department (islands and the South-East: area 4)."""
    size = len(department)
    area = department.replace_strict(_AREA, default="4", return_dtype=pl.String)
    number = spread(first + np.arange(size), 9 * 10**6, 7_654_321, int(rng.integers(9 * 10**6)))
    # Numbers of area 4 start with 42 to 49 so that each is one that the plan gives to landlines.
    second = pl.Series(rng.integers(2, 9, size)).cast(pl.String)
    return area + second + pl.Series(number + 10**6).cast(pl.String)


_FORMS = 10
_LEFT = np.array([0, 0, 0, 0, 1, 0, 2, 0, 0, 1])
_RIGHT = np.array([1, 1, 1, 1, 1, 1, 0, 1, 2, 1])
_SEPARATOR = np.array([1, 1, 1, 1, 0, 0, 1, 1, 2, 1])
_FIGURES = np.array([0, 0, 0, 0, 0, 2, 0, 4, 3, 2])
"""Form by form: left part (given name, initial, surname), right part (given, surname, none), separator, figures."""


@dataclass(frozen=True)
class Bearers:
    """Whose e-mails are built: indices of given and family name, and birth day."""

    given: NDArray[np.int32]
    family: NDArray[np.int32]
    born: NDArray[np.int32]


def build_emails(bearers: Bearers, taken: pl.Series, reference: Reference, rng: Rng, delivery: int) -> pl.Series:
    """Return one address per bearer, none of them twice and none of ``taken``.

    Newcomers of a later delivery carry its number, so that they do not meet the addresses of the people before them.
    """
    size = len(bearers.given)
    given, surnames = _slugs(reference.given.unaccented), _slugs(reference.surnames.unaccented)
    form = rng.integers(0, _FORMS, size)
    left = pl.concat([given, given.str.slice(0, 1), surnames])
    left_at = np.select(
        [_LEFT[form] == 0, _LEFT[form] == 1],
        [bearers.given, len(given) + bearers.given],
        2 * len(given) + bearers.family,
    )
    right = pl.concat([given, surnames, pl.Series([""])])
    right_at = np.select(
        [_RIGHT[form] == 0, _RIGHT[form] == 1], [bearers.given, len(given) + bearers.family], len(right) - 1
    )
    year = (1970 + bearers.born / 365.25).astype(np.int64)
    figures = pl.Series(["", *(f"{n}" for n in range(1, 3000)), *(f"{n:02d}" for n in range(100))])
    figures_at = np.choose(
        _FIGURES[form].clip(0, 4) - 1, [year * 0, 3000 + year % 100, 1 + rng.integers(0, 998, size), year], mode="clip"
    )
    domain = np.minimum(np.searchsorted(_DOMAIN_SHARES, rng.random(size), side="right"), len(_DOMAINS) - 1)
    tag = "" if delivery == 1 else str(1000 * delivery)
    mails = pl.select(
        pl.concat_str(
            left.gather(left_at),
            pl.Series(["", ".", "_"]).gather(_SEPARATOR[form]),
            right.gather(right_at),
            figures.gather(figures_at),
            pl.Series([f"{tag}@{name}" for name in _DOMAINS]).gather(domain),
        ).alias("mail")
    )["mail"]
    return _unlike(mails, taken)


def _unlike(mails: pl.Series, taken: pl.Series) -> pl.Series:
    """Number the addresses that stood before, in the order of the column."""
    digests = pl.concat([taken.drop_nulls().rename("mail"), mails]).hash().to_numpy()
    order = np.argsort(digests, kind="stable")
    same = np.concatenate([[False], digests[order][1:] == digests[order][:-1]])
    position = np.arange(len(order))
    nth = np.empty(len(order), dtype=np.int64)
    nth[order] = position - np.maximum.accumulate(np.where(same, 0, position))
    repeats = nth[len(order) - len(mails) :]
    rows = np.flatnonzero(repeats)
    if len(rows) == 0:
        return mails
    marked = mails.gather(rows).str.replace("@", "#@", literal=True)
    parts = marked.str.split("#")
    return mails.scatter(rows, parts.list.first() + pl.Series(repeats[rows] + 1).cast(pl.String) + parts.list.last())


def _slugs(words: pl.Series) -> pl.Series:
    return words.str.to_lowercase().str.replace_all(r"[^a-z-]", "")
