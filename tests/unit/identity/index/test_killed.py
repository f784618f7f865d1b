"""Killed with no warning, at any moment: every commit that returned is there, in the index and, once, in the lake."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from datadock.identity.index import IdentityIndex
from datadock.identity.index.journal import Journal, land_committed
from datadock.names import raw_table

COMMITTER = """
import sys
from pathlib import Path
from datadock.identity.index import IdentityIndex
from datadock.settings import Settings
index = IdentityIndex.open(Settings(home=Path(sys.argv[1])))
print("open", flush=True)
for number in range(int(sys.argv[2]), 100_000):
    values = {"family_name": f"Martin{number % 7}", "given_name": "Anna", "email": f"m{number}@free.fr"}
    index.commit("eshop_customers", f"K{number}", values)
    print(number, flush=True)
"""
BUILDER = """
import sys
from pathlib import Path
from datadock.dock import open_dock
from datadock.identity.index import refresh_index
from datadock.identity.workspace import open_workspace
from datadock.settings import Settings
settings = Settings(home=Path(sys.argv[1]))
print("open", flush=True)
while True:
    refresh_index(open_workspace(open_dock(settings), "build"), settings.identity_index, rebuild=True)
"""


class Running:
    """A script in a process of its own, to be killed without warning."""

    def __init__(self, script: str, home: Path, *arguments: str) -> None:
        command = [sys.executable, "-c", script, str(home), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines = [self._line()]

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self, *, after_lines: int = 0, seconds: float = 0.0) -> list[str]:
        """Let it say some further lines and go on for a moment, then kill it; return its whole lines but the first."""
        self.lines += [self._line() for _ in range(after_lines)]
        time.sleep(seconds)
        os.kill(self.process.pid, signal.SIGKILL)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().split("\n")[:-1]
        self.process.wait()
        return self.lines[1:]


@pytest.mark.slow
def test_killed_committers_lose_nothing_and_double_nothing(deployment, held) -> None:
    chance = random.Random(7)
    returned: list[int] = []
    home = deployment.settings.home
    for turn in range(4):  # records of its own each: the last one may be on disk and not yet returned
        together = [Running(COMMITTER, home, str(turn * 2_000 + number * 1_000)) for number in range(1 + turn % 2)]
        for committer in together:
            told = committer.kill(after_lines=chance.randrange(1, 30), seconds=chance.random() * 0.01)
            returned += [int(line) for line in told]
        segment = Journal(deployment.settings.identity_index).segments()[-1]
        with segment.path.open("ab") as torn:
            torn.write(b'{"customer_id": "torn')  # a line that the killed process did not finish
        with IdentityIndex.open(deployment.settings) as index, index._caught_up():
            store = index._opened()
            assert all(store.record_of("eshop_customers", f"K{number}") for number in returned)
            decided = {(r.source, r.source_key): store.golden(r) for r in store.everyone()}
    source = deployment.dock.catalog.source("eshop_customers")
    for _ in range(2):
        land_committed(deployment.dock, source)
    rows = pl.read_parquet(deployment.dock.lake.files(raw_table("eshop_customers")))
    everything = rows["payload"].str.json_path_match("$.customer_id").to_list()
    keys = [key for key in everything if key.startswith("K")]
    committed = {key for name, key in decided if key.startswith("K") and name == "eshop_customers"}
    assert sorted(keys) == sorted(committed)
    assert committed >= {f"K{number}" for number in returned}
    assert len(returned) > 20
    not_shown = [(source, key) for source, key, _ in held]
    assert deployment.batch("second", not_shown) == decided


@pytest.mark.slow
def test_a_killed_builder_leaves_the_index_in_use(deployment, held) -> None:
    chance = random.Random(8)
    with IdentityIndex.open(deployment.settings) as index:
        index.commit_many(held[:5])
    for _ in range(4):
        Running(BUILDER, deployment.settings.home).kill(seconds=chance.random() * 0.4)
        with IdentityIndex.open(deployment.settings) as index:
            assert index.resolve(*held[0][::2], held[0][1]).certainty in ("same", "suspect", "new")
            with index._caught_up():
                assert all(index._opened().record_of(source, key) for source, key, _ in held[:5])
    deployment.refresh(rebuild=True)
    assert len(list(deployment.settings.identity_index.glob("identity-*"))) == 1
