"""What must hold: Great Expectations suites, in the order of the flow, named as the tables they judge.

A suite per staging, golden and marts table. Great Expectations is imported only when a suite is built.
"""

from __future__ import annotations

from collections.abc import Iterable

from datadock import names
from expectations import golden, marts, staging
from expectations.rule import Plan, Rule
from expectations.staging import Declared

__all__ = ["LAYERS", "Plan", "Rule", "plans"]

LAYERS = (names.STAGING, names.GOLDEN, names.MARTS)
"""Layers that have suites; the raw layer's rules are its contracts."""


def plans(layer: str, declared: Iterable[Declared] = ()) -> list[Plan]:
    """Return the plans of a layer, in flow order.

    Args:
        layer: One of ``LAYERS``.
        declared: The declared staging tables; used for the staging layer only.
    """
    if layer == names.STAGING:
        return staging.plans(declared)
    return {names.GOLDEN: golden.plans, names.MARTS: marts.plans}[layer]()
