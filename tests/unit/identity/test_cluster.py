"""Clusters: mean linkage inside components, decisions beyond all weights."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.identity.cluster import EDGE, Clustering, cluster


def run(count: int, weights: dict[tuple[int, int], float], **more: object) -> Clustering:
    pairs = [pair for pair in sorted(weights) if weights[pair] >= EDGE]

    def weigh(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.array([weights.get((a, b), -20.0) for a, b in zip(left.tolist(), right.tolist(), strict=True)])

    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    values = np.array([weights[pair] for pair in pairs], dtype=np.float64)
    return cluster(count, columns[:, 0], columns[:, 1], values, weigh=weigh, **more)  # type: ignore[arg-type]


def pairs_of(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def test_without_pairs_everyone_stands_alone() -> None:
    assert run(3, {}).labels.tolist() == [0, 1, 2]
    assert run(0, {}).labels.tolist() == []


def test_a_pair_and_an_agreed_triangle_join() -> None:
    found = run(5, {(0, 1): 5.0, (2, 3): 4.0, (2, 4): 3.0, (3, 4): 6.0})
    assert found.labels.tolist() == [0, 0, 2, 2, 2]
    assert found.largest == 3


def test_one_edge_between_two_families_does_not_chain_them() -> None:
    weights = {(0, 1): 12.0, (2, 3): 12.0, (1, 2): 2.0, (0, 2): -9.0, (0, 3): -9.0, (1, 3): -9.0}
    found = run(4, weights)
    assert found.labels.tolist() == [0, 0, 2, 2]
    assert found.components_split == 1


def test_a_pair_of_which_little_is_known_does_not_part_what_others_join() -> None:
    assert run(3, {(0, 1): 6.0, (1, 2): 6.0, (0, 2): EDGE - 0.01}).labels.tolist() == [0, 0, 0]


def test_a_refused_pair_never_shares_a_cluster() -> None:
    assert run(2, {(0, 1): 30.0}, never=pairs_of((0, 1))).labels.tolist() == [0, 1]
    weights = {(0, 1): 9.0, (1, 2): 9.0, (0, 2): 9.0}
    labels = run(3, weights, never=pairs_of((0, 2))).labels
    assert labels[0] != labels[2]


def test_a_forced_pair_always_shares_one_with_what_belongs_to_it() -> None:
    assert run(2, {}, must=pairs_of((0, 1))).labels.tolist() == [0, 0]
    assert run(3, {(1, 2): 8.0}, must=pairs_of((0, 1))).labels[0] == 0


def test_contradicting_decisions_are_counted() -> None:
    found = run(3, {}, must=pairs_of((0, 1), (1, 2)), never=pairs_of((0, 2)))
    assert found.conflicts == 1


def test_a_source_without_duplicates_gives_at_most_one_record() -> None:
    single = np.array([0, 1, 1], dtype=np.int64)
    found = run(3, {(0, 1): 9.0, (0, 2): 4.0}, single=single)
    assert found.labels.tolist() == [0, 0, 2]


edges = st.dictionaries(
    st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] < pair[1]),
    st.floats(-10, 14),
    max_size=18,
)


@settings(max_examples=60, deadline=None)
@given(edges, st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] < p[1]), max_size=4))
def test_refusals_hold_in_any_graph(weights: dict[tuple[int, int], float], refused: list[tuple[int, int]]) -> None:
    labels = run(9, weights, never=pairs_of(*refused)).labels
    assert all(labels[a] != labels[b] for a, b in refused)
