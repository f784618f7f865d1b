"""kill -9 at random points of a run: the next run ends where a calm one would, same rows, same ids."""

import multiprocessing
import os
import random
import re
import shutil
import signal
import time

import pytest

from datadock.catalog import load_catalog
from datadock.demo import generate
from datadock.settings import PROJECT_ROOT, Settings
from datadock.warehouse.publish import query_published
from datadock.warehouse.scaffold import scaffold

PEOPLE = 150
FEEDS = ("eshop_customers", "loyalty_cards", "orders")
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
from datadock.dock import open_dock
from datadock.run import run_platform
from datadock.settings import Settings

outcome = run_platform(open_dock(Settings(**{given!r}, id_secret="the same")))
os._exit(0 if outcome.status in ("success", "nothing_new") else 1)
"""
"""What a forked process runs: text, since it cannot import this module by name."""


@pytest.fixture(scope="module")
def forks():
    """A process that has imported everything, from which runs are forked: a kill then hits work, not imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    warm = context.Process(target=exec, args=("pass",))  # the first fork waits until everything is imported
    warm.start()
    warm.join()
    return context


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A deployment of three feeds, so that many runs fit into the time: its catalog, its dbt project, its files."""
    base = tmp_path_factory.mktemp("small")
    shutil.copytree(PROJECT_ROOT / "catalog", base / "catalog")
    left_out = shutil.ignore_patterns("target", "logs", "staging")
    shutil.copytree(PROJECT_ROOT / "dbt_project", base / "dbt_project", ignore=left_out)
    for declaration in (base / "catalog" / "sources").glob("*.yml"):
        if declaration.stem not in FEEDS:
            declaration.unlink()
    scaffold(load_catalog(base / "catalog"), base / "dbt_project")
    generate(PEOPLE, 3, base / "landing", truth=tmp_path_factory.mktemp("truth"), partner=base / "partner.sqlite")
    for folder in (base / "landing").iterdir():
        if folder.name not in FEEDS:
            shutil.rmtree(folder)
    return base


def _settings(small, home):
    return Settings(home=home, catalog=small / "catalog", dbt_project=small / "dbt_project", id_secret="the same")


def _prepare(small, home):
    shutil.copytree(small / "landing", home / "landing")


def _fork(forks, small, home):
    settings = _settings(small, home)
    given = {name: str(getattr(settings, name)) for name in ("home", "catalog", "dbt_project")}
    process = forks.Process(target=exec, args=(RUN.format(given=given),))
    process.start()
    return process


def _calm(forks, small, home):
    start = time.monotonic()
    process = _fork(forks, small, home)
    process.join(240)
    assert process.exitcode == 0
    return time.monotonic() - start


def _content(small, home):
    """Return every published table's rows, less the moments of runs."""
    settings = _settings(small, home)
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


def test_a_killed_run_is_finished_by_the_next_one(forks, small, tmp_path, pytestconfig):
    calm, killed = tmp_path / "calm", tmp_path / "killed-0"
    _prepare(small, calm)
    _prepare(small, killed)
    seconds = _calm(forks, small, calm)
    expected = _content(small, calm)
    assert sum(map(len, expected.values())) > PEOPLE * 10
    rng = random.Random(20261122)
    struck = fresh = 0
    while struck < pytestconfig.getoption("--run-kills"):
        process = _fork(forks, small, killed)
        process.join(rng.uniform(0.0, 0.7 * seconds))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            struck += 1
            continue
        assert process.exitcode == 0
        _assert_same(_content(small, killed), expected)
        fresh += 1  # a home of its own again, so that every kill hits work that is under way
        killed = tmp_path / f"killed-{fresh}"
        _prepare(small, killed)
    _calm(forks, small, killed)
    _assert_same(_content(small, killed), expected)


def _assert_same(found, expected):
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
