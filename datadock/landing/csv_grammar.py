"""Where a block of csv text may be cut with certainty: the proof that the fast parser reads it right.

The grammar is RFC 4180: a quote opens a value at its beginning, closes it at its end, or is doubled.
Text that keeps to it has its record ends exactly at the newlines behind an even number of quotes.
"""

from __future__ import annotations

import numpy as np

from datadock.landing.csv_dialect import Dialect

_NEWLINE, _RETURN = 10, 13


def certain_cut(text: bytes, dialect: Dialect, *, final: bool) -> int | None:
    """Find the end of the part of a block whose records are certain: 0 where no record ends in it.

    Args:
        text: Begins at a record.
        dialect: Delimiter and quote, both of one byte.
        final: Whether nothing follows the text.

    Returns:
        None where the block's quotes break the grammar.
    """
    if dialect.quote not in text:
        return len(text) if final else text.rfind(b"\n") + 1
    data = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(data == dialect.quote[0])
    if (final and len(quotes) % 2) or not _well_placed(data, quotes, dialect.delimiter[0]):
        return None
    if final:
        return len(text)
    end = text.rfind(b"\n")
    while end >= 0 and (before := int(np.searchsorted(quotes, end))) % 2:
        end = text.rfind(b"\n", 0, int(quotes[before - 1]))  # this newline stands inside a value
    return end + 1


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
