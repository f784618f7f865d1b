"""The difference of two versions of the communes and postal codes, as people read it.

What it means for addresses, which of them can come out otherwise, stands in ``touched``.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from datadock.quality.fold import fold
from datadock.quality.reference.tables import Reference, Row
from datadock.quality.reference.touched import Touched, touched_by


@dataclass(frozen=True)
class ReferenceDifference:
    """What a newer version of the reference changes, as sorted rows.

    Args:
        added: (INSEE code, name) of names that are new.
        removed: (INSEE code, name) of names that are gone.
        renamed: (INSEE code, old name, new name) of communes of today.
        moved: (old INSEE code, new INSEE code, name) of names that belong to another commune now.
        recoded: (INSEE code, old postal codes, new postal codes) of communes of today.
        touched: The codes and names whose addresses are to be normalised again.
    """

    added: list[tuple[str, str]]
    removed: list[tuple[str, str]]
    renamed: list[tuple[str, str, str]]
    moved: list[tuple[str, str, str]]
    recoded: list[tuple[str, str, str]]
    touched: Touched

    @property
    def touched_insee(self) -> frozenset[str]:
        """INSEE codes, as the older version gives them, whose addresses are to be normalised again."""
        return self.touched.insee

    @property
    def touched_postal(self) -> frozenset[str]:
        """Postal codes of which either version knows something that the other does not."""
        return self.touched.postal

    @property
    def empty(self) -> bool:
        """Whether the two versions say the same of every address."""
        return self.touched.empty

    def touches(self, code_postal: str, code_insee: str, codes: str = "", text: tuple[str, ...] = ()) -> pl.Expr:
        """Give the expression that is true for the addresses to normalise again.

        With all columns named, every address whose result differs is among them, and few others. Without the
        text all addresses are that were not placed by their code alone; with neither, only those without a place.

        Args:
            code_postal: Column of the postal code found with the older version.
            code_insee: Column of the INSEE code found with the older version.
            codes: Column of its detail codes.
            text: Columns of the address as it was given, all of them.
        """
        return self.touched.expression(code_postal, code_insee, codes, text)


def compare_references(old: Reference, new: Reference) -> ReferenceDifference:
    """Give what the newer reference changes against the older."""
    before, after = _names(old), _names(new)
    gone = before.keys() - after.keys()
    fresh = after.keys() - before.keys()
    moves = sorted(_moves(gone, fresh))
    taken = {(source, name) for source, _, name in moves} | {(target, name) for _, target, name in moves}
    renamed = _renamed(old, new)
    taken |= {pair for code, was, now in renamed for pair in ((code, fold(was)), (code, fold(now)))}
    added = sorted((code, after[code, name]) for code, name in fresh if (code, name) not in taken)
    removed = sorted((code, before[code, name]) for code, name in gone if (code, name) not in taken)
    return ReferenceDifference(added, removed, renamed, moves, _recoded(old, new), touched_by(old, new))


def _names(reference: Reference) -> dict[tuple[str, str], str]:
    """Give every name as it is written, by commune of today and folded name."""
    return {(row["code_actuel"], fold(row["nom"])): row["nom"] for row in reference.localities}


def _moves(gone: set[tuple[str, str]], fresh: set[tuple[str, str]]) -> set[tuple[str, str, str]]:
    targets: dict[str, set[str]] = {}
    for code, name in fresh:
        targets.setdefault(name, set()).add(code)
    near = ((code, target, name) for code, name in gone for target in targets.get(name, ()))
    return {item for item in near if item[0][:2] == item[1][:2] and len(targets[item[2]]) == 1}


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
