"""Level by level and rule by rule, Spark answers as DuckDB does, nulls, lists and letters beyond ASCII included."""

import random

import duckdb
import polars as pl
import pytest

from datadock.identity import blocking, engine
from datadock.identity.blocking import _LADDERS, Rule
from datadock.identity.comparisons import comparisons_for
from datadock.identity.engine import level_settings
from datadock.identity.features import COMPANY_FEATURES, LISTS, PERSON_FEATURES
from datadock.identity.spark.engine import SparkEngine
from datadock.identity.spark.session import Spark
from datadock.identity.workspace import PARTIES

LIST_FEATURES = (*LISTS, "mobiles", "given_roots")
TEXTS = (
    *(name for name in sorted(PERSON_FEATURES | COMPANY_FEATURES) if name not in LIST_FEATURES),
    "house", "street", "postcode", "city", "mail_name", "mail_digits", "mail_domain", "id_siren", "id_card",
)  # fmt: skip
WORDS = [
    "anna", "ana", "annabel", "a", "martin", "martine", "marin", "nitram", "jean paul", "paul jean", "dupont durand",
    "duppont durand", "łukasz", "lukasz", "αννα", "ανα", "rue du lac", "75001", "75011", "",
]  # fmt: skip
DAYS = ["19840312", "19841203", "19840311", "19480312", "19480321", "20000101", "19200725"]
RECORDS = 150


def _record(rng, rid):
    row = {"rid": rid, "source": rng.choice("ab"), "source_key": str(rid)}
    for name in TEXTS:
        row[name] = rng.choice(DAYS if name == "birth_date" else WORDS) if rng.random() < 0.85 else None
    for name in LIST_FEATURES:
        row[name] = sorted(set(rng.choices(WORDS[:-1], k=rng.choice([1, 1, 1, 2, 3])))) if rng.random() < 0.8 else None
    return row


@pytest.fixture(scope="module")
def con():
    rng = random.Random(11)
    people = pl.DataFrame([_record(rng, rid) for rid in range(RECORDS)], infer_schema_length=None)
    with duckdb.connect() as con:
        con.register("made", people.to_arrow())
        con.execute("create table people as select *, null::text as address_key from made")
        con.execute(
            "create table pairs as select l.rid as rid_l, r.rid as rid_r from people l, people r where l.rid < r.rid"
        )
        yield con


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    with SparkEngine(Spark(tmp_path_factory.mktemp("spark"))) as spark:
        yield spark


@pytest.mark.parametrize("party", PARTIES)
def test_every_level_holds_for_the_same_pairs(con, spark, party):
    comparisons = comparisons_for({*TEXTS, *LIST_FEATURES}, party)
    told = level_settings(comparisons)
    engine.compare(con, "people", "pairs", told, "on_duckdb")
    spark.compare(con, "people", "pairs", told, "on_spark")
    for c in comparisons:
        counted = con.execute(f"select round(mw_{c.name})::int, count(*) from on_duckdb group by 1").fetchall()
        assert {number for number, _ in counted} >= {0, 1, len(c.levels) + 1}, c.name
        different = con.execute(
            f"select rid_l, rid_r, d.mw_{c.name}, s.mw_{c.name} from on_duckdb d "
            "full join on_spark s using (rid_l, rid_r) "
            f"where round(d.mw_{c.name}) is distinct from round(s.mw_{c.name})"
        ).fetchall()
        assert different == [], c.name
    con.execute("drop table on_duckdb; drop view on_spark")


def _rules():
    """Rules that together hold every part of every rung."""
    rules, known = [], set()
    for name, rungs in _LADDERS:
        for place, rung in enumerate(rungs):
            if not set(rung) <= known:
                known |= set(rung)
                rules.append(Rule(f"{name}_{place}", rung))
    return rules


def _made(con, maker, target, rules, **how):
    reports = maker(con, "people", rules, target, **how)
    pairs = con.execute(f"select rid_l, rid_r from {target} order by all").fetchall()
    return reports, pairs


CASES = {
    "all": {},
    "only_new": {"only_new": "fresh"},
    "overgrown": {"cap": 12},
    "overgrown_and_only_new": {"cap": 12, "only_new": "fresh"},
    "apart": {"apart": "l.source = r.source and l.source in ('a')"},
}


@pytest.mark.parametrize("case", CASES)
def test_the_rules_make_the_same_pairs(con, spark, case):
    con.execute("create or replace table fresh as select rid from people where rid % 7 = 0")
    rules = _rules()[:: 1 if case == "all" else 5]
    wanted = _made(con, blocking.candidate_pairs, "by_duckdb", rules, **CASES[case])
    assert _made(con, spark.candidate_pairs, "by_spark", rules, **CASES[case]) == wanted
    assert len(wanted[1]) > 20
    assert any(report.overgrown_keys for report in wanted[0]) == (case.startswith("overgrown"))
    con.execute("drop table by_duckdb; drop view by_spark")


def test_stopped_keys_and_no_rules_are_the_same(con, spark):
    stopped = [
        Rule("same_names", ("given", "family"), ("anna|martin",)),
        Rule("same_phone", ("unnest(phones)",), ("ana",)),
    ]
    for rules in (stopped, []):
        wanted = _made(con, blocking.candidate_pairs, "by_duckdb", rules)
        assert _made(con, spark.candidate_pairs, "by_spark", rules) == wanted
        con.execute("drop table by_duckdb; drop view by_spark")
