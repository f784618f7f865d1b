"""Treatments: what was done on sets of contacts, by whom and why, what came of it, and what was left to a person."""

from __future__ import annotations

import json
from typing import Any

from datadock.reports.reading import Reading, Row

_LISTED = """
    select
        treatment_id, kind, asked_by, reason, asked_at, contacts, len(unknown) as unknown, inputs, counts, stands,
        withdrawn_by, withdrawn_at, withdrawn_why,
        case
            when starts_with(contacts_asked, 'where:') then 'a condition'
            when starts_with(contacts_asked, 'sql:') then 'a query'
            else contacts_asked
        end as named_by -- a condition may name people
    from marts.fct_treatment
    order by asked_at desc, treatment_id
"""

_LEFT = """
    select treatment_id, outcome, reason, count(*) as contacts
    from marts.fct_treatment_contact
    where outcome not in ('treated', 'untouched')
    group by all
    order by contacts desc, outcome, reason
"""

WORDS = {
    "doubtful": "left to a person",
    "unmatched": "not matched",
    "outside": "outside the set",
    "unknown": "no contact",
}
"""What each outcome says to a steward."""


def gather(reading: Reading) -> dict[str, Any]:
    """Return what the page on treatments shows, newest treatment first."""
    left: dict[str, list[Row]] = {}
    for row in reading.rows(_LEFT, "marts.fct_treatment", "marts.fct_treatment_contact"):
        left.setdefault(row["treatment_id"], []).append(row | {"words": WORDS[row["outcome"]]})
    listed = reading.rows(_LISTED, "marts.fct_treatment")
    return {
        "treatments": [
            row | {name: json.loads(row[name]) for name in ("inputs", "counts")}
            | {"left": left.get(row["treatment_id"], [])}
            for row in listed
        ]
    }  # fmt: skip
