"""Suites of what is added to contacts from open references: communes, origins, enriched attributes."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share


def plans() -> list[Plan]:
    """Return the plans of the enrichment."""
    return [_commune(), _origin(), _enrichment()]


def _plan(table: str, *rules: Rule) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation,))


def _commune() -> Plan:
    return _plan(
        "dim_commune",
        Rule(
            measure="communes with a postal code",
            sql=share("postal_codes <> ''"),
            words="Communes have a postal code",
            reason="all but a few villages without inhabitants have one; below 95 % the reference was read wrongly",
            at_least=95,
            unit="%",
        ),
    )


def _origin() -> Plan:
    return _plan(
        "enrichment_origin",
        Rule(
            measure="attributes without origin or licence",
            sql="count(*) filter (coalesce(origin, '') = '' or coalesce(licence, '') = '')",
            words="Of every enriched attribute origin and licence are known",
            reason="a person may ask where it comes from, and a publisher under which licence it is used",
            at_most=0,
        ),
    )


def _enrichment() -> Plan:
    return _plan(
        "contact_enrichment",
        Rule(
            measure="attributes without an origin",
            sql="count(*) filter (coalesce(origin, '') = '')",
            words="Whatever is added to a contact says where it comes from",
            reason="what has no origin cannot be taken out again by its origin when that is withdrawn",
            at_most=0,
        ),
        Rule(
            measure="certainties that are no share",
            sql="count(*) filter (certainty not between 0 and 1)",
            words="A certainty lies between 0 and 1",
            reason="programs choose by it, and a percentage read as a share would let everything through",
            at_most=0,
        ),
    )
