"""Names of people: display form, matching key, sex of the first name, civility, and what does not fit together.

What the source holds is never filled in: a civility that is missing is proposed, a hyphen that is missing
suggested, a first name of the other sex raises an alert.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from datadock.quality.civility import civility_for, read_civility
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE, Evidence, Status
from datadock.quality.name_columns import read_names
from datadock.quality.name_fit import (
    DISCORDANT,
    INVERTED,
    PROPOSED,
    are_discordant,
    is_no_first_name,
    judged,
    lacks_civility,
    may_be_first_name,
    proposal,
)
from datadock.quality.name_parts import normalise_family_name, normalise_first_name


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
    height = max((len(column) for column in given.values() if column is not None), default=0)
    columns = [
        pl.repeat(None, height, dtype=pl.String, eager=True).alias(name)
        if column is None
        else column.cast(pl.String).fill_null("").alias(name)
        for name, column in given.items()
    ]
    return read_names(pl.DataFrame(columns))


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
    evidence = [*told.evidence, *first.evidence, *family.evidence]
    proposed = civility is not None and bool(first.sex) and lacks_civility(told)
    if proposed:
        evidence.append(proposal(first.sex))
    fit = {
        DISCORDANT: are_discordant(told, first.sex),
        PROPOSED: proposed,
        INVERTED: is_no_first_name(first.value) and may_be_first_name(family.value),
    }
    codes = [*told.codes, *first.codes, *family.codes, *(code for code, on in fit.items() if on)]
    status, codes_once = judged(codes, (told.status, first.status, family.status))
    both = first.value and family.value
    value = f"{first.value} {family.value}" if both else first.value or family.value or None
    return Name(
        value, told.value, civility_for(first.sex) if proposed else None, told.title, first.value, family.value,
        family.birth_name, first.key, family.key, first.sex, first.certainty, status, codes_once, tuple(evidence),
    )  # fmt: skip
