"""Redirects and lineage from the membership log: never a loop, always a living id in one step."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.identity.lineage import derive_lineage, derive_redirects

START = datetime(2025, 1, 1, tzinfo=UTC)


def log(moves: list[tuple[int, str, str | None]]) -> pl.DataFrame:
    """Rows of (generation, key, golden id)."""
    return pl.DataFrame(
        {
            "source": ["crm"] * len(moves),
            "source_key": [key for _, key, _ in moves],
            "golden_id": [golden for _, _, golden in moves],
            "valid_from": [START + timedelta(days=generation) for generation, _, _ in moves],
            "cause": ["merged" if generation > 1 else "created" for generation, _, _ in moves],
            "run_id": [f"run{generation}" for generation, _, _ in moves],
            "generation": [generation for generation, _, _ in moves],
        },
        schema_overrides={"golden_id": pl.String, "valid_from": pl.Datetime("us", "UTC")},
    )


def redirects(moves: list[tuple[int, str, str | None]]) -> dict[str, str]:
    return dict(derive_redirects(log(moves)).select("old_id", "new_id").iter_rows())


def test_a_merged_id_leads_to_the_one_that_took_its_records() -> None:
    assert redirects([(1, "1", "A"), (1, "2", "B"), (2, "2", "A")]) == {"B": "A"}


def test_a_chain_of_merges_is_one_step() -> None:
    moves = [(1, "1", "A"), (1, "2", "B"), (1, "3", "C"), (2, "3", "B"), (3, "2", "A"), (3, "3", "A")]
    assert redirects(moves) == {"B": "A", "C": "A"}


def test_an_id_whose_records_are_gone_leads_nowhere_and_is_retired() -> None:
    moves: list[tuple[int, str, str | None]] = [(1, "1", "A"), (2, "1", None)]
    assert redirects(moves) == {}
    assert derive_lineage(log(moves)).select("golden_id", "event").rows() == [
        ("A", "created"),
        ("A", "retired"),
    ]


def test_an_id_that_lives_again_is_redirected_no_more() -> None:
    assert redirects([(1, "1", "A"), (1, "2", "B"), (2, "2", "A"), (3, "2", "B")]) == {}


def test_a_split_is_told_with_the_id_it_came_from() -> None:
    moved = log([(1, "1", "A"), (1, "2", "A"), (2, "2", "B")])
    events = derive_lineage(moved)
    assert events.select("golden_id", "event", "other_id").rows() == [("A", "created", None), ("B", "split_from", "A")]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.sampled_from("ABCDE"), min_size=6, max_size=6), min_size=1, max_size=6))
def test_redirects_never_loop_and_end_at_a_living_id(history: list[list[str]]) -> None:
    moves: list[tuple[int, str, str | None]] = []
    before: list[str | None] = [None] * 6
    for generation, now in enumerate(history, start=1):
        moves += [(generation, str(i), new) for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]
        before = list(now)
    found = redirects(moves)
    living, ever = set(history[-1]), {golden for now in history for golden in now}
    assert set(found) == ever - living
    assert set(found.values()) <= living


def test_an_id_that_merges_comes_back_and_merges_again_is_told_three_times() -> None:
    moves: list[tuple[int, str, str | None]] = [
        (1, "1", "A"),
        (1, "2", "B"),
        (2, "2", "A"),
        (3, "2", "B"),
        (4, "2", "A"),
    ]
    told = derive_lineage(log(moves)).filter(pl.col("golden_id") == "B")
    assert told.select("event", "other_id", "run_id").rows() == [
        ("created", None, "run1"),
        ("merged_into", "A", "run2"),
        ("restored", "A", "run3"),
        ("merged_into", "A", "run4"),
    ]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["A", "B", "C", None]), min_size=5, max_size=5), min_size=1, max_size=6),
    st.integers(0, 6),
)
def test_the_feed_replayed_gives_the_living_ids_and_its_parts_make_the_whole(
    history: list[list[str | None]], since: int
) -> None:
    moves: list[tuple[int, str, str | None]] = []
    before: list[str | None] = [None] * 5
    for generation, now in enumerate(history, start=1):
        moves += [(generation, str(i), new) for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]
        before = list(now)
    if not moves:
        return
    events = derive_lineage(log(moves))
    there: set[str] = set()
    for golden, event, other in events.select("golden_id", "event", "other_id").iter_rows():
        assert (event in ("created", "split_from", "restored")) == (golden not in there)
        assert other != golden
        there ^= {golden}
    assert there == {golden for golden in history[-1] if golden is not None}
    at = START + timedelta(days=since)
    assert derive_lineage(log(moves), since).rows() == events.filter(pl.col("at") > at).rows()
