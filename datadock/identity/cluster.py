"""From weighed pairs to clusters: components as work units, mean linkage inside.

A component of pairs above the threshold is only where to look. Inside, the two groups with the
highest mean weight over all their cross pairs join, as long as that mean stays above zero; so a
single strong edge between two families of records does not chain them. Decisions and sources
without duplicates enter as weights beyond all others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from datadock.catalog.fields import JOIN_FROM

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Weigh = Callable[[Ints, Ints], Floats]

EDGE = JOIN_FROM
"""Bits from which pairs make components and groups may join, in the mean, where a deployment declares nothing else."""

MISSING = -6.0
"""Bits, for a pair that blocking did not find, in a component too large to weigh all its pairs."""

CLIP = 12.0
"""Bits: how much one pair may say against the mean of the others."""

LARGEST_WEIGHED = 300
_SMALL = 6
_MUST, _NEVER = 1e6, -1e9
_NO_PAIRS: tuple[Ints, Ints] = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


@dataclass(frozen=True)
class Clustering:
    """The partition, and what was met on the way.

    Attributes:
        labels: Cluster number of each record; the smallest record of a cluster numbers it.
        largest: Size of the largest cluster.
        components_split: Components that mean linkage cut.
        conflicts: Pairs that a decision forces together and another keeps apart.
    """

    labels: Ints
    largest: int
    components_split: int
    conflicts: int


def cluster(
    count: int,
    left: Ints,
    right: Ints,
    weight: Floats,
    *,
    weigh: Weigh,
    must: tuple[Ints, Ints] | None = None,
    never: tuple[Ints, Ints] | None = None,
    single: Ints | None = None,
    edge: float = EDGE,
) -> Clustering:
    """Partition records.

    Args:
        count: Number of records; they are called 0..count-1.
        left: One record of each pair from ``edge`` on.
        right: The other.
        weight: Bits.
        weigh: Gives the weights of all further pairs of a component; a pair of which little is known weighs about 0.
        must: Pairs that are one person by decision.
        never: Pairs that are not.
        single: Per record the number of its source if that source holds nobody twice, else -1.
        edge: Bits from which pairs make components and groups may join, in the mean.
    """
    must, never = must or _NO_PAIRS, never or _NO_PAIRS
    single = np.full(count, -1, dtype=np.int64) if single is None else single
    edges = weight >= edge
    rows, columns = np.concatenate([left[edges], must[0]]), np.concatenate([right[edges], must[1]])
    linked = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(count, count))
    _, component = connected_components(linked, directed=False)
    labels = _smallest(component)
    work = _WorkUnits(component, left, right, weight, single, must, never, edge)
    work.weigh_missing(weigh)
    split = 0
    for members, matrix in work.doubtful():
        groups = _mean_linkage(matrix, edge)
        labels[members] = members[_smallest(groups)]
        split += int(len(np.unique(groups)) > 1)
    conflicts = int((labels[never[0]] == labels[never[1]]).sum()) + int((labels[must[0]] != labels[must[1]]).sum())
    largest = int(np.bincount(labels).max()) if count else 0
    return Clustering(labels, largest, split, conflicts)


def _smallest(groups: npt.NDArray[Any]) -> Ints:
    """Renumber groups by their smallest member's position."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    result: Ints = first.astype(np.int64)[inverse]
    return result


def _mean_linkage(matrix: Floats, edge: float) -> Ints:
    size = len(matrix)
    if size <= _SMALL:
        return _mean_linkage_of_few(matrix, edge)
    top = _MUST + 1.0
    upper = top - matrix[np.triu_indices(size, 1)]
    groups: Ints = fcluster(linkage(upper, method="average"), t=top - edge, criterion="distance").astype(np.int64)
    return groups


def _mean_linkage_of_few(matrix: Floats, edge: float) -> Ints:
    """The same for a handful of records, where calling a library costs more than the work."""
    weights = matrix.tolist()
    groups = [[place] for place in range(len(weights))]
    while len(groups) > 1:
        best, pair = edge, (-1, -1)
        for one in range(len(groups)):
            for other in range(one + 1, len(groups)):
                total = sum(weights[a][b] for a in groups[one] for b in groups[other])
                mean = total / (len(groups[one]) * len(groups[other]))
                if mean > best or (mean == best and pair[0] < 0):
                    best, pair = mean, (one, other)
        if pair[0] < 0:
            break
        groups[pair[0]] += groups.pop(pair[1])
    labels = np.zeros(len(weights), dtype=np.int64)
    for number, members in enumerate(groups):
        labels[members] = number
    return labels


