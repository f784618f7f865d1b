"""Suites of the contact points: what may be used to reach somebody, why not, and what runs may change of it."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share, volume

_REASONS = (
    "'A_CONFIRMER', 'REJETEE', 'VIDE', 'RETOURS', 'DECES', 'REBOND_DUR', 'REBONDS', 'DEMENAGEMENT', 'ANNONCEE', "
    "'PERIODE_FINIE', 'REMPLACEE', 'RETIREE'"
)
MISUSED = (
    "usable and (status in ('REJETEE', 'VIDE') or status is null or normal_form is null or reason is not null "
    "or not is_current)"
)
"""Points that may be used and must not be."""

_CHANGES = "'reopened', 'invalidated', 'restored', 'counted', 'corrected', 'closed'"


def plans() -> list[Plan]:
    """Return the plans of contact points, channels and names of contacts."""
    return [_point(), _channel(), _name(), _change(), _priority()]


def _plan(table: str, *rules: Rule, beside: tuple[str, ...] = ()) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation, *beside))


def _usable(kind: str, words: str, floor: float, reason: str) -> Rule:
    return Rule(
        measure=f"usable {words}",
        sql=share("usable", f"is_current and kind = '{kind}'"),
        words=f"Most {words} that records name can be used",
        reason=f"{reason}; a fall of 5 points between two runs is a broken feed or a storm of bounces",
        at_least=floor,
        may_fall=5,
        unit="%",
    )


def _point() -> Plan:
    return _plan(
        "dim_contact_point",
        volume(reason="records without any e-mail, phone or address reach nobody"),
        Rule(
            measure="usable points without a good value",
            sql=f"count(*) filter ({MISUSED})",
            words="Nothing may be used that was rejected, is empty, is over or has a reason against it",
            reason="campaigns and letters go to whatever is told usable: one wrong row is one wrong person written to",
            at_most=0,
            severity="critical",
        ),
        Rule(
            measure="unusable points with an unknown reason",
            sql=share(f"coalesce(reason not in ({_REASONS}), true)", "not usable"),
            words="Of every point that may not be used the reason is a known one",
            reason="a reason without a label says nothing to a steward, and none at all hides a fault of a rule",
            at_most=0,
            unit="%",
        ),
        _usable("email", "e-mails", 80, "bounces, junk and doubts take up to a tenth of a base that is looked after"),
        _usable("phone", "phones", 80, "junk, closed ranges and call centres take a few of a hundred"),
        _usable("address", "addresses", 50, "some sources give a town only, and returned letters add to it"),
        Rule(
            measure="points that end before they begin",
            sql=share("until < since", "until is not null and since_known"),
            words="Contact points end after they began",
            reason="a former address may be told after it ended, since nobody tells it while it holds; more than half "
            "of the ended ones means that begin and end are swapped",
            at_most=50,
            unit="%",
        ),
    )


def _channel() -> Plan:
    return _plan(
        "dim_contact_channel",
        Rule(
            measure="addressable without a form to write to",
            sql="count(*) filter (addressable and normal_form is null)",
            words="Who can be reached in a channel is told by what",
            reason="a program that reads it would send to nobody and count it as sent",
            at_most=0,
            severity="critical",
        ),
        Rule(
            measure="closed channels without a reason",
            sql=share("reason is null", "not addressable"),
            words="Where a channel is closed the reason is told",
            reason="without it nobody knows whether to call, to write or to leave the contact alone",
            at_most=0,
            unit="%",
        ),
        *_reached(),
        Rule(
            measure="contacts told deceased and reached otherwise",
            sql="100.0 * count(distinct golden_id) filter (addressable and golden_id in (select golden_id from "
            "marts.dim_contact_channel where reason = 'DECES')) / nullif(count(distinct golden_id), 0)",
            words="Hardly anybody whose death the post told is written to otherwise",
            reason="a letter may tell the death of somebody else in the house, so that a steward decides; above 2 % "
            "of the base families are hurt by letters to their dead",
            at_most=2,
            unit="%",
        ),
    )


def _reached() -> tuple[Rule, ...]:
    """Return a rule per channel on the contacts that gave something in it."""
    return tuple(
        Rule(
            measure=f"contacts reached by {words}",
            sql=share("addressable", f"channel = '{channel}'"),
            words=f"Most contacts that gave {words} can be reached by it",
            reason=f"{reason}; a fall of 3 points between two runs is a storm of returns or a broken feed",
            at_least=floor,
            may_fall=3,
            unit="%",
        )
        for channel, words, floor, reason in (
            ("postal", "post", 70, "addresses of the town only and returned letters close it for some"),
            ("email", "e-mail", 85, "senders are blocked from about 5 % of bounces on"),
            ("mobile", "mobile", 90, "mobiles are kept for years, and junk among them shows by its digits"),
        )
    )


def _name() -> Plan:
    return _plan(
        "dim_contact_name",
        Rule(
            measure="civilities that the first name contradicts",
            sql=share("is_civility_contradicted", "civility <> '' and sex_of_first_name <> ''"),
            words="Civility and first name are of one sex",
            reason="slips and swapped spouses are under 1 %; above 2 % the codes of civility are mapped wrongly, "
            "mostly 1 and 2 the other way round",
            at_most=2,
            unit="%",
        ),
        Rule(
            measure="records with a doubtful name",
            sql=share("status in ('A_CONFIRMER', 'REJETEE')"),
            words="Most records of people have a name that can be printed",
            reason="first and family name swapped or joined are 5 to 10 %; a quarter means swapped columns",
            at_most=25,
            unit="%",
        ),
    )


def _change() -> Plan:
    newest = "generation = (select max(generation) from marts.fct_contact_point_change)"
    return _plan(
        "fct_contact_point_change",
        Rule(
            measure="points invalidated by the last run that changed any",
            sql=f"100.0 * count(*) filter (change = 'invalidated' and {newest}) "
            "/ nullif((select count(*) from marts.dim_contact_point where is_current), 0)",
            words="No single run spoils many contact points at once",
            reason="a mailing returns 1 or 2 %; 5 % of the base at once is a mail server that refused everything, "
            "or a file of returns read twice",
            at_most=5,
            unit="%",
        ),
        Rule(
            measure="changes of an unknown kind",
            sql=share(f"change not in ({_CHANGES})"),
            words="What happened to a contact point is of a known kind",
            reason="programs that follow the changes act by their kind and overlook one that they do not know",
            at_most=0,
            unit="%",
        ),
        beside=("marts.dim_contact_point",),
    )


def _priority() -> Plan:
    return _plan(
        "dq_priority",
        Rule(
            measure="contacts shut out by the gravest fault",
            sql="100.0 * max(blocked_contacts) / nullif((select count(*) from marts.dim_contact), 0)",
            words="No single fault of one source keeps many contacts from being reached",
            reason="a fault that costs a tenth of the base pays to be mended before anything else is done",
            at_most=10,
            unit="%",
        ),
        Rule(
            measure="faults that are told by a status only",
            sql=share("code in ('A_CONFIRMER', 'REJETEE')"),
            words="Faults are told by their code, not by a status alone",
            reason="a steward cannot mend what is only told doubtful; a few are doubted for many small things",
            at_most=20,
            unit="%",
            severity="info",
        ),
        beside=("marts.dim_contact",),
    )
