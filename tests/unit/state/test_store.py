"""The state store: alerts once per cause, runs, cursors, and a schema that matches its migrations."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from datadock.state import Alert, StateStore
from datadock.state.store import metadata


def _store(tmp_path):
    return StateStore(f"sqlite:///{tmp_path}/state/state.sqlite")


def test_an_alert_is_raised_once_per_cause_and_can_be_closed(tmp_path):
    store = _store(tmp_path)
    minor = Alert("source:a:stale", "information", 2, "a is stale", "last received 3 days ago")
    major = Alert("run:1", "anomaly", 4, "run 1 failed")
    assert [store.raise_alert(minor), store.raise_alert(major), store.raise_alert(major)] == [True, True, False]
    assert store.open_alerts() == [major, minor]
    store.close_alert("run:1")
    assert store.open_alerts() == [minor]


def test_a_run_is_found_by_its_status(tmp_path):
    store = _store(tmp_path)
    before = datetime.now(UTC)
    started = store.start_run("one")
    assert store.start_run("one") == started >= before
    store.end_run("one", "success", "f1", "{}")
    store.start_run("two")
    store.end_run("two", "failure")
    last, good = store.last_run(), store.last_run("success")
    assert (last.run_id, last.status, last.fingerprint) == ("two", "failure", None)
    assert (good.run_id, good.fingerprint, good.summary, good.started_at) == ("one", "f1", "{}", started)


def test_a_cursor_survives_a_restart(tmp_path):
    _store(tmp_path).move_cursor("landing", "1")
    _store(tmp_path).move_cursor("landing", "2")
    assert _store(tmp_path).cursor("landing") == "2"
    assert _store(tmp_path).cursor("other") is None


def test_the_migrations_give_the_declared_tables(tmp_path):
    with _store(tmp_path).engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert sa.inspect(connection).has_table("alembic_version")
