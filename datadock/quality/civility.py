"""Civilities: M, MME, both, titles; MLLE becomes MME, as French administrations write since 2012."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from datadock.quality.cleaning import LONGEST, visible
from datadock.quality.evidence import Evidence, Status
from datadock.quality.fold import fold

MEN = frozenset(("M", "MR", "MONSIEUR", "MONS", "MISTER", "SIR", "HOMME", "H", "MASCULIN", "MALE", "MESSIEURS", "MM"))
WOMEN = frozenset(("MME", "MADAME", "MRS", "MS", "FEMME", "F", "FEMININ", "FEMALE", "MDE", "MM E", "MESDAMES", "MMES"))
MISSES = frozenset(
    ("MLLE", "MELLE", "MADEMOISELLE", "MLE", "MISS", "MELE", "MLL", "DEMOISELLE", "MESDEMOISELLES", "MLLES")
)
TITLES = {"DR": "DR", "DOCTEUR": "DR", "PR": "PR", "PROF": "PR", "PROFESSEUR": "PR", "ME": "ME", "MAITRE": "ME"}
WORDS = (MEN | WOMEN | MISSES | frozenset(TITLES)) - {"H", "F", "SIR", "HOMME", "FEMME", "MASCULIN", "FEMININ", "MALE"}
"""Words that stand before a name in one text."""

_BETWEEN = frozenset(("ET", "OU", "AND", "E", "LE", "LA"))
_COMPANIES = frozenset(
    ("STE", "SOCIETE", "SARL", "SAS", "SASU", "SA", "EURL", "SCI", "ASSOCIATION", "ASSO", "ETS",
     "ENTREPRISE", "MAIRIE"))  # fmt: skip
_LABELS = {"M": "Monsieur", "MME": "Madame", "M ET MME": "Monsieur et Madame"}


class Civility(NamedTuple):
    """A civility: its normal form, the sex it tells, the title beside it."""

    value: str | None = None
    sex: str = ""
    title: str | None = None
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def label(self) -> str:
        """The civility written out."""
        return _LABELS.get(self.value or "", "")


def civility_for(sex: str) -> str:
    """Give the civility of a sex."""
    return "MME" if sex == "F" else "M"


@lru_cache(maxsize=4_096)
def read_civility(text: str | None) -> Civility:
    """Read a civility; None and blank are empty, what is none is rejected."""
    if text is None or len(text) > LONGEST:
        return Civility() if text is None else Civility(status=Status.REJETEE, codes=("CIVILITE_INCONNUE",))
    words = fold(visible(text)).split()
    if not words:
        empty = not visible(text)
        return Civility() if empty else Civility(status=Status.REJETEE, codes=("CIVILITE_INCONNUE",))
    title = next((TITLES[word] for word in words if word in TITLES), None)
    rest = [word for word in words if word not in TITLES and word not in _BETWEEN]
    if rest and rest[0] in _COMPANIES:
        return Civility(status=Status.A_CONFIRMER, codes=("PERSONNE_MORALE",))
    if any(word not in MEN | WOMEN | MISSES for word in rest) or (not rest and title is None):
        return Civility(title=title, status=Status.REJETEE, codes=("CIVILITE_INCONNUE",))
    return _of_words(text, rest, title)


def _of_words(text: str, words: list[str], title: str | None) -> Civility:
    men = any(word in MEN for word in words)
    women = any(word in WOMEN | MISSES for word in words)
    value = "M ET MME" if men and women else "M" if men else "MME" if women else None
    sex = "" if men == women else "M" if men else "F"
    if not any(word in MISSES for word in words):
        return Civility(value, sex, title, Status.OK)
    evidence = (Evidence("MLLE_EN_MME", "civility", text, value or "", ""),)
    return Civility(value, sex, title, Status.CORRIGEE, ("MLLE_EN_MME",), evidence)
