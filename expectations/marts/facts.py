"""Suites of the facts: orders and their lines, events, consents."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share, volume


def plans() -> list[Plan]:
    """Return the plans of the facts."""
    return [_order(), _order_line(), _event(), _consent()]


def _plan(table: str, *rules: Rule) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation,))


def _attached(floor: float, reason: str) -> Rule:
    return Rule(
        measure="attached to a contact",
        sql=share("golden_id is not null"),
        words="Facts belong to a golden contact",
        reason=f"{reason}; a fall of 5 points means that a key changed its form",
        at_least=floor,
        may_fall=5,
        unit="%",
    )


def _not_ahead(column: str, words: str) -> Rule:
    return Rule(
        measure=f"{column} in the future",
        sql=share(f"{column} > now() + interval 2 days", f"{column} is not null"),
        words=words,
        reason="two days absorb zones and clocks; 0.5 % absorbs single slips, more is a swapped day and month",
        at_most=0.5,
        unit="%",
    )


def _order() -> Plan:
    return _plan(
        "fct_order",
        volume(severity="warning", reason="a shop sells"),
        Rule(
            measure="revenue",
            sql="sum(amount)",
            words="Revenue is not negative",
            reason="returns are orders of their own status; a negative sum means that they were counted twice",
            at_least=0,
            may_fall=0.2,
            unit="EUR",
            severity="critical",
        ),
        Rule(
            measure="median order",
            sql="median(amount)",
            words="The median order is of a plausible amount",
            reason="between a coffee and a sofa; a factor of 100 means cents read as euros or a lost decimal comma",
            at_least=3,
            at_most=2000,
            unit="EUR",
        ),
        _attached(60, "anonymous till receipts have no contact, most orders do"),
        _not_ahead("ordered_at", "Orders are not dated ahead"),
    )


def _order_line() -> Plan:
    return _plan(
        "fct_order_line",
        Rule(
            measure="mean quantity",
            sql="avg(quantity)",
            words="Quantities are those of shoppers",
            reason="households buy a few of a thing; above 50 on average a price or a code was read as the quantity",
            at_least=0.1,
            at_most=50,
        ),
        Rule(
            measure="lines without amount",
            sql=share("coalesce(amount, 0) = 0"),
            words="Order lines have an amount",
            reason="gifts and samples are free; above 10 % a column was lost",
            at_most=10,
            unit="%",
        ),
    )


def _event() -> Plan:
    return _plan(
        "fct_event",
        _attached(50, "notes and returned letters name people loosely"),
        _not_ahead("happened_at", "Events are not dated ahead"),
    )


def _consent() -> Plan:
    return _plan(
        "fct_consent",
        Rule(
            measure="opt-in share",
            sql=share("lower(replace(status, '_', '-')) in ('opt-in', 'granted', 'yes', 'subscribed')"),
            words="Consents are neither all given nor all refused",
            reason="people differ; 100 % means that refusals were not delivered, which must never be acted upon",
            at_least=1,
            at_most=99,
            unit="%",
        ),
        Rule(
            measure="consents with a proof",
            sql=share("proof is not null"),
            words="Consents carry their proof",
            reason="the law asks for it; half is what older collections can show, and it must not fall",
            at_least=50,
            may_fall=2,
            unit="%",
        ),
    )
