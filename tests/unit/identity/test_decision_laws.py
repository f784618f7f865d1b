"""Laws of decisions, on small random worlds: what is undone is as if it had not been, what is refused never returns."""

import shutil

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datadock import names
from datadock.identity.history import changes

few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pairs = st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] < pair[1])
weights = st.dictionaries(pairs, st.sampled_from([-3.0, 0.5, 6.0, 11.0]), min_size=2, max_size=9)
later = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(6, 7)), st.sampled_from([0.5, 11.0]), max_size=6)


def living_by_feed(world) -> set[str]:
    """Replay the feed: who was born and did not end."""
    there: set[str] = set()
    for row in changes(world.workspace()):
        begun = row["event"] in ("created", "split_from", "restored")
        assert (row["golden_id"] in there) != begun
        there ^= {row["golden_id"]}
    return there


def check_ids(world) -> None:
    """Redirects lead to a living id in one step, and the feed accounts for every living id."""
    living, redirects = set(world.ids().values()), world.redirects()
    assert set(redirects.values()) <= living
    assert not set(redirects) & living
    assert living_by_feed(world) == living


@few
@given(weights, st.randoms(use_true_random=False))
def test_a_merge_taken_back_restores_partition_ids_and_redirects(worlds, known, random) -> None:
    world = worlds(range(6), known)
    before, redirects = world.run(), world.redirects()
    contacts = sorted(set(before.values()))
    if len(contacts) < 2:
        return
    merged = world.decide(world.book().merge(random.sample(contacts, random.randint(2, min(3, len(contacts))))))
    during = world.run()
    assert len(set(during.values())) < len(contacts)
    check_ids(world)
    world.decide(world.book().withdraw(merged))
    assert world.run() == before
    assert world.redirects() == redirects
    check_ids(world)


@few
@given(weights, later, pairs)
def test_a_refused_pair_never_returns_and_any_history_gives_one_partition(worlds, known, more, pair) -> None:
    one, other = (str(record) for record in pair)
    world = worlds(range(6), known)
    before = world.run()
    book = world.book()
    parted = book.split([f"crm:{one}"]) if before[one] == before[other] else book.refuse(f"crm:{one}", f"crm:{other}")
    world.decide(parted)
    assert world.run()[one] != world.ids()[other]
    world.arrive([6, 7], more)
    after = world.run()
    assert after[one] != after[other]
    check_ids(world)
    # Everything at once under the same ledger: the same partition.
    whole = worlds(range(8), {**known, **more})
    shutil.copytree(world.lake.path(names.DECISIONS), whole.lake.path(names.DECISIONS))
    whole.run()
    assert whole.groups() == world.groups()
    # A rebuild over this history changes no id.
    assert world.rebuild() == after
    check_ids(world)


@few
@given(weights, pairs)
def test_a_split_taken_back_restores_everyone(worlds, known, pair) -> None:
    world = worlds(range(6), known)
    before = world.run()
    mine = before[str(pair[0])]
    if list(before.values()).count(mine) < 2:
        return
    parted = world.decide(world.book().split([f"crm:{pair[0]}"]))
    world.run()
    check_ids(world)
    world.decide(world.book().withdraw(parted))
    assert world.run() == before
    check_ids(world)
