"""Linking, measured: accuracy on labelled sets without labels, and the time of every step on the demo company.

    python benchmarks/identity.py                       the published sets, and 80,000 people (about 100,000 contacts)
    python benchmarks/identity.py --people 400000       about 500,000 contacts
    python benchmarks/identity.py --sets febrl4 --people 0
    python benchmarks/identity.py --sets --people 0 --records 1000000     linking alone: train, predict, cluster, ids

Each set also goes through bare Splink, with the model of its own documentation for that kind of data. Every
measurement runs in a process of its own: CPU seconds (user and system) and peak memory are that process's, imports
included. Pair scores are over all pairs within clusters, pairs that blocking missed included.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
SETS = {
    "febrl3": "febrl3",
    "febrl4": "febrl4",
    "fake_1000": "splink_fake_1000",
    "historical_50k": "splink_historical_50k",
}


def main() -> None:
    """Run what was asked for and print a line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--people", type=int, nargs="*", default=[80_000])
    parser.add_argument("--records", type=int, help="records of French people, linked alone: training to ids")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        kind, what = given.one
        alone = {"demo": demo, "prepared": prepared, "linked": linked}
        result = alone[kind](what) if kind in alone else {"ours": ours, "splink": bare_splink}[kind](what, given.data)
        print(json.dumps(result))
        return
    if given.sets:
        print(f"{'set':16}{'linked by':12}{'precision':>10}{'recall':>8}{'F1':>8}{'B3 F1':>8}{'largest':>9}"
              f"{'CPU s':>8}{'peak MB':>9}")  # fmt: skip
    for name in given.sets:
        for kind in ("ours", "splink"):
            r = measured(kind, name, given.data)
            print(f"{name:16}{kind:12}{r['precision']:10.4f}{r['recall']:8.4f}{r['f1']:8.4f}{r['b3']:8.4f}"
                  f"{r['largest']:>9}{r['cpu']:8.1f}{r['peak']:9.0f}", flush=True)  # fmt: skip
    for people in given.people:
        if people:
            show_demo(measured("demo", str(people), given.data))
    if given.records:
        with tempfile.TemporaryDirectory(prefix="bench-identity-") as folder:
            measured("prepared", f"{folder}|{given.records}", given.data)
            show_linked(measured("linked", folder, given.data))


def measured(kind: str, what: str, data: Path) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", kind, what, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{kind} {what} failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _cost() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024}


def _scored(predicted: pl.DataFrame, data: Path, name: str) -> dict[str, Any]:
    from datadock.evaluation import score

    cost = _cost()
    records = pl.read_parquet(data / "er" / SETS[name] / "records.parquet")
    truth = records.select(source_key=pl.col("unique_id").cast(pl.String), entity_id="cluster")
    found = score(predicted, predicted.select("source", "source_key").join(truth, on="source_key"))
    return {"precision": found.precision, "recall": found.recall, "f1": found.f1, "b3": found.b3_f1,
            "largest": f"{found.largest_found}/{found.largest_true}", **cost}  # fmt: skip


def ours(name: str, data: Path) -> dict[str, Any]:
    """Link a published set by its example catalog."""
    sys.path.insert(0, str(ROOT))
    from datadock.link import link

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "linked.parquet"
        link(ROOT / "examples" / name, data / "er" / SETS[name], out)
        return _scored(pl.read_parquet(out), data, name)


def bare_splink(name: str, data: Path) -> dict[str, Any]:
    """Link a published set by Splink alone, as its documentation does for this kind of data."""
    sys.path.insert(0, str(ROOT))
    warnings.simplefilter("ignore")
    logging.getLogger("splink").setLevel(logging.ERROR)
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    comparisons, rules, sessions, certain = _documented(name, cl, block_on)
    con = duckdb.connect()
    con.execute(f"create table records as from '{data / 'er' / SETS[name] / 'records.parquet'}'")
    api = DuckDBAPI(connection=con)
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=comparisons, blocking_rules_to_generate_predictions=rules
    )
    linker = Linker(api.register("records"), settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6 + 1, seed=1)
    for session in sessions:
        linker.training.estimate_parameters_using_expectation_maximisation(session)
    pairs = linker.inference.predict(threshold_match_probability=0.05, warning_mode="never")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
    rows = con.sql(
        f"select unique_id::varchar as source_key, cluster_id::varchar as golden_id from {clusters.physical_name}"
    )
    return _scored(
        rows.pl().select(source=pl.lit("records"), source_key="source_key", golden_id="golden_id"), data, name
    )


