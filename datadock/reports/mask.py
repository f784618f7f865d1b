"""Masking of personal values in pages that travel: enough to recognise a record, too little to know a person.

Source keys, codes and technical columns stay as they are; the rest keeps its first and last letters.
"""

from __future__ import annotations

import json
import re
from typing import Any

_HIDDEN = "•"
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d")


def masked(value: str | None) -> str:
    """Mask one value.

    ``Madeleine`` becomes ``M•••••••e``, ``1984-03-12`` ``19••-••-••``, ``06 12 34 56 78`` ``06 •• •• •• 78``.

    Args:
        value: The value; None and empty ones come back as an empty text.
    """
    if not value:
        return ""
    text = str(value)
    if "@" in text:
        local, _, domain = text.rpartition("@")
        head, _, ending = domain.rpartition(".")
        return f"{_keep_ends(local, 1, 0)}@{_keep_ends(head, 1, 0)}.{ending}" if head else _keep_ends(text, 1, 0)
    digits = _NUMBER.findall(text)
    if digits and len(digits) * 2 >= len(_WORD.sub("", text)) + len(digits) and not re.search(r"[^\W\d_]", text):
        return _mask_digits(text)
    return _WORD.sub(lambda word: _keep_ends(word.group(), 1, 1), text)


def _keep_ends(word: str, first: int, last: int) -> str:
    if len(word) <= first + last + 1:
        return word[:1] + _HIDDEN * (len(word) - 1)
    return word[:first] + _HIDDEN * (len(word) - first - last) + (word[-last:] if last else "")


def _mask_digits(text: str) -> str:
    """Hide the digits of a number but its first one or two, and the last two where it is long."""
    total = len(_NUMBER.findall(text))
    kept_first, kept_last = (2 if total > 3 else 1), (2 if total > 8 else 0)
    seen = 0
    out = []
    for letter in text:
        if letter.isdigit():
            seen += 1
            out.append(letter if seen <= kept_first or seen > total - kept_last else _HIDDEN)
        else:
            out.append(letter)
    return "".join(out)


def masked_payload(payload: str | None, keep: frozenset[str] = frozenset(), limit: int = 600) -> str:
    """Mask every value of a record's JSON text; keys, and values of the places in ``keep``, stay.

    Args:
        payload: JSON text of the record, or None.
        keep: Names whose values are shown as they are (keys of the source).
        limit: Longest text that is returned.
    """
    if not payload:
        return ""
    try:
        record = json.loads(payload)
    except json.JSONDecodeError:
        return _shortened(masked(payload), limit)
    return _shortened(json.dumps(_masked(record, "", keep), ensure_ascii=False), limit)


def _masked(value: Any, name: str, keep: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(below, key, keep) for key, below in value.items()}
    if isinstance(value, list):
        return [_masked(below, name, keep) for below in value]
    if value is None or isinstance(value, bool) or (name in keep and "@" not in str(value)):
        return value
    return masked(str(value))


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
