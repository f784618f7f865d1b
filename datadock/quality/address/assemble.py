"""Puts the pieces of an address on their lines: who, inside, outside, street, locality or box.

Lines 1 to 3 that are too long run over to a free neighbour; what still does not fit is cut at a word and
said so. The street's label is shortened by the steps of the norm, never cut while they suffice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from datadock.quality.address.abbreviate import shorten
from datadock.quality.address.cut import Cell
from datadock.quality.address.model import LINE_LENGTH, Address, AddressInput
from datadock.quality.address.pieces import Kind, Piece, box_at, cut_words
from datadock.quality.address.street import Street, read_street
from datadock.quality.address.words import PERSON_WORDS, PLACE_WORDS, SERVICE_WORDS, type_at
from datadock.quality.evidence import Evidence
from datadock.quality.fold import fold
from datadock.quality.reference.tables import Reference, name_key

LONG_REPETITIONS = {"B": "BIS", "T": "TER", "Q": "QUATER", "C": "QUINQUIES"}


@dataclass(slots=True)
class Draft:
    """Lines in the making."""

    who: str = ""
    inside: str = ""
    outside: str = ""
    street: Street = field(default_factory=Street)
    locality: str = ""
    box: str = ""
    codes: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)


def _join(left: str, right: str) -> str:
    return f"{left} {right}".strip()


def draft_lines(cells: Sequence[Cell]) -> Draft:
    """Put the pieces of the cells on their lines."""
    draft = Draft()
    pieces = [piece for cell in cells for piece in _pieces_of(cell, draft)]
    at = next((place for place, piece in enumerate(pieces) if piece.kind is Kind.STREET), -1)
    if at < 0:
        at = _stands_for_street(pieces)
    if at < 0:
        _promote(pieces)
    for place, piece in enumerate(pieces):
        if place == at:
            draft.street = read_street(piece.words)
            draft.codes += draft.street.codes
        else:
            _put(draft, piece, behind=place > at >= 0)
    _tell_moves(draft, pieces, at)
    return draft


def _pieces_of(cell: Cell, draft: Draft) -> list[Piece]:
    """Cut a cell by what is known of its column; what a column names keeps its place."""
    if cell.role == "name":
        draft.who = _join(draft.who, " ".join(cell.words))
        return []
    if cell.role in ("line_2", "line_3"):
        side = "inside" if cell.role == "line_2" else "outside"
        setattr(draft, side, _join(getattr(draft, side), " ".join(cell.words)))
        return []
    if cell.role == "locality":
        box = box_at(cell.words, 0)
        rest = cell.words[box[1] :] if box else cell.words
        draft.box = _join(draft.box, box[0]) if box else draft.box
        draft.locality = _join(draft.locality, " ".join(rest))
        return []
    if cell.role == "line_4":
        return [Piece(Kind.STREET, cell.words, cell.line)]
    pieces = cut_words(cell.words, cell.line)
    if cell.role == "street" and pieces and not any(piece.kind is Kind.STREET for piece in pieces):
        free = [piece for piece in pieces if piece.kind is Kind.FREE]
        for piece in free[-1:]:
            piece.kind = Kind.LOCALITY
    return pieces


def _stands_for_street(pieces: list[Piece]) -> int:
    """Without a street, a place with a number (``12 RESIDENCE X``) stands for it."""
    return next((at for at, p in enumerate(pieces) if p.kind is Kind.FREE and _numbered(p.words)), -1)


def _numbered(words: list[str]) -> bool:
    return len(words) > 1 and words[0].isdigit() and 0 < len(words[0]) <= 4 and words[1].isalpha() and len(words[1]) > 1


def put_before(draft: Draft, piece: Piece) -> None:
    """Put a piece that stands before the street on its line."""
    _put(draft, piece, behind=False)


def _put(draft: Draft, piece: Piece, *, behind: bool) -> None:
    if piece.kind is Kind.BOX:
        draft.box = _join(draft.box, piece.text)
        if piece.rewritten:
            draft.codes.append("BP_CORRIGEE")
    elif piece.kind is Kind.INSIDE:
        draft.inside = _join(draft.inside, piece.text)
    elif piece.kind is Kind.OUTSIDE:
        draft.outside = _join(draft.outside, piece.text)
    elif piece.kind is Kind.LOCALITY or (piece.kind is Kind.STREET and behind):
        draft.locality = _join(draft.locality, _without_lieu_dit(piece.words))
    elif behind and not _names_someone(piece.words):
        draft.locality = _join(draft.locality, piece.text)
    else:
        _put_free(draft, piece)


def _without_lieu_dit(words: list[str]) -> str:
    """Give a lieu-dit without the words that only announce it."""
    kind = type_at(words, 0)
    skip = kind.words if kind and kind.word == "LIEU DIT" and len(words) > kind.words else 0
    return " ".join(words[skip:])


def _names_someone(words: list[str]) -> bool:
    return words[0] in PERSON_WORDS


def _put_free(draft: Draft, piece: Piece) -> None:
    """Put words that no keyword explains, before the street: someone, a service, a building's name."""
    if piece.words[0] in SERVICE_WORDS or (piece.words[0] == "A" and "ATTENTION" in piece.words):
        draft.inside = _join(draft.inside, piece.text)
    elif not draft.who and (piece.words[0] not in PLACE_WORDS or _names_someone(piece.words)):
        draft.who = piece.text
    elif _names_someone(piece.words) and not draft.inside:
        draft.inside = piece.text
    else:
        draft.outside = _join(draft.outside, piece.text)


