"""Suites of the scored pairs and of those that wait for a steward."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share

_OPEN = """(
  select arg_max(status, recorded_at) as status
  from golden.suspects
  group by left_source, left_key, right_source, right_key
)"""


def pairs() -> Plan:
    """Return the plan of ``golden/pairs``."""
    rules = (
        Rule(
            measure="undecided pairs",
            sql=share("match_probability between 0.05 and 0.95"),
            words="The model decides most pairs clearly",
            reason="a model that knows its fields leaves few pairs between 5 and 95 %; half of them undecided means "
            "that the fields it compares do not tell people apart",
            at_most=50,
            unit="%",
        ),
        Rule(
            measure="strongest weight",
            sql="max(match_weight)",
            words="No pair is stronger than names, date, contact points and address together can make it",
            reason="80 bits is beyond every field agreeing on a rare value; more is a parameter that ran away",
            at_most=80,
        ),
    )
    return Plan(names.GOLDEN, "pairs", "golden.pairs", rules, ("golden.pairs",))


def suspects() -> Plan:
    """Return the plan of ``golden/suspects``."""
    rules = (
        Rule(
            measure="open suspects per 100 contacts",
            sql="100.0 * count(*) filter (status = 'open') / "
            "nullif((select count(distinct golden_id) from golden.contacts), 0)",
            words="The pairs that wait for a steward stay a number that people can review",
            reason="above 10 in 100 contacts the queue is never emptied: move the thresholds or mend the model",
            at_most=10,
        ),
    )
    return Plan(names.GOLDEN, "suspects", _OPEN, rules, ("golden.suspects", "golden.contacts"))
