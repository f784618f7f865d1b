"""Which id a cluster bears: overlap, age, founders; laws of replay."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.identity.assignment import Bearer, assign_few, assign_ids, membership_changes
from datadock.identity.ids import derive_id, is_valid_id

START = datetime(2025, 1, 1, tzinfo=UTC)
NOTHING_EARLIER = pl.DataFrame(schema={"source": pl.String, "source_key": pl.String, "golden_id": pl.String})


def records(rows: list[tuple[str, str, str | None]]) -> pl.DataFrame:
    """Rows of (key, cluster, previous id); a record is received a second after the one before it."""
    return pl.DataFrame(
        {
            "source": ["crm"] * len(rows),
            "source_key": [key for key, _, _ in rows],
            "received_at": [START + timedelta(seconds=place) for place in range(len(rows))],
            "cluster": [cluster for _, cluster, _ in rows],
            "previous": [previous for _, _, previous in rows],
        },
        schema_overrides={"previous": pl.String, "cluster": pl.String},
    )


def ids(
    rows: list[tuple[str, str, str | None]], earlier: pl.DataFrame = NOTHING_EARLIER, used: frozenset[str] = frozenset()
) -> dict[str, str]:
    assigned = assign_ids(records(rows), earlier, "secret", lambda ids: ids.filter(ids.is_in(sorted(used))))
    return dict(assigned.select("source_key", "golden_id").iter_rows())


def test_a_new_cluster_bears_the_id_of_its_oldest_record() -> None:
    found = ids([("1", "a", None), ("2", "a", None), ("3", "b", None)])
    assert found["1"] == found["2"] == derive_id("secret", "crm", "1", START)
    assert found["3"] == derive_id("secret", "crm", "3", START + timedelta(seconds=2))


def test_a_merged_cluster_keeps_the_id_of_most_of_its_records() -> None:
    assert ids([("1", "a", "DKx"), ("2", "a", "DKy"), ("3", "a", "DKy")]) == {"1": "DKy", "2": "DKy", "3": "DKy"}


def test_of_equal_overlaps_the_older_id_stays() -> None:
    assert set(ids([("1", "a", "DK2"), ("2", "a", "DK1")]).values()) == {"DK1"}


def test_a_split_keeps_the_id_with_the_larger_part_and_founds_the_other() -> None:
    found = ids([("1", "a", "DKx"), ("2", "b", "DKx"), ("3", "b", "DKx")])
    assert found["2"] == found["3"] == "DKx"
    assert found["1"] == derive_id("secret", "crm", "1", START)


def test_a_part_that_is_split_off_again_gets_its_own_retired_id_back() -> None:
    earlier = pl.DataFrame({"source": ["crm"], "source_key": ["1"], "golden_id": ["DKold"]})
    found = ids([("1", "a", "DKx"), ("2", "b", "DKx"), ("3", "b", "DKx")], earlier)
    assert found == {"1": "DKold", "2": "DKx", "3": "DKx"}


def test_an_id_ever_used_is_not_given_again() -> None:
    used = derive_id("secret", "crm", "1", START)
    assigned = assign_ids(records([("1", "a", None)]), NOTHING_EARLIER, "secret", lambda ids: ids.filter(ids == used))
    assert assigned["golden_id"].to_list() == [derive_id("secret", "crm", "1", START, nonce=1)]


partitions = st.lists(st.integers(0, 5), min_size=1, max_size=14)


@settings(max_examples=60, deadline=None)
@given(st.lists(partitions, min_size=1, max_size=4))
def test_ids_are_one_to_one_valid_and_kept_by_a_replay(history: list[list[int]]) -> None:
    previous: dict[str, str | None] = {}
    used: frozenset[str] = frozenset()
    for partition in history:
        rows = [(str(place), f"c{number}", previous.get(str(place))) for place, number in enumerate(partition)]
        found = ids(rows, used=used)
        clusters = {(number, found[str(place)]) for place, number in enumerate(partition)}
        assert len(clusters) == len(set(partition)) == len(set(found.values()))
        assert all(is_valid_id(value) for value in found.values())
        used |= set(found.values())
        again = ids([(key, cluster, found[key]) for key, cluster, _ in rows])
        assert again == found
        previous = {**previous, **found}


def test_the_log_is_told_only_what_moved_and_why() -> None:
    keys = {"source": ["crm"] * 4}
    current = pl.DataFrame({**keys, "source_key": ["1", "2", "3", "4"], "golden_id": ["A", "B", "B", "C"]})
    now = [("1", "A"), ("2", "A"), ("3", "B"), ("5", "A"), ("6", "D")]
    assigned = pl.DataFrame(
        {"source": ["crm"] * 5, "source_key": [key for key, _ in now], "golden_id": [golden for _, golden in now]}
    )
    decided = pl.DataFrame(schema={"source": pl.String, "source_key": pl.String})
    changes = membership_changes(assigned, current, decided)
    assert changes.select("source_key", "golden_id", "cause").rows() == [
        ("2", "A", "split"),
        ("4", None, "removed"),
        ("5", "A", "joined"),
        ("6", "D", "created"),
    ]


HANDFULS = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from([None, "DK1", "DK2", "DK3"]), st.sets(st.sampled_from(["DK4", "DK5"]))
    ),
    max_size=9,
)


@settings(max_examples=150, deadline=None)
@given(HANDFULS)
def test_a_handful_is_given_the_ids_that_frames_give(handful: list[tuple[int, str | None, set[str]]]) -> None:
    rows = [(str(place), f"{cluster:03}", previous) for place, (cluster, previous, _) in enumerate(handful)]
    before = [
        ("crm", str(place), golden) for place, (_, _, earlier) in enumerate(handful) for golden in sorted(earlier)
    ]
    earlier = pl.DataFrame(before, schema=NOTHING_EARLIER.schema, orient="row")
    bearers = [
        Bearer(
            ("crm", str(place)),
            int((START + timedelta(seconds=place)).timestamp() * 1e6),
            cluster,
            previous,
            tuple(sorted(ids_before)),
        )
        for place, (cluster, previous, ids_before) in enumerate(handful)
    ]
    few = assign_few(bearers, "secret")
    assert {key: few[cluster] for (key, _, _), (cluster, _, _) in zip(rows, handful, strict=True)} == ids(rows, earlier)
