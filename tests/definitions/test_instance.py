"""Dagster's instance: no dialogue, no telemetry, one run at a time in a pool, and an edited file stays."""

import dagster as dg
import yaml

from datadock.instance import prepare_instance
from datadock.launch import open_instance


def test_the_instance_is_quiet_and_pools_hold_one_run(tmp_path):
    folder = prepare_instance(tmp_path / "dagster")
    with open_instance(folder) as instance:
        assert (instance.telemetry_enabled, instance.nux_enabled) == (False, False)
        assert instance.get_settings("concurrency")["pools"] == {"granularity": "run", "default_limit": 1}
    assert (folder / ".nux" / "nux.yaml").read_text() == "seen: 1\n"


def test_what_an_engineer_wrote_is_kept(tmp_path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_instance(tmp_path)
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def _run(instance):
    @dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="table")])
    def table():
        yield dg.MaterializeResult(metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)])

    result = dg.materialize([table], instance=instance)
    key = dg.AssetKey("table")
    return result.run_id, [event.event_type_value for event in result.all_events], key


def _told(instance, run_id, key):
    record = instance.get_latest_materialization_event(key)
    checks = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(key, "whole"), limit=5)
    logged = [entry.dagster_event.event_type_value for entry in instance.all_logs(run_id) if entry.is_dagster_event]
    return record.run_id, record.asset_materialization.metadata["rows"].value, [c.status.value for c in checks], logged


def test_the_event_log_holds_what_dagsters_own_would_and_either_reads_the_other(tmp_path):
    with open_instance(tmp_path) as instance:
        run_id, _, key = _run(instance)
        ours = _told(instance, run_id, key)
        assert type(instance.event_log_storage).__name__ == "SqliteEventLog"
        assert ours[:3] == (run_id, 3, ["SUCCEEDED"])
        assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_SUCCESS", "PIPELINE_SUCCESS"} <= set(ours[3])
    config = yaml.safe_load((tmp_path / "dagster.yaml").read_text())
    del config["event_log_storage"]
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    with open_instance(tmp_path) as instance:
        assert type(instance.event_log_storage).__name__ == "SqliteEventLogStorage"
        assert _told(instance, run_id, key) == ours
        instance.delete_run(run_id)
        assert instance.all_logs(run_id) == []


def test_a_wiped_event_log_starts_anew(tmp_path):
    with open_instance(tmp_path) as instance:
        run_id, _, key = _run(instance)
        instance.event_log_storage.wipe()
        assert instance.get_latest_materialization_event(key) is None
        assert instance.all_logs(run_id) == []
        again, _, _ = _run(instance)
        assert _told(instance, again, key)[0] == again


def test_more_runs_than_files_kept_open(tmp_path):
    with open_instance(tmp_path) as instance:
        runs = [_run(instance)[0] for _ in range(6)]
        assert [instance.all_logs(run)[-1].dagster_event.event_type_value for run in runs] == ["PIPELINE_SUCCESS"] * 6
        assert len(instance.event_log_storage._engines) == 4
