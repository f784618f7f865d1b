"""Quarantine: counted, shown, let in again once, dismissed; the balance holds throughout."""

import json

import pytest

from datadock.catalog.load import Catalog
from datadock.errors import DatadockError
from datadock.landing import Quarantine

FIELDS = "kind: {from: kind, one_of: [A, B]}"
ROWS = b"id,kind\n1,A\n2,X\n,B\n3\n4,Y\n"


@pytest.fixture
def people(source):
    return source(fields=FIELDS)


@pytest.fixture
def catalog(people, tmp_path):
    return lambda declared=people: Catalog(tmp_path, {declared.name: declared})


@pytest.fixture
def quarantine(ground, people):
    ground.land(people, ROWS, "a.csv")
    return Quarantine(ground.lake)


def test_open_records_are_counted_by_reason(quarantine):
    assert [(row.source, row.stage, row.reason, row.records) for row in quarantine.summary()] == [
        ("people", "contract", "not_in_list", 2),
        ("people", "contract", "missing_key", 1),
        ("people", "read", "ragged_row", 1),
    ]
    assert quarantine.summary("others") == []


def test_records_are_listed_and_shown_with_reasons_and_bytes(quarantine):
    [record] = quarantine.list("people", "ragged_row")
    assert (record.file, record.line, record.raw, record.payload) == ("a.csv", 4, "3", None)
    shown = quarantine.show(record.rejection_id[:8])
    assert shown == record
    assert shown.reasons == [{"code": "ragged_row", "field": "", "found": "1 columns", "expected": "2 columns"}]
    assert len(quarantine.list(limit=2)) == 2
    with pytest.raises(DatadockError, match="no refused record"):
        quarantine.show("zz")


def test_a_retry_under_the_same_contract_loads_nothing(ground, quarantine, catalog, people):
    outcome = quarantine.retry(catalog())
    assert (outcome.tried, outcome.loaded, outcome.still_refused) == (4, 0, 4)
    assert outcome.reasons == {"not_in_list": 2, "missing_key": 1, "ragged_row": 1}
    assert ground.balanced(people)


def test_what_todays_contract_accepts_enters_once(ground, quarantine, catalog, people, source):
    wider = source(fields="kind: {from: kind, one_of: [A, B, X]}")
    first = quarantine.retry(catalog(wider))
    assert (first.tried, first.loaded, first.still_refused) == (4, 1, 3)
    version = ground.lake.version("raw/people")
    second = quarantine.retry(catalog(wider))
    assert (second.tried, second.loaded) == (3, 0)
    assert ground.lake.version("raw/people") == version
    assert ground.loaded(people) == [(1, {"id": "1", "kind": "A"}), (2, {"id": "2", "kind": "X"})]
    rows = ground.table("raw/people").select("_batch_id", "_file", "_received_at").unique()
    assert rows.height == 1
    assert ground.balanced(people)


def test_a_corrected_record_enters_by_the_same_door(ground, quarantine, catalog, people):
    [ragged] = quarantine.list("people", "ragged_row")
    wrong = quarantine.retry(catalog(), rejection_id=ragged.rejection_id, payload='{"id":"3","kind":"Z"}')
    assert (wrong.loaded, wrong.reasons) == (0, {"not_in_list": 1})
    right = quarantine.retry(catalog(), rejection_id=ragged.rejection_id[:10], payload='{"id":"3","kind":"B"}')
    assert (right.tried, right.loaded) == (1, 1)
    again = quarantine.retry(catalog(), rejection_id=ragged.rejection_id, payload='{"id":"3","kind":"A"}')
    assert (again.tried, again.loaded) == (0, 0)
    assert (4, {"id": "3", "kind": "B"}) in ground.loaded(people)
    assert ground.balanced(people)


@pytest.mark.parametrize("payload", ["{broken", "[1]", "{" * 5])
def test_a_correction_that_is_no_record_is_an_error(quarantine, catalog, payload):
    [record] = quarantine.list(reason="ragged_row")
    with pytest.raises(DatadockError, match="corrected record"):
        quarantine.retry(catalog(), rejection_id=record.rejection_id, payload=payload)


def test_a_retry_killed_between_its_commits_is_finished_by_the_next(
    ground, quarantine, catalog, people, source, monkeypatch
):
    wider = source(fields="kind: {from: kind, one_of: [A, B, X, Y]}")
    with monkeypatch.context() as patch:
        patch.setattr(Quarantine, "_resolve", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            quarantine.retry(catalog(wider))
    narrower = source(fields="kind: {from: kind, one_of: [A, B, Y]}")
    quarantine.retry(catalog(narrower))
    quarantine.retry(catalog(wider))
    assert [record["id"] for _, record in ground.loaded(people)] == ["1", "2", "4"]
    assert ground.balanced(people)


def test_a_dismissed_record_is_closed_without_loading(ground, quarantine, people):
    [record] = quarantine.list(reason="ragged_row")
    quarantine.dismiss(record.rejection_id)
    quarantine.dismiss(record.rejection_id)
    assert quarantine.list(reason="ragged_row") == []
    assert ground.table("quarantine/resolutions").select("rejection_id", "outcome").rows() == [
        (record.rejection_id, "dismissed")
    ]
    assert ground.balanced(people)


def test_an_empty_lake_has_an_empty_quarantine(ground, catalog):
    quarantine = Quarantine(ground.lake)
    assert quarantine.summary() == []
    assert quarantine.list() == []
    assert quarantine.retry(catalog()).tried == 0


def test_values_survive_a_retry_to_the_letter(ground, source, tmp_path):
    people = source("jsonl", key="$.id", fields="kind: {from: $.kind, one_of: [A]}")
    line = b'{"id": 1.10, "kind": "B", "n": {"x": [1e5]}}'
    ground.land(people, line)
    wider = source("jsonl", key="$.id")
    Quarantine(ground.lake).retry(Catalog(tmp_path, {"people": wider}))
    assert ground.table("raw/people")["payload"].to_list() == [line.decode()]
    assert json.loads(line)["kind"] == "B"
