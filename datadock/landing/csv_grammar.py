"""Where a block of csv text may be cut with certainty: the proof that the fast parser reads it right.

The grammar is RFC 4180: a quote opens a value at its beginning, closes it at its end, or is doubled.
Text that keeps to it has its record ends exactly at the newlines behind an even number of quotes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datadock.landing.csv_dialect import Dialect

_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True)
class Cut:
    """A block's certain part.

    Attributes:
        end: Bytes up to the last certain record end; 0 where no record ends in the block.
        multiline: Whether a value in that part holds a newline.
    """

    end: int
    multiline: bool = False


def certain_cut(text: bytes, dialect: Dialect, *, final: bool) -> Cut | None:
    """Find the part of a block whose records are certain, or None where its quotes break the grammar.

    Args:
        text: Begins at a record.
        dialect: Delimiter and quote, both of one byte.
        final: Whether nothing follows the text.
    """
    if dialect.quote not in text:
        return Cut(len(text) if final else text.rfind(b"\n") + 1)
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == dialect.quote[0])
    if (final and len(quotes) % 2) or not _well_placed(data, quotes, dialect.delimiter[0]):
        return None
    newlines = np.flatnonzero(data == _NEWLINE)
    inside = np.searchsorted(quotes, newlines) % 2 == 1
    ends = newlines[~inside]
    end = len(text) if final else int(ends[-1]) + 1 if len(ends) else 0
    return Cut(end, bool(inside[newlines < end].any()))


def _well_placed(data: np.ndarray, quotes: np.ndarray, delimiter: int) -> bool:
    """Tell whether quotes alternately open and close values, doubled ones counting as close and open."""
    doubled = np.zeros(len(quotes) + 1, bool)
    doubled[1:-1] = np.diff(quotes) == 1
    opening, closing = quotes[0::2], quotes[1::2]
    before = np.where(opening > 0, data[opening - 1], _NEWLINE)
    after = np.where(closing + 1 < len(data), data[np.minimum(closing + 1, len(data) - 1)], _NEWLINE)
    opens = (before == delimiter) | (before == _NEWLINE) | doubled[:-1][0::2]
    closes = (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | doubled[1:][1::2]
    return bool(opens.all() and closes.all())


def longest_line(text: bytes) -> int:
    """Return the length of the longest physical line."""
    newlines = np.flatnonzero(np.frombuffer(text, np.uint8) == _NEWLINE)
    edges = np.concatenate(([-1], newlines, [len(text)]))
    return int(np.diff(edges).max()) - 1
