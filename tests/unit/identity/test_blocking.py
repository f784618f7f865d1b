"""Candidate pairs: each once, through named rules, with caps that are told and kept."""

from collections.abc import Iterator

import duckdb
import pytest

from datadock.identity import blocking
from datadock.identity.blocking import Rule, candidate_pairs, choose_rules

COLUMNS = (
    "given",
    "given_root",
    "given_first",
    "family",
    "family_words",
    "family_sound",
    "birth_date",
    "emails",
    "city",
)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute(
        "create table people as select i as rid, 's' || i % 2 as source, 'g' || i % 7 as given, given as given_root, "
        "given as given_first, 'f' || i // 2 as family, family as family_words, family as family_sound, "
        "case when i % 3 > 0 then lpad((i // 2)::varchar, 8, '1') end as birth_date, "
        "['m' || i // 2, 'n' || i] as emails, "
        "'town' as city from range(60) t(i)"
    )
    yield connection
    connection.close()


def pairs(con: duckdb.DuckDBPyConnection, table: str = "found") -> set[tuple[int, int]]:
    return set(con.execute(f"select rid_l, rid_r from {table}").fetchall())


def test_only_rules_of_known_features_are_chosen_and_none_that_another_implies(con: duckdb.DuckDBPyConnection) -> None:
    rules = choose_rules(con, "people", COLUMNS, "person")
    names = {rule.name for rule in rules}
    assert {"same_family_name", "same_email", "same_birth_date"} <= names
    assert not names & {"same_phone", "same_organisation", "same_family_name_and_city", "same_private_domain"}


def test_a_pair_found_by_two_rules_is_there_once(con: duckdb.DuckDBPyConnection) -> None:
    rules = [Rule("same_email", ("unnest(emails)",)), Rule("same_family_name", ("family",))]
    reports = candidate_pairs(con, "people", rules, "found")
    expected = {(n, n + 1) for n in range(0, 60, 2)}
    assert con.execute("select count(*) from found").fetchall() == [(30,)]
    assert pairs(con) == expected
    assert [(report.rule, report.pairs) for report in reports] == [("same_email", 30), ("same_family_name", 30)]


def test_only_pairs_with_a_new_record_are_made_of_new_records(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table fresh as select 7::bigint as rid union all select 8")
    candidate_pairs(con, "people", [Rule("same_family_name", ("family",))], "found", only_new="fresh")
    assert pairs(con) == {(6, 7), (8, 9)}


def test_records_that_are_apart_by_declaration_are_no_pair(con: duckdb.DuckDBPyConnection) -> None:
    rule = Rule("same_given_name", ("given",))
    candidate_pairs(con, "people", [rule], "found", apart="l.source = r.source and l.source in ('s0')")
    assert pairs(con)
    assert not any(left % 2 == 0 and right % 2 == 0 for left, right in pairs(con))


def test_a_key_that_too_many_share_is_left_out_and_told(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking, "MAX_BLOCK", 20)
    rules = {rule.name: rule for rule in choose_rules(con, "people", COLUMNS, "person")}
    assert rules["same_city_and_birth_year"].stopped == ("town",)
    [report] = candidate_pairs(con, "people", [rules["same_city_and_birth_year"]], "found")
    assert (report.pairs, report.stopped, report.overgrown_keys) == (0, 1, ())


def test_a_key_that_grew_since_training_makes_no_pairs_and_is_told(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table fresh as select 7::bigint as rid")
    rules = [Rule("same_city", ("city",)), Rule("same_city_and_family_name", ("city", "family"))]
    told = [("same_city", 0, (("town", 60),)), ("same_city_and_family_name", 30, ())]
    for only_new, pairs_of_names in ((None, 30), ("fresh", 1)):
        reports = candidate_pairs(con, "people", rules, "found", cap=40, only_new=only_new)
        told[1] = ("same_city_and_family_name", pairs_of_names, ())
        assert [(report.rule, report.pairs, report.overgrown_keys) for report in reports] == told
