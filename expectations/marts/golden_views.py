"""Suites of the marts that show golden history: memberships, redirects, lineage, provenance, suspects."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share


def plans() -> list[Plan]:
    """Return the plans of the golden views."""
    return [_membership(), _redirect(), _lineage(), _provenance(), _suspect_pair(), _shared_identifier()]


def _plan(table: str, *rules: Rule) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation,))


def _membership() -> Plan:
    return _plan(
        "golden_membership",
        Rule(
            measure="closed memberships",
            sql=share("valid_to is not null"),
            words="Most memberships are those that hold today",
            reason="each move closes one; above half, records wander between contacts",
            at_most=50,
            unit="%",
        ),
    )


def _redirect() -> Plan:
    return _plan(
        "golden_redirect",
        Rule(
            measure="redirects per 100 contacts",
            sql="100.0 * count(*) / nullif((select count(*) from marts.dim_contact), 0)",
            words="Retired ids stay few beside the living ones",
            reason="every redirect is a detour for someone downstream; more retired than living ids means that the "
            "model was changed again and again",
            at_most=100,
        ),
    )


def _lineage() -> Plan:
    return _plan(
        "golden_lineage",
        Rule(
            measure="golden contacts without a beginning",
            sql="max((select count(*) from marts.dim_contact anti join marts.golden_lineage using (golden_id)))",
            words="Of every golden contact the feed of ids tells how it began",
            reason="who keeps golden ids elsewhere follows them by this feed alone; an id it never told is lost there",
            at_most=0,
            severity="critical",
        ),
    )


def _provenance() -> Plan:
    return _plan(
        "golden_provenance",
        Rule(
            measure="sources that win values",
            sql="count(distinct source)",
            words="Golden values are taken from some source",
            reason="without a winning source no value can be explained to the person it describes",
            at_least=1,
        ),
    )


def _suspect_pair() -> Plan:
    return _plan(
        "suspect_pair",
        Rule(
            measure="age of the oldest open suspect",
            sql="epoch(now() - min(recorded_at) filter (status = 'open')) / 86400",
            words="Suspects are reviewed within a quarter",
            reason="a doubt that nobody settles in 90 days will not be settled; decide or raise the threshold",
            at_most=90,
            unit="days",
            severity="info",
        ),
    )


def _shared_identifier() -> Plan:
    return _plan(
        "shared_identifier",
        Rule(
            measure="widely used values that still count in full",
            sql="count(*) filter (where evidence = 'full' and n_people > 20)",
            words="What very many contacts share is no evidence of one person",
            reason="twenty people behind one phone or e-mail are a desk's; that linking still trusts it means that the "
            "model was trained before, or that given names are missing",
            at_most=0,
            severity="info",
        ),
    )
