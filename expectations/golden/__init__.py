"""Suites of the golden tables: what linking may do to the base between two runs, and how its result looks.

Keys and relations of these tables are tested by dbt on the marts that show them; here stand rates and sizes.
"""

from __future__ import annotations

from expectations.golden import contacts, history, households, pairs
from expectations.rule import Plan


def plans() -> list[Plan]:
    """Return the plans of the golden layer."""
    return [
        pairs.pairs(),
        pairs.suspects(),
        contacts.contacts(),
        households.households(),
        history.memberships(),
        history.redirects(),
        history.lineage(),
    ]
