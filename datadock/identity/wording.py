"""What a level of agreement is called when somebody asks why: words with the weight, for and against.

Pure functions over the model's levels and a few facts of the pair. Where the facts come from
(features of a batch, an index of one record) is not this module's matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from datadock.identity.explanation import Evidence
from datadock.identity.levels import Comparison

UNKNOWN, DIFFERS = "unknown", "differs"

_COMMON, _RARE = 1 / 1_000, 1 / 10_000
"""Shares of records from which a value is called common, and below which rare."""

_RARELY = 4
"""Contacts that may share a phone or an e-mail before it is no longer rarely shared: the size of a household."""

_LABELS = {"email": "e-mail", "organisation": "name of organisation", "full_name": "words of the full name"}

_NOT_COUNTED = {
    "email": "e-mails alike only in the name they are made of: not counted a second time",
    "sex": "sex: already told by the given name",
    "family_name": "family name: told with the given name, the two are swapped",
}
"""Why a comparison says nothing although both sides are known."""


@dataclass(frozen=True)
class Facts:
    """What is known of one comparison of one pair, beside its level.

    Attributes:
        known: Whether the left and the right record hold anything to compare.
        frequency: Share of records with the value in common, where the level is weighed by it.
        holders: Contacts that hold the e-mail or phone in common.
        discounted: E-mails or phones in common that are left out, as (kind, contacts that hold it).
    """

    known: tuple[bool, bool] = (True, True)
    frequency: float | None = None
    holders: int | None = None
    discounted: tuple[tuple[str, int], ...] = ()


def label_of(comparison: str) -> str:
    """Return what a reader calls a comparison: ``given_name`` is "given name", ``id_siren`` is "siren"."""
    return _LABELS.get(comparison, comparison.removeprefix("id_").replace("_", " "))


def level_name(comparison: Comparison, number: int) -> str:
    """Return the name of a level by the number that ``engine.level_settings`` gives: 0 unknown, 1 differs."""
    if number <= 1:
        return (UNKNOWN, DIFFERS)[number]
    return comparison.levels[len(comparison.levels) + 1 - number].name


def evidence(comparison: Comparison, number: int, bits: float, facts: Facts) -> Evidence:
    """Put into words what one comparison says.

    Args:
        comparison: What is compared.
        number: Number of the level that holds, as of ``engine.level_settings``.
        bits: Its weight, term frequency included.
        facts: What else is known.
    """
    level = level_name(comparison, number)
    words = ", ".join([_level_words(comparison, level, facts), *_rarity(facts)])
    if level != UNKNOWN:
        words = f"{words}: {bits:+.1f}"
    beside = [f"this {kind} is used by {holders} contacts: not counted" for kind, holders in facts.discounted]
    if beside and level == UNKNOWN:
        return Evidence(comparison.name, level, bits, "; ".join(beside))
    return Evidence(comparison.name, level, bits, "; ".join([words, *beside]))


def household_words(bits: float) -> str:
    """Put into words what is taken off for a household."""
    return f"two people of one household would agree on as much: {bits:+.1f}"


def _level_words(comparison: Comparison, level: str, facts: Facts) -> str:
    label = label_of(comparison.name)
    if level == UNKNOWN:
        if all(facts.known) and comparison.name in _NOT_COUNTED:
            return _NOT_COUNTED[comparison.name]
        return f"{label}: not known on {'either side' if not any(facts.known) else 'one side'}"
    if level == DIFFERS:
        return f"{label} differs"
    named = comparison.name.startswith("id_") or not any(word in level for word in (label, f"{label}s", "name"))
    return f"{label}: {level}" if named else level


def _rarity(facts: Facts) -> list[str]:
    if facts.frequency is not None:
        one_in = f"1 in {1 / facts.frequency:,.0f}"
        if facts.frequency >= _COMMON:
            return [f"common ({one_in})"]
        return [f"rare ({one_in})" if facts.frequency < _RARE else one_in]
    if facts.holders is not None:
        return ["rarely shared" if facts.holders <= _RARELY else f"shared by {facts.holders} contacts"]
    return []
