"""Golden values: chosen by declared rules, whatever the order of the records, each with where it came from."""

import random

import duckdb
import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.catalog.fields import MODEL
from datadock.catalog.model import Survivorship
from datadock.identity.candidates import told_values
from datadock.identity.golden_rows import golden_rows
from datadock.identity.survivorship import groups_of, survive

TRUST = {"crm": 0.8, "shop": 0.5, "list": 0.1}
RULES = Survivorship.model_validate(
    {
        "default": {"by": ["validity", "trust", "recency", "completeness"]},
        "fields": {
            "family_name": {"by": ["frequency", "trust"]},
            "address_line": {"by": ["validity", "recency"], "together": ["postcode", "city"]},
        },
    }
)
SQL = {"text": "varchar", "date": "date", "timestamp": "timestamptz", "number": "double"}

Records = list[tuple[str, str, int, dict[str, str]]]
"""Of one contact: source, key, day of January on which it was written, values."""


def _surviving(con: duckdb.DuckDBPyConnection, contacts: tuple[Records, ...]) -> None:
    """Choose among the records of some contacts."""
    con.execute("set timezone = 'UTC'")
    fields = ", ".join(f"{name} {SQL[kind]}" for name, (_, kind) in MODEL["contact"].items())
    con.execute(
        "create table members (golden_id varchar, source varchar, source_key varchar, party_type varchar,"
        f" record_updated_at timestamptz, _received_at timestamptz, unusable varchar[] default [],"
        f" is_record boolean default true, {fields})"
    )
    rows = [
        {"golden_id": f"DK{number:04}", "source": source, "source_key": key, "party_type": "person",
         "record_updated_at": f"2026-01-{day:02}", "_received_at": "2026-02-01", **values}
        for number, records in enumerate(contacts)
        for source, key, day, values in records
    ]  # fmt: skip
    con.register("told", pl.DataFrame(rows, infer_schema_length=None).to_arrow())
    con.execute("insert into members by name from told")
    survive(con, "members", RULES, TRUST)


def _golden(*contacts: Records) -> list[tuple[dict, dict]]:
    """Return the golden row of each contact, and its provenance by field; one computation for all."""
    con = duckdb.connect()
    _surviving(con, contacts)
    con.register("golden", pa.concat_tables(golden_rows(con, groups_of(RULES))))
    rows = con.execute("select * exclude (golden_id) from golden order by golden_id").fetchall()
    columns = [column[0] for column in con.description][: len(rows[0])]
    con.close()
    golden = [dict(zip(columns, row, strict=True)) for row in rows]
    return [(row, {origin["field"]: origin for origin in row["provenance"]}) for row in golden]


def _told(records: Records) -> list[dict]:
    """Return every candidate of one contact's fields."""
    with duckdb.connect() as con:
        _surviving(con, (records,))
        return told_values(con, RULES)


def _values(golden: dict) -> dict:
    return {name: golden[name] for name in MODEL["contact"]}


values = st.fixed_dictionaries(
    {},
    optional={
        "given_name": st.sampled_from(["Anne", "Ann", "A"]),
        "family_name": st.sampled_from(["Durand", "DURAND", "Durant"]),
        "email": st.sampled_from(["a@example.com", "b@example.com", "broken"]),
        "address_line": st.sampled_from(["1 rue A", "2 rue B"]),
        "city": st.sampled_from(["Lyon", "Paris"]),
    },
)
records = st.lists(st.tuples(st.sampled_from(sorted(TRUST)), st.integers(1, 28), values), min_size=1, max_size=4).map(
    lambda rows: [(source, str(n), day, told) for n, (source, day, told) in enumerate(rows)]
)
contacts = st.lists(records, min_size=8, max_size=20)


def test_the_trusted_source_wins_and_the_value_says_so():
    [(golden, origins)] = _golden(
        [
            ("shop", "2", 9, {"given_name": "Ann", "email": "a@example.com"}),
            ("crm", "1", 3, {"given_name": "Anne"}),
        ]
    )
    assert (golden["given_name"], golden["email"]) == ("Anne", "a@example.com")
    assert (golden["n_records"], golden["n_sources"], golden["party_type"]) == (2, 2, "person")
    assert (origins["given_name"]["source"], origins["given_name"]["source_key"]) == ("crm", "1")
    assert (origins["email"]["source"], origins["email"]["source_key"]) == ("shop", "2")
    assert origins["email"]["rule"] == "validity > trust > recency > completeness"
    assert origins["email"]["observed_at"].isoformat() == "2026-01-09T00:00:00+00:00"
    assert set(origins) == {"given_name", "email"}


def test_a_position_is_one_value_and_wins_no_address():
    ((golden, _),) = _golden(
        [
            ("crm", "1", 3, {"address_line": "1 rue A", "latitude": 45.1, "longitude": 4.1}),
            ("crm", "2", 9, {"latitude": 48.1}),
            ("shop", "3", 7, {"latitude": 47.1, "longitude": 2.1}),
        ]
    )
    assert (golden["latitude"], golden["longitude"], golden["address_line"]) == (48.1, None, "1 rue A")


