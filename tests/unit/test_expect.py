"""Suites before Great Expectations: what is measured, between which bounds, and what is kept of it."""

from datetime import UTC, datetime

import duckdb
import pytest
import yaml

from datadock import names
from datadock.catalog import load_catalog
from datadock.errors import DatadockError
from datadock.expect import declared_tables
from datadock.settings import PROJECT_ROOT, Settings
from datadock.validations import (
    KEPT_RUNS,
    Kept,
    Outcome,
    SuiteResult,
    accept,
    all_kept,
    forget,
    keep,
    last_values,
    read_kept,
)
from datadock.warehouse.lake_tables import columns_of
from datadock.warehouse.staging_sql import staging_columns
from expectations import LAYERS, Plan, Rule, plans

CATALOG = load_catalog(PROJECT_ROOT / "catalog")
DECLARED = declared_tables(CATALOG)
MARTS = {
    model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
    for path in (PROJECT_ROOT / "dbt_project" / "models" / "marts").glob("*.yml")
    for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
}
PLANS = [plan for layer in LAYERS for plan in plans(layer, DECLARED)]


def _rule(**given):
    return Rule(**({"measure": "x", "sql": "1", "words": "w", "reason": "r"} | given))


def _result(run_id, value, suite="golden__contacts", success=True):
    outcome = Outcome("rows", "There are rows", success, "critical", str(value), "at least 1", "why", value)
    return SuiteResult(suite, "golden", "contacts", run_id, datetime.now(UTC).isoformat(), (outcome,))


def test_every_declared_entity_has_a_suite_named_as_its_table():
    assert [plan.name for plan in plans(names.STAGING, DECLARED)] == [
        f"staging__stg_{source.name}__{entity}" for source in CATALOG.sources.values() for entity in source.entities
    ]


def test_names_of_suites_and_of_measures_are_unique():
    assert len({plan.name for plan in PLANS}) == len(PLANS)
    for plan in PLANS:
        measures = [rule.measure for rule in plan.rules]
        assert (plan.name, len(set(measures))) == (plan.name, len(measures))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_every_rule_says_what_it_expects_why_and_within_which_limits(plan):
    for rule in plan.rules:
        assert len(rule.words.split()) >= 3, rule
        assert len(rule.reason.split()) >= 6, rule
        assert rule.bounds(None) != (None, None), rule


@pytest.mark.parametrize("plan", plans(names.STAGING, DECLARED), ids=lambda plan: plan.name)
def test_a_staging_suite_reads_only_columns_of_its_model(plan):
    (declared,) = [table for table in DECLARED if table.model == plan.table]
    columns = staging_columns(declared.declaration, declared.entity)
    fields = ", ".join(f'null::double as "{name}"' for name in declared.readable or ["nothing"])
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create schema staging; create schema readable")
        shape = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f'create table staging."{plan.table}" ({shape})')
        connection.execute(f'create table readable."{plan.table}" as select {fields}')
        (row,) = connection.execute(plan.query()).fetchall()
    counts = 1 if declared.is_occasional else 2
    assert set(row[:counts]) == {0}
    assert set(row[counts:]) == {None}


@pytest.mark.parametrize("plan", plans(names.GOLDEN), ids=lambda plan: plan.name)
def test_a_golden_suite_reads_only_columns_of_the_lake(plan):
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create schema golden; create schema intermediate")
        for table in (
            *(names.PAIRS, names.MEMBERSHIPS, names.REDIRECTS, names.LINEAGE),
            *(names.CONTACTS, names.HOUSEHOLDS, names.SUSPECTS),
        ):
            shape = ", ".join(f'"{name}" {kind}' for name, kind in columns_of(table).items())
            connection.execute(f"create table {table.replace('/', '.')} ({shape})")
        connection.execute("create table intermediate.int_source_contact (source varchar, source_key varchar)")
        assert len(connection.execute(plan.query()).fetchall()) == 1


@pytest.fixture(scope="module")
def marts():
    """Every mart as its yml declares it, empty."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create schema marts")
        for table, columns in MARTS.items():
            shape = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table marts.{table} ({shape})")
        yield connection


@pytest.fixture
def measured(marts):
    """Measure a mart's plan on some rows, which are gone afterwards."""

    def measure(table, rows):
        marts.execute("begin")
        try:
            for row in rows:
                named, marks = ", ".join(row), ", ".join("?" for _ in row)
                marts.execute(f"insert into marts.{table} ({named}) values ({marks})", list(row.values()))
            (plan,) = [plan for plan in plans(names.MARTS) if plan.table == table]
            values = marts.execute(plan.query()).fetchall()[0]
        finally:
            marts.execute("rollback")
        return {rule.measure: value for rule, value in zip(plan.rules, values, strict=True)}

    return measure


def test_every_mart_has_a_suite():
    assert sorted(plan.table for plan in plans(names.MARTS)) == sorted(MARTS)


