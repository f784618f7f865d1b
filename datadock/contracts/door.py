"""The door of the raw zone: a source's contract applied to each chunk, in columns.

A record that breaks it goes to quarantine with every reason; its neighbours load.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import pyarrow as pa

from datadock.catalog.model import Source
from datadock.contracts.reasons import Reason
from datadock.contracts.rules import EntityRules, Rule, contract
from datadock.contracts.values import ValueReader, keys_of

_LONGEST = 200
_SHOWN_COLUMNS = 30


class Door:
    """Judges records by the contract of one source.

    Args:
        source: The declaration.

    Raises:
        CatalogError: When the contract cannot be applied.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.contract = contract(source)
        self._values = ValueReader()

    def judge(
        self, chunk: pa.Table, *, flat: bool, header: Sequence[str] | None = None
    ) -> dict[int, tuple[Reason, ...]]:
        """Return the records that break the contract, by their row in the chunk, with every reason.

        Args:
            chunk: Flat: the records' text columns; else one column ``payload`` of JSON texts.
            flat: Which of the two.
            header: Column names, where the file declares them once for all records.
        """
        failures: dict[int, list[Reason]] = {}
        if not chunk.num_rows:
            return {}
        for rules in self.contract:
            broken = self._values.broken(rules, chunk, flat=flat)
            for number, rule in enumerate(rules.rules):
                absent = _absent(rules, rule, header)
                for values in broken:
                    if not values[f"rule_{number}"]:
                        reason = absent or _reason(rule, values["_element"], values[rule.column])
                        failures.setdefault(values["_row"], []).append(reason)
        return {row: tuple(reasons) for row, reasons in failures.items()}


def _reason(rule: Rule, element: int | None, found: str | None) -> Reason:
    field = rule.field if element is None else f"{rule.field}[{element}]"
    if found is None:
        return Reason(rule.code, field, "nothing", rule.expected)
    shown = found if len(found) <= _LONGEST else found[: _LONGEST - 1] + "…"
    close = difflib.get_close_matches(found[:_LONGEST], rule.choices, 1)
    return Reason(rule.code, field, repr(shown), rule.expected + (f" (did you mean {close[0]!r}?)" if close else ""))


def _absent(rules: EntityRules, rule: Rule, header: Sequence[str] | None) -> Reason | None:
    """Word the reason where a demanded value's column is missing from the whole file."""
    if header is None or not rule.demands or rules.each is not None:
        return None
    places = next(value.places for value in rules.values if value.column == rule.column)
    tops = [keys_of(place)[0] for place in places if keys_of(place)]
    if not tops or any(top in header for top in tops):
        return None
    lowered = {name.lower(): name for name in header}
    close = difflib.get_close_matches(tops[0].lower(), list(lowered), 1, 0.6)
    hint = f" (did you mean {lowered[close[0]]!r}?)" if close else ""
    names = ", ".join(header[:_SHOWN_COLUMNS]) + (", …" if len(header) > _SHOWN_COLUMNS else "")
    return Reason("missing_column", rule.field, f"columns {names}", f"a column {tops[0]!r}{hint}")
