"""Help while an address is typed: communes and streets that begin with what stands in the field.

Sorted once, then found by bisection for each keystroke. Communes answer to their name (with or without its
article, SAINT or ST), to a former name and to a postal code; streets need a loaded street reference.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest

from datadock.quality.fold import fold
from datadock.quality.reference.streets import StreetReference
from datadock.quality.reference.tables import Locality, Reference, load_reference, name_key

MAX_SCAN = 2000
"""Entries behind a prefix that are ranked; a prefix of one letter has more and needs no better order."""


@dataclass(frozen=True, slots=True)
class CommuneChoice:
    """One line of the list under the field: postal code, commune, INSEE code, and a former name that matched."""

    code_postal: str
    commune: str
    code_insee: str
    former: str = ""


@lru_cache(maxsize=4)
def _sorted_communes(reference: Reference) -> tuple[list[str], list[tuple[int, str, Locality]]]:
    rows = []
    for key, entries in reference.by_name.items():
        for entry in entries:
            rows += [(key, -entry.population, code, entry) for code in entry.codes]
    for code, names in reference.by_code.items():
        unique = {entry.code_insee: entry for entries in names.values() for entry in entries if not entry.former}
        rows += [(code, -entry.population, code, entry) for entry in unique.values()]
        rows += [
            (f"{name} {code}", -entry.population, code, entry)
            for name, entries in names.items()
            for entry in entries
            if entry.quarter
        ]
    rows.sort(key=lambda row: (row[0], row[1], row[2]))
    return [row[0] for row in rows], [(row[1], row[2], row[3]) for row in rows]


def complete_commune(prefix: str, limit: int = 10, reference: Reference | None = None) -> list[CommuneChoice]:
    """Give the communes whose name or postal code begins with a prefix, the largest first.

    Args:
        prefix: What has been typed, in any case, with or without accents.
        limit: Most choices to give.
        reference: Communes and postal codes; the committed tables when none is given.
    """
    key = _prefix_key(prefix)
    if not key or limit < 1:
        return []
    keys, rows = _sorted_communes(reference or load_reference())
    start = bisect_left(keys, key)
    end = min(bisect_left(keys, key + "\uffff", start), start + MAX_SCAN)
    found: dict[tuple[str, str], tuple[int, CommuneChoice]] = {}
    for population, code, entry in rows[start:end]:
        choice = CommuneChoice(code, entry.current_label, entry.code_insee, entry.label if entry.former else "")
        known = found.get((code, entry.code_insee))
        if known is None or (known[1].former and not choice.former):
            found[code, entry.code_insee] = (-population, choice)
    best = nlargest(limit, found.values(), key=lambda item: (not item[1].former, item[0], -int(item[1].code_postal)))
    return [choice for _, choice in best]


def _prefix_key(prefix: str) -> str:
    """Give the comparing form of what is typed; the last word is not finished and stays as it is."""
    words = fold(prefix[:80]).split()
    if not words:
        return ""
    if words[0].isdigit():
        return words[0]
    last = name_key(words[-1]) if words[-1] in ("SAINT", "SAINTE") else words[-1]
    return " ".join([*name_key(" ".join(words[:-1])).split(), last])


def complete_street(prefix: str, code_insee: str, streets: StreetReference, limit: int = 10) -> list[str]:
    """Give the streets of a commune that begin with a prefix, or hold it behind their type or small words.

    Args:
        prefix: What has been typed; a house number before it is passed over.
        code_insee: INSEE code of the commune.
        streets: Loaded streets.
        limit: Most choices to give.
    """
    words = fold(prefix[:80]).split()
    while words and words[0][0].isdigit() and len(words) > 1:
        words = words[1:]
    key = " ".join(words)
    rows = streets.sorted_names.get(code_insee, [])
    if not key or not rows:
        return []
    start = bisect_left(rows, (key, ""))
    found: dict[str, None] = {}
    for name, street in rows[start : start + MAX_SCAN]:
        if not name.startswith(key) or len(found) >= limit:
            break
        found[street] = None
    return list(found)
