"""Suites of what is added to contacts from open references: communes, origins, enriched attributes."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share


def plans() -> list[Plan]:
    """Return the plans of the enrichment."""
    return [_commune(), _origin(), _enrichment(), _iris(), _place(), _contact_iris(), _without_iris()]


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


def _iris() -> Plan:
    return _plan(
        "dim_iris",
        Rule(
            measure="codes that do not begin with their commune",
            sql="count(*) filter (code_iris[:5] <> code_insee)",
            words="An IRIS code begins with the code of its commune",
            reason="a contour is asked of the addresses of its commune alone; under another one it holds nobody",
            at_most=0,
        ),
    )


def _place() -> Plan:
    return _plan(
        "place",
        Rule(
            measure="positions that are no place on earth",
            sql="count(*) filter (longitude not between -180 and 180 or latitude not between -90 and 90)",
            words="A position is a longitude and a latitude in degrees",
            reason="metres or swapped numbers put everybody outside of all contours",
            at_most=0,
        ),
        Rule(
            measure="positions outside of the contours of their commune",
            sql="100.0 * count(*) filter (reason = 'hors_contours') "
            "/ nullif(count(*) filter (reason = 'hors_contours' or code_iris is not null), 0)",
            words="Positions lie in the contours of their commune",
            reason="a few addresses stand on the edge; above a tenth contours and addresses are of different editions",
            at_most=10,
            unit="%",
        ),
    )


def _contact_iris() -> Plan:
    return _plan(
        "contact_iris",
        Rule(
            measure="contacts with neither an IRIS nor a reason, or with both",
            sql="count(*) filter ((code_iris is null) = (reason is null))",
            words="A contact has an IRIS or the reason why it has none",
            reason="who has neither is on no list: nobody would mend what is missing",
            at_most=0,
        ),
        Rule(
            measure="IRIS without origin, version or day",
            sql="count(*) filter (code_iris is not null and "
            "(iris_by is null or origin is null or iris_version is null or assigned_on is null))",
            words="Of every IRIS it is known what decided, of which version and since when",
            reason="a figure by IRIS is compared with the census of one edition of the contours",
            at_most=0,
        ),
    )


def _without_iris() -> Plan:
    return _plan(
        "contact_without_iris",
        Rule(
            measure="contacts without a reason",
            sql="count(*) filter (reason is null)",
            words="Whoever has no IRIS has the reason why",
            reason="the reason says what to load or to mend",
            at_most=0,
        ),
    )
