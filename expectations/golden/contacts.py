"""Suite of the golden contacts: who is in the base, how far records were joined, whom one can reach."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share, volume

# The log holds every version; the newest one of each id counts, unless it says that the id was retired.
CURRENT = """(
  select versions.*
  from golden.contacts as versions
  inner join (
    select golden_id, max(recorded_at) as recorded_at from golden.contacts group by golden_id
  ) as newest using (golden_id, recorded_at)
  where versions.op = 'upsert'
)"""

_REACHABLE = (
    "coalesce(email, email_2, phone, mobile) is not null "
    "or (address_line is not null and coalesce(postcode, city) is not null)"
)
_NAMED = "coalesce(family_name, full_name, birth_name, organisation_name) is not null"


def contacts() -> Plan:
    """Return the plan of ``golden/contacts``."""
    rules = (volume(reason="a dock with source records has golden contacts"), *_joining(), *_content())
    return Plan(names.GOLDEN, "contacts", CURRENT, rules, ("golden.contacts", "golden.memberships"))


def _joining() -> tuple[Rule, ...]:
    """Return the rules on how far records were joined."""
    return (
        Rule(
            measure="largest contact",
            sql="max(n_records)",
            words="No contact is made of more source records than a person can leave behind",
            reason="one person in eight sources, twice in each, gives 16; beyond 60, records of several people "
            "were chained together by a shared phone, e-mail or address",
            at_most=60,
            severity="critical",
        ),
        Rule(
            measure="duplicate rate",
            sql="100.0 * sum(n_records - 1) / nullif(sum(n_records), 0)",
            words="The share of source records that repeat another one is plausible",
            reason="customer bases with several sources hold 10 to 60 % of repeats; above 75 % different people are "
            "being joined; a jump of the rate is a change of the model or of a source",
            at_most=75,
            may_rise=1.25,
            unit="%",
        ),
        Rule(
            measure="contacts seen by several sources",
            sql="case when (select count(distinct source) from golden.memberships) > 1 then "
            + share("n_sources > 1")
            + " end",
            words="Some contacts are known to more than one source",
            reason="sources of one company share customers; none in common means that nothing links them, "
            "mostly a key or a date that is written differently",
            at_least=0.5,
            unit="%",
        ),
    )


def _content() -> tuple[Rule, ...]:
    """Return the rules on what the joined contacts hold."""
    return (
        Rule(
            measure="reachable contacts",
            sql=share(_REACHABLE),
            words="Contacts can be reached by e-mail, phone or post",
            reason="a contact without any channel cannot be served; 85 % is what a base keeps that is looked after, "
            "and a fall of 5 points means that a source stopped sending a channel",
            at_least=85,
            may_fall=5,
            unit="%",
        ),
        Rule(
            measure="named contacts",
            sql=share(_NAMED),
            words="Contacts have a name",
            reason="nameless contacts come from newsletters and notes; above 40 % of them the base is a list of "
            "addresses, not of people",
            at_least=60,
            may_fall=5,
            unit="%",
        ),
    )
