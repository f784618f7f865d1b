"""What the index decides is what the next batch decides: the same partition and ids, after every kind of history."""

import pytest

from datadock.errors import DatadockError, WarehouseError
from datadock.identity.index import IdentityIndex
from datadock.identity.index.journal import land_committed
from datadock.settings import Settings


def state(index: IdentityIndex) -> dict[tuple[str, str], str | None]:
    with index._caught_up():
        store = index._opened()
        records = store.records([row[0] for row in store.db.execute("select rid from record").fetchall()])
        return {(record.source, record.source_key): store.golden(record) for record in records}


def contents(index: IdentityIndex) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    with index._current():
        db = index._opened().db
        edges = db.execute(
            "select a.source, a.source_key, b.source, b.source_key, round(weight, 6) from edge "
            "join record a on a.rid = one join record b on b.rid = other"
        ).fetchall()
        return set(edges), set(
            db.execute("select key, source, source_key from post join record using (rid)").fetchall()
        )


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
