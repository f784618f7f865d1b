"""Suites of the data-quality states themselves: the rates that stewards are shown, judged."""

from __future__ import annotations

from datadock import names
from expectations.marts.contact_points import MISUSED
from expectations.rule import Plan, Rule, share


def plans() -> list[Plan]:
    """Return the plans of the data-quality states."""
    return [_channels(), _duplicates(), _batches()]


def _newest(table: str) -> str:
    relation = f"{names.MARTS}.{table}"
    return f"(select * from {relation} where measured_at = (select max(measured_at) from {relation}))"


def _spoilt() -> tuple[Rule, ...]:
    """Return a rule per channel on what was good and reaches nobody any more."""
    return tuple(
        Rule(
            measure=f"spoilt {words} of the worst source",
            sql=f"100.0 * max(spoilt / filled) filter (channel = '{channel}' and filled >= 100)",
            words=f"Few {words} of any source were good and reach nobody any more",
            reason=f"{reason}; channels with under 100 values are left out",
            at_most=limit,
            unit="%",
        )
        for channel, words, limit, reason in (
            (
                "email",
                "e-mails",
                8,
                "2 or 3 of a hundred bounce in a base that is written to; 8 is one that is not",
            ),
            ("address", "addresses", 10, "one in ten moves in a year; above, the source's addresses are old"),
        )
    )


def _channels() -> Plan:
    rules = (
        # The suite of the points stops nothing, since marts of the same step read them; this one does.
        Rule(
            measure="points in use that must not be",
            sql=f"(select count(*) from marts.dim_contact_point where {MISUSED})",
            words="No contact is reached by a point that was rejected, is over or has a reason against it",
            reason="one wrong row is one wrong person written to, so that such a copy is not published",
            at_most=0,
            severity="critical",
        ),
        Rule(
            measure="weakest e-mail or phone channel of any source",
            sql="100.0 * min(valid_rate) filter (channel <> 'address' and filled >= 100)",
            words="No source delivers e-mails or phones that are mostly unusable",
            reason="below 50 % valid, a channel costs more than it brings and harms the sender's name; channels with "
            "under 100 values are left out, and addresses, of which some sources give the town only",
            at_least=50,
            unit="%",
        ),
        Rule(
            measure="valid e-mails over all sources",
            sql="100.0 * sum(valid) filter (channel = 'email') / nullif(sum(filled) filter (channel = 'email'), 0)",
            words="E-mail addresses are valid",
            reason="senders are blocked from about 5 % of bounces on; junk that people type takes some more",
            at_least=85,
            may_fall=3,
            unit="%",
        ),
        *_spoilt(),
    )
    return Plan(
        names.MARTS,
        "dq_channel_state",
        _newest("dq_channel_state"),
        rules,
        (f"{names.MARTS}.dq_channel_state", f"{names.MARTS}.dim_contact_point"),
    )


def _duplicates() -> Plan:
    rules = (
        Rule(
            measure="worst duplicate rate within a source",
            sql="100.0 * max(duplicate_rate) filter (left_source = right_source)",
            words="No source repeats its own customers too often",
            reason="a maintained base holds under 10 % of repeats, a neglected one up to 30 %; above 50 % its key is "
            "not a customer's key, or people are joined wrongly",
            at_most=50,
            unit="%",
        ),
    )
    return Plan(
        names.MARTS, "dq_duplicate_state", _newest("dq_duplicate_state"), rules, (f"{names.MARTS}.dq_duplicate_state",)
    )


def _batches() -> Plan:
    relation = f"{names.MARTS}.dq_batch"
    rules = (
        Rule(
            measure="rows in quarantine",
            sql="100.0 * sum(rows_quarantined) / nullif(sum(rows_in), 0)",
            words="Few rows are refused at the door",
            reason="1 or 2 % are typing errors; above 10 % over all batches a feed has changed its form",
            at_most=10,
            unit="%",
        ),
        Rule(
            measure="batches refused as a whole",
            sql=share("rows_loaded = 0", "rows_in > 0"),
            words="Files are not refused as a whole",
            reason="one broken file in ten is bad luck, more is a feed that changed",
            at_most=10,
            unit="%",
        ),
    )
    return Plan(names.MARTS, "dq_batch", relation, rules, (relation,))
