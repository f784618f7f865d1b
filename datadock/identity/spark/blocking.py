"""Candidate pairs on Spark, by the rules of a model: all rules in three jobs, keys joined as texts.

Which rules there are, at which rung and with which stopped keys, is ``blocking``'s.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from datadock.identity.blocking import BlockReport, Rule
from datadock.identity.spark import dialect

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_KEYS = "rule int, rid bigint, text string, fresh boolean"
_BETWEEN = " || '|' || "
"""Between the parts of a key, as ``block_keys.texts_sql`` joins them: stopped keys are such texts."""


def columns_of(rules: Collection[Rule], apart: str) -> list[str]:
    """Return the words of rules and of a condition; the columns of a record that they speak of are among them."""
    texts = [apart, *(part for rule in rules for part in rule.keys)]
    return sorted({word for text in texts for word in re.findall(r"[a-z_]\w*", text)})


def keys_sql(place: int, rule: Rule, lists: Collection[str], people: str) -> str:
    """Return Spark's SQL of the keys of a rule: its place, rid, text, fresh."""
    parts = [dialect.key(part, lists, f"the rule {rule.name}") for part in rule.keys]
    picks = ", ".join(f"{f'explode({sql})' if several else sql} as k{n}" for n, (sql, several) in enumerate(parts))
    known = " and ".join(f"k{n} is not null" for n in range(len(parts)))
    text = _BETWEEN.join(f"k{n}" for n in range(len(parts)))
    parted = f"select rid, fresh, {picks} from {people}"
    return f"select {place} as rule, rid, {text} as text, fresh from ({parted}) where {known}"


class Blocks:
    """The pairs of some records by some rules.

    Args:
        session: Session.
        people: Frame with rid, fresh (only pairs with a fresh record are made), and what the rules and ``apart`` name.
        rules: Chosen rules.
        lists: Columns that hold lists.
        cap: Records beyond which a key that training did not stop makes no pairs, and is told.
    """

    def __init__(
        self, session: SparkSession, people: DataFrame, rules: list[Rule], lists: Collection[str], cap: int
    ) -> None:
        self.session, self.rules, self.lists = session, rules, lists
        people.createOrReplaceTempView("dd_people")
        self.large = self._open_keys(cap)
        self.met = session.sql(
            "select distinct l.rule, least(l.rid, r.rid) as rid_l, greatest(l.rid, r.rid) as rid_r from dd_keys l "
            "join dd_keys r on l.rule = r.rule and l.text = r.text "
            "and (l.rid < r.rid or (l.rid <> r.rid and not r.fresh)) where l.fresh"
        ).persist()
        self.met.createOrReplaceTempView("dd_met")

    def _open_keys(self, cap: int) -> list[tuple[int, str, int, bool]]:
        """Make ``dd_keys`` without the stopped and the overgrown; return the overgrown: rule, text, records, fresh."""
        everyone = [keys_sql(place, rule, self.lists, "dd_people") for place, rule in enumerate(self.rules)]
        keys = self.session.sql(" union all ".join(everyone)) if everyone else self.session.createDataFrame([], _KEYS)
        stopped = [(place, text) for place, rule in enumerate(self.rules) for text in rule.stopped]
        if stopped:
            told = self.session.createDataFrame(stopped, "rule int, text string")
            keys = keys.join(told, ["rule", "text"], "left_anti")
        keys.persist().createOrReplaceTempView("dd_open_keys")
        large = self.session.sql(
            "select rule, text, count(*) as n, bool_or(fresh) as fresh from dd_open_keys "
            f"group by rule, text having count(*) > {cap} order by n desc, text"
        ).persist()
        keys.join(large, ["rule", "text"], "left_anti").createOrReplaceTempView("dd_keys")
        return [tuple(row) for row in large.collect()]

    def pairs(self, apart: str) -> DataFrame:
        """Return the frame of rid_l and rid_r (rid_l < rid_r), each pair once.

        Args:
            apart: Condition over ``l`` and ``r`` that drops a pair, empty for none.
        """
        once = "select distinct rid_l, rid_r from dd_met"
        if not apart:
            return self.session.sql(once)
        kept = dialect.condition(apart, self.lists, "sources without duplicates")
        return self.session.sql(
            f"select c.rid_l, c.rid_r from ({once}) c join dd_people l on l.rid = c.rid_l "
            f"join dd_people r on r.rid = c.rid_r where not coalesce(({kept}), false)"
        )

    def reports(self) -> list[BlockReport]:
        """Return what each rule contributed."""
        counts = {rule: n for rule, n in self.session.sql("select rule, count(*) from dd_met group by rule").collect()}
        return [
            BlockReport(rule.name, rule.keys, counts.get(place, 0), len(rule.stopped), self._overgrown(place))
            for place, rule in enumerate(self.rules)
        ]

    def _overgrown(self, place: int) -> tuple[tuple[str, int], ...]:
        """Keys of a rule beyond the cap; none where no fresh record has one."""
        mine = [(text, n, fresh) for rule, text, n, fresh in self.large if rule == place]
        return tuple((text, n) for text, n, _ in mine) if any(fresh for *_, fresh in mine) else ()
