"""Suites of what happens to golden ids: memberships, redirects and lineage. Ids are promised to last."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share

_MEMBERSHIP = """(
  select records.source, records.source_key, held.golden_id, held.moves
  from intermediate.int_source_contact as records
  left join (
    select source, source_key, arg_max_null(golden_id, valid_from) as golden_id, count(golden_id) - 1 as moves
    from golden.memberships
    group by source, source_key
  ) as held using (source, source_key)
)"""


def _per_hundred(table: str, condition: str) -> str:
    """Return the SQL of what the newest run did to ids, per hundred that ever were."""
    newest = f'"at" = (select max("at") from {table})'
    living = "(select count(distinct golden_id) from golden.contacts)"
    return f"100.0 * count(*) filter (({condition}) and {newest}) / nullif({living}, 0)"


def memberships() -> Plan:
    """Return the plan of ``golden/memberships``, judged from the side of the source records."""
    rules = (
        Rule(
            measure="records with one active golden id",
            sql=share("golden_id is not null"),
            words="Every source record belongs to exactly one golden contact",
            reason="the dock's first promise; a record without an id is lost to every mart",
            at_least=100,
            unit="%",
            severity="critical",
        ),
        Rule(
            measure="moves per record",
            sql="avg(moves)",
            words="Source records keep their golden contact",
            reason="a record moves when contacts merge or split; more than one move in two records over the whole "
            "history means that ids do not last",
            at_most=0.5,
        ),
    )
    needs = ("intermediate.int_source_contact", "golden.memberships")
    return Plan(names.GOLDEN, "memberships", _MEMBERSHIP, rules, needs)


def redirects() -> Plan:
    """Return the plan of ``golden/redirects``."""
    rules = (
        Rule(
            measure="ids redirected by the last run",
            sql=_per_hundred("golden.redirects", "old_id is not null"),
            words="A run retires few golden ids",
            reason="new records join or merge contacts by the odd one; 5 % in one run is a change of the model, "
            "to be looked at before anybody downstream follows the redirects",
            at_most=5,
            unit="%",
        ),
        Rule(
            measure="redirects to themselves",
            sql="count(*) filter (old_id = new_id)",
            words="No id redirects to itself",
            reason="a reader that follows it would never arrive",
            at_most=0,
            severity="critical",
        ),
    )
    return Plan(names.GOLDEN, "redirects", "golden.redirects", rules, ("golden.redirects", "golden.contacts"))


def lineage() -> Plan:
    """Return the plan of ``golden/lineage``."""
    rules = (
        Rule(
            measure="contacts split by the last run",
            sql=_per_hundred("golden.lineage", "event = 'split_from'"),
            words="A run splits few golden contacts",
            reason="splits come from decisions and corrected records; 1 % in one run is a change of the model",
            at_most=1,
            unit="%",
        ),
    )
    return Plan(names.GOLDEN, "lineage", "golden.lineage", rules, ("golden.lineage", "golden.contacts"))
