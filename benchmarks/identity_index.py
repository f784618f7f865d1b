"""One record, now, measured: the index built, asked and committed to, beside Splink's own SQL path for one record.

    python benchmarks/identity_index.py                        100,000 records of the demo company
    python benchmarks/identity_index.py --records 1000000
    python benchmarks/identity_index.py --folder /tmp/bench    keep what was prepared there, for the next time
    python benchmarks/identity_index.py --equal 10000          committed one by one, compared with the next batch
    python benchmarks/identity_index.py --deployment <home>    the index of a deployment that stands: built anew, asked

Half of the records asked about are of people that the index knows, half of another world. Every measurement runs in a
process of its own; CPU seconds and peak memory are that process's, imports included. The machine's load stands beside.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "eshop_customers"
FIELDS = ("civility", "given_name", "family_name", "birth_date", "email", "mobile", "address_line", "address_extra",
          "postcode", "city", "country")  # fmt: skip
_ASKED = 30_000


def main() -> None:
    """Prepare a deployment, then print a line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the deployment is prepared and kept")
    parser.add_argument("--equal", type=int, help="records committed one by one, and met by the next batch")
    parser.add_argument("--deployment", type=Path, help="a copy of a home: the index in it is built anew")
    parser.add_argument("--callers", type=int, default=16, help="threads that commit at a time")
    parser.add_argument("--seconds", type=float, default=20.0, help="of sustained commits")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(MEASURES[given.one[0]](Path(given.one[1]), given)))
        return
    with tempfile.TemporaryDirectory(prefix="bench-index-") as folder:
        home = given.deployment or (given.folder or Path(folder)) / "home"
        chosen = ["equal"] if given.equal else DEPLOYMENT if given.deployment else [m for m in MEASURES if m != "equal"]
        for name in chosen:
            load = os.getloadavg()[0]
            result = measured(name, home, given)
            told = "  ".join(f"{key} {value:,.4g}" for key, value in result.items())
            print(f"{name:12}{told}  (load {load:.1f})", flush=True)


