"""kill -9 at random points of a run: the next run ends where a calm one would, same rows, same ids."""

import multiprocessing
import os
import random
import signal
import time

import pytest

from datadock.demo import generate
from datadock.settings import Settings

PEOPLE = 1000
PRELOADED = ["datadock.launch", "dagster_dbt", "dbt.cli.main", "splink", "great_expectations", "pandera.polars"]


RUN = """
import os
from pathlib import Path
from datadock.dock import open_dock
from datadock.run import run_platform
from datadock.settings import Settings

outcome = run_platform(open_dock(Settings(home=Path({home!r}), id_secret="the same in both homes")))
os._exit(0 if outcome.status in ("success", "nothing_new") else 1)
"""
"""What a forked process runs: text, since it cannot import this module by name."""


@pytest.fixture(scope="module")
def forks():
    """A process that has imported everything, from which runs are forked: a kill then hits work, not imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _prepare(home):
    generate(PEOPLE, 3, home / "landing", truth=home.parent / "truth", partner=home / "partner" / "partner.sqlite")


def _calm(forks, home):
    process = forks.Process(target=exec, args=(RUN.format(home=str(home)),))
    start = time.monotonic()
    process.start()
    process.join(240)
    assert process.exitcode == 0
    return time.monotonic() - start


def _content(home):
    """Return every published table's rows and the golden logs, less the times and ids of the runs themselves."""
    from datadock.warehouse.publish import query_published

    settings = Settings(home=home)
    left_out = "run_id|measured_at|recorded_at|valid_from|valid_to|at|_received_at|received_at|row_hash"
    _, tables = query_published(
        settings,
        "select table_schema, table_name from information_schema.tables where table_schema in"
        " ('staging', 'intermediate', 'marts') order by all",
        limit=1000,
    )
    found = {}
    for schema, table in tables:
        if table.startswith("dq_"):
            continue
        query = f"select columns(c -> not regexp_full_match(c, '{left_out}')) from {schema}.{table} order by all"
        found[schema, table] = query_published(settings, query, limit=10**6)[1]
    return found


def test_a_killed_run_is_finished_by_the_next_one(forks, tmp_path, pytestconfig):
    if not pytestconfig.getoption("--kills"):
        pytest.skip("takes long; ask for it with --kills=30")
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    _prepare(calm)
    _prepare(killed)
    seconds = _calm(forks, calm)
    rng = random.Random(20261122)
    kills = pytestconfig.getoption("--kills")
    struck = 0
    while struck < kills:
        process = forks.Process(target=exec, args=(RUN.format(home=str(killed)),))
        process.start()
        process.join(rng.uniform(0.0, seconds))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            struck += 1
        elif process.exitcode == 0:
            # It got through: start over with a fresh home, so that every kill hits work that is under way.
            assert _content(killed) == _content(calm)
            killed = tmp_path / f"killed-{struck}"
            _prepare(killed)
        process.join()
    _calm(forks, killed)
    expected, found = _content(calm), _content(killed)
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
