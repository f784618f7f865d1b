"""What stands beside a street in a cell of its own: someone, a flat, a building; each distinct text is read once.

Only what keeps its line without a word of comment is taken; whatever else such a cell holds (a street, a box,
a locality, markup, a line that is too long) leaves its rows to the one-line path.
"""

from __future__ import annotations

import polars as pl

from datadock.quality.address.assemble import Draft, put_before
from datadock.quality.address.cut import could_hold_code
from datadock.quality.address.model import LINE_LENGTH
from datadock.quality.address.pieces import Kind, cut_words
from datadock.quality.address.reading import Reading, cells_of
from datadock.quality.address.text import is_plain_latin

_KINDS = frozenset((Kind.FREE, Kind.INSIDE, Kind.OUTSIDE))
_SCHEMA = pl.Schema(
    {"beside": pl.String(), "line_1": pl.String(), "line_2": pl.String(), "line_3": pl.String()}
)  # fmt: skip


def read_beside(texts: pl.Series) -> pl.DataFrame:
    """Give lines 1 to 3 of each distinct text that can stand beside a street: ``beside`` and the lines."""
    rows = [(text, *lines) for text in texts.unique() for lines in [_lines(text)] if lines]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _lines(text: str) -> tuple[str, str, str] | None:
    """Give lines 1 to 3 of one text, none where more than these lines come of it."""
    if not text:
        return "", "", ""
    reading = Reading([], "", "", [], "")
    cells = cells_of(text, "", 0, reading)
    if reading.codes or not cells or not is_plain_latin(text) or any(could_hold_code(cell.words) for cell in cells):
        return None
    pieces = [piece for cell in cells for piece in cut_words(cell.words, cell.line)]
    if any(piece.kind not in _KINDS for piece in pieces):
        return None
    draft = Draft()
    for piece in pieces:
        put_before(draft, piece)
    lines = (draft.who, draft.inside, draft.outside)
    return lines if all(len(line) <= LINE_LENGTH for line in lines) else None
