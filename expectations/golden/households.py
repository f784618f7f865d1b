"""Suite of the households: that those who are said to live together may well do so."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule

_CURRENT = """(
  select * from golden.households
  qualify row_number() over (partition by golden_id order by generation desc) = 1
)"""


def households() -> Plan:
    """Return the plan of ``golden/households``."""
    rules = (
        Rule(
            measure="people per household",
            sql="1.0 * count(household_id) / nullif(count(distinct household_id), 0)",
            words="Households hold few people on average",
            reason="French households hold 2.2 people and a base knows part of them; above 3 neighbours were joined",
            at_most=3,
        ),
    )
    return Plan(names.GOLDEN, "households", _CURRENT, rules, ("golden.households",))
