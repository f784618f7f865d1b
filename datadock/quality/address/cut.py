"""Finds the postal code and the city in the cells of an address, and gives back what remains.

The code may stand anywhere: before or behind the city, on a line of its own, at the head of the address.
A five-digit number behind BP, CS or TSA is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from datadock.quality.address.locality import LocalityResolver
from datadock.quality.address.pieces import PLACES, box_at
from datadock.quality.address.street import starts_street
from datadock.quality.address.words import INSIDE, OUTSIDE, PREPOSITIONS, STRONG_TYPES, type_at
from datadock.quality.reference.tables import name_key

_CODE = re.compile(r"(?:FR|F)?(\d{5})$")
_QUARTER = re.compile(r"\d{1,2}(?:E|EME|ER|IEME)?$")
_ALONE = frozenset({"BOURG", "VILLAGE", "MAIRIE", "HAMEAU"})
_BOX_WORDS = frozenset({"BP", "CS", "TSA", "CIDEX", "N", "NO", "POSTALE", "P", "S"})


@dataclass(slots=True)
class Cell:
    """Folded words of one cell, or of one part between commas, with the line that it came from."""

    words: list[str]
    line: int
    role: str = ""


@dataclass(slots=True)
class Cut:
    """The code and the city as typed (folded), and the cells that remain."""

    code: str = ""
    city: str = ""
    cells: list[Cell] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    at: int = -1
    typed: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    cell: int
    at: int
    words: int
    code: str
    prefixed: bool
    rank: int


def cut_place(cells: Sequence[Cell], resolver: LocalityResolver) -> Cut:
    """Find code and city among the cells; what is not found stays empty."""
    found = [item for number, cell in enumerate(cells) for item in _codes_in(cells, number, cell, resolver)]
    if not found:
        return _lost_zero(cells, resolver) or _city_alone(cells, resolver)
    best = max(found, key=lambda item: (item.rank, item.cell, item.at))
    cut = _take(cells, best, resolver)
    sure = {item.code for item in found if item.rank == 3}
    if len(sure) > 1:
        cut.codes.append("DEUX_ADRESSES")
    if best.prefixed:
        cut.codes.append("PAYS_RETIRE")
    if best.words == 2:
        cut.codes.append("CP_CORRIGE")
        cut.typed = f"{best.code[:2]} {best.code[2:]}"
    return cut


def _codes_in(cells: Sequence[Cell], number: int, cell: Cell, resolver: LocalityResolver) -> list[_Found]:
    found = []
    words = cell.words
    for at, word in enumerate(words):
        size, code = _code_at(words, at)
        if not code or (at and words[at - 1] in _BOX_WORDS and not (at == 1 and words[0] == "F")):
            continue
        prefixed = not word[0].isdigit() or (at == 1 and words[0] in ("F", "FR"))
        found.append(_Found(number, at, size, code, prefixed, _rank(cells, number, at + size, code, resolver)))
    return found


def _code_at(words: list[str], at: int) -> tuple[int, str]:
    if not words[at][-1].isdigit():
        return 0, ""
    match = _CODE.match(words[at])
    if match:
        return 1, match[1]
    if re.fullmatch(r"\d{2}", words[at]) and at + 1 < len(words) and re.fullmatch(r"\d{3}", words[at + 1]):
        behind = words[at + 2 :]
        if behind and behind[0].isalpha() and not type_at(words, at + 2):
            return 2, words[at] + words[at + 1]
    return 0, ""


def could_hold_code(words: list[str]) -> bool:
    """Whether words hold five digits that might be a postal code, together or as two and three."""
    digits = "".join("9" if word.isdigit() else "A" for word in words)
    return any(len(word) >= 5 and word[-5:].isdigit() for word in words) or "99" in digits


def _rank(cells: Sequence[Cell], number: int, behind: int, code: str, resolver: LocalityResolver) -> int:
    """Say how surely five digits are a postal code: 3 with its city, 2 a known code, 1 with any word, 0 else."""
    words = cells[number].words[behind:]
    known = code in resolver.reference.by_code
    if known and words and _known_prefix(words, code, resolver):
        return 3
    if "CEDEX" in words:
        return 3
    if known:
        return 2
    return 1 if words and words[0].isalpha() else 0


def _known_prefix(words: list[str], code: str, resolver: LocalityResolver) -> int:
    """Give the number of leading words that are a name of the code, the most that are."""
    for size in range(min(len(words), 9), 0, -1):
        if resolver.knows(code, " ".join(words[:size])):
            return size
    return 0


def _known_suffix(words: list[str], code: str, resolver: LocalityResolver) -> int:
    for size in range(min(len(words), 9), 0, -1):
        if resolver.knows(code, " ".join(words[-size:])):
            return size
    return 0


def _take(cells: Sequence[Cell], found: _Found, resolver: LocalityResolver) -> Cut:
    words = cells[found.cell].words
    start = 0 if found.at == 1 and words[0] in ("F", "FR") else found.at
    before, behind = words[:start], words[found.at + found.words :]
    others = list(cells)
    cut = Cut(found.code, at=cells[found.cell].line)
    if behind:
        behind, others = _joined_city(behind, others, found, resolver)
        city, rest = split_city(behind, found.code, resolver)
        if not rest and not before and len(cells) == 1:
            size = _known_prefix(behind, found.code, resolver)
            if size and behind[size : size + 1] and behind[size] not in PREPOSITIONS and "CEDEX" not in behind:
                city, rest = behind[:size], behind[size:]
        cut.city = " ".join(city)
        if rest and not before:
            cut.codes.append("ORDRE_CORRIGE")
    else:
        rest = []
        before, cut.city, others = _city_elsewhere(before, others, found, resolver)
    line, role = cells[found.cell].line, cells[found.cell].role
    replaced = [Cell(part, line, role) for part in (before, rest) if part]
    at = next(place for place, cell in enumerate(others) if cell is cells[found.cell])
    cut.cells = [*others[:at], *replaced, *others[at + 1 :]]
    if not before and not rest and _street_follows(others[at + 1 :]) and not _street_follows(others[:at]):
        cut.codes.append("ORDRE_CORRIGE")
    return cut


def _joined_city(
    behind: list[str], cells: list[Cell], found: _Found, resolver: LocalityResolver
) -> tuple[list[str], list[Cell]]:
    """Join a city that spaced dashes have cut (``L HOPITAL - SAINT - LIEFFROY``)."""
    here = cells[found.cell]
    words = behind
    for at in range(found.cell + 1, min(found.cell + 4, len(cells))):
        if cells[at].line != here.line:
            break
        words = words + cells[at].words
        if resolver.knows(found.code, " ".join(words)):
            return words, [*cells[: found.cell + 1], *cells[at + 1 :]]
    return behind, cells


def _street_follows(cells: Sequence[Cell]) -> bool:
    return any(starts_street(cell.words, 0) or type_at(cell.words, 0) for cell in cells if cell.words)


def _city_elsewhere(
    before: list[str], cells: list[Cell], found: _Found, resolver: LocalityResolver
) -> tuple[list[str], str, list[Cell]]:
    """Find the city of a code that nothing follows: before it, in the next cell, in the one before."""
    size = _known_suffix(before, found.code, resolver)
    if size:
        return before[: len(before) - size], " ".join(before[-size:]), cells
    here = cells[found.cell]
    for step in (1, -1):
        at = found.cell + step
        if 0 <= at < len(cells) and (resolver.knows(found.code, " ".join(cells[at].words)) or _cedex(cells[at])):
            return before, " ".join(cells[at].words), [cell for cell in cells if cell is here or cell is not cells[at]]
    at = found.cell + 1
    if not before and at == len(cells) - 1 and not any(word[0].isdigit() for word in cells[at].words):
        return before, " ".join(cells[at].words), cells[:at]
    return before, "", cells


def _cedex(cell: Cell) -> bool:
    return "CEDEX" in cell.words


def split_city(words: list[str], code: str, resolver: LocalityResolver) -> tuple[list[str], list[str]]:
    """Split what follows a code into the city and what belongs to the lines above."""
    if "CEDEX" in words:
        end = words.index("CEDEX") + 1
        if end < len(words) and re.fullmatch(r"\d{1,2}", words[end]):
            end += 1 if not starts_street(words, end) or words[end + 1][0].isdigit() else 0
        return words[:end], words[end:]
    quarter = quarter_words(words)
    if quarter:
        return words[:quarter], words[quarter:]
    size = _known_prefix(words, code, resolver)
    if size and (size == len(words) or _begins_above(words, size) or resolver.knows(code, " ".join(words[size:]))):
        return words[:size], words[size:]
    if resolver.knows("", " ".join(words)):
        return words, []
    for at in range(1, len(words)):
        if _begins_above(words, at, strict=True):
            return words[:at], words[at:]
    return words, []


def quarter_words(words: list[str]) -> int:
    """Give how many words ``PARIS 8 EME ARRONDISSEMENT`` takes, 0 when the words are no such thing."""
    if words[0] not in ("PARIS", "LYON", "MARSEILLE") or len(words) < 2 or not _QUARTER.match(words[1]):
        return 0
    if len(words) > 2 and starts_street(words, 1):
        return 0
    size = 2
    while size < len(words) and (words[size] in ("E", "EME", "ER", "IEME") or words[size].startswith("ARR")):
        size += 1
    return size if size == len(words) or size > 2 or type_at(words, size) else 0


def _begins_above(words: list[str], at: int, *, strict: bool = False) -> bool:
    """Whether the words from here on are a street, a box or a complement."""
    word = words[at]
    if starts_street(words, at) or box_at(words, at) or tuple(words[at : at + 2]) in PLACES:
        return True
    if at + 1 >= len(words):
        return word in _ALONE and not strict
    if word in INSIDE or word in OUTSIDE:
        return True
    kind = type_at(words, at)
    if kind and kind.word in STRONG_TYPES and len(word) > 1 and words[at - 1] not in PREPOSITIONS:
        return True
    if strict:
        return False
    if kind and at + kind.words < len(words):
        return True
    return (word[0].isdigit() and words[at + 1].isalpha()) or word in ("LE", "LA", "LES", "LIEU", "AU", "AUX", "CHEZ")


def _lost_zero(cells: Sequence[Cell], resolver: LocalityResolver) -> Cut | None:
    """Find a code of four digits (a spreadsheet's lost zero): taken only when its commune then agrees."""
    for number in range(len(cells) - 1, -1, -1):
        words = cells[number].words
        for at, word in enumerate(words[:-1]):
            if not re.fullmatch(r"[1-9]\d{3}", word):
                continue
            city = words[at + 1 :]
            right = completed_code(word, " ".join(city), resolver)
            if right:
                kept = [Cell(words[:at], cells[number].line, cells[number].role)] if at else []
                rest = [*cells[:number], *kept, *cells[number + 1 :]]
                return Cut(right, " ".join(city), rest, ["CP_CORRIGE"], cells[number].line, word)
    return None


def completed_code(digits: str, city: str, resolver: LocalityResolver) -> str:
    """Give the code of five digits that four digits and a city mean: a lost zero, else one lost digit."""
    if resolver.knows("0" + digits, city):
        return "0" + digits
    known = resolver.reference.by_name.get(name_key(city), ())
    codes = {code for entry in known for code in entry.codes}
    near = {code for code in codes if any(code[:at] + code[at + 1 :] == digits for at in range(5))}
    return near.pop() if len(near) == 1 else ""


def _city_alone(cells: Sequence[Cell], resolver: LocalityResolver) -> Cut:
    """Find the city of an address without a code: a whole last cell, or the longest known end of it."""
    if not cells:
        return Cut()
    last = cells[-1]
    text = " ".join(last.words)
    if len(cells) > 1 and (_is_city(text, resolver) or _cedex(last)):
        return Cut("", text, list(cells[:-1]), at=last.line)
    for size in range(min(len(last.words) - 1, 9), 0, -1):
        rest, city = last.words[:-size], last.words[-size:]
        if _is_city(" ".join(city), resolver) and _can_stand_alone(rest, city):
            return Cut("", " ".join(city), [*cells[:-1], Cell(rest, last.line, last.role)], at=last.line)
    if len(cells) > 1 and not any(word[0].isdigit() for word in last.words) and not type_at(last.words, 0):
        return Cut("", text, list(cells[:-1]), at=last.line)
    if len(cells) == 1 and _is_city(text, resolver):
        return Cut("", text, [], at=last.line)
    return Cut("", "", list(cells))


def _is_city(text: str, resolver: LocalityResolver) -> bool:
    return resolver.knows("", text) or bool(re.match(r"(PARIS|LYON|MARSEILLE) (CEDEX )?\d{1,2}", text))


def _can_stand_alone(rest: list[str], city: list[str]) -> bool:
    """Whether what stands before a city is complete: no preposition at its end, no type without a name."""
    if rest[-1] in PREPOSITIONS or rest[-1] in ("ST", "SAINT", "STE", "SAINTE", "FAUBOURG"):
        return False
    skip = 0
    while skip < len(rest) and (rest[skip][0].isdigit() or rest[skip] in ("BIS", "TER")):
        skip += 1
    kind = type_at(rest, skip)
    if kind and skip + kind.words >= len(rest) and " " not in kind.word:
        return False
    return bool(rest[skip:]) and bool(name_key(" ".join(city)))
