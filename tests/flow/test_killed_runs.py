"""kill -9 at random points of a run: the next run ends where a calm one would, same rows, same ids."""

import json
import random
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from datadock.catalog import load_catalog
from datadock.demo import generate
from datadock.settings import PROJECT_ROOT, Settings
from datadock.warehouse.publish import query_published
from datadock.warehouse.scaffold import scaffold

PEOPLE = 40
FEEDS = ("eshop_customers", "loyalty_cards", "orders")
MOMENTS = [
    *("run_id", "measured_at", "recorded_at", "valid_from", "valid_to", "at", "_received_at", "received_at"),
    *("loaded_at", "member_since", "observed_at", "redirected_at", "row_hash", "address_id"),
]
"""Columns that tell when a run was, or are hashed of such."""

MOMENTS_OF = {"golden_lineage": ["happened_at"]}
"""Columns that do so in one table; elsewhere they tell when something happened to a contact."""

MOMENT_OF_ID = re.compile(
    r"(?<='(?:DK|HH))[0-9A-Z]{10}(?=[0-9A-Z]{16}[0-9A-Z*~$=]')|(?<=[0-9A-Z]{16})[0-9A-Z*~$=](?=')"
)
"""Part of a golden or household id that tells when its first record was received, and the check character."""

RUNS_AND_DIES = """
import json, os, signal, sys, tempfile, time
import dagster as dg
import dagster_dbt, dbt.cli.main, great_expectations, pandera.polars, splink
import datadock.launch
from datadock.dock import open_dock
from datadock.run import run_platform
from datadock.settings import Settings
from datadock.warehouse import dbt

base, lean = sys.argv[1], sys.argv[2] == "lean"
given = {"catalog": f"{base}/catalog", "dbt_project": f"{base}/dbt_project", "id_secret": "the same"}
if lean:
    given["modules_off"] = "expectations,reports"
    dg.DagsterInstance.from_config = lambda _: dg.DagsterInstance.ephemeral(tempdir=tempfile.mkdtemp(dir=base))
    dbt._parsed(Settings(home=f"{base}/unused", **given))

def run(home):
    outcome = run_platform(open_dock(Settings(home=home, **given)))
    for step, cause in outcome.failures:
        print(step, cause, file=sys.stderr, flush=True)
    os._exit(0 if outcome.status in ("success", "nothing_new") else 1)

for line in sys.stdin:
    home, seconds = json.loads(line)
    began = time.monotonic()
    child = os.fork() or run(home)
    status = None
    while status is None:
        if time.monotonic() > began + (240 if seconds is None else seconds):
            os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
        else:
            time.sleep(0.01)
            ended, found = os.waitpid(child, os.WNOHANG)
            status = found if ended else None
    print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - began]), flush=True)
"""
"""Imports everything once, then forks a run per line of its input and kills it after so many seconds.

A kill so hits work, not imports. A lean one leaves out what costs most of a small run and writes nothing that
the next run reads: Dagster's own record of the run, Great Expectations, the pages; and it has read the dbt project.
"""


@dataclass
class Strikes:
    """Kills to come, as shares of a calm run's length: spread over the whole of it, in random order."""

    shares: list[float]
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def spread(cls, count, rng):
        shares = [(number + rng.random()) / count for number in range(count)]
        rng.shuffle(shares)
        return cls(shares)

    def next(self):
        with self.lock:
            return self.shares.pop() if self.shares else None

    def end(self, share, struck):
        """Count a kill; one that came after the run's end comes again, earlier."""
        with self.lock:
            self.done += struck
            if not struck:
                self.shares.insert(0, share * 0.8)


