"""Things told by texts as numbers of 64 bits, the same in Python and in SQL.

DuckDB's own hash is ten times as fast as its MD5, but no promise between its releases: Python's copy of it is tried
on texts of every length, and where one differs both sides take MD5. What the texts mean is not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal

import duckdb

from datadock.warehouse.values_sql import literal

Numbering = Literal["hash", "md5"]

_ALL = (1 << 64) - 1
_BY_LENGTH = 0xC6A4A7935BD1E995
_BY = 0xD6E8FEB86659FD93
_SEED = 0xE17A1465
_APART = "\x1f"
_TRIED = [("aZ09é|œ ~" * 12)[:length] for length in range(100)]


@lru_cache(1 << 16)
def _hashed(text: str) -> int:
    """What DuckDB's ``hash`` gives for a text."""
    data = text.encode()
    length = len(data)
    whole = length & ~7
    number = _SEED ^ (length * _BY_LENGTH & _ALL)
    for place in range(0, whole, 8):
        number = (number ^ int.from_bytes(data[place : place + 8], "little")) * _BY & _ALL
    if length != whole:
        number = (number ^ int.from_bytes(data[whole:], "little")) * _BY & _ALL
    number = (number ^ number >> 32) * _BY & _ALL
    number = (number ^ number >> 32) * _BY & _ALL
    return number ^ number >> 32


def hash_number(kind: str, *texts: str) -> int:
    """Return what DuckDB's ``hash`` gives for a kind and texts."""
    number = _hashed(kind)
    for text in texts:
        number = (number ^ number >> 32) * _BY & _ALL ^ _hashed(text)
    return number


def md5_number(kind: str, *texts: str) -> int:
    """Return the first half of the MD5 of a kind and texts, as DuckDB's ``md5_number_upper`` gives it."""
    digest = hashlib.md5(_APART.join((kind, *texts)).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little")


@cache
def numbering() -> Numbering:
    """Return how texts are numbered with the DuckDB in use."""
    with duckdb.connect(config={"threads": 1}) as con:
        query = "select hash(text), hash('kind', text, reverse(text)) from (select unnest($1) as text)"
        found = con.execute(query, [_TRIED]).fetchall()
    expected = [(hash_number(text), hash_number("kind", text, text[::-1])) for text in _TRIED]
    return "hash" if found == expected else "md5"


def number_of() -> Callable[..., int]:
    """Return the function from a kind of thing and its texts to their number, 0 to 2**64 - 1."""
    return hash_number if numbering() == "hash" else md5_number


def number_sql(kind: str, *texts: str) -> str:
    """Return SQL of the same number, a ``ubigint``.

    Args:
        kind: The kind itself.
        texts: SQL of the texts, none of them null.
    """
    if numbering() == "hash":
        return f"hash({', '.join((literal(kind), *texts))})"
    return f"md5_number_upper({f' || chr({ord(_APART)}) || '.join((literal(kind), *texts))})::ubigint"
