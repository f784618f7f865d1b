"""The weight of one pair by a model, without SQL: levels compiled once, parameters and term frequencies as numbers.

The sum is the batch's: Splink's match weight, less what a household explains as well; and what speaks against one
party. Where frequencies are kept is not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from datadock.identity.comparisons import Comparison
from datadock.identity.compiled.compiler import Compiler, namespace
from datadock.identity.engine import columns_used, splink_settings
from datadock.identity.model import Model
from datadock.identity.training import SAME_BY_CHANCE

Frequency = Callable[[str | None], float]
"""Share of the records that bear a term; one never counted is taken as rare."""
Row = Sequence[Any]

UNKNOWN = -1
"""Number of the level that says nothing; others count from 0, the strongest, to "differs", the last."""
_SURE_HOUSEHOLD = 40


@dataclass(frozen=True)
class Weight:
    """What a pair weighs, in bits.

    Attributes:
        weight: The final weight.
        against: What speaks against one party (0 or less).
        household: What is taken off for what a household shares (0 or less).
    """

    weight: float
    against: float
    household: float


class Scorer:
    """Weighs pairs of feature rows as a model does.

    Args:
        con: Any connection; its parser is used.
        model: The model.
        frequencies: Frequency of a term, for each of the model's ``tf_features``.
        columns: Columns of a row, where it holds more than ``scored_columns``.

    Raises:
        ModelError: When a level uses what is not known in Python; it names comparison and level.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        model: Model,
        frequencies: Mapping[str, Frequency],
        columns: Sequence[str] = (),
    ) -> None:
        self.model, self.version = model, model.version
        self.columns = tuple(columns) or scored_columns(model)
        self.frequencies = {feature: frequencies[feature] for feature in model.tf_features}
        self.plain_bits = {
            c.name: [math.log2(m / u) for m, u in zip(model.m[c.name], model.u[c.name], strict=True)]
            for c in model.comparisons
        }
        """Comparison to the bits of its levels, without term frequency."""
        self._tests = {c.name: self._compiled(Compiler(con), c) for c in model.comparisons}
        self._weigh = self._made("weigh", self._weigh_source())
        self._levels = self._made("levels", self._levels_source())

    def weigh(self, left: Row, right: Row) -> tuple[float, float]:
        """Return weight and against of a pair.

        Args:
            left: Values of ``columns`` of one record, as of ``trainer.without_shared``.
            right: Of the other.
        """
        found: tuple[float, float] = self._weigh(left, right)[:2]
        return found

    def weight(self, left: Row, right: Row) -> Weight:
        """Return the weight of a pair with its parts."""
        return Weight(*self._weigh(left, right))

    def levels(self, left: Row, right: Row) -> tuple[int, ...]:
        """Return the number of the level of each comparison that holds."""
        found: tuple[int, ...] = self._levels(left, right)
        return found

    def bits(self, comparison: Comparison, level: int, left: Row, right: Row) -> float:
        """Return what a level of a comparison weighs for a pair, term frequency included."""
        if level == UNKNOWN:
            return 0.0
        name = comparison.name
        bits = self.plain_bits[name][level]
        feature = comparison.levels[level].tf if level < len(comparison.levels) else None
        if feature is None:
            return bits
        place, frequency = self.columns.index(feature), self.frequencies[feature]
        return (
            bits
            + math.log2(self.model.u[name][level])
            - math.log2(max(frequency(left[place]), frequency(right[place])))
        )

    def _compiled(self, compiler: Compiler, comparison: Comparison) -> list[str]:
        """Tests of "unknown" and of every level, in order."""
        places = {f"{name}_{side}": f"{side}{place}" for place, name in enumerate(self.columns) for side in "lr"}

        def resolve(path: tuple[str, ...]) -> str:
            return places[path[-1]]

        asked = [("unknown", comparison.unknown), *((level.name, level.sql) for level in comparison.levels)]
        return [compiler.test(sql, resolve, f"{comparison.name}, level '{name}'") for name, sql in asked]

    def _made(self, name: str, source: str) -> Callable[[Row, Row], Any]:
        names = namespace() | {"log2": math.log2, "same_by_chance": same_by_chance, "taken_off": taken_off}
        for place, feature in enumerate(self.model.tf_features):
            names[f"tf_{place}"] = self.frequencies[feature]
        exec(compile(source, f"<{self.version}>", "exec"), names)  # made of a model's own levels
        made: Callable[[Row, Row], Any] = names[name]
        return made

    def _opened(self) -> list[str]:
        """Lines that name the values of both rows."""
        return [
            f"    {', '.join(f'{side}{place}' for place in range(len(self.columns)))}, = {row}"
            for side, row in (("l", "left"), ("r", "right"))
            if self.columns
        ]

    def _levels_source(self) -> str:
        lines = ["def levels(left, right):", *self._opened()]
        for number, comparison in enumerate(self.model.comparisons):
            unknown, *tests = self._tests[comparison.name]
            text = str(len(tests))
            for place, test in reversed(list(enumerate(tests))):
                text = f"{place} if {test} else {text}"
            lines.append(f"    g{number} = {UNKNOWN} if {unknown} else {text}")
        told = ", ".join(f"g{number}" for number in range(len(self.model.comparisons)))
        return "\n".join([*lines, f"    return ({told}{',' if told else ''})"])

    def _weigh_source(self) -> str:
        model = self.model
        odds = math.log2(model.prior / (1 - model.prior))
        strangers = 1 - model.household_share - model.match_share
        lines = ["def weigh(left, right):", *self._opened()]
        lines.append(f"    w, h, a = {odds!r}, {math.log2(model.household_share / strangers)!r}, 0.0")
        for comparison in model.comparisons:
            tests = self._tests[comparison.name]
            words = ["if", *["elif"] * (len(tests) - 1)]
            for place, (word, test) in enumerate(zip(words, tests, strict=True)):
                lines += [f"    {word} {test}:", *self._added(comparison, place - 1)]
            lines += ["    else:", *self._added(comparison, len(comparison.levels))]
        return "\n".join([*lines, "    off = taken_off(h)", "    return w - off, a, -off"])

    def _added(self, comparison: Comparison, level: int) -> list[str]:
        """Lines that add what a level says."""
        name = comparison.name
        mw = 0.0 if level == UNKNOWN else math.log2(self.model.m[name][level] / self.model.u[name][level])
        offset = self._household_offset(comparison, mw)
        feature = comparison.levels[level].tf if 0 <= level < len(comparison.levels) else None
        if feature is None:
            shared = mw + offset if comparison.household else same_by_chance(mw)
            return [f"        w += {mw!r}; h += {shared!r}; a += {min(mw, 0.0)!r}"]
        place, number = self.columns.index(feature), self.model.tf_features.index(feature)
        whole = mw + math.log2(self.model.u[name][level])
        shared_text = f"x + {offset!r}" if comparison.household else "same_by_chance(x)"
        return [
            f"        x = {whole!r} - log2(max(tf_{number}(l{place}), tf_{number}(r{place})))",
            f"        w += x; h += {shared_text}; a += min(x, 0.0)",
        ]

    def _household_offset(self, comparison: Comparison, mw: float) -> float:
        """What the weight of a level changes by for a household; as in the batch, the level is known by its weight."""
        name = comparison.name
        for m, u, h in zip(self.model.m[name], self.model.u[name], self.model.h[name], strict=True):
            if abs(mw - math.log2(m / u)) < 1e-9:
                return math.log2(h / m)
        return 0.0


def same_by_chance(bits: float) -> float:
    """What agreement on something personal says for a household, in bits."""
    return math.log2(1 - SAME_BY_CHANCE + SAME_BY_CHANCE * 2.0**bits)


def taken_off(household: float) -> float:
    """What a pair's weight loses to the odds of a household, in bits."""
    return household if household > _SURE_HOUSEHOLD else math.log2(1 + 2.0**household)


def scored_columns(model: Model) -> tuple[str, ...]:
    """Return the columns of a record that a model compares, or weighs terms by, in a fixed order."""
    parameters = {c.name: (model.m[c.name], model.u[c.name]) for c in model.comparisons}
    return tuple(sorted(columns_used(splink_settings(model.comparisons, parameters, model.prior))))