def measured(name: str, home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    asked = ["--records", str(given.records), "--seconds", str(given.seconds), "--callers", str(given.callers)]
    asked += ["--equal", str(given.equal)] if given.equal else []
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(home), *asked],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def prepare(home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Generate, land, stage and link the demo company's contacts, and the other world's records."""
    from benchmarks.identity import _RECORDS_PER_PERSON, _cost, _demo_workspace
    from datadock import identity

    workspace = _demo_workspace(home, int(given.records / _RECORDS_PER_PERSON), delivery=1, number=0)
    if not workspace.lake.files("golden/memberships"):
        from datadock.contact_points import update_values

        update_values(workspace)
        identity.update_features(workspace)
        identity.score_pairs(workspace)
        identity.assign_identities(workspace)
    if not (home.parent / "asked.json").exists():
        _keep_asked(home)
    return {"records": identity.update_features(workspace).contacts, "CPU s": _cost()["cpu"]}


def build(home: Path, _given: argparse.Namespace) -> dict[str, Any]:
    """Build the index from the lake."""
    from benchmarks.identity import _cost, _demo_workspace
    from datadock.identity.index import refresh_index

    standing = (home / "warehouse" / "warehouse.duckdb").exists()
    workspace = _standing(home) if standing else _demo_workspace(home, 0, delivery=1, number=0)
    before, began = _cost()["cpu"], time.perf_counter()
    report = refresh_index(workspace, home / "index", rebuild=True)
    return {"s": time.perf_counter() - began, "CPU s": _cost()["cpu"] - before, "MB": report.bytes / 1e6,
            "records": report.records, "peak MB": _cost()["peak"]}  # fmt: skip


def resolve(home: Path, _given: argparse.Namespace) -> dict[str, Any]:
    """Ask about single records."""
    from benchmarks.identity import _cost

    with _opened(home) as index:
        return _timed(index.resolve, [(SOURCE, values) for values in asked(home, 4_000)]) | {"peak MB": _cost()["peak"]}


def commit(home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Commit single records for a while, each on disk before the next."""
    from benchmarks.identity import _cost

    with _opened(home) as index:
        stamp = time.time_ns()
        records = [(SOURCE, f"B{stamp}-{n}", values) for n, values in enumerate(asked(home, _ASKED))]
        return _timed(index.commit, records, given.seconds) | {"peak MB": _cost()["peak"]}


def together(home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Commit single records by several threads, which wait for the disk together."""
    from concurrent.futures import ThreadPoolExecutor

    with _opened(home) as index, ThreadPoolExecutor(given.callers) as callers:
        stamp, taken = time.time_ns(), []
        for number, values in enumerate(asked(home, _ASKED)[-200:]):  # fills what is kept in memory
            index.commit(SOURCE, f"W{stamp}-{number}", values)
        began, cpu = time.perf_counter(), time.process_time()

        def one(number: int, values: dict[str, str | None]) -> None:
            if time.perf_counter() - began < given.seconds:
                start = time.perf_counter()
                index.commit(SOURCE, f"T{stamp}-{number}", values)
                taken.append(time.perf_counter() - start)

        list(callers.map(one, range(_ASKED), asked(home, _ASKED)))
        whole, cpu = time.perf_counter() - began, time.process_time() - cpu
    taken.sort()
    return {"p50 ms": taken[len(taken) // 2] * 1e3, "p99 ms": taken[int(len(taken) * 0.99)] * 1e3,
            "a second": len(taken) / whole, "CPU ms": cpu / len(taken) * 1e3, "calls": len(taken)}  # fmt: skip


def equal(home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Commit records one by one into a deployment that has not met them, then let the next batch meet them."""
    from datadock.identity.index import IdentityIndex
    from datadock.identity.index.journal import land_committed
    from datadock.settings import Settings
    from tests.unit.identity.index.conftest import Deployment, met_in_part

    _, held, met = met_in_part(home, given.equal * 2, given.equal)
    deployment = Deployment(Settings(home=home))
    with IdentityIndex.open(deployment.settings) as index:
        cpu = time.process_time()
        for source, key, values in held:
            index.commit(source, key, values)
        cpu = time.process_time() - cpu
        with index._caught_up():
            store = index._opened()
            decided = {(record.source, record.source_key): store.golden(record) for record in store.everyone()}
    for source in deployment.dock.catalog.with_entity("contact"):
        land_committed(deployment.dock, source)
    batch = deployment.batch("second")
    return {"met": len(met), "committed": len(held), "records": len(batch), "CPU ms": cpu / len(held) * 1e3,
            "other ids": sum(decided.get(key) != golden for key, golden in batch.items())}  # fmt: skip


def splink(home: Path, _given: argparse.Namespace) -> dict[str, Any]:
    """Weigh one record against its candidates by Splink's SQL, as the batch does."""
    from benchmarks.identity import _demo_workspace
    from datadock.identity.feature_store import load_features, load_records
    from datadock.identity.model import load_model, load_term_frequencies
    from datadock.identity.scoring import score
    from datadock.identity.trainer import without_shared

    workspace = _demo_workspace(home, 0, delivery=1, number=0)
    model = load_model(workspace.model_folder, "person")
    assert model is not None
    with workspace.connection() as con:
        records = load_records(con, workspace, "person")
        table = without_shared(con, load_features(con, workspace, records), model.shared)
        frequencies = load_term_frequencies(workspace.model_folder, model, con)

        def one(rid: int) -> None:
            con.execute(
                f"create or replace temp table asked as select {rid}::bigint as rid_l, rid as rid_r "
                f"from {records.table} where rid between {rid} + 1 and {rid} + 30"
            )
            score(con, model, table, "asked", frequencies, "answer")

        return _timed(one, [(rid,) for rid in range(20)])


def _opened(home: Path) -> Any:
    from datadock.identity.index import IdentityIndex
    from datadock.settings import Settings

    return IdentityIndex.open(Settings(home=home, id_secret="secret"))


def _standing(home: Path) -> Any:
    from datadock.dock import open_dock
    from datadock.identity.workspace import open_workspace
    from datadock.settings import Settings

    _keep_asked_of(home, home / "warehouse" / "warehouse.duckdb")
    return open_workspace(open_dock(Settings(home=home, id_secret="secret")), "benchmark")


def asked(home: Path, count: int) -> list[dict[str, str | None]]:
    """Return records to ask about, as ``prepare`` has kept them."""
    found: list[dict[str, str | None]] = json.loads((home.parent / "asked.json").read_text(encoding="utf-8"))
    return found[:count]


def _keep_asked(home: Path) -> None:
    """Keep records of people that the index knows, and of another world, in no order."""
    from benchmarks.identity import _demo_workspace

    other = home.with_name("other")
    _demo_workspace(other, _ASKED, delivery=1, number=0)
    _keep_asked_of(home, home / "warehouse-1.duckdb", other / "warehouse-1.duckdb")


def _keep_asked_of(home: Path, *warehouses: Path) -> None:
    """Keep records of warehouses, in no order."""
    import duckdb

    found: list[dict[str, str | None]] = []
    told = ", ".join(f"{name}::varchar as {name}" for name in FIELDS)
    for warehouse in warehouses:
        con = duckdb.connect(str(warehouse), read_only=True)
        rows = con.sql(
            f"select {told} from intermediate.int_source_contact where party_type = 'person' and source = '{SOURCE}' "
            f"order by hash(source_key) limit {_ASKED // len(warehouses)}"
        )
        found += rows.to_arrow_table().to_pylist()
        con.close()
    random.Random(1).shuffle(found)
    (home.parent / "asked.json").write_text(json.dumps(found), encoding="utf-8")


def _timed(function: Any, arguments: list[tuple[Any, ...]], seconds: float = 0.0) -> dict[str, float]:
    """Call a function with each arguments once; the first calls, which fill what is kept in memory, are left out."""
    warm = len(arguments) // 20
    for one in arguments[:warm]:
        function(*one)
    taken, began, cpu = [], time.perf_counter(), time.process_time()
    for one in arguments[warm:]:
        start = time.perf_counter()
        function(*one)
        taken.append(time.perf_counter() - start)
        if seconds and time.perf_counter() - began > seconds:
            break
    whole, cpu = time.perf_counter() - began, time.process_time() - cpu
    taken.sort()
    return {
        "p50 ms": taken[len(taken) // 2] * 1e3,
        "p99 ms": taken[int(len(taken) * 0.99)] * 1e3,
        "a second": len(taken) / whole,
        "CPU ms": cpu / len(taken) * 1e3,
        "calls": len(taken),
        "s": whole,
    }


def reference(_home: Path, _given: argparse.Namespace) -> dict[str, Any]:
    """Turn a plain loop five million times: what the machine gives at this moment."""
    began, cpu, turns = time.perf_counter(), time.process_time(), 0
    while turns < 5_000_000:
        turns += 1
    return {"CPU s": time.process_time() - cpu, "s": time.perf_counter() - began}


MEASURES = {
    "reference": reference,
    "prepare": prepare,
    "build": build,
    "resolve": resolve,
    "commit": commit,
    "together": together,
    "splink": splink,
    "equal": equal,
}
DEPLOYMENT = ("reference", "build", "resolve", "commit", "together")

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
