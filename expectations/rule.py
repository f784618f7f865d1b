"""What a rule and a table's suite are, before Great Expectations is imported.

A rule measures one number with one SQL expression and bounds it; a plan is a table's rules. All measures of a
table are taken in one scan by the runner, which hands them back to ``Plan.suite``. The threshold and its reason
stand in the same place: the rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from datadock import names

if TYPE_CHECKING:
    import great_expectations as gx

Severity = Literal["critical", "warning", "info"]
Unit = Literal["", "%", "days", "EUR"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One number of a table, what it means, and between which bounds it should lie.

    Attributes:
        measure: Name of the number, in words a reader understands; unique in its plan.
        sql: Aggregate expression over the plan's relation; null means that there is nothing to judge.
        words: The expectation, as a sentence about the business.
        reason: Why the bound stands where it stands.
        at_least: Lower bound, included.
        at_most: Upper bound, included.
        unit: What the number counts.
        severity: ``critical`` stops what comes after, ``warning`` is for a steward to look at, ``info`` to know.
        may_fall: How far the number may lie under the last run's: points for a ``%``, else a share of it.
        may_rise: How many times the last run's number it may be.
    """

    measure: str
    sql: str
    words: str
    reason: str
    at_least: float | None = None
    at_most: float | None = None
    unit: Unit = ""
    severity: Severity = "warning"
    may_fall: float | None = None
    may_rise: float | None = None

    def bounds(self, last: float | None) -> tuple[float | None, float | None]:
        """Return the lower and upper bound, given the last run's number where there was one."""
        low, high = self.at_least, self.at_most
        if last is not None and self.may_fall is not None:
            floor = last - self.may_fall if self.unit == "%" else last * (1 - self.may_fall)
            floor = float(math.floor(floor)) if self.unit == "" and last == int(last) else floor
            low = floor if low is None else max(low, floor)
        if last is not None and self.may_rise is not None:
            ceiling = last * self.may_rise
            high = ceiling if high is None else min(high, ceiling)
        return low, high


@dataclass(frozen=True)
class Plan:
    """The rules of one table, and the relation that they are measured on.

    Attributes:
        layer: Layer of the table.
        table: Name of the table, as its asset is called.
        relation: What stands after FROM: a table's name or a sub-query; one scan measures all rules.
        rules: The rules, in the order they are read.
        needs: Tables that the relation reads, ``schema.table``; the plan is skipped where one does not exist.
    """

    layer: str
    table: str
    relation: str
    rules: tuple[Rule, ...]
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the suite."""
        return names.suite(self.layer, self.table)

    def query(self) -> str:
        """Return the one SELECT that measures every rule, one row."""
        columns = ",\n  ".join(f'({rule.sql})::double as "{rule.measure}"' for rule in self.rules)
        return f"select\n  {columns}\nfrom {self.relation}"

    def suite(self, last: Mapping[str, float | None]) -> gx.ExpectationSuite:
        """Build the suite; bounds that follow the last run are taken from its numbers.

        Args:
            last: The numbers of the last run by measure; empty on the first.
        """
        from expectations.measure import build_suite  # Great Expectations costs seconds to import

        return build_suite(self, last)


def share(condition: str, of: str = "true") -> str:
    """Return the SQL of a percentage: rows for which ``condition`` holds among those for which ``of`` holds."""
    return f"100.0 * count(*) filter (({condition}) and ({of})) / nullif(count(*) filter ({of}), 0)"


def volume(
    *, severity: Severity = "critical", reason: str = "an empty table means that a step before it failed"
) -> Rule:
    """Return the rule that a table holds rows and did not shrink since the last run."""
    return Rule(
        measure="rows",
        sql="count(*)",
        words="The table holds rows, and not a tenth fewer than at the last run",
        reason=f"{reason}; records are never deleted by arrival, so a fall means a repair or a fault",
        at_least=1,
        may_fall=0.1,
        severity=severity,
    )
