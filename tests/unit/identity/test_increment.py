"""Laws of increments: what a change cannot reach stays; looking at the rest gives what looking at everything gives."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datadock import names
from datadock.identity.increment import TOUCHED, Rest, find_touched
from datadock.identity.ledger import read_decisions
from datadock.identity.memberships import (
    current_memberships,
    membership_inputs,
    plan_memberships,
    plan_next,
    read_log,
)
from datadock.identity.partition import PartyClusters
from datadock.identity.workspace import PARTIES

few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pairs = st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1])
bits = st.sampled_from([-3.0, 0.5, 6.0, 11.0])
weights = st.dictionaries(pairs, bits, max_size=10)
records = st.integers(0, 9)
joining = st.dictionaries(records, bits, max_size=4)


def touched(world) -> tuple[Rest | None, list[str]]:
    """What the next run of a world looks at, and the rest."""
    workspace = world.workspace()
    with workspace.connection() as con:
        rest = find_touched(con, workspace, membership_inputs(workspace), read_decisions(workspace))
        rows = con.execute(f"select source_key from {TOUCHED} order by 1").fetchall() if rest is not None else []
    return rest, [row[0] for row in rows]


def planned_whole(world) -> set[tuple[str, str, str]]:
    """Everyone's golden id in a plan that looks at all records."""
    workspace = world.workspace()
    log, threshold = read_log(workspace), membership_inputs(workspace)["threshold"]
    with workspace.connection() as con:
        parties = [PartyClusters(con, workspace, party) for party in PARTIES]
        return set(plan_memberships(workspace, parties, log, read_decisions(workspace), threshold).assigned.rows())


@few
@given(weights, st.lists(joining, min_size=1, max_size=3), st.sets(pairs, max_size=2), st.sets(records, max_size=2))
def test_a_plan_of_what_a_change_can_reach_is_the_plan_of_everything(worlds, known, later, refused, gone) -> None:
    world = worlds(range(10), known)
    world.run()
    for place, more in enumerate(later):
        for one, other in sorted(refused) if place == 0 else []:
            if world.ids()[str(one)] != world.ids()[str(other)]:  # while all are there
                world.decide(world.book().refuse(f"crm:{one}", f"crm:{other}"))
        world.arrive([10 + place], {(one, 10 + place): weight for one, weight in more.items()})
        if gone:
            world.arrive([gone.pop()], {}, op="remove")
        book = world.book()
        plan = plan_next(book.workspace, book.decisions)
        everyone = plan.everyone(current_memberships(book.log).drop_nulls("golden_id"))
        assert set(everyone.rows()) == planned_whole(world)
        sizes = everyone.group_by("golden_id").len()
        assert (plan.records, plan.golden, plan.largest) == (everyone.height, sizes.height, sizes["len"].max())
        ids = world.run()
    assert world.rebuild() == ids


def test_what_hangs_together_with_nothing_new_is_not_looked_at(worlds) -> None:
    world = worlds(range(6), {(0, 1): 9.0, (2, 3): 9.0, (4, 5): -3.0})
    world.run()
    world.arrive([6], {(1, 6): 9.0})
    assert touched(world) == (Rest(records=4, golden=3, largest=2), ["0", "1", "6"])


def test_who_ever_bore_an_id_with_a_changed_record_is_looked_at(worlds) -> None:
    world = worlds(range(4), {(0, 1): 9.0, (2, 3): 9.0})
    ids = world.run()
    parted = world.decide(world.book().split(["crm:1"]))
    assert world.run()["0"] != world.ids()["1"]
    world.decide(world.book().withdraw(parted))
    assert world.run()["0"] == world.ids()["1"] == ids["0"]
    world.arrive([0], {})
    assert touched(world)[1] == ["0", "1"]


def test_another_threshold_and_a_contact_over_the_limit_are_looked_at_whole(worlds) -> None:
    world = worlds(range(3), {(0, 1): 9.0})
    world.run()
    world.arrive([3], {})
    assert touched(world)[0] == Rest(records=3, golden=2, largest=2)
    rules = world.catalog.identity
    limits = rules.limits.model_copy(update={"cluster_records": 1})
    world.catalog = replace(world.catalog, identity=rules.model_copy(update={"limits": limits}))
    assert touched(world)[0] is None
    higher = rules.threshold.model_copy(update={"person": rules.threshold.person + 1})
    world.catalog = replace(world.catalog, identity=rules.model_copy(update={"threshold": higher}))
    assert touched(world)[0] is None


def test_lineage_of_an_increment_is_that_of_the_whole_log(worlds) -> None:
    world = worlds(range(6), {(0, 1): 9.0, (2, 3): 9.0, (4, 5): 9.0})
    world.run()
    world.arrive([6], {(1, 6): 9.0, (2, 6): 9.0, (0, 2): 9.0, (0, 3): 9.0, (1, 2): 9.0, (1, 3): 9.0, (3, 6): 9.0})
    world.run()
    world.arrive([7], {(4, 7): 9.0, (5, 7): 9.0})
    world.run()
    told = {table: world.rows(table).drop("run_id").sort("at") for table in (names.REDIRECTS, names.LINEAGE)}
    world.lake.drop([names.REDIRECTS, names.LINEAGE])
    world.run()
    for table, rows in told.items():
        assert sorted(world.rows(table).drop("run_id").rows()) == sorted(rows.rows())
    assert len(told[names.REDIRECTS]) == 1