def _promote(pieces: list[Piece]) -> None:
    """Without a street, the last free words (``LE BOURG``) are the place; else an estate, else CHEZ and a name."""
    if any(piece.kind is Kind.LOCALITY for piece in pieces):
        return
    free = [
        p for p in pieces if p.kind is Kind.FREE and not _names_someone(p.words) and p.words[0] not in SERVICE_WORDS
    ]
    if free:
        free[-1].kind = Kind.LOCALITY
        return
    estates = [piece for piece in pieces if piece.kind is Kind.OUTSIDE and type_at(piece.words, 0)]
    chez = [piece for piece in pieces if piece.kind is Kind.INSIDE and piece.words[0] == "CHEZ"]
    if estates:
        estates[-1].kind = Kind.LOCALITY
    elif chez and len(pieces) == 1:
        chez[0].kind = Kind.LOCALITY


def _tell_moves(draft: Draft, pieces: list[Piece], at: int) -> None:
    """Say what changed its place: a complement on the street's line, a box or complement on the wrong side."""
    if at < 0:
        return
    line = pieces[at].line
    sides = (Kind.INSIDE, Kind.OUTSIDE)
    beside = [piece for place, piece in enumerate(pieces) if piece.kind in sides and (piece.line == line or place > at)]
    if beside:
        draft.codes.append("COMPLEMENT_DEPLACE")
        draft.evidence += [Evidence("COMPLEMENT_DEPLACE", "ligne_4", piece.text, "") for piece in beside]
    early = [piece for piece in pieces[:at] if piece.kind is Kind.BOX]
    if early:
        draft.codes.append("ORDRE_CORRIGE")
        draft.evidence += [Evidence("BP_APRES_VOIE", "ligne_5", piece.text, piece.text) for piece in early]


def in_places(given: AddressInput) -> AddressInput:
    """Take six or seven lines that already are a normal block, empty ones in their places, for what they are."""
    lines = given.lines
    if len(lines) not in (6, 7) or given.named or any(len(line) > LINE_LENGTH or fold(line) != line for line in lines):
        return given
    street = cut_words(lines[3].split(), 0) if lines[3] else []
    above = [piece.kind for line in lines[:3] if line for piece in cut_words(line.split(), 0)]
    wrong = Kind.STREET in above or Kind.BOX in above or len(street) > 1
    if wrong or any(piece.kind is not Kind.STREET for piece in street) or not _ends_block(lines):
        return given
    return settled_block(lines)


def settled_block(lines: tuple[str, ...]) -> AddressInput:
    """Give lines of a normal form as the input that they stand for; lines that are none, as free lines."""
    if any(len(line) > LINE_LENGTH or fold(line) != line for line in lines):
        return AddressInput(lines)
    first, second, third, fourth, fifth, last, *country = lines
    return Address(first, second, third, fourth, fifth, last, "".join(country)).as_input()


def _ends_block(lines: Sequence[str]) -> bool:
    """Whether line 6 is a code and a city, or the only lines told are above it."""
    code = lines[5][:5]
    return len(code) == 5 and code.isdigit() and lines[5][5:6] == " "


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines 1 to 5 and the street's label as printed."""

    first: str
    second: str
    third: str
    fourth: str
    fifth: str
    label: str
    codes: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def print_lines(draft: Draft, former: str, commune: str, reference: Reference, *, long_repetition: bool) -> Lines:
    """Print lines 1 to 5 within their 38 characters."""
    codes: list[str] = []
    evidence: list[Evidence] = []
    street = draft.street
    label = shorten(street.kind, street.name, reference)
    if label != street.label:
        codes.append("L4_ABREGEE")
        evidence.append(Evidence("L4_ABREGEE", "voie", street.label, label))
    repetition = LONG_REPETITIONS.get(street.repetition, street.repetition) if long_repetition else street.repetition
    fourth = " ".join(part for part in (street.number, repetition, label) if part)
    if len(fourth) > LINE_LENGTH:
        fourth = _cut(fourth)
        label = fourth.removeprefix(" ".join(part for part in (street.number, repetition) if part)).strip()
        codes.append("L4_TRONQUEE")
    locality = draft.locality if name_key(draft.locality) != name_key(commune) else ""
    if former and name_key(former) not in name_key(locality):
        locality = former if not locality else _join(locality, former)
    fifth, more = _fifth(draft.box, locality)
    codes += more
    label = label or _cut(draft.locality)
    (first, second, third), cut = _upper([draft.who, draft.inside, draft.outside])
    return Lines(first, second, third, fourth, fifth, label, (*codes, *cut), tuple(evidence))


def _cut(text: str) -> str:
    """Cut a text to a line, at a word where there is one."""
    if len(text) <= LINE_LENGTH:
        return text
    head = text[: LINE_LENGTH + 1].rsplit(" ", 1)[0]
    return head if len(head) <= LINE_LENGTH else text[:LINE_LENGTH]


def _fifth(box: str, locality: str) -> tuple[str, list[str]]:
    whole = _join(box, locality)
    short = _cut(whole)
    return short, ["L5_TRONQUEE"] if short != whole else []


def _upper(lines: list[str]) -> tuple[list[str], list[str]]:
    """Fit lines 1 to 3: what is too long runs over to a free neighbour, else it is cut."""
    codes = []
    for at in range(3):
        kept = _cut(lines[at])
        over = lines[at][len(kept) :].strip()
        if not over:
            continue
        free = at + 1 if at < 2 and not lines[at + 1] else at - 1 if at > 0 and not lines[at - 1] else -1
        if free == at + 1 and len(over) <= LINE_LENGTH:
            lines[at], lines[free] = kept, over
        elif free == at - 1 and free >= 0 and len(over) <= LINE_LENGTH:
            lines[free], lines[at] = kept, over
        else:
            lines[at] = kept
            codes.append(f"L{at + 1}_TRONQUEE")
    return lines, codes
