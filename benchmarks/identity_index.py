"""One record, now, measured: the index built, asked and committed to, beside Splink's own SQL path for one record.

    python benchmarks/identity_index.py                        100,000 records of the demo company
    python benchmarks/identity_index.py --records 1000000
    python benchmarks/identity_index.py --folder /tmp/bench    keep what was prepared there, for the next time

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
    parser.add_argument("--seconds", type=float, default=20.0, help="of sustained commits")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(MEASURES[given.one[0]](Path(given.one[1]), given)))
        return
    with tempfile.TemporaryDirectory(prefix="bench-index-") as folder:
        home = (given.folder or Path(folder)) / "home"
        for name in MEASURES:
            load = os.getloadavg()[0]
            result = measured(name, home, given)
            told = "  ".join(f"{key} {value:,.4g}" for key, value in result.items())
            print(f"{name:12}{told}  (load {load:.1f})", flush=True)


def measured(name: str, home: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    asked = ["--records", str(given.records), "--seconds", str(given.seconds)]
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

    workspace = _demo_workspace(home, 0, delivery=1, number=0)
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


def asked(home: Path, count: int) -> list[dict[str, str | None]]:
    """Return records to ask about, as ``prepare`` has kept them."""
    found: list[dict[str, str | None]] = json.loads((home.parent / "asked.json").read_text(encoding="utf-8"))
    return found[:count]


def _keep_asked(home: Path) -> None:
    """Keep records of people that the index knows, and of another world, in no order."""
    import duckdb

    from benchmarks.identity import _demo_workspace

    other = home.with_name("other")
    _demo_workspace(other, _ASKED, delivery=1, number=0)
    found: list[dict[str, str | None]] = []
    told = ", ".join(f"{name}::varchar as {name}" for name in FIELDS)
    for folder in (home, other):
        con = duckdb.connect(str(folder / "warehouse-1.duckdb"), read_only=True)
        rows = con.sql(
            f"select {told} from intermediate.int_source_contact where party_type = 'person' and source = '{SOURCE}' "
            f"order by hash(source_key) limit {_ASKED // 2}"
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
    "splink": splink,
}

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
