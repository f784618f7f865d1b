"""The whole platform, measured: first run, a run after 1 % new rows, a run with nothing new.

    python benchmarks/run.py                      100 k and 1 M source records
    python benchmarks/run.py --people 45000       one size only
    python benchmarks/run.py --kills 100          instead: kill -9 at random points, then compare

Prints CPU seconds (user and system, children included), wall seconds, peak memory of the process, source records per
CPU second, and the ratio of a run's CPU to a bare DuckDB scan of the same raw records in the same session.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
DATADOCK = Path(sys.executable).with_name("datadock")


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    cpu: float
    wall: float
    peak_mb: float


def measured(command: list[str], home: Path) -> Cost:
    """Run a command to its end and return what it took; its output goes to standard error where it fails."""
    environment = {**os.environ, "DATADOCK_HOME": str(home)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        if status != 0:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode()[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, usage.ru_maxrss / 1024)


def state(home: Path) -> dict[str, float]:
    """Return what a run with nothing new must leave alone: Delta versions and the warehouse's time."""
    found = {str(p.parent.parent): float(len(list(p.parent.glob("*.json")))) for p in home.rglob("_delta_log/*.json")}
    warehouse = home / "warehouse" / "warehouse.duckdb"
    return found | {"warehouse": warehouse.stat().st_mtime}


def scan(home: Path) -> tuple[int, float]:
    """Return the number of raw records and the CPU seconds of a bare scan that parses each payload once."""
    from deltalake import DeltaTable

    before = time.process_time()
    rows = 0
    for table in sorted((home / "lake" / "raw").iterdir()):
        files = DeltaTable(table).file_uris()
        with duckdb.connect() as connection:
            found = connection.execute(
                "select count(*), sum(len(payload)) from read_parquet($f)", {"f": files}
            ).fetchone()
        rows += found[0] if found else 0
    return rows, time.process_time() - before


def bench(people: int, folder: Path) -> None:
    home = folder / f"home-{people}"
    generate = [str(DATADOCK), "demo", "generate", "--people", str(people), "--seed", "1"]
    cost = measured(generate, home)
    print(f"\n{people:,} people: files written in {cost.wall:.1f} s, {people / cost.wall:,.0f} people/s", flush=True)
    first = measured([str(DATADOCK), "run", "--quiet"], home)
    rows, bare = scan(home)
    print(f"{'':<24}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'rows/CPU s':>12}{'to bare scan':>14}{'to first':>10}")
    report("first run", first, rows, bare, first)
    measured([*generate, "--delivery", "2", "--new-rate", "0.01"], home)
    report("after 1 % new", measured([str(DATADOCK), "run", "--quiet"], home), rows, bare, first)
    before = state(home)
    report("nothing new", measured([str(DATADOCK), "run", "--quiet"], home), rows, bare, first)
    print(f"{rows:,} source records; nothing rewritten: {'yes' if state(home) == before else 'NO'}", flush=True)
    shutil.rmtree(home)


def report(name: str, cost: Cost, rows: int, bare: float, first: Cost) -> None:
    print(
        f"{name:<24}{cost.cpu:>8.1f}{cost.wall:>8.1f}{cost.peak_mb:>9,.0f}{rows / cost.cpu:>12,.0f}"
        f"{cost.cpu / bare:>13.0f}x{cost.cpu / first.cpu:>9.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, action="append", help="size of the world; may be repeated")
    parser.add_argument("--kills", type=int, help="kill a run this many times instead")
    options = parser.parse_args()
    print(f"load at start: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="datadock-bench-") as folder:
        if options.kills:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-q",
                    "tests/flow/test_killed_runs.py",
                    f"--run-kills={options.kills}",
                ],
                cwd=ROOT,
                check=True,
            )
            return
        for people in options.people or [45_000, 450_000]:
            bench(people, Path(folder))


if __name__ == "__main__":
    main()
