"""Reads an input into folded cells, with the place that each came from, and takes code and city out of their columns.

Nothing is interpreted here but the column of the postal code; what the cells mean is found in ``cut`` and ``pieces``.
"""

from __future__ import annotations

from dataclasses import dataclass

from datadock.quality.address.cut import Cell
from datadock.quality.address.model import AddressInput
from datadock.quality.address.text import clean, parts, postal_digits
from datadock.quality.address.words import RETURN_MARKS, type_at, unglued
from datadock.quality.fold import fold


@dataclass(slots=True)
class Reading:
    """The folded cells of an input, and what was taken out of it."""

    cells: list[Cell]
    code: str
    city: str
    codes: list[str]
    raw: str
    odd_code: bool = False
    settled: bool = False


def read_input(given: AddressInput) -> Reading:
    """Give the folded cells of an input, its code and its city."""
    reading = Reading([], "", "", [], "", settled=given.settled)
    roles = [(text, "") for text in given.lines]
    roles += [(given.name, "name")]
    places = ("line_2", "line_3") if len(given.complements) == 2 else ("",) * len(given.complements)
    roles += list(zip(given.complements, places, strict=True))
    roles += [(given.street, "line_4" if given.settled else "street"), (given.locality, "locality")]
    raw = [text for text, _ in roles if text]
    for line, (text, role) in enumerate(roles):
        if text:
            reading.cells += cells_of(text, role, line, reading)
    if given.postal_code:
        reading.code, rest = postal_digits(given.postal_code)
        raw.append(given.postal_code)
        if rest and not reading.code:
            _odd_code(rest, given, reading)
    if given.city:
        text, codes = clean(given.city)
        reading.codes += codes
        reading.city = fold(text)
        raw.append(given.city)
    reading.raw = " ".join(raw)
    reading.codes = list(dict.fromkeys(reading.codes))
    return reading


def _odd_code(rest: str, given: AddressInput, reading: Reading) -> None:
    """Keep what stands in the column of the code and is none: with its city, or as a doubt."""
    folded = fold(rest)
    if any(word.isdigit() and len(word) == 5 for word in folded.split()) and not given.city:
        reading.cells.append(Cell(folded.split(), 90))
    elif folded:
        reading.odd_code = True
        reading.codes.append("CP_INCONNU")


def cells_of(text: str, role: str, line: int, reading: Reading) -> list[Cell]:
    """Give the folded cells of one text; the codes of what was taken out of it go to the reading.

    Args:
        text: The text of one column, or one free line.
        role: What its column holds (``street``, ``locality``), empty for a free line.
        line: Its place in the input.
        reading: Whose text this is.
    """
    plain, codes = clean(text)
    reading.codes += codes
    if role in ("name", "line_2", "line_3", "locality") or reading.settled:
        words = fold(plain).split()
        return [Cell(words, line, role)] if words else []
    found: list[Cell] = []
    for folded in parts(plain):
        if folded in RETURN_MARKS:
            reading.codes.append("NPAI")
        else:
            _add_cell(found, Cell(unglued(folded), line, role))
    return found


def _add_cell(cells: list[Cell], cell: Cell) -> None:
    """Add a cell; a number at the end of the one before (``LYON 15, RUE X``) goes on into a street."""
    last = cells[-1].words[-1] if cells else ""
    if last.isdigit() and len(last) < 5 and type_at(cell.words, 0) and len(cells[-1].words) > 1:
        cells[-1].words += cell.words
    else:
        cells.append(cell)
