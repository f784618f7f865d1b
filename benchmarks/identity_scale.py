"""Identity at scale: French customers linked from normal forms to lasting ids, then new ones, against a rebuild.

    python benchmarks/identity_scale.py                                  1 M records, 10,000 new ones, 10 % more
    python benchmarks/identity_scale.py --records 200000 --folder /tmp/scale
    python benchmarks/identity_scale.py --records 5000000 --only first
    python benchmarks/identity_scale.py --only first increment more      without bare Splink

The people are ``french_people.py``'s. They are written once, by a process of their own, and kept in ``--folder``; so
is the lake that they are landed in. Every step is the platform's own function on that lake, in a process of its own:
its CPU seconds (user and system; imports are told apart), its time on the clock and its peak memory. Bare Splink, with
the model of its documentation for people, links the same records in the same run.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

PARTS = ("first", "bare", "increment", "more")
STEPS = ("features", "pairs", "ids")
AFTER = ("golden", "households", "suspects")
SOURCE = "customers"
_STAGED = "stg_customers__contact"
_KEYS = ["source", "source_key"]


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=10_000, help="records of the increment")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where records and lakes are kept; a temporary folder by default")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--after", action="store_true", help="golden contacts, households and suspects as well")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        what, home, told = given.one
        print(json.dumps(ALONE[what](Path(home), json.loads(told))))
        return
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as temporary:
        bench = Bench(given.folder or Path(temporary), given.records, given.new, given.seed, after=given.after)
        print(f"{given.records:,} French records, seed {given.seed}; load {os.getloadavg()[0]:.1f} "
              f"on {os.cpu_count()} cores; CPU s, s on the clock, peak MB", flush=True)  # fmt: skip
        bench.prepare()
        for part in given.only:
            getattr(bench, part)()
        print(f"load {os.getloadavg()[0]:.1f}")


class Bench:
    """One size: its records, its lakes, and what was measured on them.

    Args:
        folder: Where they are kept.
        records: Records of the first run.
        new: Records of the increment.
        seed: Of the people.
        after: Whether the steps after the ids are measured too.
    """

    def __init__(self, folder: Path, records: int, new: int, seed: int, *, after: bool) -> None:
        self.records, self.new, self.seed = records, new, seed
        self.steps = (*STEPS, *AFTER) if after else STEPS
        self.data = folder / f"people-{records}-{seed}"
        self.homes = folder / f"homes-{records}-{seed}"
        self.landed = self.homes / "landed"
        self.rebuilt: dict[str, Any] = {}

    def prepare(self) -> None:
        """Write the people, land and stage the first of them, read their values: once for a folder."""
        if not (self.data / "truth.parquet").exists():
            self.data.mkdir(parents=True, exist_ok=True)
            measured("generated", self.data, {"records": self.records + self.records // 10, "seed": self.seed})
        if not (self.landed / "ready").exists():
            shutil.rmtree(self.landed, ignore_errors=True)
            self._land(self.landed, 0, self.records)
            (self.landed / "ready").touch()

    def _land(self, home: Path, begin: int, end: int) -> None:
        told = {"data": str(self.data), "begin": begin, "end": end}
        show("landed, staged and read", measured("landed", home, told), "not counted")

    def _copy(self, name: str, of: Path) -> Path:
        home = self.homes / name
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(of, home)
        return home

    def _run(self, home: Path, what: str) -> dict[str, Any]:
        """Run the steps and print them; return the sum of those that are counted."""
        print(what)
        costs: dict[str, dict[str, Any]] = {}
        for step in self.steps:
            costs[step] = measured(step, home, {"run": f"{what} {step}"})
            show(step, costs[step], costs[step]["told"])
        counted = [costs[step] for step in STEPS]
        total = {name: sum(cost[name] for cost in counted) for name in ("cpu", "imports", "wall")}
        total["peak"] = max(cost["peak"] for cost in counted)
        show("features, pairs and ids", total)
        return total | {step: cost["cpu"] for step, cost in costs.items()}

    def first(self) -> None:
        """The first run: a model, all pairs, clusters, ids."""
        home = self._copy("first", self.landed)
        total = self._run(home, "first run")
        linking = total["pairs"] + total["ids"]
        print(f"  trained, compared, clustered and given ids: {linking:.1f} CPU s, "
              f"{linking / self.records * 1e6:.1f} a million")  # fmt: skip
        print(f"  {measured('scored', home, {'data': str(self.data)})['told']}", flush=True)

    def bare(self) -> None:
        """Bare Splink on the same records."""
        cost = measured("splink", self.data, {"records": self.records})
        show("bare Splink", cost)
        print(f"  {cost['told']}", flush=True)

    def increment(self) -> None:
        """New records into what there is, and the same from nothing but records, decisions, model and log of ids."""
        home = self._copy("increment", self.homes / "first")
        self._land(home, self.records, self.records + self.new)
        total = self._run(home, f"{self.new:,} new records")
        rebuild = self._copy("rebuild", home)
        measured("dropped", rebuild, {})
        again = self._run(rebuild, "rebuild with the same model")
        linking, all_again = total["pairs"] + total["ids"], again["pairs"] + again["ids"]
        print(
            f"  of the rebuild's CPU {total['cpu'] / again['cpu']:.1%}; pairs and ids alone {linking / all_again:.1%}"
        )
        print(f"  {measured('compared', home, {'other': str(rebuild)})['told']}", flush=True)

    def more(self) -> None:
        """A tenth more records: who keeps the id, and whether the feed tells the rest."""
        home = self._copy("more", self.homes / "first")
        self._land(home, self.records, self.records + self.records // 10)
        self._run(home, f"{self.records // 10:,} more records")
        print(f"  {measured('kept', home, {'before': str(self.homes / 'first')})['told']}")
        print(f"  {measured('scored', home, {'data': str(self.data)})['told']}", flush=True)


def measured(what: str, home: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", what, str(home), json.dumps(told)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{what} in {home} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def show(name: str, cost: dict[str, Any], told: str = "") -> None:
    """Print a line of what something cost."""
    print(f"  {name:24}{cost['cpu']:8.1f}{cost['wall']:8.1f}{cost['peak']:8.0f}   "
          f"{told or 'imports of ' + format(cost['imports'], '.1f') + ' CPU s not counted'}", flush=True)  # fmt: skip


def _costing(work: Callable[[], str]) -> dict[str, Any]:
    """What work costs in this process, the imports before it apart."""
    imports, began = time.process_time(), time.perf_counter()
    told = work()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu": time.process_time() - imports, "imports": imports, "wall": time.perf_counter() - began,
            "peak": usage.ru_maxrss / 1024, "told": told}  # fmt: skip


def workspace(home: Path, run: str = "asked") -> Any:
    """Return the workspace of a home."""
    from datadock.catalog import load_catalog
    from datadock.identity import Workspace
    from datadock.lake import Lake
    from datadock.settings import Settings

    catalog, settings = load_catalog(ROOT / "examples" / "french_people"), Settings(home=home)
    return Workspace(
        Lake(home / "lake"), catalog, home / "warehouse.duckdb", run, datetime.now(UTC), "secret",
        settings.memory_limit, settings.threads,
    )  # fmt: skip


def generated(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Write people's records, and who they are."""
    from french_people import generate

    def work() -> str:
        customers = generate(told["records"], told["seed"])
        customers.records.write_parquet(folder / "records.parquet")
        customers.truth.write_parquet(folder / "truth.parquet")
        return f"{customers.records.height:,} records"

    return _costing(work)


