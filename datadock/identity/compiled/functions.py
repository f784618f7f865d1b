"""DuckDB's functions over text, numbers and lists, one value at a time; null is None.

Each takes and gives what DuckDB's does, null included. Characters that Unicode took in after version 14 are read as
this Python knows them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache, wraps
from typing import Any

from datadock.identity.compiled import similarity
from datadock.identity.compiled.patterns import translate

_MARKS = ("Mn", "Mc", "Me")
SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""What ``trim`` takes off: spaces of every width, no tabs and no line ends."""


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give null where an argument is null."""

    @wraps(function)
    def known(*values: Any) -> Any:
        for value in values:
            if value is None:
                return None
        return function(*values)

    known.__dict__["plain"] = function
    return known


@lru_cache(256)
def _pattern(pattern: str) -> re.Pattern[str]:
    return translate(pattern)


def coalesce(*values: Any) -> Any:
    """Return the first known value."""
    for value in values:
        if value is not None:
            return value
    return None


def least(*values: Any) -> Any:
    """Return the least known value."""
    return min((value for value in values if value is not None), default=None)


def greatest(*values: Any) -> Any:
    """Return the greatest known value."""
    return max((value for value in values if value is not None), default=None)


def least_of_two(one: Any, other: Any) -> Any:
    """Return the lesser known value."""
    if one is None or (other is not None and other < one):
        return other
    return one


def greatest_of_two(one: Any, other: Any) -> Any:
    """Return the greater known value."""
    if one is None or (other is not None and other > one):
        return other
    return one


def nullif(value: Any, other: Any) -> Any:
    """Return the value, null where it equals the other."""
    return None if value == other else value


def item(value: Any, place: int | None) -> Any:
    """Return a value of a list or a character of a text, counted from 1."""
    if value is None or place is None:
        return None
    at = place - 1 if place > 0 else len(value) + place
    if place != 0 and 0 <= at < len(value):
        return value[at]
    return "" if isinstance(value, str) else None


def first(value: Any) -> Any:
    """Return the first value of a list or character of a text."""
    return value[0] if value else "" if isinstance(value, str) else None


def part(value: Any, first: int | None, last: int | None) -> Any:
    """Return a slice, both ends counted from 1 and included; an end that is None is open."""
    return None if value is None else value[(first or 1) - 1 : last]


@strict
def lower(text: str) -> str:
    """Lower every character by itself."""
    if text.isascii():
        return text.lower()
    return "".join(["i" if char == "İ" else char.lower() for char in text])


@strict
def upper(text: str) -> str:
    """Raise every character by itself; one that would become several stays."""
    if text.isascii():
        return text.upper()
    return "".join([char.upper() if len(char.upper()) == 1 else char for char in text])


@strict
def strip_accents(text: str) -> str:
    """Take off accents and other marks."""
    if text.isascii():
        return text
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) not in _MARKS)
    return unicodedata.normalize("NFC", bare)


@strict
def substring(text: str, first: int, count: int) -> str:
    """Return characters from a place on, counted from 1."""
    return text[first - 1 : first - 1 + count]


@strict
def right(text: str, count: int) -> str:
    """Return the last characters."""
    return text[-count:] if count else ""


@strict
def split_part(text: str, by: str, place: int) -> str:
    """Return a part, counted from 1; an empty text where there is none."""
    parts = text.split(by)
    return parts[place - 1] if place <= len(parts) else ""


@strict
def regexp_replace(text: str, pattern: str, by: str, options: str = "") -> str:
    """Replace the first match, or all with the option ``g``."""
    return _pattern(pattern).sub(by, text, count=0 if options == "g" else 1)


@strict
def regexp_extract(text: str, pattern: str, group: int = 0) -> str:
    """Return a group of the first match; an empty text where there is none."""
    found = _pattern(pattern).search(text)
    return (found.group(group) or "") if found else ""


@strict
def regexp_full_match(text: str, pattern: str) -> bool:
    """Whether the whole text matches."""
    return _pattern(pattern).fullmatch(text) is not None


@strict
def regexp_matches(text: str, pattern: str) -> bool:
    """Whether a part of the text matches."""
    return _pattern(pattern).search(text) is not None


@strict
def string_split_regex(text: str, pattern: str) -> list[str]:
    """Split at every match."""
    return _pattern(pattern).split(text)


@strict
def like(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern of ``%`` and ``_``."""
    return _like(pattern).fullmatch(text) is not None


