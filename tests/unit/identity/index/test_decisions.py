"""What the index decides is what the next batch decides: the same partition and ids, after every kind of history."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from datadock.errors import DatadockError, WarehouseError
from datadock.identity.index import IdentityIndex
from datadock.identity.index.journal import Journal, land_committed
from datadock.settings import Settings
from datadock.warehouse.values_sql import typed


def state(index: IdentityIndex) -> dict[tuple[str, str], str | None]:
    with index._caught_up():
        store = index._opened()
        return {(record.source, record.source_key): store.golden(record) for record in store.everyone()}


def contents(index: IdentityIndex) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    """Strong pairs, and who is found by the keys of every record."""
    with index._current():
        store = index._opened()
        names = {record.rid: (record.source, record.source_key) for record in store.everyone()}
        edges = {(names[rid], names[other], round(w, 6)) for rid in names for other, w in store.edges(rid)}
        found = {
            (names[record.rid], names[rid], record.changed_at, tuple(sorted(store.earlier(*names[record.rid]))))
            for record in store.everyone()
            for rid in store.rids_by_keys(index._parties[record.party].keys(record.row))
        }
        return edges, found


def land(deployment) -> None:
    for source in deployment.dock.catalog.with_entity("contact"):
        land_committed(deployment.dock, source)


def test_committed_one_by_one_is_as_met_by_the_next_batch(deployment, held) -> None:
    with IdentityIndex.open(deployment.settings) as index:
        told = {(source, key): index.commit(source, key, values) for source, key, values in held}
        decided = state(index)
        land(deployment)
        met = deployment.batch("second")
        assert decided == met
        assert {key: found.certainty for key, found in told.items()}.keys() == {(s, k) for s, k, _ in held}
        deployment.refresh()
        assert state(index) == met
        by_difference = contents(index)
        deployment.refresh(rebuild=True)
        assert state(index) == met
        assert contents(index) == by_difference
        assert index.journal.segments() == []


def test_a_changed_record_leaves_its_component_as_in_the_batch(deployment, held) -> None:
    everyone = deployment.records()
    changed = [(s, k, {**v, "family_name": "Zzyzx", "email": None, "mobile": None, "birth_date": None})
               for s, k, v in everyone if s in ("eshop_customers", "crm_contacts")][:12]  # fmt: skip
    with IdentityIndex.open(deployment.settings) as index:
        index.commit_many([*changed, *held[:20]])
        index.commit_many([(s, k, dict(v)) for s, k, v in everyone if (s, k) in {(a, b) for a, b, _ in changed[:4]}])
        decided = state(index)
        land(deployment)
        assert decided == deployment.batch("second", [(s, k) for s, k, _ in held[20:]])


def test_committed_after_the_batch_landed_waits_for_the_next(deployment, held) -> None:
    rest = [(s, k) for s, k, _ in held[40:]]
    with IdentityIndex.open(deployment.settings) as index:
        index.commit_many(held[:20])
        land(deployment)
        deployment.batch("second", [*rest, *((s, k) for s, k, _ in held[20:40])])
        index.commit_many(held[20:40])
        assert not deployment.refresh().rebuilt
        decided = state(index)
        land(deployment)
        assert decided == deployment.batch("third", rest)


def test_an_older_version_that_comes_late_overwrites_nothing(deployment, held) -> None:
    told = {"given_name": "Zelda", "family_name": "Zzyzx", "email": "zelda@zzyzx.fr", "mobile": "0611121314"}
    met = next((s, k) for s, k, v in deployment.records() if s == "eshop_customers" and v["email"])
    with IdentityIndex.open(deployment.settings) as index:
        index.commit("eshop_customers", "L1", {**told, "record_updated_at": "2031-05-06T07:08:09Z"})
        before = state(index)
        for key in ("L1", met[1]):  # one that the batch has not met, and one that it has
            late = {**told, "family_name": "Another", "record_updated_at": "2001-02-03 04:05:06"}
            answer = index.commit("eshop_customers", key, late)
            assert (answer.golden_id, answer.committed) == (before["eshop_customers", key], True)
            assert state(index) == before
        index.commit("eshop_customers", met[1], {**told, "record_updated_at": "06/05/2031 07:08:10"})
        decided = state(index)
        assert decided["eshop_customers", "L1"] == decided[met]
        land(deployment)
        assert decided == deployment.batch("second", [(s, k) for s, k, _ in held])
        assert not deployment.refresh().rebuilt
        assert state(index) == decided
        by_difference = contents(index)
        deployment.refresh(rebuild=True)
        assert contents(index) == by_difference


@pytest.mark.parametrize(
    "text",
    ["2026-11-22", "2026-11-22 10:11", "2026-11-22T10:11:12.5Z", "2026-11-22T10:11:12+02:00", "22/11/2026 10:11",
     "2026-11-22 24:00:00", "2026-02-30", "1969-07-20 20:17:40.123456", "22.11.2026", "soon"],
)  # fmt: skip
def test_when_a_version_was_made_is_read_as_staging_reads_it(deployment, text) -> None:
    with IdentityIndex.open(deployment.settings) as index:
        declared = index._sources.declared("eshop_customers")
        reading = typed("given", "timestamp")
        wanted = index._con.execute(f"select epoch_us({reading}) from (select $1 as given)", [text]).fetchall()[0][0]
        payload = declared.payload({"record_updated_at": text}, ("1",))
        assert declared.changed_at(payload, 7) == (7 if wanted is None else wanted)


@pytest.mark.slow
def test_hundreds_committed_one_by_one_are_as_met_by_the_next_batch(many) -> None:
    deployment, held = many
    with IdentityIndex.open(deployment.settings) as index:
        for source, key, values in held:
            index.commit(source, key, values)
        decided = state(index)
        land(deployment)
        assert decided == deployment.batch("second")


def test_callers_in_several_threads_wait_for_the_disk_together(deployment, held, monkeypatch) -> None:
    waits: list[str] = []
    sync = Journal.sync
    monkeypatch.setattr(
        Journal, "sync", lambda self, segment: (time.sleep(0.02), waits.append(""), sync(self, segment))
    )
    with IdentityIndex.open(deployment.settings) as index:
        with ThreadPoolExecutor(12) as callers:
            answers = list(callers.map(lambda record: index.commit(*record), held[:60]))
            refused = callers.submit(index.commit, "crm_contacts", "C1", {"family_name": "Martin"})
            assert isinstance(refused.exception(), DatadockError)
        decided = state(index)
        assert [answer.committed for answer in answers] == [True] * 60
        assert len(waits) < 60
        land(deployment)
        assert decided == deployment.batch("second", [(s, k) for s, k, _ in held[60:]])


def test_asking_stores_nothing_and_says_what_a_commit_says(deployment, held) -> None:
    with IdentityIndex.open(deployment.settings) as index:
        before = state(index)
        for source, key, values in held[:25]:
            asked = index.resolve(source, values, key)
            assert state(index) == before
            committed = index.commit(source, key, values)
            before = state(index)
            assert (asked.certainty, asked.candidates) == (committed.certainty, committed.candidates)
            assert asked.golden_id == (committed.golden_id if asked.certainty == "same" else None)
            for candidate in committed.candidates:
                parts = candidate.explanation
                bits = parts.prior + sum(piece.bits for piece in parts.evidence) + parts.household
                assert bits == pytest.approx(candidate.weight, abs=1e-6)


@pytest.mark.parametrize(
    ("source", "key", "values", "found"),
    [("nobody", "1", {}, "nobody"), ("orders", "1", {}, "holds no contacts"),
     ("eshop_customers", "1", {"shoe_size": "42"}, "declares no field 'shoe_size'"),
     ("crm_contacts", "C1", {"family_name": "Martin"}, "record_type: missing_value"),
     ("eshop_customers", "", {"family_name": "Martin"}, "has no key"),
     ("eshop_customers", ("a", "b"), {"family_name": "Martin"}, r"given in 2 part\(s\)")],
)  # fmt: skip
def test_what_cannot_be_committed_is_refused_and_not_stored(deployment, source, key, values, found) -> None:
    with IdentityIndex.open(deployment.settings) as index:
        before = state(index)
        with pytest.raises(DatadockError, match=found):
            index.commit(source, key, values)
        assert state(index) == before
        assert index.journal.segments() == []


def test_without_an_index_it_says_what_to_run(tmp_path) -> None:
    with pytest.raises(WarehouseError, match="run: datadock run"):
        IdentityIndex.open(Settings(home=tmp_path))
