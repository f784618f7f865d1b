"""How a name is written for display: capitals, particles, compounds; and folded without particles to match by.

``d'`` and ``de`` are low, ``Le``, ``La``, ``Du`` and ``Des`` capital; ``Mc`` and ``O'`` open a second capital;
Dutch and German particles are low behind the first word. Mixed case that somebody typed is kept.
"""

from __future__ import annotations

import re

from datadock.quality.fold import fold

_LOW = frozenset(("DE", "D", "ET", "Y", "DIT", "DITE", "VON", "ZU", "ZUM", "ZUR"))
_LOW_INSIDE = frozenset(("DER", "DEN", "DEM", "TER", "TEN", "T", "LOS", "LAS", "DO", "E"))
_DUTCH = frozenset(("VAN", "VON", "DE"))
_PARTICLES = frozenset(
    ("DE", "D", "DU", "DES", "DEL", "DELLA", "DELLE", "DI", "DA", "DO", "DOS", "DAS", "VAN", "VON", "DER", "DEN", "TER",
     "TEN", "ZU", "ZUM", "ZUR", "OF", "THE"))  # fmt: skip
_ARTICLES_BEHIND = frozenset(("LA", "LE", "LES", "L", "LOS", "LAS"))
_OPENERS = _PARTICLES | _ARTICLES_BEHIND | {"EL", "AL", "BEN", "SAINT", "SAINTE", "ST"}
_ROMAN = re.compile(r"(?:II|III|IV|VI|VII|VIII|IX)")
_TYPED = re.compile(r"[^\W\d_a-zà-öø-ÿ][^\W\d_A-ZÀ-ÖØ-Þ]+(?:[^\W\d_a-zà-öø-ÿ][^\W\d_A-ZÀ-ÖØ-Þ]+)*")
_PARTS = re.compile(r"([\s\-]+)")
_MC = re.compile(r"MC(?=[^\W\d_]{3})")


def display_family(text: str) -> str:
    """Write a family name for display. Idempotent."""
    pieces = _PARTS.split(text)
    words = [piece for piece in pieces[::2]]
    shown = [_family_word(word, place, words) for place, word in enumerate(words)]
    return "".join(word + gap for word, gap in zip(shown, [*pieces[1::2], ""], strict=True))


def display_first(text: str) -> str:
    """Write a first name for display, its accents as they are. Idempotent."""
    pieces = _PARTS.split(text)
    return "".join(piece if place % 2 else cased(piece) for place, piece in enumerate(pieces))


def family_key(text: str) -> str:
    """Give the folded form of a family name that others are matched with: without particles and spaces."""
    words = fold(text).split()
    rest = words
    while rest and rest[0] in _PARTICLES:
        rest = rest[1:]
        while len(rest) > 1 and rest[0] in _ARTICLES_BEHIND:
            rest = rest[1:]
    return "".join(rest or words)


def cased(word: str) -> str:
    """Write one word: what is all capitals or all small gets one capital; mixed case is kept."""
    if word.isascii() and word.isalpha() and (word.isupper() or word.islower()) and word[:2] not in ("MC", "mc"):
        return word.capitalize()
    head, apostrophe, tail = word.partition("'")
    if apostrophe and tail and len(head) <= 2:
        return cased(head) + "'" + cased(tail)
    if _TYPED.fullmatch(word):
        return word
    upper = word.upper()
    if len(upper) != len(word):
        return word
    if _MC.match(upper):
        return "Mc" + upper[2] + upper[3:].lower()
    return upper[:1] + upper[1:].lower()


def _family_word(word: str, place: int, words: list[str]) -> str:
    upper = word.upper()
    last = place == len(words) - 1
    if _ROMAN.fullmatch(upper) and last and place:
        return upper
    head, apostrophe, tail = word.partition("'")
    if apostrophe and tail and head.upper() == "D":
        return "d'" + cased(tail)
    if last:
        return cased(word)
    if upper in _LOW or (
        place and upper in _LOW_INSIDE and words[place - 1].upper() in _LOW_INSIDE | _DUTCH | _PARTICLES
    ):
        return "de" if upper == "DE" else upper.lower()
    return cased(word)


def is_particle(word: str) -> bool:
    """Tell whether a word opens a family name: ``de``, ``Le``, ``Van``, ``El``."""
    return fold(word) in _OPENERS
