"""Suites of the marts: the business rules that stewards read. Keys, relations and sums are dbt's tests."""

from __future__ import annotations

from expectations.marts import contacts, facts, golden_views, quality
from expectations.rule import Plan


def plans() -> list[Plan]:
    """Return the plans of the marts."""
    return [
        *contacts.plans(),
        *facts.plans(),
        *golden_views.plans(),
        *quality.plans(),
    ]
