"""Training finds what was planted: shares of agreement, matches apart from households, and admits doubt."""

import itertools

import numpy as np

from datadock.identity.comparisons import Comparison, Level
from datadock.identity.training import Patterns, train


def comparison(name: str, household: float = 0.0) -> Comparison:
    return Comparison(name, "", "false", (Level("same", "true", 0.8), Level("alike", "true", 0.1)), 0.1, 0.4, household)


PERSONAL, SHARED = comparison("given"), comparison("address", household=0.9)
OTHER_PERSONAL, OTHER_SHARED = comparison("birth"), comparison("phone", household=0.4)


def planted(comparisons: list[Comparison], shares: dict[str, list[list[float]]], counts: dict[str, float]) -> Patterns:
    """Expected pattern counts of classes of pairs; shares run from "differs" to the strongest level."""
    levels = np.array(list(itertools.product(range(3), repeat=len(comparisons))))
    made = {
        name: counts[name] * np.prod([np.array(shares[name][c])[levels[:, c]] for c in range(len(comparisons))], axis=0)
        for name in counts
    }
    # Blocking finds every pair that agrees on something.
    found = (levels == 2).any(axis=1)
    candidates = sum(made.values()) * found
    others = made["strangers"] * ~found
    return Patterns(levels, candidates, others, 1.0, float(sum(counts.values())))


STRANGERS = [[0.98, 0.015, 0.005]] * 4
SAME = [[0.05, 0.15, 0.80], [0.10, 0.20, 0.70], [0.04, 0.06, 0.90], [0.30, 0.05, 0.65]]
HOME = [[0.95, 0.03, 0.02], [0.10, 0.20, 0.70], [0.95, 0.03, 0.02], [0.50, 0.05, 0.45]]
ALL = [PERSONAL, SHARED, OTHER_PERSONAL, OTHER_SHARED]


def test_planted_shares_are_found_again() -> None:
    patterns = planted(ALL, {"same": SAME, "strangers": STRANGERS}, {"same": 4_000, "strangers": 20_000_000})
    found = train(ALL, patterns, 8_000)
    assert abs(found.match_share * patterns.total / 4_000 - 1) < 0.05
    for estimated, true in zip(found.m, SAME, strict=True):
        assert np.abs(estimated - true).max() < 0.05
    for estimated, true in zip(found.u, STRANGERS, strict=True):
        assert np.abs(np.log2(estimated / true)).max() < 0.1


def test_spouses_are_not_taken_for_one_person() -> None:
    counts = {"same": 3_000.0, "home": 6_000.0, "strangers": 20_000_000.0}
    patterns = planted(ALL, {"same": SAME, "home": HOME, "strangers": STRANGERS}, counts)
    found = train(ALL, patterns, 8_000)
    assert abs(found.match_share * patterns.total / 3_000 - 1) < 0.1
    assert 2_000 < found.household_share * patterns.total < 10_000
    assert found.m[0][0] < 0.1, "a differing given name stays rare among matches"


def test_a_set_without_duplicates_yields_hardly_any_match() -> None:
    patterns = planted(ALL, {"strangers": STRANGERS}, {"strangers": 20_000_000})
    assert train(ALL, patterns, 6_000).match_share * patterns.total < 60


def test_one_field_alone_is_taken_at_its_word() -> None:
    patterns = planted([PERSONAL], {"same": SAME, "strangers": STRANGERS}, {"same": 500, "strangers": 500_000})
    found = train([PERSONAL], patterns, 1_000)
    assert found.m[0][2] / found.u[0][2] * found.match_share > 1


def test_no_level_takes_a_larger_share_than_one_persons_records_can_have() -> None:
    capped = Comparison(
        "birth", "", "false", (Level("same", "true", 0.8), Level("a generation apart", "true", 0.001, most=0.001)),
        0.1, 0.4,
    )  # fmt: skip
    comparisons = [PERSONAL, SHARED, capped, OTHER_SHARED]
    patterns = planted(comparisons, {"same": SAME, "strangers": STRANGERS}, {"same": 4_000, "strangers": 20_000_000})
    m = train(comparisons, patterns, 8_000).m[2]
    assert m[1] == 0.001
    assert abs(m.sum() - 1) < 1e-9