@lru_cache(256)
def _like(pattern: str) -> re.Pattern[str]:
    signs = {"%": ".*", "_": "."}
    return re.compile("".join(signs.get(char) or re.escape(char) for char in pattern), re.DOTALL)


def concat(*values: str | None) -> str:
    """Join what is known."""
    return "".join([value for value in values if value is not None])


def concat_ws(by: str | None, *values: str | None) -> str | None:
    """Join what is known, with something between."""
    return None if by is None else by.join([value for value in values if value is not None])


@strict
def array_to_string(values: Sequence[str | None], by: str) -> str:
    """Join the known values of a list."""
    return by.join([value for value in values if value is not None])


@strict
def list_distinct(values: Sequence[Any]) -> list[Any]:
    """Return every known value once."""
    return [value for value in dict.fromkeys(values) if value is not None]


@strict
def list_has_any(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether two lists share a known value."""
    return any(value in right for value in left if value is not None)


def list_intersect(left: Sequence[Any] | None, right: Sequence[Any] | None) -> list[Any] | None:
    """Return every known value that two lists share, once; only an unknown first list makes it unknown."""
    if left is None:
        return None
    return [value for value in dict.fromkeys(left) if value is not None and value in (right or ())]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "least": least, "greatest": greatest, "nullif": nullif, "lower": lower, "upper": upper,
    "length": strict(len), "len": strict(len), "left": strict(lambda text, count: text[:count]), "right": right,
    "substr": substring, "substring": substring, "replace": strict(str.replace), "split_part": split_part,
    "trim": strict(lambda text, chars=SPACES: text.strip(chars)),
    "ltrim": strict(lambda text, chars=SPACES: text.lstrip(chars)),
    "rtrim": strict(lambda text, chars=SPACES: text.rstrip(chars)), "strip_accents": strip_accents,
    "regexp_replace": regexp_replace, "regexp_extract": regexp_extract, "regexp_full_match": regexp_full_match,
    "string_split": strict(str.split), "string_split_regex": string_split_regex, "~~": like,
    "regexp_matches": regexp_matches, "starts_with": strict(str.startswith), "ends_with": strict(str.endswith),
    "contains": strict(lambda text, wanted: wanted in text), "concat": concat, "concat_ws": concat_ws,
    "||": strict(lambda one, other: one + other), "array_to_string": array_to_string, "abs": strict(abs),
    "list_value": lambda *values: list(values), "list_distinct": list_distinct, "list_sort": strict(sorted),
    "list_contains": strict(lambda values, wanted: wanted in values), "list_has_any": list_has_any,
    "list_intersect": list_intersect, "*": strict(lambda one, other: one * other),
    "+": strict(lambda one, other: one + other), "-": strict(lambda one, other: one - other),
    "hamming": strict(similarity.hamming), "jaro_similarity": strict(similarity.jaro),
    "jaro_winkler_similarity": strict(similarity.jaro_winkler), "levenshtein": strict(similarity.levenshtein),
    "damerau_levenshtein": strict(similarity.damerau_levenshtein), "strftime": strict(date.strftime),
}  # fmt: skip
"""DuckDB's name of a function to what it does."""


@strict
def integer(value: Any) -> int:
    """Return a whole number, or what a text of digits tells.

    Raises:
        ValueError: When the text tells none; DuckDB refuses it, too.
    """
    return int(value)


def today() -> date:
    """SQL's ``current_date``, in UTC."""
    return datetime.now(UTC).date()


@strict
def equal(left: Any, right: Any) -> bool:
    """SQL's ``=``."""
    return bool(left == right)


@strict
def at_least(left: Any, right: Any) -> bool:
    """SQL's ``>=``."""
    return bool(left >= right)


@strict
def above(left: Any, right: Any) -> bool:
    """SQL's ``>``."""
    return bool(left > right)


def negated(value: bool | None) -> bool | None:
    """SQL's ``not``."""
    return None if value is None else not value


def both(*values: bool | None) -> bool | None:
    """SQL's ``and``."""
    if False in values:
        return False
    return None if None in values else True


def either(*values: bool | None) -> bool | None:
    """SQL's ``or``."""
    if True in values:
        return True
    return None if None in values else False


def among(value: Any, *values: Any) -> bool | None:
    """SQL's ``in``."""
    if value is None:
        return None
    return True if value in values else None if None in values else False
