"""Decisions of stewards: what they write, what they replace, and that taking one back restores partition and ids."""

import polars as pl
import pytest

from datadock import names
from datadock.errors import DatadockError
from datadock.identity.decisions import take
from datadock.identity.ids import derive_id
from datadock.identity.ledger import listed, read_decisions
from datadock.identity.memberships import plan_next
from datadock.identity.queue import reviewed

TWO_AND_TWO = {(0, 1): 9.0, (2, 3): 8.0, (1, 2): -2.0}


def rows(world) -> list[tuple]:
    found = read_decisions(world.workspace())
    return found.select("kind", "left_key", "right_key", "action", "reason", "decided_by").rows()


def test_golden_ids_merge_whole_contacts_and_the_ledger_names_records(worlds) -> None:
    world = worlds(range(4), TWO_AND_TWO)
    before = world.run()
    world.decide(world.book().merge([before["0"], before["2"]]))
    assert rows(world) == [
        ("must_link", "0", "2", "merge", "seen", "steward"),
        ("must_link", "0", "3", "merge", "seen", "steward"),
        ("must_link", "1", "2", "merge", "seen", "steward"),
    ]
    after = world.run()
    assert set(after.values()) == {before["0"]}
    assert world.redirects() == {before["2"]: before["0"]}


def test_records_tie_records_and_what_belongs_to_them_follows(worlds) -> None:
    world = worlds(range(3), {(0, 1): 3.0, (1, 2): -3.0})
    before = world.run()
    world.decide(world.book().merge(["crm:1", "crm:2"]))
    assert rows(world) == [("must_link", "1", "2", "merge", "seen", "steward")]
    assert set(world.run().values()) == {before["0"]}


def test_a_split_parts_a_record_from_all_others_of_its_contact(worlds) -> None:
    world = worlds(range(3), {(0, 1): 9.0, (1, 2): 9.0, (0, 2): 9.0})
    before = world.run()
    world.decide(world.book().split(["crm:2"]))
    assert [row[:4] for row in rows(world)] == [("never_link", "2", "0", "split"), ("never_link", "2", "1", "split")]
    after = world.run()
    assert after == {**before, "2": after["2"]}
    assert after["2"] != before["2"]
    lineage = world.rows(names.LINEAGE).filter(pl.col("golden_id") == after["2"])
    assert lineage.select("event", "other_id", "cause").rows() == [("split_from", before["2"], "decision")]


def test_a_withdrawn_decision_gives_back_partition_ids_and_redirects(worlds) -> None:
    world = worlds(range(4), TWO_AND_TWO)
    before = world.run()
    merged = world.decide(world.book().merge([before["0"], before["2"]]))
    world.run()
    withdrawal = world.book().withdraw(merged[:17])
    assert [row.kind for row in withdrawal.rows] == ["withdrawn"] * 3
    world.decide(withdrawal)
    assert world.run() == before
    assert world.redirects() == {}
    events = world.rows(names.LINEAGE).sort("at").filter(pl.col("golden_id") == before["2"])
    assert events["event"].to_list() == ["created", "merged_into", "restored"]


def test_a_refusal_that_a_withdrawn_merge_had_replaced_holds_again(worlds) -> None:
    world = worlds(range(2), {(0, 1): 9.0})
    world.run()
    refused = world.decide(world.book().split(["crm:0"]))
    apart = world.run()
    again = world.book().merge(["crm:0", "crm:1"])
    assert [row["decision_id"] for row in again.replaces] == [refused]
    merged = world.decide(again)
    assert len(set(world.run().values())) == 1
    back = world.book().withdraw(merged)
    assert [row["decision_id"] for row in back.revives] == [refused]
    world.decide(back)
    assert world.run() == apart
    told = listed(read_decisions(world.workspace()))
    assert [(row["action"], row["holds"], bool(row["withdrawn_by"])) for row in told] == [
        ("split", True, False), ("merge", False, True), ("withdraw", False, False),
    ]  # fmt: skip


