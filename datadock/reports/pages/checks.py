"""Every expectation of every suite: whether it held, what was observed, why its limit stands there, and its trend."""

from __future__ import annotations

from typing import Any

from datadock.reports.charts import line
from datadock.reports.reading import Row
from datadock.validations import Kept


def gather(kept: list[Kept], docs: dict[str, str]) -> dict[str, Any]:
    """Return what the checks page shows.

    Args:
        kept: What is kept of each suite.
        docs: Data Docs page of each suite, relative to the Data Docs folder.
    """
    layers: dict[str, list[Row]] = {}
    for suite in kept:
        layers.setdefault(suite.result.layer, []).append(_suite(suite, docs.get(suite.result.suite)))
    order = ("staging", "golden", "marts")
    return {
        "layers": {layer: layers[layer] for layer in sorted(layers, key=order.index)},
        "passed": sum(len(suite.result.outcomes) - len(suite.result.failed) for suite in kept),
        "failed": sum(len(suite.result.failed) for suite in kept),
    }


def _suite(kept: Kept, docs: str | None) -> Row:
    trends = {
        outcome.measure: line([run["values"].get(outcome.measure) for run in kept.history], outcome.measure)
        for outcome in kept.result.outcomes
    }
    ranks = {"critical": 0, "warning": 1, "info": 2}
    outcomes = sorted(kept.result.outcomes, key=lambda outcome: (outcome.success, ranks[outcome.severity]))
    return {"result": kept.result, "docs": docs, "trends": trends, "outcomes": outcomes, "runs": len(kept.history)}
