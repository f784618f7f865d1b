"""Guards: each planted fault is objected to by its name, and nothing is where there is no fault."""

import math
from dataclasses import replace

import duckdb
import pytest

from datadock.catalog.model import IdentityLimits, Reviewed
from datadock.identity.blocking import BlockReport
from datadock.identity.comparisons import Comparison, Level
from datadock.identity.guards import (
    DecidedEdges,
    LargeCluster,
    Moves,
    fallen_precision,
    id_churn,
    one_sided_levels,
    overgrown_blocks,
    oversized_clusters,
    reviewed_accuracy,
    untrained_levels,
)
from datadock.identity.model import Model
from datadock.identity.symmetry import sampled_levels

LIMITS = IdentityLimits()


@pytest.mark.parametrize("value", [None, math.nan, 0.0, 1.0])
def test_an_untrained_level_is_named_with_its_side(sound: Model, value: float) -> None:
    broken = replace(sound, u={**sound.u, "birth_date": (value, *sound.u["birth_date"][1:])})
    [finding] = untrained_levels(broken)
    assert (finding.subject, finding.found) == (
        "person model, birth_date: level 'same birth date'",
        f"u is {value}",
    )
    assert finding.blocks
    assert "identity train --party person" in finding.action
    assert untrained_levels(sound) == []


def test_a_level_that_depends_on_the_order_of_the_pair_is_named_both_ways_round() -> None:
    con = duckdb.connect()
    con.execute("create table people as select i as rid, i % 7 as day, i % 3 as town from range(40) t(i)")
    con.execute("create table met as select l.rid as rid_l, r.rid as rid_r from people l, people r where l.rid < r.rid")
    fair = Comparison("town", "", "false", (Level("same town", "town_l = town_r", 0.9),), 0.1, 0.5)
    uneven = Comparison(
        "birth_day", "", "false", (Level("same", "day_l = day_r", 0.8), Level("later", "day_l < day_r", 0.1)), 0.1, 0.5
    )
    [turned] = sampled_levels(con, "people", "met", [fair, uneven])
    assert (turned.comparison, {turned.level, turned.turned}) == ("birth_day", {"later", "differs"})
    [finding] = one_sided_levels("person", [turned])
    assert finding.subject == f"person model, birth_day: level '{turned.level}'"
    assert f"level '{turned.turned}' the other way round, in {turned.pairs}" in finding.found
    assert sampled_levels(con, "people", "met", [fair]) == []


def test_a_block_over_its_cap_is_named_with_rule_and_key() -> None:
    grown = BlockReport("same_phone", ("unnest(phones)",), 12, 0, (("0600000000", 1200),))
    [finding] = overgrown_blocks("person", [grown, BlockReport("same_email", (), 9, 0)], 800)
    assert (finding.subject, finding.found) == ("person rule same_phone, key '0600000000'", "1,200 records")
    assert finding.expected == "at most 800 records that share unnest(phones)"


def test_a_cluster_over_its_cap_is_named_with_its_size_and_what_holds_it_together() -> None:
    large = LargeCluster("DK1", 250, {"crm": 200, "shop": 50}, ("phones 06 in 240",), ("crm:1", "crm:2"))
    [finding] = oversized_clusters([large], 200)
    assert finding.subject == "golden contact DK1"
    assert finding.found == "250 records (crm 200, shop 50) held together by phones 06 in 240; among them crm:1, crm:2"


@pytest.mark.parametrize(
    ("now", "before", "fires"),
    [
        (DecidedEdges(100, 70), DecidedEdges(90, 85), True),
        (DecidedEdges(100, 91), DecidedEdges(90, 85), False),  # four points less
        (DecidedEdges(20, 17), DecidedEdges(20, 18), False),  # five points, of so few that chance explains them
        (DecidedEdges(10, 0), DecidedEdges(10, 10), False),  # too few decisions to judge by
        (DecidedEdges(100, 10), None, False),  # nothing to compare with
    ],
)
def test_a_fall_of_precision_among_decided_pairs_counts_beyond_limit_and_chance(
    now: DecidedEdges, before: DecidedEdges | None, fires: bool
) -> None:
    assert bool(fallen_precision(now, before, LIMITS)) is fires


@pytest.mark.parametrize(
    ("moves", "setting"),
    [
        (Moves(30, 1000), "id_churn "),
        (Moves(30, 1000, ("model",)), ""),  # a new model was looked at before
        (Moves(150, 1000, ("model",)), "id_churn_new_model"),
        (Moves(19, 100), ""),  # a handful
        (Moves(0, 0), ""),  # the first run
    ],
)
def test_ids_that_change_without_a_decision_have_their_limit(moves: Moves, setting: str) -> None:
    found = id_churn(moves, LIMITS)
    assert bool(found) is bool(setting)
    assert all(f"limits.{setting}" in finding.action for finding in found)


def test_reviewed_measures_are_held_against_the_estimate_or_the_lower_end() -> None:
    measures = [("precision", 0.985, 0.95, 0.99), ("recall", 0.97, 0.96, 0.98), ("f1", 0.1, 0.0, 0.2)]
    assert reviewed_accuracy(measures, Reviewed()) == []
    [finding] = reviewed_accuracy(measures, Reviewed(judged_by="lower", on_failure="block"))
    assert (finding.subject, finding.expected, finding.found, finding.blocks) == (
        "precision",
        "at least 0.98, by the lower end",
        "0.9850 (95 % interval 0.9500 to 0.9900)",
        True,
    )
