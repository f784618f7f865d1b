"""How one csv file is written: delimiter and column names, from its declaration or its first lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_CANDIDATES = (b";", b",", b"\t", b"|", b":", b"^", b"~")
_SAMPLE_LINES = 50


@dataclass(frozen=True)
class Dialect:
    """The delimiter and the quote of a csv file, as UTF-8 bytes."""

    delimiter: bytes
    quote: bytes

    @property
    def simple(self) -> bool:
        """Whether both are single ASCII characters, as the fast parser needs."""
        return len(self.delimiter) == len(self.quote) == 1


def sniff_delimiter(sample: bytes, quote: bytes, known: Iterable[str] = ()) -> bytes:
    """Choose the delimiter of a text's first lines.

    Args:
        sample: The beginning of the file, UTF-8.
        quote: The quote character.
        known: Column names that the declaration mentions; the delimiter that brings most of them
            out of the first line wins.

    Returns:
        The delimiter; a comma where none is found (a file of one column).
    """
    lines = [line for line in sample.split(b"\n")[:_SAMPLE_LINES] if line.strip()]
    if not lines:
        return b","
    names = {name.encode() for name in known}

    def rate(candidate: bytes) -> tuple[int, float, int]:
        header = {part.strip().strip(quote) for part in lines[0].split(candidate)}
        counts = [_outside_quotes(line, quote).count(candidate) for line in lines]
        usual, times = Counter(counts).most_common(1)[0]
        steady = times / len(counts) if usual else 0.0
        return len(names & header) if counts[0] else 0, round(steady, 1), min(counts[0], 200)

    best = max(_CANDIDATES, key=rate)
    hits, steady, first = rate(best)
    return best if first and (hits or steady) else b","


def _outside_quotes(line: bytes, quote: bytes) -> bytes:
    return b"".join(line.split(quote)[0::2])


def column_names(cells: list[str]) -> list[str]:
    """Make column names of a header: blanks around them removed, unnamed and repeated ones told apart.

    The third column without a name is ``column_3``; a second ``Nom`` is ``Nom_2``.
    """
    taken = {cell.strip() for cell in cells}
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = cell.strip() or f"column_{place}"
        if name in names or (not cell.strip() and name in taken):
            base, number = name, 2
            while f"{base}_{number}" in taken or f"{base}_{number}" in names:
                number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names
