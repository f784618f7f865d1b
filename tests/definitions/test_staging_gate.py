"""A failed critical rule of a staging suite stops what comes after the union of all sources, by real runs."""

import dagster as dg
import duckdb
import pytest

from datadock.checks import suite_checks
from datadock.definitions import build_definitions
from datadock.dock import open_dock
from datadock.settings import Settings
from expectations import Plan, Rule

TYPED, UNION, GOLDEN = (dg.AssetKey(key) for key in (["staging", "cards"], ["intermediate", "people"], ["golden", "x"]))


@pytest.fixture
def dock(tmp_path):
    dock = open_dock(Settings(home=tmp_path / "home"))
    with duckdb.connect(str(dock.settings.warehouse)) as connection:
        connection.execute("create schema staging; create table staging.cards as select 1 as id")
    return dock


def _run(dock, severity, at_least):
    rule = Rule(
        measure="rows", sql="count(*)", words="There are rows", reason="r", at_least=at_least, severity=severity
    )
    plan = Plan("staging", "cards", "staging.cards", (rule,), ("staging.cards",))

    @dg.multi_asset(specs=[dg.AssetSpec(TYPED), dg.AssetSpec(UNION, deps=[TYPED])])
    def one_step():
        yield dg.MaterializeResult(TYPED)
        yield dg.MaterializeResult(UNION)

    @dg.asset(key=GOLDEN, deps=[UNION])
    def golden():
        """Stand for everything after."""

    checks = suite_checks("staging", lambda: [plan], name="staging_expectations", pool="warehouse", gates=[UNION])
    job = dg.Definitions(
        assets=[one_step, golden],
        asset_checks=[checks],
        jobs=[dg.define_asset_job("everything")],
        resources={"dock": dock},
    ).resolve_job_def("everything")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    return made, {(e.asset_key, e.check_name): e.passed for e in result.get_asset_check_evaluations()}


@pytest.mark.parametrize(
    ("severity", "at_least", "goes_on", "suite_holds"),
    [("critical", 1, True, True), ("critical", 2, False, False), ("warning", 2, True, False)],
)
def test_only_a_failed_critical_rule_stops_what_comes_after(dock, severity, at_least, goes_on, suite_holds):
    made, checks = _run(dock, severity, at_least)
    assert made == {TYPED, UNION} | ({GOLDEN} if goes_on else set())
    assert checks == {(TYPED, "staging__cards"): suite_holds, (UNION, "staging__all"): goes_on}


def test_every_table_that_golden_and_quality_read_is_a_gate(dock):
    definitions = build_definitions(dock)
    gates = {s.key.asset_key for d in definitions.asset_checks for s in d.check_specs if s.name == "staging__all"}
    deps = {
        dep for d in definitions.assets for key in d.keys if key.path[0] != "intermediate" for dep in d.asset_deps[key]
    }
    assert gates == {dep for dep in deps if dep.path[0] == "intermediate"}
