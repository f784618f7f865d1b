"""The contract of a source for one record: what keeps it beyond doubt passes at once, all else the door judges.

The rules are the door's own; here is only which of them one look decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from datadock.catalog.model import Source
from datadock.contracts import Door
from datadock.contracts.reasons import Reason
from datadock.contracts.rules import EntityRules, Rule, Value
from datadock.contracts.values import keys_of
from datadock.identity.index.declared import bare
from datadock.warehouse.values_sql import typed

_PRESENT = ("missing_key", "missing_value")
_KEPT = 1 << 12


class Gate:
    """Judges single records by the contract of one source.

    Args:
        con: Connection of its own, for the types of the door.
        source: The declaration.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, source: Source) -> None:
        self._con, self._door = con, Door(source)
        self._reads = lru_cache(_KEPT)(self._reads_as)

    def judge(self, payload: Mapping[str, Any]) -> tuple[Reason, ...]:
        """Return the reasons for which a record would be refused; none where it keeps the contract."""
        if all(self._is_kept(rules, payload) for rules in self._door.contract):
            return ()
        judged = self._door.judge(pa.table({"payload": [orjson.dumps(payload).decode()]}), flat=False)
        return judged.get(0, ())

    def _is_kept(self, rules: EntityRules, payload: Mapping[str, Any]) -> bool:
        """Whether a record keeps an entity's rules beyond doubt."""
        if rules.each is not None:
            return not _at(payload, rules.each)
        values = {value.column: value for value in rules.values}
        return all(self._holds(rule, values[rule.column], payload) for rule in rules.rules)

    def _holds(self, rule: Rule, value: Value, payload: Mapping[str, Any]) -> bool:
        found = (bare(str(text)) for place in value.places if (text := _at(payload, place)) is not None)
        text = next((text for text in found if text is not None), None)
        if value.declared is not None and value.declared.map and text is not None:
            text = value.declared.map.get(text, text) or None
        if rule.code in _PRESENT:
            return text is not None
        if text is None or rule.code == "not_in_list":
            return text is None or text in rule.choices
        formats = tuple(value.declared.formats or ()) if value.declared else ()
        return rule.code == "bad_type" and value.type is not None and self._reads(text, value.type, formats)

    def _reads_as(self, text: str, kind: Any, formats: tuple[str, ...]) -> bool:
        reading = typed("given", kind, formats or None)
        found = self._con.execute(f"select {reading} is not null from (select $1 as given)", [text]).fetchall()
        return bool(found[0][0])


def _at(payload: Mapping[str, Any], place: str) -> Any:
    value: Any = payload
    for name in keys_of(place):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
