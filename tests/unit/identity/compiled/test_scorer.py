"""The compiled model weighs every pair as Splink does on DuckDB, and finds the keys that the batch finds."""

import math
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.errors import ModelError
from datadock.identity.blocking import _LADDERS, Rule
from datadock.identity.comparisons import comparisons_for
from datadock.identity.compiled.keys import KeyMaker, key_numbers_sql
from datadock.identity.compiled.scorer import Scorer
from datadock.identity.features import COMPANY_FEATURES, LISTS, PERSON_FEATURES, Features
from datadock.identity.model import Model
from datadock.identity.scoring import score
from datadock.identity.trainer import without_shared

BOTH = ("house", "street", "address_extra", "postcode", "city", "emails", "mail_name", "mail_digits", "mail_domain",
        "phones", "mobiles", "id_card")  # fmt: skip
LIST_FEATURES = (*LISTS, "mobiles", "given_roots")
ALL = (*sorted(PERSON_FEATURES), *sorted(COMPANY_FEATURES), *BOTH)
WORDS = [
    "anna",
    "ana",
    "martin",
    "martine",
    "marin",
    "jean paul",
    "j",
    "dupont",
    "duppont",
    "łukasz",
    "o",
    "rue du lac",
]
MAILS = ["anna.martin@free.fr", "ana.martin@free.fr", "martin@lac.fr", "shop@lac.fr", "j12@orange.fr"]
DAYS = ["19840312", "19841203", "19840311", "19480312", "20000101"]


def _model(party: str) -> Model:
    features = tuple(name for name in ALL if name not in (COMPANY_FEATURES if party == "person" else PERSON_FEATURES))
    comparisons = tuple(comparisons_for(features, party))
    counts = {c.name: len(c.levels) + 1 for c in comparisons}
    return Model(
        party=party,
        fields={},
        features=features,
        rules=_rules(features),
        comparisons=comparisons,
        m={name: tuple(0.9 / (place + 1.3) for place in range(n)) for name, n in counts.items()},
        u={name: tuple(0.002 * 2.1 ** (place + 1) for place in range(n)) for name, n in counts.items()},
        h={name: tuple(0.5 / (place + 1.1) for place in range(n)) for name, n in counts.items()},
        match_share=1e-4,
        household_share=1e-3,
        records=10,
        shared={"emails": ("shop@lac.fr",), "phones": ()},
    )


def _rules(features: tuple[str, ...]) -> tuple[Rule, ...]:
    con = duckdb.connect()
    con.execute(f"create table t as select {_columns(features)}")
    rules = []
    for name, rungs in _LADDERS:
        for keys in rungs:
            bare = ", ".join(
                key.removeprefix("unnest(").removesuffix(")") if key.startswith("unnest(") else key for key in keys
            )
            try:
                con.execute(f"select {bare} from t")
            except duckdb.BinderException:
                continue
            rules.append(Rule(name, keys, ("martin",) if keys == ("family",) else ()))
    return tuple(rules)


def _columns(features: tuple[str, ...]) -> str:
    return ", ".join(f"null::varchar{'[]' if name in LIST_FEATURES else ''} as {name}" for name in features)


def _values(name: str) -> st.SearchStrategy[Any]:
    if name == "given_roots":
        return st.none() | st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True)
    if name in LIST_FEATURES:
        return st.none() | st.lists(st.sampled_from(MAILS if name == "emails" else ["+33611111111", "+33611111112"]),
                                    min_size=1, max_size=2, unique=True)  # fmt: skip
    if name == "birth_date":
        return st.none() | st.sampled_from(DAYS)
    if name == "sex":
        return st.sampled_from([None, "m", "f"])
    return st.none() | st.sampled_from(WORDS)


def rows(model: Model) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries({name: _values(name) for name in model.features}), min_size=2, max_size=14)


def _frequencies(con: duckdb.DuckDBPyConnection, model: Model) -> tuple[dict[str, str], dict[str, Any]]:
    tables, lookups = {}, {}
    for feature in model.tf_features:
        known = {word: 0.001 * (place + 1) for place, word in enumerate([*WORDS[:6], *DAYS[:2]])}
        con.register(f"tf_{feature}_arrow", pa.table({feature: list(known), f"tf_{feature}": list(known.values())}))
        con.execute(f"create or replace temp table tf_of_{feature} as from tf_{feature}_arrow")
        tables[feature] = f"tf_of_{feature}"
        lookups[feature] = lambda value, known=known: known.get(value, 0.001)
    return tables, lookups


@pytest.mark.parametrize("party", ["person", "company"])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_every_pair_weighs_as_on_duckdb(party: str, data: st.DataObject) -> None:
    model = _model(party)
    told = data.draw(rows(model))
    con = duckdb.connect(config={"threads": 1})
    types = {n: pa.list_(pa.string()) if n in LIST_FEATURES else pa.string() for n in model.features}
    con.register("given", pa.table({n: pa.array([row[n] for row in told], kind) for n, kind in types.items()}))
    con.execute("create temp table f as select row_number() over () - 1 as rid, * from given")
    table = without_shared(con, Features("f", model.features, len(told)), model.shared)
    con.execute(
        "create temp table pairs as select l.rid as rid_l, r.rid as rid_r "
        f"from {table} l, {table} r where l.rid < r.rid"
    )
    tables, lookups = _frequencies(con, model)
    score(con, model, table, "pairs", tables, "wanted", above=None)
    scorer = Scorer(con, model, lookups)
    stored = {
        row[0]: row[1:] for row in con.execute(f"select rid, {', '.join(scorer.columns)} from {table}").fetchall()
    }
    for left, right, weight, against in con.execute("select rid_l, rid_r, weight, against from wanted").fetchall():
        one, other = stored[left], stored[right]
        assert scorer.weigh(one, other) == pytest.approx((weight, against), abs=1e-6)
        bits = [
            scorer.bits(c, level, one, other)
            for c, level in zip(model.comparisons, scorer.levels(one, other), strict=True)
        ]
        parts = math.log2(model.prior / (1 - model.prior)) + sum(bits) + scorer.weight(one, other).household
        assert parts == pytest.approx(weight, abs=1e-6)
    wanted = set(con.execute(key_numbers_sql(table, model)).fetchall())
    maker = KeyMaker(con, model)
    features = con.execute(f"select * from {table}").to_arrow_table().to_pylist()
    assert {(key, row["rid"]) for row in features for key in maker.keys(row)} == wanted


def test_an_unknown_function_names_comparison_and_level() -> None:
    model = _model("person")
    first = model.comparisons[0]
    level = replace(first.levels[0], sql="soundex(given_l) = soundex(given_r)")
    odd = replace(model, comparisons=(replace(first, levels=(level, *first.levels[1:])), *model.comparisons[1:]))
    lookups = dict.fromkeys(odd.tf_features, lambda _value: 0.1)
    with pytest.raises(ModelError, match="given_name, level 'same given name': the function soundex"):
        Scorer(duckdb.connect(), odd, lookups)
