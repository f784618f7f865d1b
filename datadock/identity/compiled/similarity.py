"""DuckDB's text similarities for two texts in Python: the same numbers, to the last bit.

DuckDB compares bytes: a letter beyond ASCII counts as its two to four bytes. Every function takes texts that are known.
"""

from __future__ import annotations

from functools import lru_cache
from operator import ne
from typing import Any

_CACHED = 1 << 16
_LIKELY = 0.7
_PREFIX, _PREFIX_WEIGHT = 4, 0.1


def units(text: str) -> str | bytes:
    """Return what DuckDB compares of a text: its bytes."""
    return text if text.isascii() else text.encode()


@lru_cache(_CACHED)
def jaro(left: str, right: str) -> float:
    """Jaro similarity, 0 to 1."""
    one, other = units(left), units(right)
    if type(one) is not type(other):
        one, other = left.encode(), right.encode()
    return _jaro(one, other)


@lru_cache(_CACHED)
def _places(text: Any) -> dict[Any, int]:
    """Bit mask of the places of every unit of a text."""
    masks: dict[Any, int] = {}
    for place, unit in enumerate(text):
        masks[unit] = masks.get(unit, 0) | 1 << place
    return masks


def _jaro(one: Any, other: Any) -> float:
    count, length = len(one), len(other)
    if not count or not length:
        return 0.0
    if one == other:
        return 1.0
    bound = max(count, length) // 2 - 1 if max(count, length) > 1 else 0
    masks = _places(one)
    taken = 0
    met = []
    for place, unit in enumerate(other):
        free = masks.get(unit, 0) & ~taken
        if free:
            free &= (1 << place + bound + 1) - 1
            if place > bound:
                free = free >> place - bound << place - bound
            if free:
                taken |= free & -free
                met.append(unit)
    common = len(met)
    if not common:
        return 0.0
    swapped = 0
    for unit in met:
        lowest = taken & -taken
        swapped += one[lowest.bit_length() - 1] != unit
        taken ^= lowest
    return (common / count + common / length + (common - swapped // 2) / common) / 3.0


@lru_cache(_CACHED)
def jaro_winkler(left: str, right: str) -> float:
    """Jaro similarity, raised by a common beginning of up to four bytes."""
    found = jaro(left, right)
    if found <= _LIKELY:
        return found
    one, other = units(left), units(right)
    if type(one) is not type(other):
        one, other = left.encode(), right.encode()
    prefix = 0
    for first, second in zip(one[:_PREFIX], other[:_PREFIX], strict=False):
        if first != second:
            break
        prefix += 1
    return found + prefix * _PREFIX_WEIGHT * (1.0 - found)


@lru_cache(_CACHED)
def jaro_winkler_reaches(left: str, right: str, limit: float) -> bool:
    """Whether ``jaro_winkler`` is at least a limit; most pairs are told apart by their lengths and letters."""
    if left == right:
        return limit <= (1.0 if left else 0.0)
    if limit > _LIKELY and left and right:
        most = _jaro_at_most(left, right)
        if left[:1] == right[:1]:
            most += _PREFIX * _PREFIX_WEIGHT * (1.0 - most)
        if most < limit - 1e-9:
            return False
    return jaro_winkler(left, right) >= limit


@lru_cache(_CACHED)
def jaro_reaches(left: str, right: str, limit: float) -> bool:
    """Whether ``jaro`` is at least a limit; see ``jaro_winkler_reaches``."""
    if left == right:
        return limit <= (1.0 if left else 0.0)
    if left and right and _jaro_at_most(left, right) < limit - 1e-9:
        return False
    return jaro(left, right) >= limit


def _jaro_at_most(left: str, right: str) -> float:
    """A bound of ``jaro`` of two texts that are not empty: units in common are letters in common, or repeated ones."""
    if not (left.isascii() and right.isascii()):
        return 1.0
    one, other = _letters(left), _letters(right)
    common = len(one[0] & other[0]) + (one[1] if one[1] < other[1] else other[1])
    return (common / len(left) + common / len(right) + 1.0) / 3.0


@lru_cache(_CACHED)
def _letters(text: str) -> tuple[frozenset[str], int]:
    """The different letters of a text, and how many of its letters are repeated ones."""
    letters = frozenset(text)
    return letters, len(text) - len(letters)


def _differing(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Leave off what two texts begin and end with alike: it costs no edit."""
    start, least = 0, min(len(one), len(other))
    while start < least and one[start] == other[start]:
        start += 1
    end = 0
    while end < least - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


@lru_cache(_CACHED)
def levenshtein(left: str, right: str) -> int:
    """Least number of inserted, dropped and replaced bytes."""
    one, other = _differing(left.encode(), right.encode())
    row = list(range(len(other) + 1))
    for place, unit in enumerate(one, 1):
        before, row[0] = row[0], place
        for column, against in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (unit != against))
    return row[-1]


@lru_cache(_CACHED)
def damerau_levenshtein(left: str, right: str) -> int:
    """``levenshtein`` with swapped neighbours as one step, also where something stands between them."""
    one, other = _differing(left.encode(), right.encode())
    if not one or not other:
        return max(len(one), len(other))
    far = len(one) + len(other)
    table = [[far] * (len(other) + 2) for _ in range(len(one) + 2)]
    for place in range(len(one) + 1):
        table[place + 1][1] = place
    for place in range(len(other) + 1):
        table[1][place + 1] = place
    last_row: dict[int, int] = {}
    for row, unit in enumerate(one, 1):
        last_column = 0
        for column, against in enumerate(other, 1):
            above, beside = last_row.get(against, 0), last_column
            same = unit == against
            if same:
                last_column = column
            table[row + 1][column + 1] = min(
                table[row][column] + (not same),
                table[row + 1][column] + 1,
                table[row][column + 1] + 1,
                table[above][beside] + (row - above - 1) + 1 + (column - beside - 1),
            )
        last_row[unit] = row
    return table[-1][-1]


def hamming(left: str, right: str) -> int:
    """Number of places whose bytes differ.

    Raises:
        ValueError: When the texts are not equally long; DuckDB refuses these too.
    """
    one, other = left.encode(), right.encode()
    if len(one) != len(other):
        raise ValueError(f"{left!r} and {right!r} are not equally long")
    return sum(map(ne, one, other))
