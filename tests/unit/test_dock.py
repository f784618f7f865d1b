"""Opening a deployment: folders, a secret that stays, one run at a time."""

import threading

import pytest

from datadock.dock import exclusive, open_dock
from datadock.errors import DatadockError, LakeError
from datadock.settings import Settings


def test_opening_makes_a_drop_folder_per_source_and_keeps_one_secret(tmp_path):
    dock = open_dock(Settings(home=tmp_path / "home"))
    assert sorted(p.name for p in dock.settings.landing.iterdir()) == list(dock.catalog.sources)
    secret = dock.id_secret
    assert len(secret) == 64
    assert open_dock(Settings(home=tmp_path / "home")).id_secret == secret
    assert (tmp_path / "home" / "state" / "id_secret").stat().st_mode & 0o077 == 0


def test_a_given_secret_wins(tmp_path):
    assert open_dock(Settings(home=tmp_path, id_secret="ours")).id_secret == "ours"


def test_a_home_that_cannot_be_a_folder_is_a_clear_error(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(LakeError, match="DATADOCK_HOME"):
        open_dock(Settings(home=tmp_path / "home"))


def test_two_runs_at_once_are_refused(tmp_path):
    with exclusive(tmp_path), pytest.raises(DatadockError, match="another run is under way"), exclusive(tmp_path):
        pytest.fail("the second lock was given")
    with exclusive(tmp_path):
        pass


def test_whoever_waits_for_the_lock_gets_it_when_it_is_freed(tmp_path):
    held = exclusive(tmp_path)
    held.__enter__()
    freed = threading.Timer(0.3, held.__exit__, (None, None, None))
    freed.start()
    with exclusive(tmp_path, wait_seconds=30.0):
        assert freed.finished.is_set()
    with exclusive(tmp_path), pytest.raises(DatadockError, match="another run"), exclusive(tmp_path, wait_seconds=0.3):
        pytest.fail("the second lock was given")
