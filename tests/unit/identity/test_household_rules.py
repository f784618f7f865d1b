"""Who lives with whom: a name or a contact point ties, another flat parts, a house of eighty flats ties nobody."""

from collections.abc import Iterator

import duckdb
import pytest

from datadock.identity.household_rules import LARGEST, PEOPLE, describe_members, find_households

Person = dict[str, object]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def people(con: duckdb.DuckDBPyConnection, *told: Person) -> dict[str, str]:
    """Let people live at one address unless told otherwise; return person to household (its first member)."""
    columns = {"home": "varchar", "surnames": "varchar[]", "sex": "varchar", "birth_date": "varchar",
               "flat": "varchar", "block": "varchar", "points": "varchar[]"}  # fmt: skip
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    con.execute(f"create or replace temp table {PEOPLE} (golden_id varchar, {declared})")
    for place, one in enumerate(told):
        row = {"home": "69001|rue x|1", "surnames": [], "points": []} | one
        con.execute(f"insert into {PEOPLE} values (?, ?, ?, ?, ?, ?, ?, ?)",
                    [row.get("id", f"DK{place:03}"), *(row.get(name) for name in columns)])  # fmt: skip
    return dict(find_households(con).select("golden_id", "cluster").iter_rows())


def test_a_family_name_at_one_address_is_a_household(con: duckdb.DuckDBPyConnection) -> None:
    found = people(con, {"surnames": ["durand"]}, {"surnames": ["petit", "durand"]}, {"surnames": ["moreau"]})
    assert found == {"DK000": "DK000", "DK001": "DK000", "DK002": "DK002"}


def test_partners_of_two_names_are_told_by_a_phone_or_an_email(con: duckdb.DuckDBPyConnection) -> None:
    found = people(con, {"surnames": ["durand"], "points": ["+33611111111"]},
                   {"surnames": ["petit"], "points": ["+33611111111"]})  # fmt: skip
    assert found == {"DK000": "DK000", "DK001": "DK000"}


def test_another_flat_is_another_household(con: duckdb.DuckDBPyConnection) -> None:
    martin: Person = {"surnames": ["martin"]}
    found = people(con, {**martin, "flat": "12"}, {**martin, "flat": "14"}, {**martin, "flat": "12"})
    assert found == {"DK000": "DK000", "DK001": "DK001", "DK002": "DK000"}
    found = people(con, {**martin, "block": "a"}, {**martin, "block": "b"})
    assert found == {"DK000": "DK000", "DK001": "DK001"}


def test_the_same_name_at_another_address_is_another_household(con: duckdb.DuckDBPyConnection) -> None:
    found = people(con, {"surnames": ["durand"]}, {"surnames": ["durand"], "home": "69002|rue x|1"})
    assert len(set(found.values())) == 2


def test_in_a_house_of_many_flats_a_frequent_name_ties_nobody(con: duckdb.DuckDBPyConnection) -> None:
    others: list[Person] = [{"surnames": [f"name{n}"]} for n in range(8)]
    martins: list[Person] = [{"surnames": ["martin"]} for _ in range(5)]
    found = people(con, *others, *martins)
    assert len(set(found.values())) == 13
    with_flat: list[Person] = [{"surnames": ["martin"], "flat": "3"} for _ in range(2)]
    found = people(con, *others, *martins, *with_flat)
    assert found["DK014"] == found["DK013"]


def test_a_name_alone_makes_no_household_of_a_crowd(con: duckdb.DuckDBPyConnection) -> None:
    crowd: list[Person] = [{"surnames": ["martin"]} for _ in range(LARGEST + 1)]
    assert len(set(people(con, *crowd).values())) == LARGEST + 1
    assert len(set(people(con, *crowd[:LARGEST]).values())) == 1


def test_roles_are_told_with_their_reasons(con: duckdb.DuckDBPyConnection) -> None:
    people(
        con,
        {"surnames": ["durand"], "sex": "m", "birth_date": "19600501", "points": ["a"]},
        {"surnames": ["petit"], "sex": "f", "birth_date": "19620501", "points": ["a"]},
        {"surnames": ["durand"], "sex": "f", "birth_date": "19900501"},
        {"surnames": ["durand"], "sex": "m"},
        {"surnames": ["moreau"], "sex": "m", "birth_date": "19500501"},
    )
    found = find_households(con).select("golden_id", household_id="cluster", reason="reason")
    con.register("named", found.to_arrow())
    describe_members(con, "named", "members")
    told = con.execute("select golden_id, household_id, role, role_reason, reason from members order by 1").fetchall()
    name, points = "same family name at the address", "a phone or e-mail in common"
    assert told == [
        ("DK000", "DK000", "head", "the oldest", points),
        ("DK001", "DK000", "partner", "of the other sex, 2 years younger than the oldest", points),
        ("DK002", "DK000", "child", "30 years younger than the oldest, same family name", name),
        ("DK003", "DK000", "member", "no birth date", name),
        ("DK004", "DK004", "alone", "nobody else is known there", "alone at the address"),
    ]


def test_nobody_at_all_is_no_household(con: duckdb.DuckDBPyConnection) -> None:
    assert people(con) == {}