def _documented(name: str, cl: Any, block_on: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Comparisons, blocking rules, training sessions and certain rules of the documentation's examples."""
    if name.startswith("febrl"):
        comparisons = [
            cl.NameComparison("given_name"), cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
        ]  # fmt: skip
        rules = [block_on("soc_sec_id"), block_on("given_name"), block_on("surname"), block_on("date_of_birth"),
                 block_on("postcode")]  # fmt: skip
        return comparisons, rules, [block_on("given_name"), block_on("date_of_birth")], [block_on("soc_sec_id")]
    if name == "fake_1000":
        comparisons = [
            cl.NameComparison("first_name"), cl.JaroAtThresholds("surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True), cl.EmailComparison("email"),
        ]  # fmt: skip
        rules = [block_on("first_name", "city"), block_on("surname"), block_on("dob"), block_on("email")]
        return comparisons, rules, [block_on("dob"), block_on("email")], [block_on("first_name", "surname", "dob")]
    comparisons = [
        cl.ForenameSurnameComparison("first_name", "surname"), cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.PostcodeComparison("postcode_fake"), cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
        cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
    ]  # fmt: skip
    rules = [
        block_on("substr(first_name,1,3)", "substr(surname,1,4)"), block_on("surname", "dob"),
        block_on("first_name", "dob"), block_on("postcode_fake", "first_name"), block_on("postcode_fake", "surname"),
        block_on("dob", "birth_place"),
    ]  # fmt: skip
    return comparisons, rules, [block_on("first_name", "surname"), block_on("dob")], [block_on("surname", "dob")]


_RECORDS_PER_PERSON = 1.27
"""Contact records that the demo company has of each of its people."""


def prepared(what: str) -> dict[str, Any]:
    """Generate, land, stage and normalise the demo company's contacts in a folder, not measured."""
    sys.path.insert(0, str(ROOT))
    from datadock import identity

    folder, _, records = what.rpartition("|")
    people = int(int(records) / _RECORDS_PER_PERSON)
    workspace = _demo_workspace(Path(folder) / "home", people, delivery=1, number=0)
    return {"contacts": identity.update_features(workspace).contacts}


def linked(folder: str) -> dict[str, Any]:
    """Link normalised records: a model trained, pairs found and weighed, clusters, golden ids."""
    sys.path.insert(0, str(ROOT))
    from datadock import identity
    from datadock.evaluation import read_truth, score
    from datadock.identity.memberships import current_memberships, read_log

    workspace = _demo_workspace(Path(folder) / "home", 0, delivery=1, number=0)
    before = _cost()["cpu"]
    pairs = identity.score_pairs(workspace)
    scored = _cost()["cpu"]
    found = identity.assign_identities(workspace)
    cost = _cost()
    current = current_memberships(read_log(workspace)).drop_nulls("golden_id")
    truth = read_truth(Path(folder) / "home-truth").join(current, on=["source", "source_key"], how="semi")
    return {"records": found.records, "golden": found.golden, "candidates": pairs.candidates, "imports": before,
            "pairs": scored - before, "ids": cost["cpu"] - scored, "peak": cost["peak"],
            "scores": str(score(current, truth))}  # fmt: skip


def show_linked(result: dict[str, Any]) -> None:
    """Print what linking alone cost."""
    total = result["imports"] + result["pairs"] + result["ids"]
    print(
        f"\n{result['records']:,} records are {result['golden']:,} contacts; {result['candidates']:,} pairs looked at"
    )
    print(f"  {total:.1f} CPU s, peak {result['peak']:.0f} MB  (imports {result['imports']:.1f}, training and pairs "
          f"{result['pairs']:.1f}, clusters and ids {result['ids']:.1f})")  # fmt: skip
    print(f"  {result['scores']}")


def demo(what: str) -> dict[str, Any]:
    """Run the steps of identity over the demo company: at first, with one part in a hundred new, with nothing new."""
    sys.path.insert(0, str(ROOT))
    from datadock import identity
    from datadock.evaluation import read_truth, score
    from datadock.identity.memberships import current_memberships, read_log

    people = int(what)
    steps = ("update_features", "score_pairs", "assign_identities", "build_golden", "find_suspects")
    with tempfile.TemporaryDirectory(prefix="bench-identity-") as folder:
        home, runs = Path(folder) / "home", {}
        for number, name in enumerate(("first", "increment", "nothing new")):
            workspace = _demo_workspace(home, people, delivery=min(number + 1, 2), number=number)
            imports = _cost()["cpu"] if number == 0 else 0.0
            taken = {}
            for step in steps:
                before = time.process_time()
                getattr(identity, step)(workspace)
                taken[step] = time.process_time() - before
            runs[name] = taken
            if number == 0:
                peak = _cost()["peak"]
        found = current_memberships(read_log(workspace)).drop_nulls("golden_id")
        scores = score(
            found, read_truth(Path(folder) / "home-truth").join(found, on=["source", "source_key"], how="semi")
        )
        return {"people": people, "contacts": found.height, "runs": runs, "peak": peak, "prepared": imports,
                "scores": str(scores)}  # fmt: skip


def _demo_workspace(home: Path, people: int, *, delivery: int, number: int) -> Any:
    """Generate, land and stage a delivery, where it is not there yet."""
    from datadock.catalog import load_catalog
    from datadock.demo import generate
    from datadock.identity import Workspace
    from datadock.lake import Lake
    from datadock.landing import land_file, pull
    from datadock.link import stage_contacts
    from datadock.settings import Settings

    lake, catalog = Lake(home / "lake"), load_catalog(ROOT / "catalog")
    warehouse = home / f"warehouse-{delivery}.duckdb"
    at = datetime.now(UTC) + timedelta(seconds=number)
    workspace = Workspace(lake, catalog, warehouse, f"run{number}", at, "secret")
    if not warehouse.exists():
        generate(people, 1, home / "landing", delivery=delivery)
        for source in catalog.with_entity("contact"):
            if source.pull:
                pull(lake, source, Settings(home=home))
            for path in sorted((home / "landing" / source.name).glob("*")):
                land_file(lake, source, path)
                path.unlink()
        stage_contacts(workspace, [source.name for source in catalog.with_entity("contact")])
    return workspace


def show_demo(result: dict[str, Any]) -> None:
    """Print the steps of the demo company's runs."""
    print(f"\n{result['contacts']:,} contacts of {result['people']:,} people; CPU s a step; "
          f"peak {result['peak']:.0f} MB (generating and landing included)")  # fmt: skip
    for name, taken in result["runs"].items():
        parts = ", ".join(f"{step} {seconds:.1f}" for step, seconds in taken.items())
        print(f"  {name:12}{sum(taken.values()):7.1f}  ({parts})")
    print(f"  {result['scores']}")


if __name__ == "__main__":
    main()
