"""The definitions load, nothing in them is undefined or silent, and a change of them shows in the snapshot."""

import json
from pathlib import Path

import dagster as dg
import pytest

from datadock.definitions import build_definitions
from datadock.dock import open_dock
from datadock.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_name("definitions.json")


@pytest.fixture(scope="module")
def definitions(tmp_path_factory):
    return build_definitions(open_dock(Settings(home=tmp_path_factory.mktemp("definitions") / "home")))


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def _specs(definitions):
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


def test_the_definitions_are_loadable(definitions):
    dg.Definitions.validate_loadable(definitions)


def test_every_asset_is_defined_and_every_check_executable(graph):
    stubs = [key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).is_executable]
    assert stubs == []
    unknown = [key for key in graph.asset_check_keys if key.asset_key not in graph.get_all_asset_keys()]
    assert unknown == []


def test_every_asset_says_what_it_is_and_whose(definitions):
    silent = [
        key.to_user_string() for key, spec in _specs(definitions).items() if not (spec.description and spec.owners)
    ]
    assert silent == []


def test_every_asset_belongs_to_a_layer(definitions):
    groups = {spec.group_name for spec in _specs(definitions).values()}
    assert groups == {"raw", "staging", "quality", "golden", "marts"}


def test_every_raw_golden_and_mart_asset_has_a_check(definitions, graph):
    checked = {key.asset_key for key in graph.asset_check_keys}
    without = {
        key.to_user_string()
        for key, spec in _specs(definitions).items()
        if spec.group_name in {"raw", "golden", "marts"} and key not in checked
    }
    # Ledgers are balanced by each source's own contract; features are internal to linking; the last two are
    # copies and pages of what was checked before.
    assert without == {
        "ledger/batches",
        "ledger/decisions",
        "quarantine/rejected_records",
        "golden/features",
        "marts/published_warehouse",
        "marts/reports",
    }


def test_every_dbt_model_is_an_asset_of_exactly_one_step(definitions):
    manifest = json.loads((ROOT / "dbt_project" / "target" / "manifest.json").read_text(encoding="utf-8"))
    models = sorted(node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model")
    steps = [a for a in definitions.assets if isinstance(a, dg.AssetsDefinition) and a.node_def.name.startswith("dbt_")]
    assert sorted(key.path[-1] for step in steps for key in step.keys) == models


def test_the_readme_names_every_job_sensor_schedule_and_setting(definitions):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    wanted = [job.name for job in definitions.jobs] + [s.name for s in (*definitions.sensors, *definitions.schedules)]
    wanted += [f"DATADOCK_{name.upper()}" for name in Settings.model_fields]
    assert [name for name in wanted if name not in text] == []


def test_the_snapshot_is_what_the_definitions_are(definitions, graph, pytestconfig):
    """Update it with: pytest tests/definitions --update-snapshot."""
    found = _snapshot(definitions, graph)
    if pytestconfig.getoption("--update-snapshot"):
        SNAPSHOT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def _snapshot(definitions, graph):
    specs = _specs(definitions)
    blocking = {s.key for d in definitions.asset_checks or [] for s in d.check_specs if s.blocking}
    return {
        "assets": {
            key.to_user_string(): {
                "group": spec.group_name,
                "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
                "checks": sorted(
                    c.name + (" (blocking)" if c in blocking else "") for c in graph.get_check_keys_for_assets({key})
                ),
            }
            for key, spec in specs.items()
        },
        "jobs": sorted(job.name for job in definitions.jobs),
        "sensors": {s.name: s.default_status.value for s in definitions.sensors},
        "schedules": {s.name: [s.cron_schedule, s.default_status.value] for s in definitions.schedules},
    }


def test_each_module_can_be_left_out_and_the_rest_stands(definitions, graph, tmp_path):
    off = Settings(home=tmp_path / "home", modules_off="expectations, reports, sensors")
    rest = build_definitions(open_dock(off))
    dg.Definitions.validate_loadable(rest)
    assert {key.to_user_string() for key in set(_specs(definitions)) - set(_specs(rest))} == {"marts/reports"}
    left_out = set(graph.asset_check_keys) - set(rest.resolve_asset_graph().asset_check_keys)
    assert left_out
    assert {key.name.split("__")[0] for key in left_out} == {"staging", "golden", "marts"}
    assert list(rest.sensors or []) == list(rest.schedules or []) == []


def test_an_unknown_module_is_named():
    with pytest.raises(ValueError, match="unknown module campaigns; expected some of expectations, reports, sensors"):
        Settings(modules_off="reports,campaigns")