def landed(home: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Land some of the records, stage all that are landed, and read their values."""
    from datadock.contact_points import update_values
    from datadock.landing.land import land_file
    from datadock.link import stage_contacts

    def work() -> str:
        home.mkdir(parents=True, exist_ok=True)
        opened, file = workspace(home, f"landed {told['end']}"), home / "records.parquet"
        part = pl.scan_parquet(Path(told["data"]) / "records.parquet").slice(told["begin"], told["end"] - told["begin"])
        part.sink_parquet(file)
        land_file(opened.lake, opened.catalog.source(SOURCE), file)
        file.unlink()
        opened.warehouse.unlink(missing_ok=True)
        stage_contacts(opened, [SOURCE])
        _keep_cursor(opened)
        update_values(opened)
        return ""

    return _costing(work)


def _keep_cursor(opened: Any) -> None:
    """Keep what was staged, as the platform's own models do: the next run then asks what came since."""
    with duckdb.connect(str(opened.warehouse)) as con:
        con.execute("create schema datadock")
        con.execute("create table datadock.cursors (model varchar, table_name varchar, version bigint)")
        con.execute("create table datadock.models (model varchar, definition varchar)")
        read = (_STAGED, f"raw/{SOURCE}", opened.lake.version(f"raw/{SOURCE}"))
        con.execute("insert into datadock.cursors values (?, ?, ?)", read)
        con.execute("insert into datadock.models values ('model.datadock.int_source_contact', 'benchmark')")


def step(name: str, home: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Run one step of the platform."""
    from datadock import identity

    opened = workspace(home, told["run"])
    steps: dict[str, tuple[Callable[..., Any], str]] = {
        "features": (identity.update_features, "{new_or_changed:,} of {contacts:,} records new or changed"),
        "pairs": (identity.score_pairs, "{candidates:,} candidates, {pairs:,} pairs kept"),
        "ids": (identity.assign_identities, "{golden:,} contacts; ids: {created:,} new, {retired:,} retired"),
        "golden": (identity.build_golden, "{upserted:,} written, {retired:,} retired"),
        "households": (identity.assign_households, "{looked_at:,} people looked at, {moves:,} rows"),
        "suspects": (identity.find_suspects, "{opened:,} opened, {closed:,} closed"),
    }
    run, words = steps[name]
    within = _timed() if name in ("pairs", "ids") else {}

    def work() -> str:
        report = words.format(**vars(run(opened)))
        inside = ", ".join(f"{part} {seconds:.1f}" for part, seconds in within.items())
        return f"{report}{' (' + inside + ')' if inside else ''}"

    return _costing(work)


def _timed() -> dict[str, float]:
    """Have the parts of the steps timed: part to CPU seconds, filled as they run."""
    from datadock.identity import memberships, pairs
    from datadock.identity.partition import PartyClusters

    taken: dict[str, float] = {}
    parts = (
        ("training", pairs, "train_version"), ("clusters", PartyClusters, "partition"),
        ("ids", memberships, "_changes"), ("feed", memberships, "_write_lineage"),
    )  # fmt: skip

    def timed(part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def run(*given: Any, **named: Any) -> Any:
            before = time.process_time()
            try:
                return work(*given, **named)
            finally:
                taken[part] = taken.get(part, 0.0) + time.process_time() - before

        return run

    for part, owner, name in parts:
        setattr(owner, name, timed(part, getattr(owner, name)))
    return taken


def dropped(home: Path, _: dict[str, Any]) -> dict[str, Any]:
    """Drop all that is derived but the log of ids; the model stays: what it learns depends on when it is trained."""
    from datadock import names
    from datadock.identity.key_store import KEYS
    from datadock.identity.workspace import FEATURES

    lake = workspace(home).lake
    derived = (FEATURES, names.PAIRS, names.REDIRECTS, names.LINEAGE, names.CONTACTS, names.HOUSEHOLDS, names.SUSPECTS)
    return _costing(lambda: str(lake.drop((*derived, KEYS))))


def borne(home: Path) -> pl.DataFrame:
    """Return source, source_key, golden_id of every record."""
    from datadock.identity.memberships import current_memberships, read_log

    return current_memberships(read_log(workspace(home))).drop_nulls("golden_id")


def compared(home: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Compare the ids, the partition and the pairs of two homes."""
    from datadock import names

    def live(of: Path) -> pl.DataFrame:
        ends = "left_source, left_key, right_source, right_key, left_hash, right_hash"
        stored = workspace(of).scan(names.PAIRS, f"{ends}, round(match_weight, 9) as weight")
        return duckdb.sql(f"select distinct * from {stored} order by all").pl()

    def work() -> str:
        mine, other = (borne(one).sort(_KEYS) for one in (home, Path(told["other"])))
        both = mine.join(other, on=_KEYS, how="full", suffix="_other")
        pairs = both.select("golden_id", "golden_id_other").unique()
        same = pairs.height == pairs["golden_id"].n_unique() == pairs["golden_id_other"].n_unique()
        moved = both.filter(pl.col("golden_id").ne_missing(pl.col("golden_id_other"))).height
        scored = live(home).equals(live(Path(told["other"])))
        return (f"same partition: {'yes' if same else 'NO'}; ids that differ: {moved:,} of {both.height:,}; "
                f"same pairs: {'yes' if scored else 'NO'}")  # fmt: skip

    return _costing(work)


def kept(home: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Who keeps the id, and whether the feed tells of every id that was not kept and where its records went."""
    from datadock.identity.history import changes
    from datadock.identity.lineage import derive_redirects
    from datadock.identity.memberships import read_log

    def work() -> str:
        before, now = borne(Path(told["before"])), borne(home)
        both = before.join(now, on=_KEYS, how="left", suffix="_now")
        moved = both.filter(pl.col("golden_id").ne_missing(pl.col("golden_id_now")))
        events = changes(workspace(home))
        told_of = {(e["event"], e["golden_id"]) for e in events}
        ended = set(before["golden_id"]) - set(now["golden_id"])
        begun = set(now["golden_id"]) - set(before["golden_id"])
        lacking = sum(not {("merged_into", one), ("retired", one)} & told_of for one in ended)
        lacking += sum(not {("created", one), ("split_from", one), ("restored", one)} & told_of for one in begun)
        log = read_log(workspace(home))
        redirects = dict(derive_redirects(log).select("old_id", "new_id").iter_rows())
        lacking += sum(one not in redirects for one in ended)
        logged = log.filter(pl.col("generation") > 1).select(*_KEYS, golden_id_now="golden_id")
        lacking += moved.join(logged, on=[*_KEYS, "golden_id_now"], how="anti", nulls_equal=True).height
        return (f"ids kept by {1 - moved.height / both.height:.2%} of {both.height:,} records; {moved.height:,} moved, "
                f"{len(ended):,} ids ended, {len(begun):,} began; not in the feed: {lacking:,}")  # fmt: skip

    return _costing(work)


def scored(home: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Score a home's memberships."""
    return _costing(lambda: _scores(borne(home), Path(told["data"])))


def _scores(found: pl.DataFrame, data: Path) -> str:
    from datadock.evaluation import score

    truth = pl.read_parquet(data / "truth.parquet", columns=["id", "person"]).select(
        source=pl.lit(SOURCE), source_key="id", entity_id=pl.col("person").cast(pl.String)
    )
    scores = score(found, truth.join(found, on=_KEYS, how="semi"))
    return f"{scores}; largest {scores.largest_found - scores.largest_true:+d}"


def splink(data: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Link by bare Splink."""
    from french import by_splink

    with tempfile.TemporaryDirectory(prefix="bench-splink-") as folder:
        some = pl.scan_parquet(data / "records.parquet").head(told["records"])
        some.sink_parquet(Path(folder) / "records.parquet")
        found: list[pl.DataFrame] = []
        cost = _costing(lambda: str(found.append(by_splink(Path(folder)))))
    frame = found[0].select(source=pl.lit(SOURCE), source_key="id", golden_id=pl.col("cluster").cast(pl.String))
    return cost | {"told": _scores(frame, data)}


ALONE: dict[str, Callable[[Path, dict[str, Any]], dict[str, Any]]] = {
    "generated": generated, "landed": landed, "dropped": dropped, "compared": compared, "kept": kept, "scored": scored,
    "splink": splink, **{name: functools.partial(step, name) for name in (*STEPS, *AFTER)},
}  # fmt: skip

if __name__ == "__main__":
    main()
