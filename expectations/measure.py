"""The expectation that one measured number lies between its bounds, and how Data Docs write it.

Imports Great Expectations, which costs seconds: only ``Plan.suite`` and the builder of Data Docs import this
module, inside their functions. Great Expectations' own column expectations would spread a table of measures over
one section a number; this one keeps them in one table, with limit and reason beside the observed value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import great_expectations as gx
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render.components import (
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
)
from great_expectations.render.renderer.renderer import renderer
from great_expectations.validator.metric_configuration import MetricConfiguration

if TYPE_CHECKING:
    from expectations.rule import Plan, Rule

_THIN, _FIXED = "\u202f", "\u00a0"  # blanks that no line breaks at
_METRIC = "column.max"  # the frame has one row: its largest value is its value


class ExpectMeasureToBeBetween(BatchExpectation):
    """Expect the number in a column of a one-row frame to lie between two bounds; nothing measured passes."""

    measure: str
    min_value: float | None = None
    max_value: float | None = None
    # The page renderer adds this one to a stored expectation and then reads it back.
    meta_properties_to_render: dict[str, str] | None = None

    success_keys: ClassVar[tuple[str, ...]] = ("measure", "min_value", "max_value")
    args_keys: ClassVar[tuple[str, ...]] = ("measure", "min_value", "max_value")

    def get_validation_dependencies(self, execution_engine: Any = None, runtime_configuration: Any = None) -> Any:
        """Ask for the largest value of the measure's column."""
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        domain = {
            "batch_id": self.configuration.kwargs.get("batch_id"),
            "column": self.measure,
            "row_condition": None,
            "condition_parser": None,
        }
        dependencies.set_metric_configuration(_METRIC, MetricConfiguration(_METRIC, domain, {}))
        return dependencies

    def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        value = metrics.get(_METRIC)
        if value is None or value != value:  # NaN: nothing was there to measure
            return {"success": True, "result": self._found(None)}
        low, high = self.min_value, self.max_value
        held = (low is None or value >= low) and (high is None or value <= high)
        return {"success": bool(held), "result": self._found(float(value))}

    def _found(self, value: float | None) -> dict[str, Any]:
        unit = (self.meta or {})["attributes"]["unit"]
        return {"observed_value": value, "observed": figure(value, unit)}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[Any]:
        del runtime_configuration
        configuration = configuration or result.expectation_config
        return [
            RenderedStringTemplateContent(
                content_block_type="string_template",
                string_template={"template": "$words", "params": {"words": configuration.description or ""}},
            )
        ]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> str:
        del configuration, runtime_configuration  # the result holds what is shown
        return str(result.result["observed"])


def figure(value: float | None, unit: str) -> str:
    """Write a number as a steward reads it: ``83.1 %``, ``1 204 311``, ``3 days``.

    Args:
        value: The number; None where there was nothing to measure.
        unit: Its unit, or an empty text.
    """
    if value is None:
        return "nothing to measure"
    if unit in ("%", "days"):
        decimals = 1 if value == 0 or abs(value) >= 0.1 else 2
    else:
        decimals = 0 if value == int(value) else 2
    text = f"{value:,.{decimals}f}".replace(",", _THIN)
    return text + (f"{_THIN}%" if unit == "%" else f"{_FIXED}{unit}" if unit else "")


def build_suite(plan: Plan, last: Mapping[str, float | None]) -> gx.ExpectationSuite:
    """Build a plan's suite: an expectation a rule, its limit and reason in ``meta``."""
    return gx.ExpectationSuite(
        name=plan.name,
        expectations=[_expectation(rule, last.get(rule.measure)) for rule in plan.rules],
        meta={
            "layer": plan.layer,
            "table": plan.table,
            "notes": {
                "format": LegacyDiagnosticRendererType.META_PROPERTIES,
                "content": {"Limit": "limit", "Severity": "severity", "Why this limit": "reason"},
            },
        },
    )


def _expectation(rule: Rule, last: float | None) -> ExpectMeasureToBeBetween:
    low, high = rule.bounds(last)
    parts = [] if low is None else [f"at least {figure(low, rule.unit)}"]
    parts += [] if high is None else [f"at most {figure(high, rule.unit)}"]
    limit = ", ".join(parts) or "none"
    if last is not None and (rule.may_fall is not None or rule.may_rise is not None):
        limit += f" (last run: {figure(last, rule.unit)})"
    return ExpectMeasureToBeBetween(
        measure=rule.measure,
        min_value=low,
        max_value=high,
        description=rule.words,
        severity=FailureSeverity(rule.severity),
        meta={
            "attributes": {
                "measure": rule.measure,
                "limit": limit,
                "severity": rule.severity,
                "reason": rule.reason,
                "unit": rule.unit,
            }
        },
    )