def test_an_unsure_answer_changes_nothing_and_is_no_part_of_the_sample(worlds) -> None:
    world = worlds(range(4), {(0, 1): -2.0, (2, 3): -3.0})
    before = world.run()
    for kind, one, other in (("unsure", "0", "1"), ("must_link", "2", "3")):
        world.decide(world.book().answer(kind, ("crm", one), ("crm", other)))
    assert reviewed(read_decisions(world.workspace())).rows() == [("crm", "2", "crm", "3", True)]
    after = world.run()
    assert (after["0"], after["1"]) == (before["0"], before["1"])
    assert after["2"] == after["3"]
    suspects = world.rows(names.SUSPECTS).sort("recorded_at").unique(["left_key", "right_key"], keep="last")
    assert set(suspects.select("left_key", "right_key", "status").rows()) == {
        ("0", "1", "open"),
        ("2", "3", "closed"),
    }
    undone = world.book().withdraw(read_decisions(world.workspace())["decision_id"][1])
    world.decide(undone)
    assert reviewed(read_decisions(world.workspace())).rows() == []
    assert world.run() == before


def test_a_ledger_of_before_withdrawals_still_reads(worlds) -> None:
    world = worlds(range(2), {(0, 1): 9.0})
    old = {"decision_id": "old", "kind": "never_link", "left_source": "crm", "left_key": "1", "right_source": "crm",
           "right_key": "0", "decided_by": "s", "decided_at": world.workspace().run_at, "reason": "r"}  # fmt: skip
    world.lake.append_once(names.DECISIONS, pl.DataFrame([old]).to_arrow(), "old")
    assert len(set(world.run().values())) == 2
    world.decide(world.book().withdraw("old"))
    assert len(set(world.run().values())) == 1


def test_a_run_with_only_a_new_decision_looks_at_its_component_alone(worlds) -> None:
    world = worlds(range(6), {**TWO_AND_TWO, (4, 5): 9.0})
    world.run()
    ids = world.ids()
    world.decide(world.book().merge([ids["0"], ids["2"]]))
    book = world.book()
    plan = plan_next(book.workspace, book.decisions)
    assert plan.assigned["source_key"].to_list() == ["0", "1", "2", "3"]
    assert (plan.records, plan.golden, plan.largest) == (6, 2, 4)
    assert plan.everyone(book.current).height == 6


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (lambda book, ids: book.merge(["crm:0", "crm:9"]), "there is no contact record '9' of 'crm'"),
        (lambda book, ids: book.merge(["crm:0", "crm:0"]), "crm:0 stands against itself"),
        (lambda book, ids: book.merge([ids["0"], "crm:1"]), "are one contact already"),
        (lambda book, ids: book.merge([ids["0"][:-1] + "?", "crm:1"]), "it is mistyped"),
        (lambda book, ids: book.split([ids["0"]]), "names a contact, not the records"),
        (lambda book, ids: book.split(["crm:0", "crm:2"]), "are of 2 contacts already"),
        (lambda book, ids: book.split(["crm:2", "crm:3"]), "is all there is of its contact"),
        (lambda book, ids: book.refuse("crm:0", "crm:1"), "are one contact today"),
        (lambda book, ids: book.withdraw("2020"), "no decision"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(worlds, act, found) -> None:
    world = worlds(range(4), TWO_AND_TWO)
    ids = world.run()
    with pytest.raises(DatadockError) as refused:
        act(world.book(), ids)
    assert found in str(refused.value)
    assert "to do:" in str(refused.value)


def test_the_same_decision_twice_and_one_without_a_reason_are_refused(worlds) -> None:
    world = worlds(range(4), TWO_AND_TWO)
    world.run()
    world.decide(world.book().refuse("crm:0", "crm:2"))
    with pytest.raises(DatadockError, match="decided already"):
        world.book().refuse("crm:2", "crm:0")
    book = world.book()
    with pytest.raises(DatadockError, match="without a reason"):
        take(book, book.merge(["crm:1", "crm:3"]), "steward", " ")


def test_a_former_id_names_the_contact_that_it_leads_to(worlds) -> None:
    world = worlds(range(4), TWO_AND_TWO)
    before = world.run()
    world.decide(world.book().merge([before["0"], before["2"]]))
    world.run()
    assert world.book().side(before["2"]).golden_id == before["0"]
    with pytest.raises(DatadockError, match="no contact has the id"):
        world.book().side(derive_id("secret", "crm", "never", world.workspace().run_at))
