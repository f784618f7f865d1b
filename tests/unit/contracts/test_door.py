"""The door: what a declaration demands of a record, and the words of a refusal."""

import json

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.catalog.model import Source
from datadock.contracts import Door
from datadock.errors import CatalogError


def source_of(entities, format_type="csv"):
    return Source.model_validate(
        {
            "name": "things",
            "description": "Test records.",
            "owner": "team@example.org",
            "format": {"type": format_type},
            "entities": yaml.safe_load(entities),
        }
    )


def judge(entities, *records, flat=True):
    """Return {row: [(code, field, found, expected)]} of records given as dictionaries."""
    door = Door(source_of(entities))
    if flat:
        columns = {name: pa.array([record[name] for record in records], pa.string()) for name in records[0]}
        broken = door.judge(pa.table(columns), flat=True, header=list(columns))
    else:
        payloads = pa.array([json.dumps(record) for record in records], pa.string())
        broken = door.judge(pa.table({"payload": payloads}), flat=False)
    return {row: [(r.code, r.field, r.found, r.expected) for r in reasons] for row, reasons in broken.items()}


def codes(entities, *records, flat=True):
    return {row: [reason[0] for reason in reasons] for row, reasons in judge(entities, *records, flat=flat).items()}


ONE = "contact: {key: id, fields: {%s}}"


@pytest.mark.parametrize("flat", [True, False])
def test_every_part_of_the_key_must_hold_something(flat):
    records = [{"a": "1", "b": "x"}, {"a": "  ", "b": "x"}, {"a": "", "b": " "}]
    found = judge("contact: {key: [a, b], fields: {}}", *records, flat=flat)
    missing = lambda name: ("missing_key", name, "nothing", "a key in every record")  # noqa: E731  # a word for a row
    assert found == {1: [missing("a")], 2: [missing("a"), missing("b")]}


@pytest.mark.parametrize("flat", [True, False])
def test_each_rule_refuses_what_breaks_it_and_passes_what_is_empty(flat):
    entities = ONE % (
        "name: {from: n, required: true}, card: {from: c, pattern: 'F[0-9]{3}'}, "
        "kind: {from: k, one_of: [Particulier, Société], map: {P: Particulier}}, "
        "amount: {from: m, type: decimal, min: 0, max: 100}, day: {from: d, type: date, strict: true}"
    )
    good = {"id": "1", "n": "A", "c": "F123", "k": "P", "m": "1,50", "d": "01/02/2024"}
    empty = {"id": "2", "n": "A", "c": "", "k": "", "m": "", "d": ""}
    bad = {"id": "3", "n": " ", "c": "F1234", "k": "Particuler", "m": "-1", "d": "32/02/2024"}
    assert judge(entities, good, empty, bad, flat=flat) == {
        2: [
            ("missing_value", "name", "nothing", "a value in every record"),
            ("pattern", "card", "'F1234'", "a value that matches F[0-9]{3}"),
            (
                "not_in_list",
                "kind",
                "'Particuler'",
                "one of Particulier, Société (did you mean 'Particulier'?)",
            ),
            ("out_of_range", "amount", "'-1'", "at least 0 and at most 100"),
            ("bad_type", "day", "'32/02/2024'", "a date written as %Y-%m-%d, %d/%m/%Y, %d-%m-%Y, %d.%m.%Y, …"),
        ]
    }


@pytest.mark.parametrize(
    "day", ["2024-03-01", "01/03/2024", "1/3/2024", "01-03-2024", "01.03.2024", "20240301", "2024/03/01", "01 03 2024"]
)
def test_a_strict_date_is_read_in_every_usual_format(day):
    assert codes(ONE % "d: {from: d, type: date, strict: true}", {"id": "1", "d": day}) == {}


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("1 234,56", None),
        ("1\u00a0234,56 €", None),
        ("1\u202f234,56", None),
        ("1.234,56", None),
        ("99999", None),
        ("-0,01", "out_of_range"),
        ("100001", "out_of_range"),
        ("1e30", "out_of_range"),
        ("9" * 40, "out_of_range"),
        ("douze", "bad_type"),
        ("12,5,5", "bad_type"),
    ],
)
def test_amounts_are_read_as_the_french_write_them_and_absurd_ones_refused(amount, code):
    found = codes(ONE % "m: {from: m, type: decimal, strict: true, min: 0, max: 100000}", {"id": "1", "m": amount})
    assert code in found.get(0, [None])


def test_a_missing_column_is_named_with_what_is_there_and_what_was_meant():
    found = judge("contact: {key: N° carte, fields: {}}", {"No carte": "1", "Nom": "A"})
    assert found == {
        0: [("missing_column", "N° carte", "columns No carte, Nom", "a column 'N° carte' (did you mean 'No carte'?)")]
    }


def test_columns_that_differ_by_case_only_are_different_columns():
    assert codes("contact: {key: ID, fields: {}}", {"id": "", "ID": "1"}) == {}


def test_rules_hold_for_the_records_that_an_entity_keeps_only():
    entities = """
    contact: {key: id, fields: {}}
    event: {key: id, only: {kind: [hard]}, fields: {subject: {from: why, required: true}}}
    """
    assert codes(entities, {"id": "1", "kind": "none", "why": ""}, {"id": "2", "kind": "hard", "why": ""}) == {
        1: ["missing_value"]
    }


def test_elements_of_a_list_are_judged_one_by_one():
    entities = """
    order:
      key: $.id
      contact: [{source: people, key: $.who}]
      fields: {}
    order_line:
      key: [^$.id, "#"]
      each: $.lines
      contact: [{source: people, key: ^$.who}]
      fields:
        quantity: {from: $.q, type: decimal, min: 1}
        order_id: {from: ^$.id, required: true}
    """
    records = [
        {"id": "1", "lines": [{"q": 1}, {"q": "0"}, {"q": -3}]},
        {"id": "2", "lines": None},
        {"id": "3", "lines": {"q": 0}},
        {"id": "4"},
    ]
    assert judge(entities, *records, flat=False) == {
        0: [
            ("out_of_range", "quantity[2]", "'0'", "at least 1"),
            ("out_of_range", "quantity[3]", "'-3'", "at least 1"),
        ]
    }


def test_of_several_places_the_first_that_holds_something_counts():
    entities = "contact: {key: id, fields: {phone: {from: [mobile, fixe], required: true}}}"
    rows = [{"id": "1", "mobile": "", "fixe": "01"}, {"id": "2", "mobile": " ", "fixe": ""}]
    assert codes(entities, *rows) == {1: ["missing_value"]}


def test_a_pattern_that_cannot_be_applied_to_columns_is_an_error_of_the_catalog():
    with pytest.raises(CatalogError, match="look"):
        Door(source_of("contact: {key: id, fields: {x: {from: x, pattern: '(?=a)b'}}}"))


NAMES = st.text(alphabet="aB é\"'$.@#;{}\\", min_size=1, max_size=6).filter(
    lambda name: not name.startswith(("$", "^", "#"))
)


@settings(max_examples=30, deadline=None)
@given(name=NAMES, value=st.text(alphabet=" aé\"'\\{}", max_size=5))
def test_a_column_of_any_name_is_judged_alike_in_a_table_and_in_json(name, value):
    entities = json.dumps({"contact": {"key": name, "fields": {}}})
    expected = {} if value.strip(" ") else {0: ["missing_key"]}
    assert codes(entities, {name: value}) == expected
    assert codes(entities, {name: value}, flat=False) == expected
