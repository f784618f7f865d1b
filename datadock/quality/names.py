"""Names of people: display form, matching key, sex of the first name, civility, and what does not fit together.

What the source holds is never filled in: a civility that is missing is proposed, a hyphen that is missing
suggested, a first name of the other sex raises an alert.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from datadock.quality.civility import Civility, civility_for, read_civility
from datadock.quality.columns import over_distinct
from datadock.quality.contact_tables import reference
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE, Evidence, Status
from datadock.quality.first_names import births_of
from datadock.quality.name_parts import FamilyName, FirstName, normalise_family_name, normalise_first_name
from datadock.quality.reference.manifest import FIRST_NAMES

_RARE, _COMMON = 10, 1_000
"""Births below which a first name is hardly one, and above which a family name may well be a first name."""

_ORDER = (Status.REJETEE, Status.A_CONFIRMER, Status.CORRIGEE, Status.OK, Status.VIDE)
_RANK = {status: place for place, status in enumerate(_ORDER)}
_TO_CONFIRM = frozenset(("CIVILITE_PRENOM_DISCORDANTS", "CIVILITE_PROPOSEE", "INVERSION_PROBABLE"))


class Name(NamedTuple):
    """A person's name as it may be used.

    Attributes:
        value: First name and family name for display; None where there is neither.
        civility: ``M``, ``MME``, ``M ET MME``; None where none was told.
        proposed_civility: Civility that the first name suggests where none was told.
        title: ``DR``, ``PR``, ``ME`` where one was told.
        first_name: For display.
        last_name: For display.
        birth_name: Name before marriage, where it was told.
        first_key: First name to match by.
        last_key: Family name to match by, without particles.
        type: Sex that the first name tells, ``M`` or ``F``; empty where it tells none.
        certainty: Share of births behind the sex.
        status: The worst of the parts, of their fit, and of the civility.
        codes: What was met.
        evidence: Each change with its rule.
    """

    value: str | None = None
    civility: str | None = None
    proposed_civility: str | None = None
    title: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    birth_name: str | None = None
    first_key: str | None = None
    last_key: str | None = None
    type: str = ""
    certainty: float = 0.0
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


NAME_SCHEMA = {
    "value": pl.String, "civility": pl.String, "proposed_civility": pl.String, "title": pl.String,
    "first_name": pl.String, "last_name": pl.String, "birth_name": pl.String, "first_key": pl.String,
    "last_key": pl.String, "type": pl.String, "certainty": pl.Float64, "status": STATUS_DTYPE, "codes": CODES_DTYPE,
    "evidence": EVIDENCE_DTYPE,
}  # fmt: skip


def normalise_names(
    first_names: pl.Series | None = None, last_names: pl.Series | None = None, civilities: pl.Series | None = None
) -> pl.DataFrame:
    """Read columns of names, each of the same length; a column that is not given is not asked for.

    Args:
        first_names: First names; null is empty.
        last_names: Family names; null is empty.
        civilities: Civilities; null is empty, which is more than not given: one is then proposed.

    Returns:
        One row per person in the order of the columns: ``NAME_SCHEMA``, the attributes of ``Name``.
    """
    given = {"first_name": first_names, "last_name": last_names, "civility": civilities}
    columns = {name: column.cast(pl.String).fill_null("") for name, column in given.items() if column is not None}

    def one(*texts: str) -> Name:
        return normalise_name(**dict(zip(columns, texts, strict=True)))

    return over_distinct(pl.DataFrame(columns), normalise_name if len(columns) == len(given) else one, NAME_SCHEMA)


def normalise_name(first_name: str | None = None, last_name: str | None = None, civility: str | None = None) -> Name:
    """Read one name by its parts; None is a part that is not asked for. Any text gives a result.

    Args:
        first_name: One or more first names.
        last_name: Family name, also with ``née`` or ``épouse``.
        civility: Civility as told; an empty text lets one be proposed.
    """
    first = normalise_first_name(first_name)
    family = normalise_family_name(last_name)
    told = read_civility(civility if civility else first.civility or family.civility)
    codes = [*told.codes, *first.codes, *family.codes]
    evidence = [*told.evidence, *first.evidence, *family.evidence]
    proposed = _fit(told, first, civility is not None, codes, evidence)
    if _inverted(first, family):
        codes.append("INVERSION_PROBABLE")
    status = min(told.status, first.status, family.status, key=_RANK.__getitem__)
    if codes and not _TO_CONFIRM.isdisjoint(codes):
        status = min(status, Status.A_CONFIRMER, key=_RANK.__getitem__)
    both = first.value and family.value
    value = f"{first.value} {family.value}" if both else first.value or family.value or None
    return Name(
        value, told.value, proposed, told.title, first.value, family.value, family.birth_name, first.key, family.key,
        first.sex, first.certainty, status, tuple(dict.fromkeys(codes)) if codes else (), tuple(evidence),
    )  # fmt: skip


def _fit(told: Civility, first: FirstName, asked: bool, codes: list[str], evidence: list[Evidence]) -> str | None:
    """Compare civility and first name: an alert where they are of different sexes, a proposal where one is missing."""
    if told.sex and first.sex and told.sex != first.sex:
        codes.append("CIVILITE_PRENOM_DISCORDANTS")
    if not asked or told.value or told.codes or not first.sex:
        return None
    proposed = civility_for(first.sex)
    codes.append("CIVILITE_PROPOSEE")
    evidence.append(Evidence("CIVILITE_PROPOSEE", "proposed_civility", "", proposed, reference(FIRST_NAMES)))
    return proposed


def _inverted(first: FirstName, family: FamilyName) -> bool:
    """Tell whether first and family name stand in each other's place: only the family name is a first name."""
    if not first.value or not family.value or "." in first.value or len(first.value) < 3:
        return False
    return births_of(first.value.split()[0]) < _RARE and births_of(family.value) >= _COMMON
