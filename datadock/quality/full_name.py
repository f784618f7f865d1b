"""A whole name in one text: civility, first names and family name told apart, then read as parts.

The family name is what stands before a comma, what alone is in capitals, or what follows a known first name.
Where two readings are equally good the name is to be confirmed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import polars as pl

from datadock.quality.civility import WORDS
from datadock.quality.cleaning import LONGEST, visible
from datadock.quality.evidence import STATUS_DTYPE, Status
from datadock.quality.first_names import births_of
from datadock.quality.fold import fold
from datadock.quality.name_case import is_particle
from datadock.quality.name_columns import read_names
from datadock.quality.names import Name, normalise_name

_COMPOUND = 1_000
"""Births from which two words are rather a compound first name than a name: ``jean pierre``."""
_KNOWN = 20
"""Births from which a word counts as a first name."""
_ALSO_CALLED = frozenset(("NEE", "NE", "EPOUSE", "EP", "EPX", "VEUVE", "VVE", "DIVORCEE", "DIV"))
"""Words behind a family name that another one follows."""
_UNSURE = "ORDRE_AMBIGU"
_WHOLE = pl.Schema(
    {"first_name": pl.String(), "last_name": pl.String(), "civility": pl.String(), "ambiguous": pl.Boolean()}
)


class _Whole(NamedTuple):
    """The parts of a whole name; None is a part that is not asked for."""

    first_name: str | None = None
    last_name: str | None = None
    civility: str | None = None
    ambiguous: bool = False


def normalise_full_names(values: pl.Series) -> pl.DataFrame:
    """Read a column of whole names: one row per value in order, ``NAME_SCHEMA``."""
    texts = values.cast(pl.String).rename("text").to_frame()
    distinct = texts.unique()
    wholes = pl.DataFrame([_parts(text) for text in distinct["text"]], schema=_WHOLE, orient="row")
    unsure = wholes["ambiguous"] & pl.col("value").is_not_null()
    read = read_names(wholes.drop("ambiguous")).with_columns(
        pl.when(unsure).then(pl.lit(Status.A_CONFIRMER.value, STATUS_DTYPE)).otherwise("status").alias("status"),
        pl.when(unsure).then(pl.concat_list("codes", pl.lit(_UNSURE))).otherwise("codes").alias("codes"),
    )
    at = texts.join(distinct.with_row_index("at"), on="text", how="left", nulls_equal=True, maintain_order="left")
    return read[at["at"]]


def normalise_full_name(text: str | None) -> Name:
    """Read a whole name. Parts that ``|`` parts are taken as civility, first name and family name."""
    whole = _parts(text)
    found = normalise_name(whole.first_name, whole.last_name, whole.civility)
    if not whole.ambiguous or found.value is None:
        return found
    return found._replace(status=Status.A_CONFIRMER, codes=(*found.codes, _UNSURE))


def _parts(text: str | None) -> _Whole:
    """Tell the parts of a whole name apart."""
    if text is None:
        return _Whole()
    if len(text.strip()) > LONGEST:
        return _Whole(last_name=text)
    shown = visible(text)
    if "|" in shown:
        parts = shown.split("|")
        return _Whole(parts[1], " ".join(parts[2:]) if len(parts) > 2 else None, parts[0])
    civility, words = _civility(shown.split())
    start = next(
        (place for place, word in enumerate(words) if (place or civility) and _folded(word) in _ALSO_CALLED), len(words)
    )
    first, last, ambiguous = _split(" ".join(words[:start]), told=civility is not None)
    return _Whole(first, " ".join([last or "", *words[start:]]).strip() or None, civility, ambiguous)


_folded = lru_cache(maxsize=65_536)(fold)


def _civility(words: list[str]) -> tuple[str | None, list[str]]:
    """Take the civilities off the front."""
    count = 0
    while count < len(words) and (
        _folded(words[count]) in WORDS or (count and _folded(words[count]) == "ET" and count + 1 < len(words))
    ):
        count += 1
    return (" ".join(words[:count]), words[count:]) if count else (None, words)


def _split(text: str, *, told: bool) -> tuple[str | None, str | None, bool]:
    """Give first name, family name, and whether the order is a guess."""
    family, comma, first = text.partition(",")
    if comma and family.strip() and first.strip():
        return first.strip(), family.strip(), False
    words = text.split()
    if len(words) < 2:
        known = births_of(text) >= _KNOWN and not told
        return (text, None, False) if known else (None, text or None, False)
    capitals = [word for word in words if word.isupper() and len(_folded(word)) > 1]
    small = [word for word in words if word not in capitals]
    if capitals and small and words in (capitals + small, small + capitals):
        strange = births_of(capitals[0]) >= _KNOWN > births_of(small[0])
        last, first_names = (small, capitals) if is_particle(small[0]) or strange else (capitals, small)
        return " ".join(first_names), " ".join(last), False
    return _by_births(words)


def _by_births(words: list[str]) -> tuple[str | None, str | None, bool]:
    """Tell first names by the register, from the front, else from the end."""
    if len(words) == 2 and births_of("-".join(words)) >= _COMPOUND:
        return " ".join(words), None, True
    ends = [births_of(words[0]) >= _KNOWN, births_of(words[-1]) >= _KNOWN]
    if is_particle(words[0]) or "'" in words[0][:2]:
        return (
            (words[-1], " ".join(words[:-1]), False) if ends[1] and len(words) > 2 else (None, " ".join(words), False)
        )
    if ends[1] and not ends[0]:
        return words[-1], " ".join(words[:-1]), False
    count = 1
    while count < len(words) - 1 and births_of(words[count]) >= _KNOWN and not is_particle(words[count]):
        count += 1
    both = ends[0] and ends[1] and len(words) == 2 and births_of(words[1]) > births_of(words[0])
    return " ".join(words[:count]), " ".join(words[count:]), both or not ends[0]