class _WorkUnits:
    """Components of three records and more, their pairs sorted by component."""

    def __init__(
        self,
        component: npt.NDArray[np.int32],
        left: Ints,
        right: Ints,
        weight: Floats,
        single: Ints,
        must: tuple[Ints, Ints],
        never: tuple[Ints, Ints],
        edge: float,
    ) -> None:
        self.component, self.edge = component, edge
        sizes = np.bincount(component) if len(component) else np.zeros(0, dtype=np.int64)
        forced = np.zeros(len(sizes), dtype=bool)
        for pairs in (must, never):
            same = component[pairs[0]] == component[pairs[1]]
            forced[component[pairs[0]][same]] = True
        inner = component[left] == component[right]
        wanted = (sizes >= 3) | (forced & (sizes >= 2))
        inner &= wanted[component[left]]
        order = np.argsort(component[left[inner]], kind="stable")
        self.left, self.right, self.weight = left[inner][order], right[inner][order], weight[inner][order]
        self.sizes, self.wanted, self.single = sizes, wanted, single
        self.must, self.never = must, never
        by_component = np.argsort(component, kind="stable")
        starts = np.concatenate([[0], np.cumsum(sizes)])
        self.members = {
            int(c): by_component[starts[c] : starts[c + 1]].astype(np.int64) for c in np.flatnonzero(wanted)
        }

    def weigh_missing(self, weigh: Weigh) -> None:
        """Weigh the pairs that blocking did not find inside components small enough."""
        known = np.bincount(self.component[self.left], minlength=len(self.sizes))
        full = self.sizes * (self.sizes - 1) // 2
        small = [c for c in self.members if known[c] < full[c] and self.sizes[c] <= LARGEST_WEIGHED]
        if not small:
            return
        lists = [_all_pairs(self.members[c]) for c in small]
        left, right = np.concatenate([x[0] for x in lists]), np.concatenate([x[1] for x in lists])
        code = len(self.component)
        have = np.minimum(self.left, self.right) * code + np.maximum(self.left, self.right)
        lacking = ~np.isin(left * code + right, have)
        left, right = left[lacking], right[lacking]
        if len(left) == 0:
            return
        weights = weigh(left, right)
        left, right = np.concatenate([self.left, left]), np.concatenate([self.right, right])
        weights = np.concatenate([self.weight, weights])
        order = np.argsort(self.component[left], kind="stable")
        self.left, self.right, self.weight = left[order], right[order], weights[order]

    def doubtful(self) -> list[tuple[Ints, Floats]]:
        """Members and weight matrix of every component that is not agreed on by all its pairs."""
        units = []
        place = np.zeros(len(self.component), dtype=np.int64)
        owners = self.component[self.left]
        starts = np.searchsorted(owners, np.arange(len(self.sizes) + 1))
        agreed = np.bincount(owners[self.weight >= self.edge], minlength=len(self.sizes))
        full = self.sizes * (self.sizes - 1) // 2
        bound = self._bound()
        for c, members in self.members.items():
            if agreed[c] == full[c] and not bound[c]:
                continue
            size = len(members)
            place[members] = np.arange(size)
            matrix = np.full((size, size), MISSING)
            part = slice(starts[c], starts[c + 1])
            rows, columns = place[self.left[part]], place[self.right[part]]
            matrix[rows, columns] = matrix[columns, rows] = np.clip(self.weight[part], -CLIP, CLIP)
            self._decide(members, place, matrix)
            units.append((members, matrix))
        return units

    def _bound(self) -> npt.NDArray[np.bool_]:
        bound = np.zeros(len(self.sizes), dtype=bool)
        for pairs in (self.must, self.never):
            same = self.component[pairs[0]] == self.component[pairs[1]]
            bound[self.component[pairs[0]][same]] = True
        if (self.single >= 0).any():
            for c, members in self.members.items():
                sources = self.single[members]
                sources = sources[sources >= 0]
                bound[c] |= len(np.unique(sources)) < len(sources)
        return bound

    def _decide(self, members: Ints, place: Ints, matrix: Floats) -> None:
        sources = self.single[members]
        if (sources >= 0).any():
            same = (sources[:, None] == sources[None, :]) & (sources[:, None] >= 0)
            np.fill_diagonal(same, val=False)
            matrix[same] = _NEVER
        home = self.component[members[0]]
        for pairs, value in ((self.must, _MUST), (self.never, _NEVER)):
            inside = (self.component[pairs[0]] == home) & (self.component[pairs[1]] == home)
            rows, columns = place[pairs[0][inside]], place[pairs[1][inside]]
            matrix[rows, columns] = matrix[columns, rows] = value


def _all_pairs(members: Ints) -> tuple[Ints, Ints]:
    rows, columns = np.triu_indices(len(members), 1)
    return members[rows], members[columns]