@pytest.mark.parametrize("plan", plans(names.MARTS), ids=lambda plan: plan.name)
def test_a_suite_of_the_marts_reads_only_columns_of_its_models_and_finds_nothing_wrong_in_none(plan, marts):
    (row,) = marts.execute(plan.query()).fetchall()
    broken = [
        rule.measure
        for rule, value in zip(plan.rules, row, strict=True)
        if value is not None and rule.at_most is not None and value > rule.at_most
    ]
    assert broken == []


def test_an_address_that_breaks_the_norm_is_counted_by_what_it_breaks(measured):
    good = {"status": "OK", "line_4": "12 RUE DE LA GARE", "line_6": "69002 LYON", "code_insee": "69382"}
    shared = {"score": 100, "street_checked": False, "reference": "r", "run_id": "r", "recorded_at": "2026-01-01"}
    rows = [
        good,
        good | {"line_4": "X" * 39},
        good | {"line_4": "12 rue"},
        good | {"line_6": "", "code_insee": ""},
        good | {"status": "VIDE"},
        good | {"status": "A_CONFIRMER", "line_4": ""},
        good | {"status": "REJETEE", "line_4": "12 rue"},
        good | {"status": "CORRIGEE"},
    ]
    assert measured("normal_address", [row | shared | {"value_id": str(n)} for n, row in enumerate(rows)]) == {
        "lines over 38 characters": 1.0,
        "lines 4 to 6 with other signs than A-Z and 0-9": 1.0,
        "French addresses accepted without a line 6": 1.0,
        "empty values with a normal form": 1.0,
        "doubtful addresses": pytest.approx(100 / 7),
        "rejected addresses": pytest.approx(100 / 7),
        "corrected addresses": pytest.approx(100 / 7),
        "commune known of French addresses": 80.0,
    }


@pytest.mark.parametrize(
    ("table", "measure", "good", "bad"),
    [
        (
            "normal_phone",
            "accepted numbers that are not E.164",
            "+33612345678",
            ["06 12 34 56 78", "+0612345678", None],
        ),
        (
            "normal_email",
            "accepted addresses that are not local@domain",
            "Jean.Dupont@web.example",
            ["a@b@c.fr", "a b@c.fr", "a@C.fr", "a@c", "@c.fr", None],
        ),
    ],
)
def test_an_accepted_value_that_is_not_in_its_form_is_counted(measured, table, measure, good, bad):
    shared = {"reference": "r", "run_id": "r", "recorded_at": "2026-01-01"}
    rows = [shared | {"value_id": str(n), "value": value, "status": "OK"} for n, value in enumerate([good, *bad])]
    rows.append(shared | {"value_id": "x", "value": bad[0], "status": "A_CONFIRMER"})
    assert measured(table, rows)[measure] == len(bad)


def test_a_point_told_usable_against_its_status_or_a_reason_is_counted(measured):
    shared = {
        **dict.fromkeys(("source", "source_key", "field", "value_id", "change", "run_id"), "x"),
        **{"kind": "phone", "incidents": 0, "recorded_at": "2026-01-01", "normal_form": "+33612345678"},
        **{"status": "OK", "usable": True, "is_current": True, "since": "2026-01-01", "since_known": True},
    }
    rows = [
        {},
        {"status": "REJETEE"},
        {"reason": "REBONDS"},
        {"normal_form": None},
        {"is_current": False, "until": "2025-01-01"},
        {"usable": False, "reason": "REBONDS"},
        {"usable": False, "reason": "NOBODY_KNOWS"},
        {"usable": False},
    ]
    assert measured("dim_contact_point", [shared | row | {"point_id": str(n)} for n, row in enumerate(rows)]) == {
        "rows": 8.0,
        "usable points without a good value": 4.0,
        "unusable points with an unknown reason": pytest.approx(200 / 3),
        "usable e-mails": None,
        "usable phones": pytest.approx(400 / 7),
        "usable addresses": None,
        "points that end before they begin": 100.0,
    }


def test_channels_of_contacts_are_counted_by_what_is_wrong_with_them(measured):
    shared = {"n_usable": 1, "n_given": 1, "addressable": True, "normal_form": "x"}
    rows = [
        {"golden_id": "DK1", "channel": "postal", "addressable": False, "normal_form": None, "reason": "DECES"},
        {"golden_id": "DK1", "channel": "email"},
        {"golden_id": "DK2", "channel": "postal", "normal_form": None},
        {"golden_id": "DK2", "channel": "mobile", "addressable": False},
    ]
    assert measured("dim_contact_channel", [shared | row for row in rows]) == {
        "addressable without a form to write to": 1.0,
        "closed channels without a reason": 50.0,
        "contacts reached by post": 50.0,
        "contacts reached by e-mail": 100.0,
        "contacts reached by mobile": 0.0,
        "contacts told deceased and reached otherwise": 50.0,
    }


