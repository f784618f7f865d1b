"""What INSEE's births tell of a first name: the sex with its certainty, the accents of its usual spelling.

A sex is told where at least 98 of 100 births agree and there are ten; CLAUDE, DOMINIQUE, CAMILLE and ANDREA
stay silent. A compound decides by itself where it is known, else by its first element.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from datadock.quality.contact_tables import Births, first_name_keys, first_name_spellings, forgets
from datadock.quality.fold import fold

CERTAIN = 0.98
FEWEST = 10
_USUAL = 0.85
_ONE_SEX = 0.95
"""Shares of the births that one spelling, and one sex, must have before accents are restored (not ANDREA)."""

_CAPITAL_ACCENTS = frozenset(
    ("ÉRIC", "ÉRICK", "ÉMILIE", "ÉMILE", "ÉLISABETH", "ÉLODIE", "ÉVELYNE", "ÉVELINE", "ÉLISE", "ÉLIANE",
     "ÉTIENNE", "ÉDOUARD", "ÉDITH", "ÉMILIENNE", "ÉMILIEN", "ÉLIE", "ÉMELINE", "ÉLIETTE", "ÉGLANTINE",
     "ÉLOI", "ÈVE", "ÉLÉONORE", "ÉLÉNA", "ÉLISÉE", "ÉMERIC", "ÉRIKA", "ÉLOÏSE", "ÉDMOND", "ÉDMÉE",
     "ÉGIDE", "ÉLIANNE", "ÉLISA", "ÉPIPHANE"))  # fmt: skip
"""French names whose capital takes an accent; registers of the last century wrote it without."""


class Sex(NamedTuple):
    """The sex that a first name tells.

    Attributes:
        sex: ``M``, ``F``, or empty where births do not agree or are too few.
        certainty: Share of the births of the likelier sex, 0 where the name is unknown.
        births: Births behind it.
    """

    sex: str = ""
    certainty: float = 0.0
    births: int = 0


@lru_cache(maxsize=65_536)
def sex_of(first_name: str) -> Sex:
    """Tell the sex of a first name in any writing; the first of several names decides."""
    name = first_name.strip().upper()
    whole = _births(name)
    if whole is None and (parts := re.split(r"[\s,;/-]+", name)) and len(parts) > 1:
        pair = _births("-".join(parts[:2]))
        whole = pair or _births(parts[0])
    if whole is None or not whole.total:
        return Sex()
    share = max(whole.male, whole.female) / whole.total
    told = share >= CERTAIN and whole.total >= FEWEST
    return Sex(("M" if whole.male > whole.female else "F") if told else "", round(share, 4), whole.total)


@lru_cache(maxsize=65_536)
def births_of(first_name: str) -> int:
    """Count the births of a first name in all its spellings."""
    spellings = first_name_spellings()
    return sum(spellings[spelling].total for spelling in first_name_keys().get(fold(first_name), ()))


@lru_cache(maxsize=65_536)
def accented(word: str) -> str:
    """Give a first name's usual spelling in capitals; itself where it has accents, is unknown or has no usual one."""
    upper = word.upper()
    if not upper.isascii():
        return upper
    spellings = first_name_keys().get(fold(upper), ())
    for spelling in spellings:
        if spelling in _CAPITAL_ACCENTS:
            return spelling
    births = first_name_spellings()
    total = sum(births[spelling].total for spelling in spellings)
    if sex_of(upper).certainty < _ONE_SEX:
        return upper
    usual = [name for name in spellings if len(name) == len(upper) and births[name].total >= _USUAL * total]
    return usual[0] if usual and fold(usual[0]) == fold(upper) else upper


def hyphenated(words: list[str]) -> bool:
    """Tell whether words side by side are one compound first name by the register."""
    whole = _births("-".join(words).upper())
    return whole is not None and whole.total >= FEWEST


def _births(name: str) -> Births | None:
    """Add up the births of a name: of its own spelling where it has accents, else of all its spellings."""
    spellings = first_name_spellings()
    if not name.isascii() and name in spellings and spellings[name].total >= FEWEST:
        return spellings[name]
    found = [spellings[spelling] for spelling in first_name_keys().get(fold(name), ())]
    total = Births(0, 0)
    for births in found:
        total += births
    return total if found else None


for _told in (sex_of, births_of, accented):
    forgets(_told.cache_clear)
