"""How the parts of a name fit together: civility and first name, first and family name, and what comes of it all.

One name and a column of names are judged by the same functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datadock.quality.civility import Civility, civility_for
from datadock.quality.contact_tables import reference
from datadock.quality.evidence import Evidence, Status
from datadock.quality.first_names import births_of
from datadock.quality.reference.manifest import FIRST_NAMES

_RARE, _COMMON = 10, 1_000
"""Births below which a first name is hardly one, and above which a family name may well be a first name."""

_ORDER = (Status.REJETEE, Status.A_CONFIRMER, Status.CORRIGEE, Status.OK, Status.VIDE)
_RANK = {status: place for place, status in enumerate(_ORDER)}
DISCORDANT, PROPOSED, INVERTED = "CIVILITE_PRENOM_DISCORDANTS", "CIVILITE_PROPOSEE", "INVERSION_PROBABLE"
_TO_CONFIRM = frozenset((DISCORDANT, PROPOSED, INVERTED))


def are_discordant(told: Civility, sex: str) -> bool:
    """Tell whether civility and first name are of different sexes."""
    return bool(told.sex and sex and told.sex != sex)


def lacks_civility(told: Civility) -> bool:
    """Tell whether nothing stands where a civility is asked for, so that one may be proposed."""
    return not told.value and not told.codes


def proposal(sex: str) -> Evidence:
    """Give the evidence of a civility that is proposed after a first name's sex."""
    return Evidence(PROPOSED, "proposed_civility", "", civility_for(sex), reference(FIRST_NAMES))


def is_no_first_name(value: str | None) -> bool:
    """Tell whether a first name is hardly one by the register; initials and short words may be anything."""
    if not value or "." in value or len(value) < 3:
        return False
    return births_of(value.split()[0]) < _RARE


def may_be_first_name(value: str | None) -> bool:
    """Tell whether a family name is a common first name as well."""
    return bool(value) and births_of(value or "") >= _COMMON


def judged(codes: Sequence[str], statuses: Iterable[Status]) -> tuple[Status, tuple[str, ...]]:
    """Give the status of a name and its codes, each once.

    Args:
        codes: What was met in its parts and in their fit.
        statuses: Of the parts.
    """
    status = min(statuses, key=_RANK.__getitem__)
    if codes and not _TO_CONFIRM.isdisjoint(codes):
        status = min(status, Status.A_CONFIRMER, key=_RANK.__getitem__)
    return status, tuple(dict.fromkeys(codes)) if codes else ()
