"""Suites of the marts: the business rules that stewards read. Keys, relations and sums are dbt's tests."""

from __future__ import annotations

from expectations.marts import (
    contact_points,
    contacts,
    enrichment,
    facts,
    golden_views,
    normal_forms,
    quality,
    treatments,
)
from expectations.rule import Plan


def plans() -> list[Plan]:
    """Return the plans of the marts."""
    return [
        *contacts.plans(),
        *facts.plans(),
        *golden_views.plans(),
        *normal_forms.plans(),
        *contact_points.plans(),
        *enrichment.plans(),
        *treatments.plans(),
        *quality.plans(),
    ]
