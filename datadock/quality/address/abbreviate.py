"""Shortens a street label to 32 characters, in the order of the norm, and stops as soon as it fits.

Order: leading type, titles, general words, inner types, first names, SAINT, articles, other words. The last
word is never touched. A label that fits is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from datadock.quality.address.model import STREET_LENGTH
from datadock.quality.address.words import line_words, street_types, word_set
from datadock.quality.reference.tables import Reference

_ARTICLES = word_set("DE DU DES D LA LE LES L ET EN AU AUX A SUR SOUS")
_KEPT = frozenset({"DIT", "DITE"})
_SAINTS = {"SAINT": "ST", "SAINTE": "STE", "SAINTS": "STS", "SAINTES": "STES"}

Change = tuple[int, int, str]


def shorten(kind: str, name: str, reference: Reference) -> str:
    """Give type and name in at most 32 characters where the norm's steps can do it.

    Args:
        kind: Full word of the street type.
        name: Folded name behind it.
        reference: Tells which words are first names; asked only where a label is too long.
    """
    words = [*kind.split(), *name.split()]
    label = " ".join(words)
    if len(label) <= STREET_LENGTH:
        return label
    lead = len(kind.split())
    first_names = reference.first_names
    cut = _lead(words, lead, kind)
    words = cut
    lead = 1 if kind and len(cut) != len([*kind.split(), *name.split()]) else lead
    steps: tuple[Callable[[list[str]], Iterator[Change]], ...] = (
        lambda text: _listed(text, line_words("titre"), lead),
        lambda text: _listed(text, line_words("mot"), lead),
        lambda text: _types(text, 0),
        lambda text: _first_names(text, lead, first_names),
        lambda text: _saints(text),
        lambda text: _articles(text, lead, first_names),
        lambda text: _initials(text, lead),
    )
    for step in steps:
        if _length(words) <= STREET_LENGTH:
            break
        words = _apply(words, step)
    return _restore(words, kind)


def _length(words: list[str]) -> int:
    return len(" ".join(words))


def _lead(words: list[str], lead: int, kind: str) -> list[str]:
    known = street_types().get(kind)
    if not known or not known.front:
        return words
    return [known.short, *words[lead:]]


def _restore(words: list[str], kind: str) -> str:
    """Give the full type back where the later steps have made room for it, so that a second pass agrees."""
    known = street_types().get(kind)
    if known and words and words[0] == known.short and known.short != kind:
        whole = " ".join([kind, *words[1:]])
        if len(whole) <= STREET_LENGTH:
            return whole
    return " ".join(words)


def _apply(words: list[str], step: Callable[[list[str]], Iterator[Change]]) -> list[str]:
    """Make the changes of one step from left to right until the label fits."""
    changes = [change for change in step(words) if change[1] < len(words) or not change[2]]
    out: list[str] = []
    at = 0
    for place, end, short in changes:
        if place < at or end >= len(words):
            continue
        rest = words[at:place]
        if _length([*out, *words[at:]]) <= STREET_LENGTH:
            break
        out += [*rest, short] if short else rest
        at = end
    return [*out, *words[at:]]


def _listed(words: list[str], shorts: dict[str, str], lead: int) -> Iterator[Change]:
    for at in range(lead, len(words) - 1):
        pair = f"{words[at]} {words[at + 1]}"
        if pair in shorts and at + 2 < len(words):
            yield at, at + 2, shorts[pair]
        elif words[at] in shorts:
            yield at, at + 1, shorts[words[at]]


def _types(words: list[str], lead: int) -> Iterator[Change]:
    known = street_types()
    for at in range(lead, len(words) - 1):
        kind = known.get(words[at])
        if kind and kind.exact and len(kind.short) < len(words[at]):
            yield at, at + 1, kind.short


def _is_first_name(word: str, first_names: Collection[str]) -> bool:
    return len(word) > 2 and word in first_names


def _first_names(words: list[str], lead: int, first_names: Collection[str]) -> Iterator[Change]:
    saint = False
    for at in range(lead, len(words) - 1):
        word = words[at]
        if word in _SAINTS or word in _SAINTS.values():
            saint = True
            continue
        first = _is_first_name(word, first_names)
        if first and not saint and word not in _SAINTS:
            yield at, at + 1, word[0]
        saint = saint and first


def _saints(words: list[str]) -> Iterator[Change]:
    for at in range(len(words) - 1):
        if words[at] in _SAINTS:
            yield at, at + 1, _SAINTS[words[at]]


def _articles(words: list[str], lead: int, first_names: Collection[str]) -> Iterator[Change]:
    for at in range(lead, len(words) - 1):
        if words[at] not in _ARTICLES:
            continue
        before = words[at - 1] if at else ""
        particle = words[at] in ("DE", "D") and at > lead
        if particle and (_is_initial(before) or _is_first_name(before, first_names) or before == "LATTRE"):
            continue
        yield at, at + 1, ""


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and word not in ("D", "L", "A")


def _initials(words: list[str], lead: int) -> Iterator[Change]:
    shorts = set(line_words("titre").values()) | set(line_words("mot").values()) | set(_SAINTS.values())
    for at in range(lead, len(words) - 1):
        word = words[at]
        if len(word) > 3 and word.isalpha() and word not in _KEPT and word not in shorts:
            yield at, at + 1, word[0]
