"""The rules of a source's contract, made from its declaration: the one place that says what a record must hold.

A rule is a SQL condition on the values of one entity. The door applies it to every chunk, and the
pandera schema of the raw table's check demands its result of every row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import duckdb

from datadock.catalog.fields import DATE_FORMATS, TIMESTAMP_FORMATS, Type
from datadock.catalog.model import Entity, Field, Source
from datadock.contracts.engine import connection
from datadock.errors import CatalogError
from datadock.warehouse.values_sql import identifier, literal

_EXAMPLES: dict[Type, str] = {
    "date": "a date",
    "timestamp": "a date and time",
    "integer": "a whole number",
    "decimal": "a number such as 1234.56 or 1 234,56",
    "number": "a number such as 48.856614 or 48,856614",
    "boolean": "yes or no: true, false, oui, non, 1, 0",
    "text": "text",
}


@dataclass(frozen=True)
class Rule:
    """One rule on one value.

    Attributes:
        code: The reason's code for a record that breaks it.
        field: Name of the field; for a key its place in the record.
        column: The column of the values that holds the value as text.
        expected: What should be there, in words.
        holds: SQL condition on the values, true where the rule is kept; never null.
        demands: Whether a value must be there at all.
        choices: The values allowed, where they are listed.
    """

    code: str
    field: str
    column: str
    expected: str
    holds: str
    demands: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """A value that rules look at.

    Attributes:
        column: Its name among the values; ``<column>__typed`` is its reading as ``type``,
            ``<column>__number`` the one as a number.
        places: Where it stands in the record; the first that holds something counts.
        declared: The field, or None for a part of the key.
        type: The type to read it as, or None.
        ranged: Whether it has a smallest or largest value.
    """

    column: str
    places: tuple[str, ...]
    declared: Field | None = None
    type: Type | None = None
    ranged: bool = False


@dataclass(frozen=True)
class EntityRules:
    """The rules of one entity of a source, and the values that they look at."""

    entity: str
    each: str | None
    only: dict[str, list[str]]
    values: tuple[Value, ...]
    rules: tuple[Rule, ...] = field(default=())


def contract(source: Source) -> list[EntityRules]:
    """Return the rules of every entity that has any.

    Raises:
        CatalogError: When a pattern is no regular expression that can be applied to columns.
    """
    made = []
    for name, entity in source.entities.items():
        values: list[Value] = []
        rules: list[Rule] = []
        if name == source.main_entity:
            for number, place in enumerate(entity.key, 1):
                values.append(Value(f"key_{number}", (place,)))
                rules.append(_filled("missing_key", place, f"key_{number}", "a key in every record"))
        for field_name, declared in entity.fields.items():
            if declared.has_rules and declared.from_:
                values.append(_value(source, name, entity, field_name))
                rules.extend(_field_rules(source, name, field_name, declared))
        if rules:
            made.append(EntityRules(name, entity.each, entity.only, tuple(values), tuple(rules)))
    return made


def _value(source: Source, entity: str, declared: Entity, name: str) -> Value:
    own = declared.fields[name]
    kind = source.type(entity, name)
    ranged = own.min is not None or own.max is not None
    return Value(name, tuple(own.from_), own, kind if own.strict and kind != "text" else None, ranged)


def _filled(code: str, name: str, column: str, expected: str) -> Rule:
    return Rule(code, name, column, expected, f"{identifier(column)} is not null", demands=True)


def _field_rules(source: Source, entity: str, name: str, declared: Field) -> list[Rule]:
    value = identifier(name)
    kind = source.type(entity, name)
    rules = []
    if declared.required:
        rules.append(_filled("missing_value", name, name, "a value in every record"))
    if declared.strict and kind != "text":
        readable = f"{value} is null or {identifier(name + '__typed')} is not null"
        rules.append(Rule("bad_type", name, name, _readable(kind, declared), readable))
    if declared.pattern is not None:
        pattern = _checked(source, name, declared.pattern)
        matches = f"coalesce(regexp_full_match({value}, {literal(pattern)}), true)"
        rules.append(Rule("pattern", name, name, f"a value that matches {declared.pattern}", matches))
    if declared.one_of is not None:
        choices = tuple(declared.one_of)
        known = f"coalesce({value} in ({', '.join(literal(choice) for choice in choices)}), true)"
        rules.append(Rule("not_in_list", name, name, f"one of {', '.join(choices)}", known, choices=choices))
    if declared.min is not None or declared.max is not None:
        rules.append(Rule("out_of_range", name, name, _range(declared), _within(name, declared)))
    return rules


def _within(name: str, declared: Field) -> str:
    number = identifier(f"{name}__number")
    bounds = [f"{number} >= {declared.min!r}"] if declared.min is not None else []
    bounds += [f"{number} <= {declared.max!r}"] if declared.max is not None else []
    return f"coalesce({' and '.join(bounds)}, true)"


def _range(declared: Field) -> str:
    bounds = []
    if declared.min is not None:
        bounds.append(f"at least {declared.min:g}")
    if declared.max is not None:
        bounds.append(f"at most {declared.max:g}")
    return " and ".join(bounds)


def _readable(kind: Type, declared: Field) -> str:
    if kind not in ("date", "timestamp"):
        return _EXAMPLES[kind]
    formats = declared.formats or (DATE_FORMATS if kind == "date" else TIMESTAMP_FORMATS)
    shown = ", ".join(formats[:4]) + (", …" if len(formats) > 4 else "")
    return f"{_EXAMPLES[kind]} written as {shown}"


def _checked(source: Source, name: str, pattern: str) -> str:
    try:
        re.compile(pattern)
        connection().execute("select regexp_full_match('', ?)", [pattern])
    except (re.error, duckdb.Error) as error:
        raise CatalogError(
            f"{source.name}.yml: {name}.pattern: {pattern!r} cannot be applied: {error}",
            expected="a regular expression without look-around or back-references",
        ) from error
    return pattern
