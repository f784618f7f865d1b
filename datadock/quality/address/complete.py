"""Help while an address is typed: communes and streets that begin with what stands in the field.

Sorted once, then found by bisection for each keystroke. Communes answer to their name (with or without its
article, SAINT or ST), to a former name and to a postal code; streets need a loaded street reference.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from datadock.quality.fold import fold
from datadock.quality.reference.streets import StreetReference
from datadock.quality.reference.tables import Locality, Reference, load_reference, name_key

MAX_SCAN = 2000
"""Streets behind a prefix that are looked at."""
CROWDED = 100
"""Entries behind a prefix from which its best choices are ranked beforehand."""
MAX_CHOICES = 50


@dataclass(frozen=True, slots=True)
class CommuneChoice:
    """One line of the list under the field: postal code, commune, INSEE code, and a former name that matched."""

    code_postal: str
    commune: str
    code_insee: str
    former: str = ""


Row = tuple[int, str, Locality]


@lru_cache(maxsize=4)
def _sorted_communes(reference: Reference) -> tuple[list[str], list[Row], dict[str, list[CommuneChoice]]]:
    """Give the keys in order, their rows, and the ranked choices of every crowded prefix."""
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
    keys, values = [row[0] for row in rows], [(row[1], row[2], row[3]) for row in rows]
    return keys, values, _crowded(keys, values)


def _crowded(keys: list[str], rows: list[Row]) -> dict[str, list[CommuneChoice]]:
    found = {}
    for size in range(1, 13):
        start = 0
        for end in range(1, len(keys) + 1):
            if end < len(keys) and keys[end][:size] == keys[start][:size]:
                continue
            if end - start > CROWDED and len(keys[start]) >= size:
                found[keys[start][:size]] = _ranked(rows[start:end], MAX_CHOICES)
            start = end
    return found


def _ranked(rows: list[Row], limit: int) -> list[CommuneChoice]:
    """Give the choices of some rows, names of today before former ones, the largest first."""
    order = sorted(rows, key=lambda row: (row[2].former, row[0], row[1]))
    found: dict[tuple[str, str], CommuneChoice] = {}
    for _, code, entry in order:
        if len(found) >= limit:
            break
        former = entry.label if entry.former else ""
        found.setdefault((code, entry.code_insee), CommuneChoice(code, entry.current_label, entry.code_insee, former))
    return list(found.values())


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
    keys, rows, crowded = _sorted_communes(reference or load_reference())
    if key in crowded and limit <= MAX_CHOICES:
        return crowded[key][:limit]
    start = bisect_left(keys, key)
    end = bisect_left(keys, key + "\uffff", start)
    return _ranked(rows[start:end], limit)


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
