"""Blocking keys of one record as numbers: the rules of a model, compiled; the same numbers as a whole table gives.

A key's number is that of its party, rule and text (``numbers``), so that Python and SQL agree on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from datadock.identity.block_keys import is_list, parts_sql
from datadock.identity.compiled.compiler import Compiler, namespace
from datadock.identity.compiled.numbers import number_of, number_sql
from datadock.identity.model import Model
from datadock.warehouse.values_sql import literal

_LIST = "unnest("


class KeyMaker:
    """Gives the keys of records of one party type.

    Args:
        con: Any connection; its parser is used.
        model: The model whose rules count.

    Raises:
        ModelError: When a rule uses what is not known in Python; it names the rule.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, model: Model) -> None:
        self.model = model
        self._rules = [(frozenset(rule.stopped), kind_of(model, place)) for place, rule in enumerate(model.rules)]
        self._number = number_of()
        self._read = self._compiled(Compiler(con))

    def keys(self, features: Mapping[str, Any]) -> list[int]:
        """Return the numbers of a record's keys, each once; those of stopped keys are left out.

        Args:
            features: Scored features by name, as of ``cleaning.scored_features``.
        """
        number = self._number
        found = {
            number(kind, *parts)
            for (stopped, kind), keys in zip(self._rules, self._read(features), strict=True)
            for parts in keys
            if not stopped or "|".join(parts) not in stopped
        }
        return sorted(found)

    def _compiled(self, compiler: Compiler) -> Callable[[Mapping[str, Any]], list[list[tuple[str, ...]]]]:
        used: dict[str, str] = {}

        def resolve(path: tuple[str, ...]) -> str:
            return used.setdefault(path[-1], f"f{len(used)}")

        rules = []
        for rule in self.model.rules:
            parts = [
                compiler.value(part[len(_LIST) : -1] if is_list(part) else part, resolve, f"rule {rule.name}")
                for part in rule.keys
            ]
            several = next((place for place, part in enumerate(rule.keys) if is_list(part)), None)
            rules.append(f"parts({several}, {', '.join(parts)})")
        told = ", ".join(f"{variable}=row.get({name!r})" for name, variable in used.items())
        names = namespace() | {"parts": _parts}
        source = f"lambda row: (lambda {', '.join(used.values())}: [{', '.join(rules)}])({told})"
        made: Callable[[Mapping[str, Any]], list[list[tuple[str, ...]]]] = eval(source, names)  # of a model's own rules
        return made


def _parts(several: int | None, *parts: Any) -> list[tuple[str, ...]]:
    """The parts of a rule's keys: of one, or one for every value of its list; none where a part is unknown."""
    if None in parts:
        return []
    if several is None:
        return [parts]
    values = [value for value in parts[several] if value is not None]
    return [(*parts[:several], value, *parts[several + 1 :]) for value in values]


def kind_of(model: Model, rule: int) -> str:
    """Return the kind of thing, as of ``numbers``, that the keys of a model's rule are."""
    return f"{model.party}{rule}"


def key_numbers_sql(table: str, model: Model) -> str:
    """Return SQL of (key, rid) of every record of a table of scored features; stopped keys are left out.

    Args:
        table: Features as of ``trainer.without_shared``, with ``rid``.
        model: The model whose rules count.
    """
    found = []
    for number, rule in enumerate(model.rules):
        origin, parts = parts_sql(table, rule.keys)
        known = [f"({part}) is not null" for part in parts]
        if rule.stopped:
            text = " || '|' || ".join(f"({part})" for part in parts)
            known.append(f"{text} not in ({', '.join(map(literal, rule.stopped))})")
        several = "distinct " if any(is_list(part) for part in rule.keys) else ""
        key = number_sql(kind_of(model, number), *parts)
        found.append(f"select {several}{key} as key, rid from {origin} where {' and '.join(known)}")
    return " union all ".join(found) or "select 0::ubigint as key, 0 as rid where false"
