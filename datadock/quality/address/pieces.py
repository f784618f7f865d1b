"""Cuts the folded words of one cell into pieces: street, box, inside, outside, locality, and what stays free.

A keyword opens a piece only where its neighbours allow it: ``RUE DE LA RESIDENCE`` is a street, ``RUE X
RESIDENCE Y`` a street and a residence. Which line a piece goes to is decided in ``assemble``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from datadock.quality.address.street import MONTHS, number_at, starts_street
from datadock.quality.address.words import (
    INSIDE,
    INSIDE_WITH_MARK,
    LOCALITY_TYPES,
    MARK_WORDS,
    NOT_A_PLACE,
    ORDINAL_WORDS,
    OUTSIDE,
    OUTSIDE_PAIRS,
    OUTSIDE_WITH_MARK,
    OUTSIDE_WITH_NAME,
    PERSON_WORDS,
    PREPOSITIONS,
    QUALIFIERS,
    SELF_NAMED,
    STRONG_TYPES,
    type_at,
)


class Kind(Enum):
    """What a piece of an address is."""

    FREE = "free"
    INSIDE = "inside"
    OUTSIDE = "outside"
    STREET = "street"
    BOX = "box"
    LOCALITY = "locality"


@dataclass(slots=True)
class Piece:
    """Some words of one kind, from one line of the input."""

    kind: Kind
    words: list[str]
    line: int
    rewritten: bool = False

    @property
    def text(self) -> str:
        """The words, spaced."""
        return " ".join(self.words)


_MARK = re.compile(r"(?:\d{1,4}[A-Z]{0,2}|[A-Z]\d{0,3}|\d{1,2}(?:ER|EME|ERE)|[A-Z]{2}\d{1,3})$")
_COUNT = re.compile(r"\d{1,3}(?:ER|ERE|E|EME|IEME|ND|NDE|ME)?$")
_SUFFIX = frozenset({"E", "EME", "ER", "ERE", "ND", "NDE", "IEME", "ME"})
_FLOORS = frozenset({"ETAGE", "ETG", "ETGE", "ETAGES", "ET"})
_BOX = {"BP": "BP", "CS": "CS", "TSA": "TSA", "CIDEX": "CIDEX", "BPM": "BP", "CIDX": "CIDEX"}
_BOX_LONG = {("B", "P"): "BP", ("C", "S"): "CS", ("BOITE", "POSTALE"): "BP", ("BTE", "POSTALE"): "BP"}
_BOX_STARTS = frozenset({"POSTE", *_BOX, *(first for first, _ in _BOX_LONG)})
_BOX_GLUED = re.compile(r"(BP|CS|TSA|CIDEX)(\d{1,6})$")
_NUMBERED_TOO = frozenset({"COUR", "CLOS", "CITE", "HAMEAU", "QUARTIER", "LOTISSEMENT", "VILLAGE", "LIEU DIT"})
_NO_MARK = frozenset({"CHEZ", "RDC", "RDJ", "DUPLEX"})
PLACES = frozenset(
    {
        ("AU", "VILLAGE"),
        ("CENTRE", "BOURG"),
        ("LE", "BOURG"),
        ("LE", "VILLAGE"),
        ("AU", "BOURG"),
        ("LE", "HAMEAU"),
        ("LIEU", "DIT"),
    }
)
_OPENERS = (
    INSIDE | INSIDE_WITH_MARK | OUTSIDE | OUTSIDE_WITH_MARK | OUTSIDE_WITH_NAME | ORDINAL_WORDS
    | {first for first, _ in OUTSIDE_PAIRS} | {"SOUS", "REZ", "C", "BOITE", "LIEU"}
)  # fmt: skip
_CUTS_NAME = frozenset({"TOUR", "VILLA", "ZI", "ZA", "ZAC", "ZAE", "CCAL", "DOMAINE", "ESPACE", "TECHNOPOLE", "PARC"})


def cut_words(words: list[str], line: int) -> list[Piece]:
    """Cut the words of one cell into pieces, in their order."""
    if _is_person(words):
        return [Piece(Kind.FREE, words, line)]
    numbered = [at for at in range(len(words)) if _numbered_street(words, at)]
    pieces: list[Piece] = []
    piece = Piece(Kind.FREE, [], line)
    at, closed = 0, 0
    while at < len(words):
        box = box_at(words, at)
        if box:
            pieces += [piece] if piece.words else []
            pieces.append(Piece(Kind.BOX, [box[0]], line, rewritten=box[2]))
            at = closed = at + box[1]
            piece = Piece(Kind.FREE, [], line)
            continue
        kind = _opens(words, at, piece, numbered, closed)
        taken = 1
        if kind:
            pieces += [piece] if piece.words else []
            piece = Piece(kind, [], line)
            taken = _taken(words, at, kind)
            closed = at + taken if kind is not Kind.STREET and taken > 1 else closed
        piece.words += words[at : at + taken]
        at += taken
    return [*pieces, piece] if piece.words else pieces


def _numbered_street(words: list[str], at: int) -> bool:
    """Whether a numbered street begins here; behind other words only with a type that says so by itself."""
    kind = starts_street(words, at)
    if kind is None or (at and words[at - 1] in MONTHS):
        return False
    return at == 0 or kind.word in STRONG_TYPES or kind.word in _NUMBERED_TOO


def box_at(words: list[str], at: int) -> tuple[str, int, bool] | None:
    """Give the normal form of a post-office box, the words it takes, and whether it was rewritten."""
    word = words[at]
    if word not in _BOX_STARTS and not word[-1].isdigit():
        return None
    follows = words[at + 1] if at + 1 < len(words) else ""
    if word == "POSTE" and follows == "RESTANTE":
        return "POSTE RESTANTE", 2, False
    glued = _BOX_GLUED.match(word)
    if glued:
        return f"{glued[1]} {glued[2]}", 1, True
    name, skip = _BOX.get(word, ""), 1
    if not name:
        name, skip = _BOX_LONG.get((word, follows), ""), 2
    if not name:
        return None
    start = at + skip
    if start < len(words) and words[start] in ("N", "NO", "NUMERO", "NUM"):
        start += 1
    if start >= len(words) or not words[start].isdigit() or len(words[start]) > 6:
        return None
    digits, end = words[start], start + 1
    if len(digits) == 2 and end < len(words) and re.fullmatch(r"\d{3}", words[end]):
        digits, end = digits + words[end], end + 1
    return f"{name} {digits}", end - at, word != name or end - at != 2


def _is_person(words: list[str]) -> bool:
    """Whether the words begin with a civility or a legal form and hold no numbered street."""
    if not words or words[0] not in PERSON_WORDS or any(char.isdigit() for word in words for char in word):
        return False
    return not any(type_at(words, at) and words[at] in STRONG_TYPES for at in range(1, len(words)))


def _opens(words: list[str], at: int, piece: Piece, numbered: list[int], closed: int) -> Kind | None:
    """Give the kind of the piece that begins at a word, none when the word goes on with the current one.

    ``closed`` is the place behind a complement that has its mark (``BAT D``): what stands there begins anew.
    """
    before = words[at - 1] if at > closed else ""
    if piece.kind is Kind.STREET:
        return _complement(words, at, before, in_street=True)
    if at in numbered:
        return Kind.STREET
    complement = _complement(words, at, before, in_street=False)
    if complement:
        return complement
    later = any(start > at for start in numbered)
    if not later and piece.words and piece.kind is not Kind.LOCALITY and (words[at], *words[at + 1 : at + 2]) in PLACES:
        return Kind.LOCALITY
    opened = _opens_behind(words, at, piece, before, later=later)
    if opened or at != closed or not closed or piece.kind is Kind.FREE:
        return opened
    return None if _MARK.match(words[at]) or words[at] in MARK_WORDS else Kind.FREE


def _opens_behind(words: list[str], at: int, piece: Piece, before: str, *, later: bool) -> Kind | None:
    """Judge a word that is neither a numbered street nor a keyword."""
    if not piece.words or piece.kind in (Kind.INSIDE, Kind.OUTSIDE):
        opened = _opens_place(words, at, piece, before, later=later)
        if opened:
            return opened
    if later or not piece.words or before in PREPOSITIONS or before in QUALIFIERS:
        return None
    kind = type_at(words, at)
    strong = kind is not None and kind.word in STRONG_TYPES and len(words[at]) > 2 and at + kind.words < len(words)
    return Kind.STREET if strong else None


def _opens_place(words: list[str], at: int, piece: Piece, before: str, *, later: bool) -> Kind | None:
    """Judge the first words of a cell, or the words behind a complement."""
    kind = type_at(words, at)
    if kind and kind.word in LOCALITY_TYPES and at + kind.words < len(words):
        return Kind.LOCALITY
    if kind and not later and kind.word not in NOT_A_PLACE:
        more = at + kind.words < len(words)
        if not piece.words:
            return Kind.STREET if (more or kind.word in STRONG_TYPES) and (kind.exact or more) else None
        if kind.word in STRONG_TYPES and more and before not in PREPOSITIONS and len(words[at]) > 1:
            return Kind.STREET
    if kind and kind.word in NOT_A_PLACE and not piece.words and at + kind.words < len(words):
        return Kind.OUTSIDE
    if later or not words[at][0].isdigit():
        return None
    number = number_at(words, at)
    more = number is not None and bool(number.number) and at + number.words < len(words)
    return Kind.STREET if more and _alphabetic_behind(words, at) else None


def _alphabetic_behind(words: list[str], at: int) -> bool:
    return any(word.isalpha() and len(word) > 1 for word in words[at + 1 :])


def _complement(words: list[str], at: int, before: str, *, in_street: bool) -> Kind | None:
    """Give the kind of the complement that begins at a word, none when none does."""
    if words[at] not in _OPENERS and not words[at][0].isdigit():
        return None
    return _complement_at(words, at, before, in_street=in_street)


def _complement_at(words: list[str], at: int, before: str, *, in_street: bool) -> Kind | None:
    word = words[at]
    if word[0].isdigit() and _floor(words, at):
        return Kind.INSIDE
    if before in PREPOSITIONS and before not in ("A", "L"):
        return None
    if _floor(words, at):
        return Kind.INSIDE
    follows = words[at + 1] if at + 1 < len(words) else ""
    if (word, follows) in (("SOUS", "SOL"), ("REZ", "DE"), ("C", "O"), ("REZ", "CHAUSSEE"), ("BOITE", "AUX")):
        return Kind.INSIDE
    if word in INSIDE:
        return Kind.INSIDE if follows or word in ("RDC", "STUDIO", "RDJ", "DUPLEX") else None
    if word in OUTSIDE:
        return Kind.OUTSIDE if follows else None
    if _marked(words, at):
        if word in INSIDE_WITH_MARK:
            return Kind.INSIDE
        if word in OUTSIDE_WITH_MARK and (in_street or word != "ALLEE"):
            return Kind.OUTSIDE
    return _named_place(words, at, before, in_street=in_street)


def _named_place(words: list[str], at: int, before: str, *, in_street: bool) -> Kind | None:
    """Judge a tower, an estate, a zone: cut from a street only where the words say so."""
    word, follows = words[at], words[at + 1] if at + 1 < len(words) else ""
    if in_street and word == "LIEU" and follows == "DIT":
        return Kind.LOCALITY
    if word not in OUTSIDE_WITH_NAME and (word, follows) not in OUTSIDE_PAIRS:
        return None
    if not follows or (in_street and before in QUALIFIERS):
        return None
    if in_street:
        return Kind.OUTSIDE if word in _CUTS_NAME or (word, follows) in OUTSIDE_PAIRS else None
    return Kind.OUTSIDE if at == 0 or (word, follows) in OUTSIDE_PAIRS or word in _CUTS_NAME else None


def _marked(words: list[str], at: int) -> bool:
    """Whether a mark follows (``PORTE 3``, ``ENTREE B``), and not the start of a name (``PORTE D EN HAUT``)."""
    if at + 1 >= len(words):
        return False
    mark = words[at + 1]
    last = at + 2 >= len(words)
    if mark in ("D", "L") and not last and not words[at + 2][0].isdigit():
        kind = type_at(words, at + 2)
        return kind is not None and kind.word in STRONG_TYPES
    return bool(_MARK.match(mark)) or (mark in MARK_WORDS and len(mark) > 1)


def _floor(words: list[str], at: int) -> bool:
    """Whether ``3E ETAGE``, ``3 EME ETAGE`` or ``DERNIER ETAGE`` begins at a word."""
    if not (_COUNT.match(words[at]) or words[at] in ORDINAL_WORDS):
        return False
    step = at + 1
    if step < len(words) and words[step] in _SUFFIX:
        step += 1
    return step < len(words) and words[step] in _FLOORS and (words[step] != "ET" or step + 1 == len(words))


def _taken(words: list[str], at: int, kind: Kind) -> int:
    """Give how many words the opening of a piece takes with it, so that they open nothing themselves."""
    if kind is Kind.STREET:
        number = number_at(words, at)
        skip = number.words if number else 0
        found = type_at(words, at + skip)
        if found and " " in found.word and (found.word in SELF_NAMED or _keyword(words, at + skip + found.words)):
            return skip + found.words
        return min(len(words) - at, skip + (found.words if found else 0) + 1)
    if _floor(words, at):
        return 3 if words[at + 1] in _SUFFIX else 2
    if kind is Kind.LOCALITY or words[at] in _NO_MARK:
        return 1
    if at + 1 < len(words) and _MARK.match(words[at + 1]) and not starts_street_behind(words, at):
        return 2
    return 1


def _keyword(words: list[str], at: int) -> bool:
    """Whether a complement or a box begins at a word, so that the type before it is the whole name."""
    return at < len(words) and (box_at(words, at) is not None or _complement(words, at, "", in_street=True) is not None)


def starts_street_behind(words: list[str], at: int) -> bool:
    """Whether the next word is the number of a street (``RESIDENCE 12 RUE``), not a mark followed by one."""
    kind = type_at(words, at + 2)
    mark = words[at + 1]
    if kind is None or kind.word not in STRONG_TYPES or not mark.isdigit():
        return False
    return words[at] in ("RES", "RESIDENCE", "FOYER", "STUDIO", "RDC", "VILLA")
