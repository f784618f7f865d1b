"""One fold for every comparison of French contact data: A-Z, 0-9 and single spaces, nothing else.

Marks are stripped, ligatures opened, letters raised, all else becomes a space. The Python, Polars and
SQL forms give the same text for any Unicode: they share one table of letters, and what stands outside
Latin script is a space in all three.
"""

from __future__ import annotations

import unicodedata

import polars as pl

_WRITTEN_OUT = {
    "œ": "OE", "Œ": "OE", "æ": "AE", "Æ": "AE", "ß": "SS", "ẞ": "SS", "ø": "O", "Ø": "O", "ł": "L", "Ł": "L",
    "đ": "D", "Đ": "D", "ð": "D", "Ð": "D", "þ": "TH", "Þ": "TH", "ħ": "H", "Ħ": "H", "ŧ": "T", "Ŧ": "T",
    "ı": "I", "ĳ": "IJ", "Ĳ": "IJ", "ŉ": "N", "ſ": "S", "ŀ": "L", "Ŀ": "L", "ª": "A", "º": "O",
    "²": "2", "³": "3", "¹": "1", "ﬀ": "FF", "ﬁ": "FI", "ﬂ": "FL", "ﬃ": "FFI", "ﬄ": "FFL", "ﬅ": "ST", "ﬆ": "ST",
}  # fmt: skip
"""Letters that no decomposition opens, in the forms that keyboards, spreadsheets and PDF files produce."""

_WIDE = {chr(code + 0xFEE0): chr(code).upper() for code in range(0x21, 0x7F) if chr(code).isalnum()}
_MARKS = range(0x0300, 0x0370)
_LATIN = (*range(0x00C0, 0x0250), *range(0x1E00, 0x1F00), 0x212A, 0x212B)


def _base(char: str) -> str:
    """Give the capital letter under a letter with marks, empty when there is none."""
    base = unicodedata.normalize("NFD", char)[0]
    return base.upper() if base.isascii() and base.isalpha() else ""


def _letters() -> dict[str, str]:
    marked = {chr(code): _base(chr(code)) for code in _LATIN if _base(chr(code))}
    return {**marked, **_WIDE, **_WRITTEN_OUT}


_LETTERS = _letters()


class _Table(dict[int, str]):
    """Character table of ``str.translate`` in which every unknown character is a space."""

    def __missing__(self, key: int) -> str:
        return " "


_TABLE = _Table(
    {ord(char): char.upper() for char in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}
    | {ord(char): text for char, text in _LETTERS.items()}
    | dict.fromkeys(_MARKS, "")
)
_MARKED = sorted(_LETTERS)


def fold(text: str) -> str:
    """Give a text in A-Z, 0-9 and single spaces, without marks, ends trimmed. Idempotent."""
    if text.isalnum() and text.isascii():
        return text.upper()
    return " ".join(text.translate(_TABLE).split())


def fold_expr(expr: pl.Expr) -> pl.Expr:
    """Give the fold of a text column as a Polars expression; null stays null."""
    opened = expr.str.replace_many(_MARKED, [_LETTERS[char] for char in _MARKED])
    return (
        opened.str.replace_all("[\u0300-\u036f]+", "")
        .str.replace_all("[^0-9A-Za-z]+", " ")
        .str.strip_chars(" ")
        .str.to_uppercase()
    )


def fold_sql(column: str) -> str:
    """Give the fold of a text column as a DuckDB expression; null stays null.

    Args:
        column: SQL expression of the text, inserted as it is.
    """
    single = [(char, text) for char, text in {**_WIDE, **_WRITTEN_OUT}.items() if len(text) == 1]
    opened = f"translate({column}, '{''.join(c for c, _ in single)}', '{''.join(t for _, t in single)}')"
    for char, text in _WRITTEN_OUT.items():
        if len(text) > 1:
            opened = f"replace({opened}, '{char}', '{text}')"
    latin = rf"regexp_replace({opened}, '[^\x{{01}}-\x{{036F}}\x{{1E00}}-\x{{1EFF}}\x{{212A}}\x{{212B}}]', ' ', 'g')"
    return f"trim(upper(regexp_replace(strip_accents({latin}), '[^0-9A-Za-z]+', ' ', 'g')))"
