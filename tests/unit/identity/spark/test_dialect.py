"""Every level and blocking rule of the model has a Spark translation; what has none is refused by its name."""

import pytest
from sqlglot import exp, parse_one

from datadock.errors import ModelError
from datadock.identity.blocking import _LADDERS, Rule
from datadock.identity.comparisons import comparisons_for
from datadock.identity.engine import level_settings
from datadock.identity.features import COMPANY_FEATURES, LISTS, PERSON_FEATURES
from datadock.identity.spark import dialect
from datadock.identity.spark.blocking import columns_of, keys_sql
from datadock.identity.spark.similarity import UDFS
from datadock.identity.workspace import PARTIES

LIST_FEATURES = (*LISTS, "mobiles", "given_roots")
ALL = {
    *PERSON_FEATURES, *COMPANY_FEATURES, *LIST_FEATURES, "house", "street", "postcode", "city", "mail_name",
    "mail_digits", "mail_domain", "id_siren", "id_card",
}  # fmt: skip
OF_SPARK = {"get", "arrays_overlap", "array_intersect", "encode", "decode"}
OF_SPLINK = {"damerau_levenshtein"}
RULES = [Rule(name, rung) for name, rungs in _LADDERS for rung in rungs]


def _called(sql):
    """Functions that sqlglot hands on by their names, for it knows nothing of them."""
    return {node.name.lower() for node in parse_one(sql, read="spark").find_all(exp.Anonymous)}


@pytest.mark.parametrize("party", PARTIES)
def test_every_level_has_a_translation_that_only_calls_what_spark_has(party):
    comparisons = comparisons_for(ALL, party)
    told = level_settings(comparisons)
    translated = dialect.settings(told, LIST_FEATURES)
    before = [level for c in told["comparisons"] for level in c["comparison_levels"]]
    after = [level for c in translated["comparisons"] for level in c["comparison_levels"]]
    assert [level["label_for_charts"] for level in after] == [level["label_for_charts"] for level in before]
    assert len(after) == sum(len(c.levels) + 2 for c in comparisons)
    for level in after:
        sql = level["sql_condition"]
        if sql != "ELSE":
            assert _called(sql) <= OF_SPARK | OF_SPLINK | set(UDFS), sql
            assert _called(dialect.splink_sql(f"select {sql}")) == _called(sql)
            assert "[" not in sql


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}-{len(rule.keys)}")
def test_every_rung_of_every_rule_has_a_translation(rule):
    sql = keys_sql(0, rule, LIST_FEATURES, "people")
    assert _called(sql) == set()
    assert "[" not in sql
    assert parse_one(sql, read="spark").named_selects == ["rule", "rid", "text", "fresh"]
    assert set(columns_of([rule], "")) & ALL


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("birth_date[:4]", "SUBSTRING(birth_date, 1, 4)"),
        ("birth_date[5:]", "SUBSTRING(birth_date, 5)"),
        ("given[1]", "SUBSTRING(given, 1, 1)"),
        ("phones_l[1] = phones_r[1]", "get(phones_l, 0) = get(phones_r, 0)"),
        ("len(emails_l) > 1 and length(given_l) > 1", "SIZE(emails_l) > 1 AND LENGTH(given_l) > 1"),
        ("list_has_any(emails_l, emails_r)", "arrays_overlap(emails_l, emails_r)"),
        ("jaro_winkler_similarity(given_l, given_r) >= 0.8", "dd_jaro_winkler(given_l, given_r) >= 0.8"),
        ("l.source = r.source and l.source in ('a', 'b')", "l.source = r.source AND l.source IN ('a', 'b')"),
        (
            "levenshtein(city_l, 'x') <= 1",
            "LEVENSHTEIN(decode(encode(city_l, 'UTF-8'), 'ISO-8859-1'), "
            "decode(encode('x', 'UTF-8'), 'ISO-8859-1')) <= 1",
        ),
    ],
)
def test_what_the_dialects_mean_differently_is_written_anew(duckdb, spark):
    assert dialect.condition(duckdb, LIST_FEATURES, "here") == spark


def test_splinks_numbers_stay_doubles_without_a_dialect_of_its_own():
    assert dialect.splink_sql("select cast(-8.1 as float8) + cast(2 as float8) + cast(x as float8) as w").split() == [
        "SELECT", "-8.1D", "+", "2D", "+", "CAST(x", "AS", "DOUBLE)", "AS", "w",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("jaccard(given_l, given_r) > 0.5", "given_name: level 'alike': the function jaccard cannot"),
        ("soundex(given_l) = soundex(given_r)", "the function SOUNDEX(given_l)"),
        ("given_l = (", "given_name: level 'alike'"),
    ],
)
def test_a_condition_without_a_translation_is_refused_with_its_place(sql, found):
    with pytest.raises(ModelError) as caught:
        dialect.condition(sql, LIST_FEATURES, "given_name: level 'alike'")
    assert found in str(caught.value)
    assert "teach `dialect.py` this one, or declare engine: duckdb" in str(caught.value)
