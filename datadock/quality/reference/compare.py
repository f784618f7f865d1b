"""The difference of two versions of the communes and postal codes, and which addresses it touches.

A newer reference is no reason to normalise a million addresses again: only those whose postal code or
commune the difference names can come out otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from datadock.quality.fold import fold
from datadock.quality.reference.tables import Reference, Row


@dataclass(frozen=True)
class ReferenceDifference:
    """What a newer version of the reference changes, as sorted rows.

    Args:
        added: (INSEE code, name) of names that are new.
        removed: (INSEE code, name) of names that are gone.
        renamed: (INSEE code, old name, new name) of communes of today.
        moved: (old INSEE code, new INSEE code, name) of names that belong to another commune now.
        recoded: (INSEE code, old postal codes, new postal codes) of communes of today.
        touched_insee: INSEE codes, of old and new, whose addresses are to be normalised again.
        touched_postal: Postal codes whose addresses are to be normalised again.
    """

    added: list[tuple[str, str]]
    removed: list[tuple[str, str]]
    renamed: list[tuple[str, str, str]]
    moved: list[tuple[str, str, str]]
    recoded: list[tuple[str, str, str]]
    touched_insee: frozenset[str]
    touched_postal: frozenset[str]

    @property
    def empty(self) -> bool:
        """Whether the two versions say the same."""
        return not (self.added or self.removed or self.renamed or self.moved or self.recoded)

    def touches(self, code_postal: str, code_insee: str) -> pl.Expr:
        """Give the expression that is true for the addresses to normalise again.

        Args:
            code_postal: Column of the normalised (or raw) postal code.
            code_insee: Column of the INSEE code found with the older version.
        """
        touched = pl.col(code_postal).is_in(sorted(self.touched_postal))
        return (touched | pl.col(code_insee).is_in(sorted(self.touched_insee))).fill_null(value=False)


def compare_references(old: Reference, new: Reference) -> ReferenceDifference:
    """Give what the newer reference changes against the older."""
    before, after = _names(old), _names(new)
    gone = before.keys() - after.keys()
    fresh = after.keys() - before.keys()
    moves = sorted(_moves(before, after, gone, fresh))
    taken = {(source, name) for source, _, name in moves} | {(target, name) for _, target, name in moves}
    renamed = _renamed(old, new)
    taken |= {pair for code, was, now in renamed for pair in ((code, fold(was)), (code, fold(now)))}
    added = sorted((code, after[code, name]) for code, name in fresh if (code, name) not in taken)
    removed = sorted((code, before[code, name]) for code, name in gone if (code, name) not in taken)
    recoded = _recoded(old, new)
    insee = {item[0] for item in (*added, *removed, *renamed, *recoded)} | {c for m in moves for c in m[:2]}
    postal = {code for item in recoded for code in _changed(item[1], item[2])}
    postal |= _postal(old, insee) | _postal(new, insee)
    return ReferenceDifference(added, removed, renamed, moves, recoded, frozenset(insee), frozenset(postal))


def _names(reference: Reference) -> dict[tuple[str, str], str]:
    """Give every name as it is written, by commune of today and folded name."""
    return {(row["code_actuel"], fold(row["nom"])): row["nom"] for row in reference.localities}


def _moves(
    before: dict[tuple[str, str], str],
    after: dict[tuple[str, str], str],
    gone: set[tuple[str, str]],
    fresh: set[tuple[str, str]],
) -> set[tuple[str, str, str]]:
    targets: dict[str, set[str]] = {}
    for code, name in fresh:
        targets.setdefault(name, set()).add(code)
    near = ((code, target, name) for code, name in gone for target in targets.get(name, ()))
    unique = {(code, target, name) for code, target, name in near if code[:2] == target[:2]}
    return {item for item in unique if len(targets[item[2]]) == 1 and (item[0], item[2]) in before and after}


def _today(reference: Reference) -> dict[str, Row]:
    return {row["code_insee"]: row for row in reference.localities if row["type"] == "commune-actuelle"}


def _renamed(old: Reference, new: Reference) -> list[tuple[str, str, str]]:
    before, after = _today(old), _today(new)
    both = before.keys() & after.keys()
    return sorted(
        (code, before[code]["nom"], after[code]["nom"]) for code in both if before[code]["nom"] != after[code]["nom"]
    )


def _recoded(old: Reference, new: Reference) -> list[tuple[str, str, str]]:
    before, after = _today(old), _today(new)
    return sorted(
        (code, before[code]["codes_postaux"], after[code]["codes_postaux"])
        for code in before.keys() & after.keys()
        if set(before[code]["codes_postaux"].split("|")) != set(after[code]["codes_postaux"].split("|"))
    )


def _changed(old: str, new: str) -> set[str]:
    return (set(old.split("|")) ^ set(new.split("|"))) - {""}


def _postal(reference: Reference, codes: set[str]) -> set[str]:
    found = (row["codes_postaux"].split("|") for row in reference.localities if row["code_actuel"] in codes)
    return {code for item in found for code in item if code}
