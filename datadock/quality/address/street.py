"""Reads a house number, its repetition, the street type and the street's name from folded words.

A number is 1 to 9999; of several the first is kept; a letter typed by a person stays that letter.
Numbers inside names (8 MAI 1945, 4E AVENUE) are no house numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from datadock.quality.address.words import REPETITIONS, SELF_NAMED, StreetType, type_at, word_set

_NUMBER = re.compile(r"(\d{1,4})(BIS|TER|QUATER|QUINQUIES|[A-Z])?$")
_LONG_NUMBER = re.compile(r"\d{5,}[A-Z]?$")
_ORDINAL = re.compile(r"\d{1,3}(?:ER|ERE|E|EME|IEME|ND|NDE|RE|ME)$")
MONTHS = word_set("JANVIER FEVRIER MARS AVRIL MAI JUIN JUILLET AOUT SEPTEMBRE OCTOBRE NOVEMBRE DECEMBRE")
_NOT_BEFORE_NUMBER = MONTHS | word_set(
    "LOT KM D N RN RD CD VC CR R PK VOIE ROUTE NATIONALE DEPARTEMENTALE NO NUMERO ALLEE RUE AVENUE BLOC A B "
    "ZONE EN SECTEUR QUARTIER RGT REGIMENT DIVISION LOUIS HENRI CHARLES FRANCOIS PIE JEAN PAUL NAPOLEON DE DU "
    "LE LA LES ET CITE ILOT TRANCHE PHASE SECTION PARCELLE CHEMIN"
)
_ARTICLE_LETTERS = frozenset("ADL")


@dataclass(frozen=True, slots=True)
class Street:
    """A street as it was read.

    Args:
        number: House number, 1 to 9999, empty when there is none.
        repetition: B, T, Q, C or another letter.
        kind: Full word of the street type, empty when there is none.
        name: Folded name behind the type.
        codes: Detail codes.
        typed: The words as they were met.
    """

    number: str = ""
    repetition: str = ""
    kind: str = ""
    name: str = ""
    codes: tuple[str, ...] = ()
    typed: str = ""

    @property
    def label(self) -> str:
        """Type and name."""
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class NumberRead:
    """How many words a house number takes, and what it says."""

    words: int
    number: str = ""
    repetition: str = ""
    codes: tuple[str, ...] = ()


def number_at(words: list[str], at: int) -> NumberRead | None:
    """Read the house number that begins at a word, with its repetition and range; none when there is none."""
    start = at
    if words[at] in ("N", "NO", "NUM", "NUMERO", "NR", "NUMEROS") and at + 1 < len(words):
        at += 1
    head = words[at]
    if not head[0].isdigit():
        return None
    if _LONG_NUMBER.match(head):
        return NumberRead(at + 1 - start, codes=("NUMERO_HORS_BORNES",))
    match = _NUMBER.match(head)
    if not match or (_ORDINAL.match(head) and _is_ordinal(words, at)):
        return None
    number, glued = match[1].lstrip("0"), match[2] or ""
    at += 1
    repetition, at, rewritten = _repetition(words, at, glued)
    at, ranged = _range(words, at)
    codes = ("NUMERO_CORRIGE",) if rewritten or ranged or words[start] != head or match[1] != number else ()
    if not number:
        return NumberRead(at - start, codes=("NUMERO_HORS_BORNES",))
    return NumberRead(at - start, number, repetition, codes)


def _is_ordinal(words: list[str], at: int) -> bool:
    """Whether ``4E`` counts a street (``4E AVENUE``, ``1ER MAI``) or is number 4 with the letter E."""
    follows = words[at + 1] if at + 1 < len(words) else ""
    if len(words[at].lstrip("0123456789")) > 1 or follows in MONTHS:
        return True
    kind = type_at(words, at + 1)
    return kind is not None and at + 1 + kind.words == len(words)


def _repetition(words: list[str], at: int, glued: str) -> tuple[str, int, bool]:
    """Read the repetition; gives it, the next word's place and whether it was rewritten."""
    if glued:
        return REPETITIONS.get(glued, glued), at, True
    follows = words[at] if at < len(words) else ""
    if follows in REPETITIONS:
        return REPETITIONS[follows], at + 1, True
    if len(follows) == 1 and follows.isalpha() and at + 1 < len(words):
        after = words[at + 1]
        kind = type_at(words, at + 1)
        if (kind and kind.word != "LIEU DIT") or after.isdigit() or follows not in _ARTICLE_LETTERS:
            single = follows == "R" and not kind
            if not single and not (follows == "A" and after.isdigit()):
                return follows, at + 1, False
    return "", at, False


