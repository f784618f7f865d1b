import numpy as np
import polars as pl
import pytest

from datadock.demo import Damage
from datadock.demo.companies import luhn_digit
from datadock.demo.plan import build_rosters
from datadock.demo.world import build_world, move_some


@pytest.fixture(scope="module")
def world():
    return build_world(20_000, 3, Damage())


def passes_luhn(number: str) -> bool:
    figures = [int(figure) for figure in reversed(number)]
    doubled = [sum(divmod(2 * figure, 10)) for figure in figures[1::2]]
    return (sum(figures[::2]) + sum(doubled)) % 10 == 0


def test_a_world_of_any_size_has_exactly_that_many_people():
    assert [build_world(size, 1, Damage()).size for size in (1, 2, 7, 100)] == [1, 2, 7, 100]


def test_luhn_digits_agree_with_a_known_siren():
    # 732 829 320 is INSEE's own example.
    assert luhn_digit(np.array([73282932]), 8).tolist() == [0]


def test_every_siren_and_siret_passes_luhn_and_none_comes_twice(world):
    assert all(map(passes_luhn, world.companies.siren))
    assert all(map(passes_luhn, world.companies.siret))
    assert world.companies.siren.n_unique() == len(world.companies.siren)
    assert set(world.companies.siren.str.len_chars()) == {9}
    assert set(world.companies.siret.str.len_chars()) == {14}
    assert (world.companies.siret.str.slice(0, 9) == world.companies.siren).all()


def test_children_are_younger_than_the_head_of_their_household_and_old_enough(world):
    people = world.people
    head = np.flatnonzero(people.place == 0)[people.household]
    child = (people.place > 0) & ~(people.couple & (people.place == 1))
    assert child.any()
    assert (people.born[child] > people.born[head][child] + 15 * 365).all()


def test_an_email_and_a_mobile_belong_to_one_household(world):
    people = world.people
    for points in (people.email, people.mobile):
        shared = pl.DataFrame({"point": points, "household": people.household}).drop_nulls()
        assert shared.group_by("point").agg(pl.col("household").n_unique())["household"].max() == 1
        assert points.drop_nulls().is_duplicated().any()


def test_without_shared_points_nobody_shares_one():
    people = build_world(5_000, 3, Damage.none()).people
    assert not people.email.drop_nulls().is_duplicated().any()
    assert not people.mobile.drop_nulls().is_duplicated().any()


def test_twins_homonyms_and_children_named_after_a_parent_are_there(world):
    people = world.people
    frame = pl.DataFrame(
        {
            "household": people.household,
            "given": people.given,
            "family": people.family,
            "born": people.born,
        }
    )
    same_name = frame.group_by("given", "family").agg(pl.len(), households=pl.col("household").n_unique())
    assert same_name.filter(pl.col("households") > 1).height > 0
    assert frame.group_by("household", "given", "family").len().filter(pl.col("len") > 1).height > 0
    assert frame.group_by("household", "born").len().filter(pl.col("len") > 1).height > 0


def test_names_have_a_long_tail(world):
    count = pl.Series(world.people.family).value_counts()["count"]
    assert count.max() > 50
    assert (count == 1).mean() > 0.3


def test_a_household_that_moves_has_its_former_address_before(world):
    moved_world, moved = move_some(world, 0.1, 3, 2, 20_400)
    households = np.flatnonzero(moved)
    before = world.households.dwelling[households]
    assert (moved_world.dwelling_at(households, np.full(len(households), 20_300)) == before).all()
    assert (moved_world.dwelling_at(households, np.full(len(households), 20_400)) >= len(world.dwellings.commune)).all()


def test_rosters_number_their_records_without_gaps_in_an_order_of_their_own(world):
    rosters = build_rosters(world, 3, 1, 0.04)
    for roster in rosters.values():
        assert roster.number.tolist() == list(range(1, len(roster) + 1))
    crm = rosters["crm"].who
    assert len(crm) > len(np.unique(crm))
    assert abs(np.corrcoef(crm, np.arange(len(crm)))[0, 1]) < 0.05


def test_both_holders_of_a_joint_contract_are_in_the_shop(world):
    people = world.people
    partner = np.flatnonzero((people.place == 1) & people.couple & world.households.joint[people.household])
    shop = set(build_rosters(world, 3, 1, 0.0)["eshop"].who.tolist())
    held = [index for index in partner.tolist() if index - 1 in shop]
    assert held
    assert all(index in shop for index in held)
