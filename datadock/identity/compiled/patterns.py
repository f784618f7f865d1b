"""Regular expressions of DuckDB (RE2) as Python's, for the constructs that the project's SQL uses."""

from __future__ import annotations

import re

from datadock.errors import ModelError

_BLANKS = r"\t\n\f\r "
_NOT_WORDS = r"[^\p{L}\p{N}]"
_FOLDED = {"s": "[sſ]", "k": "[k\u212a]"}
_CLASSES = {"s": _BLANKS}


def translate(pattern: str) -> re.Pattern[str]:
    """Return the Python pattern that matches what RE2 matches.

    Raises:
        ModelError: When the pattern uses a construct whose meanings may differ.
    """
    if _NOT_WORDS in pattern:
        plain = pattern.replace(_NOT_WORDS, r"[\W_]")
        if "\\" in plain.replace(r"\W", ""):
            raise _refused(pattern)
        return re.compile(plain)  # letters and numbers of all scripts
    flags = re.ASCII
    if pattern.startswith("(?i)"):
        pattern, flags = pattern[4:], flags | re.IGNORECASE
    return re.compile("".join(_parts(pattern, folded=bool(flags & re.IGNORECASE))), flags)


def _parts(pattern: str, *, folded: bool) -> list[str]:
    parts: list[str] = []
    place, inside = 0, False
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            text, place = _escape(pattern, place, inside=inside)
            parts.append(text)
            continue
        if char == "[" and not inside:
            inside = True
        elif char == "]" and inside:
            inside = False
        elif char == "$" and not inside:
            char = r"\Z"
        elif folded and not inside:
            char = _FOLDED.get(char.lower(), char)
        parts.append(char)
        place += 1
    return parts


def _escape(pattern: str, place: int, *, inside: bool) -> tuple[str, int]:
    """Translate the escape at a place; return it and the place behind it."""
    letter = pattern[place + 1]
    if letter == "x" and pattern[place + 2] == "{":
        end = pattern.index("}", place)
        return re.escape(chr(int(pattern[place + 3 : end], 16))), end + 1
    if letter == "s":
        return (_BLANKS if inside else f"[{_BLANKS}]"), place + 2
    if letter == "S" and not inside:
        return f"[^{_BLANKS}]", place + 2
    if letter in "bdDwW" or not letter.isalnum():
        return pattern[place : place + 2], place + 2
    raise _refused(pattern)


def _refused(pattern: str) -> ModelError:
    return ModelError(
        f"the regular expression {pattern!r} cannot be compiled out of SQL",
        expected="literals, classes, groups, \\b \\d \\s \\w, or the class of all that is no letter and no number",
        action="write it so, or teach datadock/identity/compiled/patterns.py the construct",
    )