def test_a_share_may_fall_by_points_and_a_number_by_a_part_of_it():
    assert _rule(unit="%", at_least=1, may_fall=10).bounds(83.0) == (73.0, None)
    assert _rule(at_least=1, may_fall=0.1).bounds(200.0) == (180.0, None)
    assert _rule(at_least=1, may_fall=0.1).bounds(0.0) == (1, None)


def test_a_number_may_rise_to_a_multiple_of_the_last_run_but_not_over_its_own_bound():
    rule = _rule(at_most=75, may_rise=1.25)
    assert rule.bounds(None) == (None, 75)
    assert rule.bounds(20.0) == (None, 25.0)
    assert rule.bounds(70.0) == (None, 75)


def test_a_plan_measures_all_its_rules_in_one_scan():
    rules = (_rule(measure="rows", sql="count(*)"), _rule(measure="mean", sql="avg(range)"))
    plan = Plan("golden", "numbers", "range(4)", rules, ())
    with duckdb.connect() as connection:
        assert connection.execute(plan.query()).fetchall() == [(4.0, 1.5)]


def test_what_a_run_found_is_read_back_whole(tmp_path):
    settings = Settings(home=tmp_path)
    result = _result("run-1", 7.0)
    keep(settings, Kept(result, {"a": 1}, {"b": 2}))
    kept = read_kept(settings, result.suite)
    assert (kept.result, kept.suite, kept.validation) == (result, {"a": 1}, {"b": 2})
    assert [(run["run_id"], run["values"]) for run in kept.history] == [("run-1", {"rows": 7.0})]


def test_the_last_values_are_those_of_the_run_before_however_often_this_one_was_repeated(tmp_path):
    settings = Settings(home=tmp_path)
    for run_id, value in (("run-1", 7.0), ("run-2", 9.0), ("run-2", 8.0)):
        before = read_kept(settings, "golden__contacts")
        keep(settings, Kept(_result(run_id, value), {}, {}, before.history if before else []))
    kept = read_kept(settings, "golden__contacts")
    assert [run["values"]["rows"] for run in kept.history] == [7.0, 8.0]
    assert last_values(kept, "run-2") == {"rows": 7.0}
    assert last_values(kept, "run-3") == {"rows": 8.0}
    assert last_values(None, "run-1") == {}


def test_a_refused_run_is_not_what_the_next_is_compared_with_until_somebody_accepts_it(tmp_path):
    settings = Settings(home=tmp_path)
    history = []
    runs = [("run-1", 10.0, True), *((f"run-{number}", 5.0, False) for number in range(2, KEPT_RUNS + 9))]
    for run_id, value, success in runs:
        keep(settings, Kept(_result(run_id, value, success=success), {}, {}, history))
        history = read_kept(settings, "golden__contacts").history
    assert len(history) <= KEPT_RUNS + 1
    assert last_values(read_kept(settings, "golden__contacts"), "next") == {"rows": 10.0}
    assert accept(settings, "golden__contacts", "a steward", "half were closed") == {"rows": 5.0}
    kept = read_kept(settings, "golden__contacts")
    assert last_values(kept, "next") == {"rows": 5.0}
    accepted = kept.history[-1]["accepted"]
    assert (accepted["by"], accepted["reason"]) == ("a steward", "half were closed")


def test_only_what_was_refused_can_be_accepted(tmp_path):
    settings = Settings(home=tmp_path)
    keep(settings, Kept(_result("run-1", 5.0, suite="golden__pairs", success=False), {}, {}))
    keep(settings, Kept(_result("run-1", 5.0), {}, {}))
    with pytest.raises(DatadockError, match=r"golden__contacts waits[\s\S]*golden__pairs"):
        accept(settings, "golden__contacts", "a steward", "why")
    with pytest.raises(DatadockError, match="no_such_suite"):
        accept(settings, "no_such_suite", "a steward", "why")


def test_the_history_is_bounded(tmp_path):
    settings = Settings(home=tmp_path)
    history = []
    for number in range(KEPT_RUNS + 5):
        keep(settings, Kept(_result(f"run-{number}", 1.0), {}, {}, history))
        history = read_kept(settings, "golden__contacts").history
    assert [run["run_id"] for run in history] == [f"run-{number}" for number in range(5, KEPT_RUNS + 5)]


def test_a_suite_can_be_forgotten_as_often_as_one_likes(tmp_path):
    settings = Settings(home=tmp_path)
    for suite in ("golden__contacts", "staging__stg_old__contact"):
        keep(settings, Kept(_result("run-1", 1.0, suite), {}, {}))
    forget(settings, "staging__stg_old__contact")
    forget(settings, "staging__stg_old__contact")
    assert [kept.result.suite for kept in all_kept(settings)] == ["golden__contacts"]


def test_the_gravest_failure_names_the_severity_of_a_suite():
    held = _result("run-1", 1.0)
    assert (held.success, held.severity) == (True, "")
    broken = _result("run-1", 0.0, success=False)
    assert (broken.success, broken.severity, len(broken.failed)) == (False, "critical", 1)
