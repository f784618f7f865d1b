"""A run is under way while its lock is held, and no longer."""

from datadock.dock import exclusive
from datadock.events.under_way import run_under_way


def test_a_run_is_under_way_while_its_lock_is_held(tmp_path):
    lock = tmp_path / "state" / "run.lock"
    assert not run_under_way(lock)
    with exclusive(tmp_path):
        assert run_under_way(lock)
    assert not run_under_way(lock)
