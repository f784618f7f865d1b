"""Dagster's instance: no dialogue, no telemetry, one run at a time in a pool, and an edited file stays."""

import dagster as dg

from datadock.instance import prepare_instance


def test_the_instance_is_quiet_and_pools_hold_one_run(tmp_path):
    folder = prepare_instance(tmp_path / "dagster")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert (instance.telemetry_enabled, instance.nux_enabled) == (False, False)
        assert instance.get_settings("concurrency")["pools"] == {"granularity": "run", "default_limit": 1}
    assert (folder / ".nux" / "nux.yaml").read_text() == "seen: 1\n"


def test_what_an_engineer_wrote_is_kept(tmp_path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_instance(tmp_path)
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