class Runner:
    """Runs on homes of one deployment, each in a process of its own that can be killed."""

    def __init__(self, base, kind):
        command = [sys.executable, "-c", RUNS_AND_DIES, str(base), kind]
        self.base, self.kind = base, kind
        self.process = subprocess.Popen(
            command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.length = 0.0

    def settings(self, home):
        return Settings(home=home, catalog=self.base / "catalog", dbt_project=self.base / "dbt_project")

    def new_home(self, home):
        shutil.copytree(self.base / "landing", home / "landing")
        return home

    def run(self, home, seconds=None):
        """Run, and kill after some seconds; tell whether the kill came before the run's end."""
        self.process.stdin.write(json.dumps([str(home), seconds]) + "\n")
        self.process.stdin.flush()
        code, self.length = json.loads(self.process.stdout.readline())
        assert code == 0 or (code == -9 and seconds is not None), f"the run on {home} ended with {code}"
        return code == -9

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def _deployment(base):
    """Make a deployment of three feeds, so that many runs fit into the time: catalog, dbt project, files."""
    shutil.copytree(PROJECT_ROOT / "catalog", base / "catalog")
    left_out = shutil.ignore_patterns("target", "logs", "staging")
    shutil.copytree(PROJECT_ROOT / "dbt_project", base / "dbt_project", ignore=left_out)
    for declaration in (base / "catalog" / "sources").glob("*.yml"):
        if declaration.stem not in FEEDS:
            declaration.unlink()
    scaffold(load_catalog(base / "catalog"), base / "dbt_project")
    truth = base.with_name(f"{base.name}-truth")
    generate(PEOPLE, 3, base / "landing", truth=truth, partner=base / "partner.sqlite")
    for folder in (base / "landing").iterdir():
        if folder.name not in FEEDS:
            shutil.rmtree(folder)
    return base


@pytest.fixture(scope="module")
def runners(tmp_path_factory):
    """Two of them: as shipped, and lean; each has a core and a deployment of its own."""
    made = [Runner(_deployment(tmp_path_factory.mktemp(kind)), kind) for kind in ("shipped", "lean")]
    yield made
    for runner in made:
        runner.close()


def _content(runner, home):
    """Return every published table's rows, less the moments of runs."""
    settings = runner.settings(home)
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
        left_out = "|".join([*MOMENTS, *MOMENTS_OF.get(table, [])])
        query = f"select columns(lambda c: not regexp_full_match(c, '{left_out}')) from {schema}.{table}"
        rows = query_published(settings, query, limit=10**6)[1]
        found[schema, table] = sorted(MOMENT_OF_ID.sub("", repr(row)) for row in rows)
    return found


def _strike(runner, strikes, expected, folder, rng):
    """Kill a run, and those that mend it, two to five times; let one end and compare; on a new home again."""
    length, compared = runner.length, 0
    while (share := strikes.next()) is not None:
        home = runner.new_home(folder / f"{runner.kind}-{compared}")
        for left in reversed(range(rng.randint(2, 5))):
            struck = runner.run(home, share * length)
            strikes.end(share, struck)
            share = strikes.next() if struck and left else None
            if share is None:
                break
        runner.run(home)
        _assert_same(_content(runner, home), expected)
        compared += 1
    return compared


def test_a_killed_run_is_finished_by_the_next_one(runners, tmp_path, pytestconfig):
    rng = random.Random(20261122)
    strikes = Strikes.spread(pytestconfig.getoption("--run-kills"), rng)
    with ThreadPoolExecutor(len(runners)) as pool:
        homes = [runner.new_home(tmp_path / f"{runner.kind}-calm") for runner in runners]
        list(pool.map(Runner.run, runners, homes))
        expected, other = map(_content, runners, homes)
        _assert_same(other, expected)
        assert sum(map(len, expected.values())) > PEOPLE * 10
        work = [pool.submit(_strike, one, strikes, expected, tmp_path, random.Random(rng.random())) for one in runners]
        compared = [one.result() for one in work]
    assert strikes.done == pytestconfig.getoption("--run-kills")
    assert sum(compared) >= strikes.done / 5


def _assert_same(found, expected):
    assert found.keys() == expected.keys()
    for table in expected:
        assert found[table] == expected[table], table
