"""Takes out of a cell what is no address: markup, phones, mail addresses, dates; and cuts it at its commas.

Every removal is told by a detail code. What is left is folded into words.
"""

from __future__ import annotations

import html
import re

from datadock.quality.fold import fold

MAX_TEXT = 1000
"""Characters of one cell that are read; an address is never that long."""

_TAG = re.compile(r"<\s*(?:br|/p|/div|/li|p|div|li)\b[^>]*>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]{0,200}>")
_PHONE = re.compile(
    r"(?:(?:t[eé]l(?:[eé]phone)?|portable|mobile|fixe|fax|phone)\s*[.:]*\s*)?(?<![\d+])(?:(?:\+|00)33[ .\-]?(?:\(0\))?"
    r"[ .\-]?[1-9]|0[1-9])(?:[ .\-/]?\d{2}){4}(?!\d)",
    re.IGNORECASE,
)
_MAIL = re.compile(r"(?:e-?mail\s*:?\s*)?[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}\.[a-zA-Z]{2,20}")
_MANY_DIGITS = re.compile(r"(?:\d[^\d]{0,3}){9}")
_ACRONYM = re.compile(
    r"\b(?:S\.A\.R\.L|S\.A\.S\.U|S\.A\.S|S\.A|E\.U\.R\.L|S\.C\.I|S\.N\.C|B\.P|C\.S|T\.S\.A|Z\.A\.C|Z\.A|Z\.I)\b\.?",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[,;|\n\r\t\v\f\u2028\u2029\x85]+|\s[-–—/]+\s|\s*[·•]\s*")
_RANGE = re.compile(r"^(\s*\d{1,4}\s?(?:bis|ter|[a-z])?)\s*[-–—/]\s*(\d{1,4})\b", re.IGNORECASE)
_PREFIX = re.compile(r"(?<![A-Za-z0-9])FR?\s?-\s?(\d{5})(?!\d)")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_LEADING_NUMBER = re.compile(r"^\s*(?:n\s?[°ºo]\s?)?\d{1,4}\s?(?:bis|ter|quater|[a-z])?\s*$", re.IGNORECASE)


def clean(raw: str) -> tuple[str, list[str]]:
    """Give a cell without markup, phones and mail addresses, and the codes of what was taken out."""
    codes = []
    text = raw
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
        codes.append("TEXTE_TRONQUE")
    if "&" in text or "<" in text:
        plain = _ANY_TAG.sub(" ", _TAG.sub("\n", html.unescape(text)))
        if plain != text and ("<" in text or html.unescape(text) != text):
            codes.append("HTML_RETIRE")
        text = plain
    if "@" in text:
        text, count = _MAIL.subn(" ", text)
        codes += ["TELEPHONE_DANS_ADRESSE"] if count else []
    if _MANY_DIGITS.search(text):
        text, count = _PHONE.subn(" ", text)
        codes += ["TELEPHONE_DANS_ADRESSE"] if count else []
    return text, list(dict.fromkeys(codes))


def _glue(found: re.Match[str]) -> str:
    return f"FR{found[1]}"


def parts(text: str) -> list[str]:
    """Cut a cell at its commas, line ends and spaced dashes and fold each part; a number stays with its street."""
    text = _ACRONYM.sub(lambda found: found[0].replace(".", ""), text) if "." in text else text
    text = _PREFIX.sub(_glue, text)
    found: list[str] = []
    pending = ""
    for part in _PARTS.split(_RANGE.sub(r"\1 \2", text)):
        if _LEADING_NUMBER.match(part) and not pending:
            pending = part
            continue
        folded = fold(f"{pending} {part}") if pending else fold(part)
        pending = ""
        if folded:
            found.append(folded)
    if pending:
        found.append(fold(pending))
    return found


def is_plain_latin(raw: str) -> bool:
    """Whether a text holds no letter from outside Latin script, so that no other is needed to judge it."""
    return raw.isascii() or max(raw) < "\u0250"


def is_unreadable(raw: str) -> bool:
    """Whether a text has letters but hardly any Latin ones (Arabic, Cyrillic), so that folding loses it."""
    if is_plain_latin(raw):
        return False
    letters = sum(char.isalpha() for char in raw[:MAX_TEXT])
    latin = sum(char.isalpha() for char in fold(raw[:MAX_TEXT]))
    return letters > 0 and latin * 2 < letters


def postal_digits(raw: str) -> tuple[str, str]:
    """Read a postal code cell: five digits, or what else it holds.

    Returns:
        The code (five digits, or four where a zero may be lost; else empty) and the text that was no code.
    """
    text = raw.strip()
    if not text or _DATE.search(text):
        return "", text
    text = re.sub(r"\.0+$", "", text)
    digits = re.fullmatch(r"(?:F|FR)?[\s\-]*(\d{2})[\s.]?(\d{2,3})", fold(text).replace(" ", ""))
    return (digits[1] + digits[2], "") if digits else ("", text)
