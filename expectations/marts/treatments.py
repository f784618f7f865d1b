"""Suites of treatments: what was done on chosen sets of contacts, and what it added."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share


def plans() -> list[Plan]:
    """Return the plans of the treatments."""
    return [_treatment(), _contact(), _address(), _attribute()]


def _plan(table: str, *rules: Rule) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation,))


def _treatment() -> Plan:
    return _plan(
        "fct_treatment",
        Rule(
            measure="treatments that nobody signed",
            sql="count(*) filter (trim(asked_by) = '' or trim(reason) = '')",
            words="Every treatment says who asked for it and why",
            reason="whoever finds an address changed must be able to ask somebody about it",
            at_most=0,
        ),
        Rule(
            measure="treatments of most contacts named in vain",
            sql="count(*) filter (stands and len(unknown) > contacts)",
            words="Sets name contacts that there are",
            reason="where more names lead to nobody than to a contact, the set was made of another base",
            at_most=0,
        ),
    )


def _contact() -> Plan:
    return _plan(
        "fct_treatment_contact",
        Rule(
            measure="lines of moved people left to somebody",
            sql=share("outcome = 'doubtful'", "line is not null and stands"),
            words="Few lines of files of moved people are left to a person",
            reason="above a quarter, the file calls its columns otherwise, or was made for another base",
            at_most=25,
            unit="%",
        ),
        Rule(
            measure="contacts without an outcome's reason",
            sql="count(*) filter (outcome not in ('treated', 'untouched') and reason is null)",
            words="Whoever was not treated is told why",
            reason="a list without reasons is work for a steward that the dock has done already",
            at_most=0,
        ),
    )


def _address() -> Plan:
    return _plan(
        "fct_treatment_address",
        Rule(
            measure="treated addresses without a reading",
            sql="count(*) filter (after_status is null or after_reference is null)",
            words="Every treated address has a status and the version of the reference that gave it",
            reason="a before without an after is a treatment that was not done",
            at_most=0,
        ),
        Rule(
            measure="moves to an address that cannot be written to",
            sql="count(*) filter (kind = 'moves' and stands and after_status in ('REJETEE', 'VIDE', 'A_CONFIRMER'))",
            words="Nobody is moved to an address that is rejected or doubtful",
            reason="the old address is closed by the move, so that the contact could be reached no more",
            at_most=0,
        ),
    )


def _attribute() -> Plan:
    return _plan(
        "contact_attribute",
        Rule(
            measure="attributes that say no origin",
            sql="count(*) filter (coalesce(origin, '') = '' or coalesce(origin_version, '') = '')",
            words="Whatever a treatment added says where it comes from, and in which version",
            reason="what has no origin cannot be taken out again by its origin when that is withdrawn",
            at_most=0,
        ),
    )
