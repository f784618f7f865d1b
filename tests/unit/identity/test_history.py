"""What became of ids, and who was known as whom on a day."""

from datetime import UTC, datetime, timedelta

import pytest

from datadock.errors import DatadockError
from datadock.identity.connections import chain
from datadock.identity.history import changes, history, moment_after
from datadock.state import StateStore

TWO_AND_TWO = {(0, 1): 9.0, (2, 3): 8.0}


@pytest.fixture
def merged(worlds):
    """Two contacts that were merged: the world, the ids before, the decision and the time between."""
    world = worlds(range(4), TWO_AND_TWO)
    before = world.run()
    between = world.workspace().run_at
    decision = world.decide(world.book().merge([before["0"], before["2"]]))
    world.run()
    return world, before, decision, between


def test_the_feed_tells_every_id_that_was_not_kept_with_cause_and_run(merged) -> None:
    world, before, decision, between = merged
    one, other = before["0"], before["2"]
    told = [(row["golden_id"], row["event"], row["other_id"], row["cause"]) for row in changes(world.workspace())]
    assert told == [
        *((golden, "created", None, "created") for golden in sorted((one, other))),
        (other, "merged_into", one, "decision"),
    ]
    assert [row["event"] for row in changes(world.workspace(), between)] == ["merged_into"]
    world.decide(world.book().withdraw(decision))
    world.run()
    assert [row["event"] for row in changes(world.workspace(), between)] == ["merged_into", "restored"]


def test_a_record_and_an_id_are_told_as_they_were_known_on_a_day(merged) -> None:
    world, before, _, between = merged
    record = history(world.workspace(), "crm:2")
    assert [row["golden_id"] for row in record.periods] == [before["2"], before["0"]]
    assert record.periods[0]["valid_to"] == record.periods[1]["valid_from"]
    then = history(world.workspace(), "crm:2", between.isoformat())
    assert [row["golden_id"] for row in then.periods] == [before["2"]]
    retired = history(world.workspace(), before["2"], between.isoformat())
    assert [row["source_key"] for row in retired.periods] == ["2", "3"]
    assert [row["event"] for row in retired.events] == ["created"]
    assert retired.leads_to == before["0"]
    assert history(world.workspace(), before["2"], "2026-01-01").periods == ()  # its end, after the merge
    assert len(history(world.workspace(), before["0"], "2026-01-01").periods) == 4
    earlier = (between - timedelta(days=9)).isoformat()
    assert history(world.workspace(), before["0"], earlier).periods == ()


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        (lambda ws: history(ws, "crm:9"), "no contact record"),
        (lambda ws: history(ws, "DKnothing"), "mistyped"),
        (lambda ws: history(ws, "crm:1", "yesterday"), "is not a time"),
    ],
)
def test_what_never_was_is_an_error_in_words(merged, ask, found) -> None:
    with pytest.raises(DatadockError, match=found):
        ask(merged[0].workspace())


def test_a_reader_of_the_feed_goes_on_from_a_time_or_a_run(tmp_path) -> None:
    state = StateStore(f"sqlite:///{tmp_path / 'state.sqlite'}")
    for run in ("a1-first", "a2-second"):
        state.start_run(run)
        state.end_run(run, "success")
    assert moment_after(state, "2026-01-31") == datetime(2026, 1, 30, 23, 59, 59, 999999, tzinfo=UTC)
    assert moment_after(state, "2026-01-31T08:00:00+02:00") == datetime(2026, 1, 31, 6, tzinfo=UTC)
    ended = state.last_run().ended_at
    assert moment_after(state, "a2") == ended > moment_after(state, "a1-first")
    for unknown in ("a", "a3", ""):
        with pytest.raises(DatadockError, match="neither a time nor the id of one run"):
            moment_after(state, unknown)


def test_two_records_that_nothing_joins_directly_have_a_chain(worlds) -> None:
    world = worlds(range(5), {(0, 1): 9.0, (1, 2): 4.0, (0, 3): 2.0, (3, 2): 2.0})
    ids = world.run()
    world.decide(world.book().merge(["crm:2", "crm:4"]))
    world.run()
    members = world.book().members_of(ids["0"])
    links = chain(world.workspace(), members, ("crm", "0"), ("crm", "4"))
    assert [(link.left[1], link.right[1], link.weight) for link in links] == [
        ("0", "1", 9.0),
        ("1", "2", 4.0),
        ("2", "4", None),
    ]
    assert links[-1].decision
    assert chain(world.workspace(), members[:2], ("crm", "0"), ("crm", "4")) == []
