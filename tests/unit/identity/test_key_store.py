"""Newest rows and kept keys: what is superseded is left out, and whoever shares a key with a fresh record is found."""

from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.identity.block_keys import key_parts, keys_sql
from datadock.identity.blocking import Rule
from datadock.identity.key_store import KEYS, append_keys, create_partners, knows_keys, record_keys_sql
from datadock.identity.workspace import Workspace, latest_of
from datadock.lake import Lake

RULES = (Rule("same_name", ("family", "given[1]")), Rule("same_email", ("unnest(emails)",)))
PEOPLE = """
    create table people as select row_number() over () - 1 as rid, 'crm' as source, key as source_key, * exclude (key)
    from (values ('a', 'durand', 'anne', ['x@y.fr']), ('b', 'durand', 'alice', null), ('c', 'petit', 'luc', ['x@y.fr']),
                 ('d', 'durand', 'luc', ['z@y.fr']), ('e', null, 'anne', null)) t(key, family, given, emails)
"""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), max_size=9, unique=True))
def test_the_newest_row_of_each_key_is_left(rows: list[tuple[str, int]]) -> None:
    with duckdb.connect() as con:
        con.execute("create table log (source varchar, generation bigint)")
        for row in rows:
            con.execute("insert into log values (?, ?)", row)
        found = con.execute(f"from ({latest_of('log', 'source')}) order by all").fetchall()
    assert found == sorted({key: max(n for k, n in rows if k == key) for key, _ in rows}.items())


def test_partners_are_those_that_share_a_key_and_the_keys_are_known_by_what_they_are_of(
    tmp_path: Path, people_catalog, worlds
) -> None:
    run_at = worlds(range(1), {}).workspace().run_at
    workspace = Workspace(Lake(tmp_path / "lake"), people_catalog, tmp_path / "none", "run", run_at)
    with workspace.connection() as con:
        con.execute(PEOPLE)
        parts = key_parts(con, "people", [rule.keys for rule in RULES])
        con.execute(f"create temp table kept as {record_keys_sql(parts, RULES, 'people')}")
        append_keys(con, workspace, ["kept"], {"generation": 1})
        con.execute("create temp table fresh as from kept where source_key = 'a'")
        create_partners(con, workspace, "fresh", "partners")
        found = [row[0] for row in con.execute("select source_key from partners order by 1").fetchall()]
        counts = con.execute("select source_key, len(keys) from kept order by 1").fetchall()
        single = con.execute(f"select count(*) from ({keys_sql(parts, RULES[0].keys)})").fetchall()[0][0]
    assert found == ["a", "b", "c"]
    assert counts == [("a", 2), ("b", 1), ("c", 2), ("d", 2), ("e", 0)]
    assert single == 4
    assert knows_keys(workspace, {"generation": 1})
    assert not knows_keys(workspace, {"generation": 2})
    assert not knows_keys(workspace, {})
    workspace.lake.drop([KEYS])
    assert not knows_keys(workspace, {"generation": 1})
