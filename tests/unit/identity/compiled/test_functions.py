"""Every function out of SQL gives what DuckDB gives, nulls, accents and odd texts included."""

from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.errors import ModelError
from datadock.identity.compiled.cleaning import Cleaner
from datadock.identity.compiled.compiler import Compiler, namespace
from datadock.identity.normalise import macros
from datadock.quality.address import AddressNormaliser
from datadock.quality.reference import load_reference

LETTERS = st.sampled_from(list("aabbcdeéÉèçœßøİŁ ' -,.@+()0123456789kKsSſ\u212a\t\n\v\u00a0ÀmMnN"))
ODD = (
    "Mme DUPONT née Martin", "12 bis av. de la République", "St Étienne cedex 2", "06 12 34 56 78",
    "+33(0)6 12.34.56.78",
    "JEAN-PAUL de La Fontaine", "Martin, Anne", "1984-02-30", "29/02/1984", "19840229", "1984-12-31", "2084-01-01",
    "a.b+tag@gmail.com", "Inconnu", "aaaa", "00000", "SARL Dubois & Fils", "noreply@free.fr", "Mr. k. SMITH", "sté",
)  # fmt: skip
TEXTS = st.none() | st.text(LETTERS, max_size=12) | st.sampled_from(ODD)
WORDS = st.none() | st.lists(st.sampled_from(["a", "b", "é", "ab"]), max_size=3)

CONDITIONS = (
    "jaro_similarity(a, b)", "jaro_winkler_similarity(a, b)", "jaro_winkler_similarity(a, b) >= 0.82",
    "jaro_similarity(a, b) >= 0.7", "greatest(a, b)", "least(a, b, 'm')", "length(trim(a)) + length(b)", "b[1]", "x[2]",
    "levenshtein(a, b)", "damerau_levenshtein(a, b)", "least(length(a), length(b)) >= 4",
    "abs(length(a) - length(b)) <= 1", "left(a, 2) = left(b, 2)", "right(a, 4) = right(b, 4)", "substr(a, 2, 2)",
    "a[1]", "a[:4]", "a[3:]", "contains(a, b)", "contains(a, ' ') or contains(b, ' ')", "x[1] = y[1]",
    "list_has_any(x, y)", "len(list_intersect(x, y))", "len(x) > 1 or len(y) > 1",
    "list_has_any(list_filter(string_split(a, ' '), lambda w: length(w) > 1), string_split(b, ' '))",
    "a = b", "not (a = b)", "a <> b or x is null", "a is null or b is null and not a = 'a'", "a in ('a', b)",
    "a not in ('a', b)", "case when a = b then 1 when a > b then 2 else 3 end", "least(a, b) || ' ' || greatest(a, b)",
    "coalesce(a, b, 'z')", "nullif(a, b)", "length(a) between 2 and 4", "a like 'a%'", "concat_ws(' ', a, b)",
    "list_sort(list_distinct([a, b]))", "lower(a)", "strip_accents(a)", "trim(a)", "split_part(a, ' ', 2)",
    "replace(a, 'a', b)", "len(x) * 3 >= len(y) * 2",
    "case when least(length(a), length(b)) >= 4 then damerau_levenshtein(a, b) <= 1 else false end",
)  # fmt: skip

CON = duckdb.connect(config={"threads": 1})


def _compiled() -> list[tuple[str, Any, Any]]:
    compiler = Compiler(CON)
    made = []
    for sql in CONDITIONS:
        source = [f"lambda a, b, x, y: {read(sql, lambda p: p[-1], sql)}" for read in (compiler.value, compiler.test)]
        made.append((sql, *(eval(text, namespace()) for text in source)))
    return made


COMPILED = _compiled()
QUERY = (
    f"select {', '.join(sql for sql, _, _ in COMPILED)} "
    "from (select $1::varchar as a, $2::varchar as b, $3::varchar[] as x, $4::varchar[] as y)"
)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, WORDS, WORDS)
def test_expressions_give_what_duckdb_gives(
    a: str | None, b: str | None, x: list[str] | None, y: list[str] | None
) -> None:
    wanted = CON.execute(QUERY, [a, b, x, y]).fetchall()[0]
    for (sql, value, test), answer in zip(COMPILED, wanted, strict=True):
        assert (sql, value(a, b, x, y)) == (sql, answer)
        if isinstance(answer, bool) or answer is None:
            assert bool(test(a, b, x, y)) == bool(answer), sql


@cache
def cleaner() -> Cleaner:
    fields = {"given_name": "given_name", "birth_date": "birth_date"}
    return Cleaner(duckdb.connect(config={"threads": 1}), fields, (), AddressNormaliser(load_reference()))


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=40))
def test_macros_give_what_duckdb_gives(texts: list[str | None]) -> None:
    con = cleaner().con
    for name, (parameters, _) in macros().items():
        if len(parameters) > 1:
            continue
        query = f"select v, {name}(v) from (select unnest($1::varchar[]) as v)"
        for text, wanted in con.execute(query, [texts]).fetchall():
            assert (name, text, cleaner().macros[name](text)) == (name, text, wanted)


@pytest.mark.parametrize(
    ("sql", "found"),
    [("soundex(a) = soundex(b)", "soundex"), ("cast(a as date) = b", "a cast to"), ("c = a", "the column c"),
     ("regexp_split(a, 'x') = b", "regexp_split"), ("a = ", "syntax error")],
)  # fmt: skip
def test_what_is_not_known_is_refused_by_name(sql: str, found: str) -> None:
    names = {"a": "a", "b": "b"}
    with pytest.raises(ModelError, match=found) as caught:
        Compiler(CON).test(sql, lambda path: names[path[-1]], "family_name, level 'alike'")
    assert str(caught.value).startswith("family_name, level 'alike'")


@pytest.mark.parametrize(
    ("given_name", "family_name", "wanted"),
    [
        ("Brunet", "Henri", ("henri", "brunet")),  # the wrong way round, and put right
        ("Henri", "Brunet", ("henri", "brunet")),
    ],
)
def test_names_in_each_others_place_are_put_right_as_the_batch_does(
    given_name: str, family_name: str, wanted: tuple[str, str]
) -> None:
    fields = {"given_name": "given_name", "family_name": "family_name"}
    clean = Cleaner(duckdb.connect(config={"threads": 1}), fields, ("name",), AddressNormaliser(load_reference()))
    found = clean.features({"given_name": given_name, "family_name": family_name}, "person")
    assert (found["given"], found["family"]) == wanted
