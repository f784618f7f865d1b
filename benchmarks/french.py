"""Accuracy on French customers: pairs, B-cubed, recall per kind of error, precision per kind of hard negative.

    python benchmarks/french.py                             50,000 records, about 25,000 people
    python benchmarks/french.py --records 1000000 --seed 3
    python benchmarks/french.py --careless                  more errors, fewer things known
    python benchmarks/french.py --rate moved=0.3 --rate missing=0.2

The people are ``french_people.py``'s, made up anew from the seed. They are linked by ``examples/french_people``,
without labels, and by bare Splink with the model of its documentation for people.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from french_errors import ERRORS, Habits, Rates  # noqa: E402
from french_people import Customers, generate  # noqa: E402  # found beside this file

from datadock.evaluation import Scores, score  # noqa: E402
from datadock.link import link  # noqa: E402

CARELESS = Rates(
    typo=0.2, sound=0.1, swapped_date=0.03, wrong_date=0.05, nickname=0.1, compound=0.5, inverted=0.03, married=0.4,
    moved=0.2, new_contact=0.2, missing=0.25, junk=0.03,
)  # fmt: skip
SPARSE = Habits(
    known={"birth_date": 0.6, "email": 0.5, "mobile": 0.55, "phone": 0.35, "address": 0.92, "civility": 0.85}
)


def main() -> None:
    """Generate, link, and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--careless", action="store_true")
    parser.add_argument("--rate", action="append", default=[], metavar="NAME=RATE", help=f"one of {', '.join(ERRORS)}")
    parser.add_argument("--bare", action="store_true", help="bare Splink as well")
    given = parser.parse_args()
    told = dict(item.split("=") for item in given.rate)
    rates = replace(CARELESS if given.careless else Rates(), **{name: float(rate) for name, rate in told.items()})
    customers = generate(given.records, given.seed, rates=rates, habits=SPARSE if given.careless else None)
    people = customers.truth["person"].n_unique()
    print(f"{customers.records.height:,} records of {people:,} people, seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="bench-french-") as folder:
        data = Path(folder)
        customers.records.write_parquet(data / "records.parquet")
        show("linked", customers, by_catalog, data)
        if given.bare:
            show("bare Splink", customers, by_splink, data)


def show(name: str, customers: Customers, linked_by: Any, data: Path) -> None:
    """Link by one way and print what came of it."""
    before = time.process_time()
    found = linked_by(data)
    cpu = time.process_time() - before
    scores = scored(customers, found)
    print(f"\n{name}: {cpu:.1f} CPU s\n  {scores}")
    spare = scores.largest_found - scores.largest_true
    print(f"  largest cluster {spare:+d} records on the largest true one")
    told = [f"{kind} {rate:.3f} of {count:,}" for kind, count, rate in recalls(customers, found)]
    print(f"  recall by kind of error: {', '.join(told)}")
    told = [f"{kind} {count:,} ({rate:.2%} of theirs)" for kind, count, rate in wrongs(customers, found)]
    print(f"  wrong pairs by kind: {', '.join(told)}")


def by_catalog(data: Path) -> pl.DataFrame:
    """Link by the example's declaration: ``id, cluster``."""
    link(ROOT / "examples" / "french_people", data, data / "linked.parquet")
    return pl.read_parquet(data / "linked.parquet").select(id="source_key", cluster="golden_id")


def by_splink(data: Path) -> pl.DataFrame:
    """Link by Splink alone, with the comparisons of its documentation: ``id, cluster``."""
    warnings.simplefilter("ignore")
    logging.getLogger("splink").setLevel(logging.ERROR)
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    con = duckdb.connect()
    con.execute(
        "create table records as select id as unique_id, lower(strip_accents(given_name)) as first_name, "
        "lower(strip_accents(family_name)) as surname, coalesce(mobile, phone) as phone, email, postcode, "
        "lower(strip_accents(address_line)) as street, strftime(try_strptime(birth_date, ['%Y-%m-%d', '%d/%m/%Y']), "
        f"'%Y-%m-%d') as dob from '{data / 'records.parquet'}'"
    )
    api = DuckDBAPI(connection=con)
    certain = [block_on("first_name", "surname", "dob"), block_on("email")]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True), cl.EmailComparison("email"), cl.ExactMatch("phone"),
            cl.JaroWinklerAtThresholds("street"), cl.PostcodeComparison("postcode"),
        ],
        blocking_rules_to_generate_predictions=[
            *certain, block_on("phone"), block_on("surname", "postcode"), block_on("first_name", "dob"),
            block_on("surname", "dob"), block_on("street", "postcode"), block_on("first_name", "surname"),
        ],
    )  # fmt: skip
    linker = Linker(api.register("records"), settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    for rule in (block_on("dob"), block_on("surname", "first_name")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    pairs = linker.inference.predict(threshold_match_probability=0.05, warning_mode="never")
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
    return con.sql(f"select unique_id as id, cluster_id as cluster from {clusters.physical_name}").pl()


def scored(customers: Customers, found: pl.DataFrame) -> Scores:
    """Score a partition."""
    record = {"source": pl.lit("customers"), "source_key": pl.col("id")}
    return score(
        found.select(**record, golden_id=pl.col("cluster").cast(pl.String)),
        customers.truth.select(**record, entity_id=pl.col("person").cast(pl.String)),
    )


def recalls(customers: Customers, found: pl.DataFrame) -> list[tuple[str, int, float]]:
    """True pairs of which a record bears a kind of error, and the share found, the worst kind first."""
    known = customers.truth.join(found, on="id").select("person", "cluster", "errors").with_row_index("row")
    pairs = known.join(known, on="person", suffix="_r").filter(pl.col("row") < pl.col("row_r"))
    pairs = pairs.select(
        found=pl.col("cluster") == pl.col("cluster_r"), kind=pl.col("errors").list.set_union("errors_r")
    ).with_columns(kind=pl.when(pl.col("kind").list.len() == 0).then(pl.lit(["none"])).otherwise("kind"))
    by_kind = pairs.explode("kind").group_by("kind").agg(n=pl.len(), recall=pl.col("found").mean())
    return by_kind.sort("recall").rows()


def wrongs(customers: Customers, found: pl.DataFrame) -> list[tuple[str, int, float]]:
    """Pairs found of people who are easily taken for one another: how many, and the share of all such pairs."""
    known = customers.truth.join(found, on="id").select("person", "cluster").with_row_index("row")
    sizes = dict(known["person"].value_counts().iter_rows())
    possible: Counter[str] = Counter()
    for left, right, kind in customers.kin.iter_rows():
        possible[kind] += sizes.get(left, 0) * sizes.get(right, 0)
    pairs = known.join(known, on="cluster", suffix="_r").filter(
        (pl.col("row") < pl.col("row_r")) & (pl.col("person") != pl.col("person_r"))
    )
    ordered = pairs.select(left=pl.min_horizontal("person", "person_r"), right=pl.max_horizontal("person", "person_r"))
    kinds = ordered.join(customers.kin, on=["left", "right"], how="left").with_columns(
        pl.col("kind").fill_null("strangers")
    )
    total = customers.truth.height * (customers.truth.height - 1) // 2 - sum(possible.values())
    counts = dict(kinds["kind"].value_counts().iter_rows())
    found_of = [(kind, counts.get(kind, 0), possible.get(kind, total)) for kind in (*possible, "strangers")]
    return sorted(((kind, n, n / of) for kind, n, of in found_of), key=lambda row: -row[1])


if __name__ == "__main__":
    main()
