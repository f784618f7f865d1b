"""Which addresses a newer reference can change, found by comparing what the resolver looks things up in.

An address whose city is a name of its code depends on that name within that code alone: it is known by the
INSEE code that was found. Any other (a code or city that was corrected, doubted or missing, a CEDEX office)
also depends on what else its codes and its words may mean: it is known by the text that was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from datadock.quality.fold import fold_expr
from datadock.quality.reference.manifest import FIRST_NAMES, LINE_WORDS, STREET_TYPES
from datadock.quality.reference.tables import (
    CEDEX_CITY,
    CEDEX_TOWNS,
    DOMINANT,
    SAME_WORDS,
    Locality,
    Reference,
    neighbours,
    without_article,
)

_EVERYWHERE = (LINE_WORDS, STREET_TYPES, "cedex")
"""Tables whose change is not followed to single addresses."""

_UNSETTLED = (
    "CP_CORRIGE", "CP_INCONNU", "CP_COMMUNE_DISCORDANTS", "COMMUNE_CORRIGEE", "COMMUNE_AMBIGUE", "COMMUNE_INCONNUE",
    "CEDEX_INCONNU", "PAYS_INCONNU", "DEUX_ADRESSES",
)  # fmt: skip
"""Detail codes of an address whose place does not follow from its code and a name of that code alone."""


@dataclass(frozen=True)
class Touched:
    """What two versions of the reference know differently.

    Args:
        insee: INSEE codes of the older version of which a name, a code or a label has changed.
        postal: Postal codes under which some name stands otherwise.
        names: Names, in the form in which they are compared, that mean something else, anywhere or within a code.
        departments: First two characters of the postal codes of departments with such a name.
        first_names: Words that are a first name in one version alone.
        everything: Whether a table that decides for every address has changed.
    """

    insee: frozenset[str] = frozenset()
    postal: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    first_names: frozenset[str] = frozenset()
    everything: bool = False

    @property
    def empty(self) -> bool:
        """Whether no address can come out otherwise."""
        return not (self.insee or self.postal or self.names or self.first_names or self.everything)

    def expression(self, code_postal: str, code_insee: str, codes: str, text: Sequence[str]) -> pl.Expr:
        """Give the expression that is true for addresses that may come out otherwise."""
        placed = pl.col(code_insee).fill_null("") != ""
        if self.everything or self.empty:
            return (placed | ~placed) & self.everything
        insee = pl.col(code_insee).is_in(sorted(self.insee)).fill_null(value=False)
        postal = pl.col(code_postal).is_in(sorted(self.postal)).fill_null(value=False)
        settled, renamed = pl.lit(value=False), pl.lit(value=True)
        if codes:
            settled = placed & ~_holds_one(codes, _UNSETTLED)
        if not text:
            return insee | postal | ~(settled if codes else placed) | bool(self.first_names)
        words = _words(text)
        cedex = words.str.contains(" CEDEX ", literal=True)
        if codes:
            settled = settled & ~cedex
            renamed = ~placed | _holds_one(codes, ("COMMUNE_CORRIGEE",))
        named = _contains(words, [f" {name} " for name in self.names])
        coded = postal | _contains(words, self._code_patterns())
        near = pl.col(code_postal).str.slice(0, 2).is_in(sorted(self.departments)).fill_null(value=False)
        beside = renamed & _contains(words, self._codes_one_digit_away())
        office = cedex & (_contains(words, self._office_patterns()) | (renamed & near))
        short = _contains(words, [f" {name} " for name in self.first_names])
        return insee | (coded & named) | (~settled & (coded | named | beside)) | office | short

    def _code_patterns(self) -> list[str]:
        """Give the touched postal codes as they are written, also parted, or without their leading zero."""
        whole = [f" {code} " for code in self.postal]
        parted = [f" {code[:2]} {code[2:]} " for code in self.postal]
        return [*whole, *parted, *(f" {code[1:]} " for code in self.postal if code.startswith("0"))]

    def _codes_one_digit_away(self) -> list[str]:
        """Give the codes that one wrong digit may have made of a touched one."""
        return [f" {wrong} " for code in self.postal for wrong in neighbours(code)]

    def _office_patterns(self) -> list[str]:
        """Give the beginnings of names by which a CEDEX office may be meant."""
        words = (name.split() for name in self.names)
        return [f" {' '.join(name[:size])} CEDEX " for name in words for size in range(1, len(name))]


def _holds_one(codes: str, wanted: Sequence[str]) -> pl.Expr:
    held = pl.col(codes).list.eval(pl.element().is_in(list(wanted))).list.any()
    return held.fill_null(value=True)


def _contains(words: pl.Expr, patterns: Sequence[str]) -> pl.Expr:
    return words.str.contains_any(sorted(set(patterns))) if patterns else pl.lit(value=False)


def _words(text: Sequence[str]) -> pl.Expr:
    """Give the words of some columns in the form in which names are compared, with a space on both sides."""
    told = [pl.col(name).cast(pl.String).fill_null("") for name in text]
    folded = fold_expr(pl.concat_str(told, separator=" "))
    apart = folded.str.replace_all("([0-9])([A-Z]{3})", "$1 $2").str.replace_all(r"\bFR?([0-9])", "$1")
    spaced = pl.lit("  ") + apart.str.replace_all(" ", "  ", literal=True) + pl.lit("  ")
    same = {f" {word} ": f" {other} " for word, other in SAME_WORDS.items()}
    return spaced.str.replace_many(list(same), list(same.values())).str.replace_all(" +", " ")


def touched_by(old: Reference, new: Reference) -> Touched:
    """Compare what two versions look codes and names up in."""
    if any(old.hashes.get(table) != new.hashes.get(table) for table in _EVERYWHERE):
        return Touched(everything=True)
    insee, postal, names, changed = _within_codes(old, new)
    for name in old.by_name.keys() | new.by_name.keys():
        before, after = old.by_name.get(name, []), new.by_name.get(name, [])
        if before != after and _weighed(before) != _weighed(after):
            names.add(name)
            changed += [entry for entry in (*before, *after) if entry not in before or entry not in after]
    for code in old.by_insee.keys() | new.by_insee.keys():
        pair = old.by_insee.get(code), new.by_insee.get(code)
        if _plain(item for item in pair[:1] if item) != _plain(item for item in pair[1:] if item):
            insee.add(code)
    homes = {"20" if entry.departement[:2] in ("2A", "2B") else entry.departement[:2] for entry in changed}
    first_names: frozenset[str] = frozenset()
    if old.hashes.get(FIRST_NAMES) != new.hashes.get(FIRST_NAMES):
        first_names = old.first_names ^ new.first_names
    return Touched(frozenset(insee), frozenset(postal), frozenset(names), frozenset(homes), first_names)


def _within_codes(old: Reference, new: Reference) -> tuple[set[str], set[str], set[str], list[Locality]]:
    """Compare the names of each postal code; what is new to a code touches nobody who was placed by another name."""
    insee: set[str] = set()
    postal: set[str] = set()
    names: set[str] = set()
    changed: list[Locality] = []
    for code in old.by_code.keys() | new.by_code.keys():
        before, after = old.by_code.get(code, {}), new.by_code.get(code, {})
        if old.chiefs.get(code) != new.chiefs.get(code):
            names |= before.keys() | after.keys()
        for name in before.keys() | after.keys():
            then, now = before.get(name, []), after.get(name, [])
            if then == now or _plain(then) == _plain(now):
                continue
            postal.add(code)
            names.add(name)
            relied = [*then, *_fallback(name, before)]
            insee |= {entry.code_insee for entry in relied}
            changed += [*relied, *now]
    return insee, postal, names, changed


def _fallback(name: str, before: Mapping[str, Sequence[Locality]]) -> Sequence[Locality]:
    """Give what a name that was none meant by its form without an article."""
    short = without_article(name)
    return before.get(short, ()) if short != name and name not in before else ()


def _plain(entries: Iterable[Locality]) -> list[Locality]:
    """Give entries without their inhabitants, which count only where a name has several communes."""
    return [replace(entry, population=0) for entry in entries]


def _weighed(entries: Sequence[Locality]) -> tuple[object, ...]:
    """Give all that a name's communes can decide: themselves, their sizes, which leads in France and at home."""
    today = [entry for entry in entries if not entry.former] or list(entries)
    chief = max(today, key=lambda entry: entry.population, default=None)
    leads = chief and chief.population >= DOMINANT * sum(entry.population for entry in today)
    bounds = [*(people for people, _ in CEDEX_TOWNS), CEDEX_CITY]
    sizes = [sum(entry.population >= people for people in bounds) for entry in entries]
    homes: dict[str, Locality] = {}
    for entry in today:
        home = entry.departement[:2]
        if home not in homes or entry.population > homes[home].population:
            homes[home] = entry
    return (
        _plain(entries), sizes, chief.code_insee if chief and leads else "",
        {home: entry.code_insee for home, entry in homes.items()},
    )  # fmt: skip