def _range(words: list[str], at: int) -> tuple[int, bool]:
    """Pass over ``14`` in ``12 14 RUE``, ``12 A 14 RUE``, ``12 ET 14 BIS RUE``."""
    found = False
    while at + 1 < len(words):
        step = at + 1 if words[at] in ("A", "ET", "AU", "OU") else at
        match = _NUMBER.match(words[step]) if step + 1 < len(words) else None
        if not match or (_ORDINAL.match(words[step]) and len(words[step].lstrip("0123456789")) > 1):
            break
        after = step + 1
        if words[after] in REPETITIONS or (len(words[after]) == 1 and type_at(words, after + 1)):
            after += 1
        if after < len(words) and words[after] in MONTHS:
            break
        if not type_at(words, after) and not (after < len(words) and words[after].isdigit()):
            break
        if _is_ordinal(words, step) and match[2]:
            break
        at, found = after, True
    return at, found


def read_street(words: list[str]) -> Street:
    """Read the words of a street."""
    number = number_at(words, 0) if words else None
    rest = words[number.words :] if number else words
    codes = list(number.codes) if number else []
    if number is None:
        rest, number, more = _number_behind(rest)
        codes += more
    kind, name, expanded = _split_type(rest)
    if expanded:
        codes.append("VOIE_CORRIGEE")
    return Street(
        number.number if number else "", number.repetition if number else "", kind, name, tuple(codes), " ".join(words)
    )


def _split_type(words: list[str]) -> tuple[str, str, bool]:
    """Split the type from the name; a type alone (LE MAIL, GRANDE RUE) keeps its word."""
    found = type_at(words, 0)
    if not found or (not found.exact and len(words) == found.words and found.word not in SELF_NAMED):
        return "", " ".join(words), False
    if found.words == 1 and not found.exact and len(words[0]) == 1 and not _stands_for_rue(words):
        return "", " ".join(words), False
    return found.word, " ".join(words[found.words :]), not found.exact


def _stands_for_rue(words: list[str]) -> bool:
    return len(words) > 1


def _number_behind(words: list[str]) -> tuple[list[str], NumberRead | None, list[str]]:
    """Read a number behind the street (``RUE DE LA GARE 12``), as it is written in Alsace and abroad."""
    kind = type_at(words, 0)
    if not kind or len(words) < kind.words + 2:
        return words, None, []
    match = _NUMBER.match(words[-1])
    if not match or _ORDINAL.match(words[-1]) or int(match[1]) == 0 or int(match[1]) > 999:
        return words, None, []
    if words[-2] in _NOT_BEFORE_NUMBER or any(char.isdigit() for char in words[-2]):
        return words, None, []
    glued = match[2] or ""
    return words[:-1], NumberRead(1, match[1].lstrip("0"), REPETITIONS.get(glued, glued)), ["NUMERO_DEPLACE"]


def starts_street(words: list[str], at: int) -> StreetType | None:
    """Give the type of the numbered street that begins at a word: number, perhaps a letter, then a type."""
    if not words[at][0].isdigit() and words[at] not in ("N", "NO", "NUMERO"):
        return None
    number = number_at(words, at)
    if number is None or _LONG_NUMBER.match(words[at + number.words - 1]):
        return None
    return type_at(words, at + number.words)