def test_each_rule_decides_as_declared():
    valid, frequent, recent = _golden(
        [("crm", "1", 9, {"email": "broken"}), ("list", "2", 1, {"email": "a@example.com"})],
        [("crm", "1", 9, {"family_name": "Durant"})]
        + [("list", str(n), 1, {"family_name": name}) for n, name in enumerate(["Durand", "DURAND"])],
        [
            ("crm", "1", 1, {"address_line": "1 rue A", "city": "Lyon"}),
            ("list", "2", 9, {"address_line": "2 rue B", "postcode": "75002"}),
        ],
    )
    assert (valid[0]["email"], valid[1]["email"]["source"]) == ("a@example.com", "list")
    assert frequent[0]["family_name"].lower() == "durand"
    # An address is one value: the city of the older one does not mix in.
    assert (recent[0]["address_line"], recent[0]["postcode"], recent[0]["city"]) == ("2 rue B", "75002", None)


@settings(deadline=None, max_examples=2)
@given(contacts, st.integers())
def test_the_order_of_the_records_changes_nothing(several, seed):
    shuffled = [random.Random(seed).sample(rows, len(rows)) for rows in several]
    assert _golden(*shuffled) == _golden(*several)


@settings(deadline=None, max_examples=2)
@given(contacts)
def test_worse_and_empty_records_change_no_value(several):
    plain = [rows for rows in several if all("family_name" not in told for *_, told in rows)] or [[("crm", "1", 2, {})]]
    worse = {"given_name": "", "email": "not an address"}
    before = _golden(*plain)
    with_empty = _golden(*[[*rows, ("list", "zz", 1, {})] for rows in plain])
    assert [(_values(golden), origins) for golden, origins in with_empty] == [
        (_values(golden), origins) for golden, origins in before
    ]
    filled = [rows for rows in plain if any(told.get("email", "broken") != "broken" for *_, told in rows)]
    if filled:
        kept = [golden["email"] for golden, _ in _golden(*filled)]
        assert [g["email"] for g, _ in _golden(*[[*rows, ("list", "zz", 1, worse)] for rows in filled])] == kept


@settings(deadline=None, max_examples=2)
@given(contacts)
def test_choosing_again_from_the_golden_values_changes_nothing(several):
    golden = [_values(row) for row, _ in _golden(*several)]
    told = [{name: value for name, value in row.items() if value is not None} for row in golden]
    assert [_values(row) for row, _ in _golden(*[[("crm", "1", 1, values)] for values in told])] == golden


def test_a_value_by_which_nobody_can_be_reached_loses_against_one_that_reaches():
    records = [
        ("crm", "1", 20, {"email": "bounced@b.fr", "unusable": ["email"]}),
        ("list", "2", 1, {"email": "good@b.fr", "unusable": []}),
    ]
    ((golden, origins),) = _golden(records)
    assert (golden["email"], origins["email"]["source"]) == ("good@b.fr", "list")


def test_a_move_tells_the_address_and_makes_no_record():
    old = {"address_line": "1 rue Haute", "postcode": "01000", "city": "Alpha"}
    new = {"address_line": "2 rue Basse", "postcode": "02000", "city": "Beta"}
    records = [
        ("crm", "1", 20, old | {"unusable": ["address_line"], "is_record": True}),
        ("moves", "m1", 5, new | {"unusable": [], "is_record": False}),
    ]
    ((golden, origins),) = _golden(records)
    assert {name: golden[name] for name in new} == new
    assert (origins["city"]["source"], origins["city"]["source_key"]) == ("moves", "m1")
    assert (golden["n_records"], golden["n_sources"]) == (1, 1)


def test_the_losers_stay_visible_with_what_they_lost_by():
    told = _told(
        [
            ("crm", "1", 3, {"given_name": "Anne", "email": "broken", "address_line": "1 rue A", "city": "Lyon"}),
            ("shop", "2", 9, {"given_name": "Ann", "email": "a@example.com", "address_line": "2 rue B"}),
            ("list", "3", 9, {"given_name": "Anne", "email": "b@example.com", "city": "Paris"}),
        ]
    )
    assert [(row["field"], row["value"], row["source"], row["standing"]) for row in told] == [
        ("given_name", "Anne", "crm", "won"),
        ("given_name", "Anne", "list", "same value"),
        ("given_name", "Ann", "shop", "lost by trust"),
        ("email", "a@example.com", "shop", "won"),
        ("email", "broken", "crm", "lost by validity"),
        ("email", "b@example.com", "list", "lost by trust"),
        ("address_line", "2 rue B", "shop", "won"),
        ("address_line", "1 rue A", "crm", "lost by recency"),
        ("city", "Lyon", "crm", "lost by recency"),
        ("city", "Paris", "list", "lost by address_line, which it does not tell"),
    ]


@settings(deadline=None, max_examples=4)
@given(records)
def test_what_is_golden_was_told_and_what_was_told_is_shown(rows):
    """No value is made up: each golden value is a record's own, each record's value has its place beside it."""
    ((golden, origins),) = _golden(rows)
    shown = _told(rows)
    told = sorted((field, value, source, key) for source, key, _, values in rows for field, value in values.items())
    assert sorted((row["field"], row["value"], row["source"], row["source_key"]) for row in shown) == told
    won = {row["field"]: (row["value"], row["source"], row["source_key"]) for row in shown if row["standing"] == "won"}
    assert won == {
        field: (str(golden[field]), origin["source"], origin["source_key"]) for field, origin in origins.items()
    }
