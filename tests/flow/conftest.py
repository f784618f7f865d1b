"""One built home for the tests that only look: the demo company, run once through the command line."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from datadock.dock import open_dock
from datadock.run import run_platform
from datadock.settings import Settings
from datadock.warehouse.publish import query_published

DATADOCK = Path(sys.executable).with_name("datadock")
PEOPLE = 1000


@dataclass(frozen=True)
class Home:
    """A home folder and how to run the command on it."""

    folder: Path
    truth: Path

    def run(self, *arguments, check=True, answers=None, **environment):
        result = subprocess.run(
            [str(DATADOCK), *map(str, arguments)],
            env={**os.environ, "DATADOCK_HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            input=answers,
            check=False,
        )
        if check:
            assert result.returncode == 0, f"datadock {' '.join(map(str, arguments))}\n{result.stdout}\n{result.stderr}"
        return result

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def build(self, *, full=False, lean=True, **settings):
        """Run the platform in this process: what the command does, without a second import of everything.

        A lean run leaves out what looks at what is there and writes nothing that is read here.
        """
        off = {"modules_off": "expectations,reports"} if lean else {}
        return run_platform(open_dock(Settings(home=self.folder, **off, **settings)), full=full)

    def sql(self, query, **settings):
        """Return the rows of a query over the published copy and the lake, as the command gives them."""
        columns, rows = query_published(Settings(home=self.folder, **settings), query, limit=1_000_000)
        return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.fixture(scope="session")
def built_home(tmp_path_factory, worker_id):
    """The demo company, generated and built once, as a user would; other workers get a copy of what the first built."""
    base = tmp_path_factory.mktemp("demo")
    home = Home(base / "home", base / "home-truth")
    if worker_id == "master":
        return _built(home)
    shared = tmp_path_factory.getbasetemp().parent / "demo-built"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            _built(Home(shared.with_name("demo-draft") / "home", shared.with_name("demo-draft") / "home-truth"))
            shared.with_name("demo-draft").rename(shared)
    for folder in (home.folder, home.truth):
        shutil.copytree(shared / folder.name, folder, symlinks=True)
    return home


def _built(home):
    home.run("demo", "generate", "--people", PEOPLE, "--seed", 11)
    home.run("run")
    return home
