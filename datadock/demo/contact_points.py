"""Telephone numbers and e-mail addresses of the demo world: plausible, valid, and nobody else's.

Who shares one with whom is the world's business; how they are written, the views'.
"""

from __future__ import annotations

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
    return prefix + pl.Series(number % 10**7).cast(pl.String).str.zfill(7)


def build_landlines(department: pl.Series, rng: Rng, first: int) -> pl.Series:
    """Return national numbers of nine digits in the area of each department (islands and the South-East: area 4)."""
    size = len(department)
    area = department.replace_strict(_AREA, default="4", return_dtype=pl.String)
    number = spread(first + np.arange(size), 9 * 10**6, 7_654_321, int(rng.integers(9 * 10**6)))
    # Numbers of area 4 start with 42 to 49 so that each is one that the plan gives to landlines.
    second = pl.Series(rng.integers(2, 9, size)).cast(pl.String)
    return area + second + pl.Series(number + 10**6).cast(pl.String)


def build_emails(
    given: NDArray[np.int32],
    family: NDArray[np.int32],
    married_to: NDArray[np.int32],
    born: NDArray[np.int32],
    reference: Reference,
    rng: Rng,
    delivery: int,
) -> tuple[pl.Series, pl.Series]:
    """Return two addresses per person; no two people get the same one."""
    first_name = _slugs(reference.given.unaccented).gather(given)
    used = np.where((married_to >= 0) & (rng.random(len(given)) < 0.6), married_to, family)
    surname = _slugs(reference.surnames.unaccented).gather(used)
    year = pl.Series((1970 + born / 365.25).astype(np.int32))
    # Newcomers of a later delivery must not meet the addresses of the people before them.
    tag = "" if delivery == 1 else str(1000 * delivery)
    mails = [_one_email(first_name, surname, year, rng, tag if turn == 0 else tag + "0") for turn in (0, 1)]
    both = pl.DataFrame({"mail": pl.concat(mails)}).with_columns(
        nth=pl.int_range(pl.len()).over("mail"), at=pl.col("mail").str.find("@", literal=True)
    )
    unique = both.select(
        pl.when(pl.col("nth") == 0)
        .then(pl.col("mail"))
        .otherwise(
            pl.concat_str(
                pl.col("mail").str.slice(0, pl.col("at")), pl.col("nth") + 1, pl.col("mail").str.slice(pl.col("at"))
            )
        )
    ).to_series()
    return unique.head(len(given)).rename("email"), unique.tail(len(given)).rename("email_2")


def _slugs(words: pl.Series) -> pl.Series:
    return words.str.to_lowercase().str.replace_all(r"[^a-z-]", "")


def _one_email(first_name: pl.Series, surname: pl.Series, year: pl.Series, rng: Rng, tag: str) -> pl.Series:
    size = len(first_name)
    domain = np.minimum(np.searchsorted(_DOMAIN_SHARES, rng.random(size), side="right"), len(_DOMAINS) - 1)
    frame = pl.DataFrame(
        {
            "g": first_name,
            "f": surname,
            "y": year,
            "form": rng.integers(0, 10, size),
            "domain": pl.Series(_DOMAINS).gather(domain),
            "n": rng.integers(1, 999, size),
        }
    )
    g, f, initial, year_2 = pl.col("g"), pl.col("f"), pl.col("g").str.slice(0, 1), pl.col("y") % 100
    form = pl.col("form")
    local = (
        pl.when(form < 4)
        .then(pl.concat_str(g, pl.lit("."), f))
        .when(form == 4)
        .then(pl.concat_str(initial, f))
        .when(form == 5)
        .then(pl.concat_str(g, f, year_2))
        .when(form == 6)
        .then(pl.concat_str(f, pl.lit("."), g))
        .when(form == 7)
        .then(pl.concat_str(g, pl.lit("."), f, pl.col("y")))
        .when(form == 8)
        .then(pl.concat_str(g, pl.lit("_"), pl.col("n")))
        .otherwise(pl.concat_str(initial, pl.lit("."), f, year_2))
    )
    return frame.select(pl.concat_str(local, pl.lit(tag + "@"), "domain").alias("mail"))["mail"]
