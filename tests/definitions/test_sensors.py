"""Sensors by their ticks: what waits launches once, a repeated tick launches nothing, a failure raises one alert."""

import shutil

import dagster as dg
import pytest

from datadock.definitions import build_definitions
from datadock.dock import exclusive, open_dock
from datadock.fingerprint import fingerprint
from datadock.landing import land_bytes
from datadock.settings import PROJECT_ROOT, Settings
from sensors import landing_files, raw_moved, run_failed

CARD = "N° carte;Nom;Code magasin\nF123456789;Durand;M001\n".encode("latin-1")


@pytest.fixture
def dock(tmp_path):
    return open_dock(Settings(home=tmp_path / "home"))


def _drop(dock, name="cards.csv", content=CARD, age=60):
    import os
    import time

    path = dock.settings.landing / "loyalty_cards" / name
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def _tick(sensor, dock, cursor=None):
    context = dg.build_sensor_context(cursor=cursor, definitions=None)
    return sensor(context)


def test_a_dropped_file_starts_its_sources_run_once(dock):
    sensor = landing_files.build(dock)
    assert isinstance(_tick(sensor, dock), dg.SkipReason)
    _drop(dock)
    _drop(dock, "more.csv")
    first, again = _tick(sensor, dock), _tick(sensor, dock)
    assert [request.asset_selection for request in first.run_requests] == [[dg.AssetKey(["raw", "loyalty_cards"])]]
    assert [request.run_key for request in first.run_requests] == [request.run_key for request in again.run_requests]


def test_a_file_that_is_still_being_written_waits(dock):
    _drop(dock, age=0)
    assert isinstance(_tick(landing_files.build(dock), dock), dg.SkipReason)


def test_a_raw_table_that_moved_starts_what_depends_on_it_once(dock):
    sensor = raw_moved.build(dock)
    assert isinstance(_tick(sensor, dock), dg.SkipReason)
    land_bytes(dock.lake, dock.catalog.source("loyalty_cards"), CARD, "cards.csv")
    first = _tick(sensor, dock)
    assert [request.tags["datadock/moved"] for request in first.run_requests] == ["loyalty_cards"]
    restarted = raw_moved.build(open_dock(dock.settings))
    assert isinstance(_tick(restarted, dock, first.cursor), dg.SkipReason)


def test_what_a_run_from_the_command_line_built_starts_nothing(dock):
    land_bytes(dock.lake, dock.catalog.source("loyalty_cards"), CARD, "cards.csv")
    dock.state.start_run("0123456789")
    sensor = raw_moved.build(dock)
    assert len(_tick(sensor, dock).run_requests) == 1
    dock.state.end_run("0123456789", "success", fingerprint(dock))
    skipped = _tick(sensor, dock)
    assert (skipped.run_requests, skipped.skip_reason) == (
        [],
        dg.SkipReason("run 01234567 has built loyalty_cards"),
    )
    land_bytes(dock.lake, dock.catalog.source("loyalty_cards"), CARD.replace(b"F12", b"F13"), "more.csv")
    assert len(_tick(sensor, dock, skipped.cursor).run_requests) == 1


def test_what_a_run_is_building_is_looked_at_after_it(dock):
    land_bytes(dock.lake, dock.catalog.source("loyalty_cards"), CARD, "cards.csv")
    sensor = raw_moved.build(dock)
    with exclusive(dock.settings.home_path):
        assert _tick(sensor, dock) == dg.SkipReason("a run is under way; looked at again after it: loyalty_cards")
    assert len(_tick(sensor, dock).run_requests) == 1


def test_the_landing_run_lands_and_two_ticks_launch_one_run(dock):
    """Run what the sensor asks for, for real, on an ephemeral instance; the second tick finds nothing."""
    sensor = landing_files.build(dock)
    path = _drop(dock)
    with dg.DagsterInstance.ephemeral() as instance:
        request = _tick(sensor, dock).run_requests[0]
        job = build_definitions(dock).resolve_job_def("land")
        result = job.execute_in_process(instance=instance, asset_selection=request.asset_selection)
        assert result.success
        assert [e.asset_key.to_user_string() for e in result.get_asset_materialization_events()] == [
            "raw/loyalty_cards"
        ]
        assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()} == {
            "contract": True,
            "quarantine_rate": True,
        }
    assert not path.exists()
    assert isinstance(_tick(sensor, dock), dg.SkipReason)
    assert dock.lake.open("raw/loyalty_cards").count() == 1


def test_a_failed_run_raises_one_alert(dock):
    @dg.op
    def breaks():
        raise ValueError("the disk is full")

    @dg.job
    def broken():
        breaks()

    sensor = run_failed.build(dock)
    with dg.DagsterInstance.ephemeral() as instance:
        result = broken.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            "run_failed", result.get_run_failure_event(), instance, result.dagster_run
        ).for_run_failure()
        sensor(context)
        sensor(context)
    assert [(alert.kind, alert.criticality, alert.title) for alert in dock.state.open_alerts()] == [
        ("anomaly", 4, "run of broken failed")
    ]


def test_the_catalog_is_read_when_the_definitions_are_built(tmp_path):
    """A source that is added to the catalog is watched after a reload, with no Python."""
    shutil.copytree(PROJECT_ROOT / "catalog", tmp_path / "catalog")
    declaration = (tmp_path / "catalog" / "sources" / "loyalty_cards.yml").read_text(encoding="utf-8")
    (tmp_path / "catalog" / "sources" / "paper_coupons.yml").write_text(declaration, encoding="utf-8")
    dock = open_dock(Settings(home=tmp_path / "home", catalog=tmp_path / "catalog"))
    folder = dock.settings.landing / "paper_coupons"
    assert folder.is_dir()
