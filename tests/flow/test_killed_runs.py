"""kill -9 at random points of a run: the next run ends where a calm one would, same rows, same ids."""

import multiprocessing
import os
import random
import re
import signal
import time

import pytest

from datadock.demo import generate
from datadock.settings import Settings
from datadock.warehouse.publish import query_published

PEOPLE = 150
MOMENTS = [
    *("run_id", "measured_at", "recorded_at", "valid_from", "valid_to", "at", "_received_at", "received_at"),
    *("member_since", "observed_at", "redirected_at", "row_hash", "address_id"),
]
"""Columns that tell when a run was, or are hashed of such."""

MOMENT_OF_ID = re.compile(r"(?<='DK)[0-9A-Z]{10}(?=[0-9A-Z]{16}[0-9A-Z*~$=]')|(?<=[0-9A-Z]{16})[0-9A-Z*~$=](?=')")
"""Part of a golden id that tells when its first record was received, and the check character."""

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
    """Return every published table's rows, less the moments of runs."""
    settings = Settings(home=home)
    left_out = "|".join(MOMENTS)
    _, tables = query_published(
        settings,
        "select table_schema, table_name from information_schema.tables where table_schema in"
        " ('staging', 'intermediate', 'marts') order by all",
        limit=1000,
    )
    found = {}
    for schema, table in tables:
        if table in ("dq_channel_state", "dq_duplicate_state"):
            continue  # a state per run: a killed run has left its own
        query = f"select columns(lambda c: not regexp_full_match(c, '{left_out}')) from {schema}.{table}"
        rows = query_published(settings, query, limit=10**6)[1]
        found[schema, table] = sorted(MOMENT_OF_ID.sub("", repr(row)) for row in rows)
    return found


def test_a_killed_run_is_finished_by_the_next_one(forks, tmp_path, pytestconfig):
    calm, killed = tmp_path / "calm", tmp_path / "killed-0"
    _prepare(calm)
    _prepare(killed)
    seconds = _calm(forks, calm)
    expected = _content(calm)
    assert sum(map(len, expected.values())) > PEOPLE * 10
    rng = random.Random(20261122)
    struck = 0
    while struck < pytestconfig.getoption("--kills"):
        process = forks.Process(target=exec, args=(RUN.format(home=str(killed)),))
        process.start()
        process.join(rng.uniform(0.0, seconds))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            struck += 1
            continue
        assert process.exitcode == 0
        _assert_same(_content(killed), expected)
        killed = tmp_path / f"killed-{struck}"  # a fresh home, so that every kill hits work that is under way
        _prepare(killed)
    _calm(forks, killed)
    _assert_same(_content(killed), expected)


def _assert_same(found, expected):
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
