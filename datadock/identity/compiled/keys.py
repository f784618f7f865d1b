"""Blocking keys of one record as numbers: the rules of a model, compiled; the same numbers as a whole table gives.

A key's number is the first half of the MD5 of its party, rule and text, so that Python and SQL agree on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import duckdb

from datadock.identity.block_keys import is_list, texts_sql
from datadock.identity.compiled.compiler import Compiler, namespace
from datadock.identity.model import Model

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
        self._stopped = [frozenset(rule.stopped) for rule in model.rules]
        self._read = self._compiled(Compiler(con))

    def keys(self, features: Mapping[str, Any]) -> list[int]:
        """Return the numbers of a record's keys, each once; those of stopped keys are left out.

        Args:
            features: Scored features by name, as of ``cleaning.scored_features``.
        """
        found = set()
        for number, texts in enumerate(self._read(features)):
            for text in texts:
                if text not in self._stopped[number]:
                    found.add(key_number(self.model.party, number, text))
        return sorted(found)

    def _compiled(self, compiler: Compiler) -> Callable[[Mapping[str, Any]], list[list[str]]]:
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
            rules.append(f"texts({several}, {', '.join(parts)})")
        told = ", ".join(f"{variable}=row.get({name!r})" for name, variable in used.items())
        names = namespace() | {"texts": _texts}
        source = f"lambda row: (lambda {', '.join(used.values())}: [{', '.join(rules)}])({told})"
        made: Callable[[Mapping[str, Any]], list[list[str]]] = eval(source, names)  # of a model's own rules
        return made


def _texts(several: int | None, *parts: Any) -> list[str]:
    """The texts of a rule's keys: one, or one for every value of its list; none where a part is unknown."""
    if None in parts:
        return []
    if several is None:
        return ["|".join(parts)]
    values = [value for value in parts[several] if value is not None]
    return ["|".join((*parts[:several], value, *parts[several + 1 :])) for value in values]


def key_number(party: str, rule: int, text: str) -> int:
    """Return the number of a key, signed, in 64 bits."""
    digest = hashlib.md5(f"{party}{rule}|{text}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little", signed=True)


def key_numbers_sql(table: str, model: Model) -> str:
    """Return SQL of (key, rid) of every record of a table of scored features; stopped keys are left out.

    Args:
        table: Features as of ``trainer.without_shared``, with ``rid``.
        model: The model whose rules count.
    """
    parts = []
    for number, rule in enumerate(model.rules):
        stopped = ", ".join("'" + text.replace("'", "''") + "'" for text in rule.stopped)
        where = f"where text not in ({stopped})" if stopped else ""
        parts.append(
            f"select distinct md5_number_upper('{model.party}{number}|' || text)::hugeint as number, rid "
            f"from ({texts_sql(table, rule.keys)}) {where}"
        )
    signed = "(case when number >= 9223372036854775808 then number - 18446744073709551616 else number end)::bigint"
    union = " union all ".join(parts) or "select 0::hugeint as number, 0 as rid where false"
    return f"select {signed} as key, rid from ({union})"
