"""Suites of the staging tables, one per declared entity of a source, built from the declaration.

Shape at the door (required fields, lists of values, patterns) is the raw contract's; keys are dbt's. Here stand
the distributions: volume against the last run, fill of each field, dates that a person can have, freshness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from datadock import names
from expectations.rule import Plan, Rule, share


class Declared(Protocol):
    """What a declaration says of one staging table."""

    @property
    def source(self) -> str:
        """Name of the source."""

    @property
    def entity(self) -> str:
        """Name of the entity."""

    @property
    def types(self) -> Mapping[str, str]:
        """Type of each declared field."""

    @property
    def readable(self) -> Sequence[str]:
        """Fields whose newest received values are measured: table ``readable.<model>`` holds the typed percentage."""

    @property
    def stale_after_days(self) -> float | None:
        """Days after which the source counts as stale."""

    @property
    def is_occasional(self) -> bool:
        """Whether records come now and then only: an empty table or field is no news."""


def plans(declared: Iterable[Declared]) -> list[Plan]:
    """Return a plan per declared table."""
    return [_plan(table) for table in declared]


def _plan(table: Declared) -> Plan:
    model = names.staging_model(table.source, table.entity)
    rules = [_kept()] if table.is_occasional else [_delivered(), _kept()]
    if table.stale_after_days is not None:
        rules.append(_freshness(table.stale_after_days))
    if not table.is_occasional:
        rules += [_fill(field) for field in table.types]
    rules += [_readable(field, model) for field in table.readable]
    rules += [rule for field, kind in table.types.items() if (rule := _plausible(field, kind))]
    relation = f"{names.STAGING}.{model}"
    return Plan(names.STAGING, model, relation, tuple(rules), (relation,))


def _delivered() -> Rule:
    return Rule(
        measure="holds rows",
        sql="count(*)",
        words="The table holds rows",
        reason="a declared source is expected to deliver; one that waits for its first file stops nobody else's",
        at_least=1,
    )


def _kept() -> Rule:
    return Rule(
        measure="rows",
        sql="count(*)",
        words="The table holds not a tenth fewer rows than at the last run",
        reason="records are never deleted by arrival, so a fall means a repair or a fault: golden contacts would be "
        "retired by it",
        at_least=0,
        may_fall=0.1,
        severity="critical",
    )


def _freshness(days: float) -> Rule:
    return Rule(
        measure="age of the newest record",
        sql="epoch(now() - max(_received_at)) / 86400",
        words="The newest record came in within the declared time",
        reason=f"the declaration says that this source is stale after {days:g} days",
        at_most=days,
        unit="days",
    )


def _fill(field: str) -> Rule:
    return Rule(
        measure=f"{field} filled",
        sql=f'100.0 * count("{field}") / nullif(count(*), 0)',
        words=f"{field} is filled as often as before",
        reason="a declared field that nothing fills, or that loses 10 points between two runs, is mostly a column "
        "that was renamed or left out upstream; slower changes are life",
        at_least=0.01,
        may_fall=10,
        unit="%",
    )


def _readable(field: str, model: str) -> Rule:
    return Rule(
        measure=f"{field} readable",
        sql=f'(select any_value("{field}") from readable."{model}")',
        words=f"Values of {field} could be read as what they are declared to be",
        reason="people mistype a few values in a hundred; a new date format or decimal sign spoils them all at once",
        at_least=95,
        unit="%",
    )


def _plausible(field: str, kind: str) -> Rule | None:
    column = f'"{field}"'
    if field == "birth_date":
        return Rule(
            measure="birth_date plausible",
            sql=share(f"{column} between date '1900-01-01' and current_date", f"{column} is not null"),
            words="Birth dates lie between 1900 and today",
            reason="no living customer was born before 1900 or tomorrow; 1 % leaves room for slips of the finger",
            at_least=99,
            unit="%",
        )
    if kind == "timestamp":
        return Rule(
            measure=f"{field} plausible",
            sql=share(f"{column} between '1980-01-01' and now() + interval 2 days", f"{column} is not null"),
            words=f"{field} lies between 1980 and today",
            reason="no system here is older than 1980; two days absorb zones and clocks that are set wrong",
            at_least=99.5,
            unit="%",
        )
    if kind == "date":
        return Rule(
            measure=f"{field} plausible",
            sql=share(f"{column} between date '1900-01-01' and current_date + 3660", f"{column} is not null"),
            words=f"{field} lies between 1900 and ten years from now",
            reason="an end of validity may lie ahead; beyond ten years it is a stand-in such as 9999-12-31",
            at_least=99,
            unit="%",
        )
    return None
