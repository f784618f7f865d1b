"""The SQL of a staging model: raw rows (payload text and lineage) in, typed source records out.

Used by the scaffold, which writes it into the dbt project once, and by ``datadock link``, which
runs it as it is. The payload is parsed once, with one structure of exactly the paths declared.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from typing import Any

from datadock.catalog.fields import FACTS, MODEL, Type
from datadock.catalog.model import Entity, Field, Source
from datadock.errors import CatalogError
from datadock.warehouse.values_sql import SQL_TYPES, identifier, literal, typed

LINEAGE: dict[str, str] = {
    "_batch_id": "varchar",
    "_file": "varchar",
    "_line": "bigint",
    "_received_at": "timestamp with time zone",
}
"""Columns that say where a row came from; the last ones of every staging model."""

_LONG = 90
"""Characters from which an expression is written over several lines."""

_VERSION_ORDER = """
        coalesce(renamed.record_updated_at, renamed._received_at) desc,
        renamed._received_at desc,
        renamed._batch_id desc,
        renamed._line desc"""
"""Of several versions of a record the first in this order is the latest."""

# Most records have one version: only the others go through the window, which costs as much as
# everything before it. Two keys of one hash merely go through it too.
_LATEST = {
    "repeated": "select hash(source_key) as key_hash\nfrom renamed\ngroup by all\nhaving count(*) > 1",
    "single_versions": (
        "select renamed.*\nfrom renamed\nanti join repeated on hash(renamed.source_key) = repeated.key_hash\n"
        "where renamed.source_key is not null"
    ),
    "several_versions": (
        "select renamed.*\nfrom renamed\nsemi join repeated on hash(renamed.source_key) = repeated.key_hash\n"
        "where renamed.source_key is not null\n"
        f"qualify row_number() over (\n    partition by renamed.source_key\n    order by{_VERSION_ORDER}\n) = 1"
    ),
    "final": "select *\nfrom single_versions\nunion all by name\nselect *\nfrom several_versions",
}

_Path = tuple[str, ...]


@dataclass
class _Shape:
    """One json_transform structure: a tree of the paths that are needed, text at every leaf."""

    alias: str
    tree: dict[str, Any] = field(default_factory=dict)

    def take(self, path: _Path, leaf: Any = "VARCHAR") -> bool:
        """Add a path; False where it contradicts one that is there (leaf against branch, or case only)."""
        if not path:
            return False
        node = self.tree
        for place, key in enumerate(path):
            if any(known != key and known.lower() == key.lower() for known in node):
                return False
            last = place == len(path) - 1
            if last:
                return bool(node.setdefault(key, leaf) == leaf)
            below = node.setdefault(key, {})
            if not isinstance(below, dict):
                return False
            node = below
        return True

    def fits(self, path: _Path, leaf: Any = "VARCHAR") -> bool:
        """Tell whether ``take`` would succeed, without changing the tree."""
        return _Shape(self.alias, json.loads(json.dumps(self.tree))).take(path, leaf)


class _Reader:
    """Collects the paths read from one JSON value and gives each its SQL expression."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.shapes: list[_Shape] = []
        self.scalar = False

    def read(self, path: _Path, leaf: Any = "VARCHAR") -> str:
        if not path:
            self.scalar = True
            return f"{self.alias}_text"
        for shape in self.shapes:
            if shape.fits(path, leaf):
                break
        else:
            shape = _Shape(self.alias if not self.shapes else f"{self.alias}_{len(self.shapes) + 1}")
            self.shapes.append(shape)
        shape.take(path, leaf)
        return ".".join([shape.alias, *(identifier(key) for key in path)])

    def structure(self, shape: _Shape) -> str:
        return literal(_no_jinja(json.dumps(shape.tree, ensure_ascii=False, indent=4)))


def _no_jinja(text: str) -> str:
    """Spell a brace pair inside a name so that dbt's templates leave it alone."""
    for opening in ("{{", "{%", "{#"):
        text = text.replace(opening, "{\\u00" + format(ord(opening[1]), "02x"))
    return text


def parse_path(place: str) -> _Path:
    """Split a place of a declaration into keys: `Nom` is one key, `$.a.b` two, `$` none."""
    if place == "$":
        return ()
    if place.startswith("$."):
        return tuple(place[2:].split("."))
    return (place,)


@dataclass
class _Query:
    """What the CTEs of one model are written from."""

    record: _Reader
    element: _Reader | None
    enclosing: dict[str, str]
    given: dict[str, str]
    constants: dict[str, str]
    only: list[str]

    def read(self, place: str) -> str:
        """Return the raw expression of a place, in the scope of the entity."""
        if self.element is None:
            return self.record.read(parse_path(place.removeprefix("^")))
        if place == "#":
            return "cast(position as varchar)"
        if place.startswith("^"):
            expression = self.record.read(parse_path(place[1:]))
            return self.enclosing.setdefault(expression, f"record_{len(self.enclosing) + 1}")
        return self.element.read(parse_path(place))

    def first(self, places: list[str]) -> str:
        """Return the expression of the first place of several that holds something."""
        if len(places) == 1:
            return self.read(places[0])
        return "coalesce(" + ", ".join(f"nullif(trim({self.read(place)}), '')" for place in places) + ")"


def staging_columns(source: Source, entity: str) -> dict[str, str]:
    """Return the columns of a staging model with their SQL types, in order.

    Args:
        source: The declaration.
        entity: One of its entities.
    """
    declared = source.entities[entity]  # type: ignore[index]  # a str of EntityName
    columns = {"source": "varchar", "source_key": "varchar"}
    if entity == "contact":
        columns["party_type"] = "varchar"
    if entity in FACTS:
        columns |= {"contact_source": "varchar", "contact_key": "varchar"}
    columns |= {name: SQL_TYPES[source.type(entity, name)] for name in field_order(declared, entity)}
    return {**columns, "record_updated_at": SQL_TYPES["timestamp"], **LINEAGE}


def version_places(source: Source, declared: Entity) -> list[str]:
    """Return where the time of an entity's version stands; an element of a list has that of its record."""
    if declared.updated_at or not declared.each:
        return declared.updated_at or []
    enclosing = source.entities[source.main_entity]
    return [] if enclosing.each else [f"^{place}" for place in enclosing.updated_at or []]


def field_order(declared: Entity, entity: str) -> list[str]:
    """Return the declared fields: those of the model in the model's order, then the source's own."""
    own = [name for name in MODEL[entity] if name in declared.fields]
    return own + [name for name in declared.fields if name not in MODEL[entity]]


def staging_select(source: Source, entity: str, relation: str) -> str:
    """Return the SELECT from a source's raw rows to the latest version of each source record.

    Args:
        source: The declaration.
        entity: One of its entities.
        relation: Relation of raw rows with columns ``payload``, ``_batch_id``, ``_file``, ``_line``
            and ``_received_at``; written into the SQL as it is.

    Returns:
        SQL with the columns of ``staging_columns``, one row per source record.
    """
    names = ",\n    ".join(staging_columns(source, entity))
    steps = staging_steps(source, entity, relation)
    return f"{with_steps(steps)}\n\nselect\n    {names}\nfrom final\n"


def with_steps(steps: dict[str, str]) -> str:
    """Write named steps as a ``with`` clause; ``renamed``, which is read three times, is kept by DuckDB."""
    body = ",\n\n".join(
        f"{name} as {'materialized ' if name == 'renamed' else ''}(\n{textwrap.indent(text, '    ')}\n)"
        for name, text in steps.items()
    )
    return f"with {body}"


def staging_steps(source: Source, entity: str, relation: str, *, macros: bool = False) -> dict[str, str]:
    """Return the named steps of the model, in order; the last one is ``final``.

    Args:
        source: The declaration.
        entity: One of its entities.
        relation: Relation of raw rows.
        macros: Write values of declared types as calls of the dbt macros ``read_<type>``.
    """
    declared = source.entities[entity]  # type: ignore[index]  # a str of EntityName
    query = _plan(source, entity, declared)
    lineage = ",\n".join(f"    {column}" for column in LINEAGE)
    steps = {"source": f"select\n    payload,\n{lineage}\nfrom {relation}"}
    steps |= _parsed(query, declared, lineage)
    before = list(steps)[-1]
    where = "\nwhere\n    " + "\n    and ".join(query.only) if query.only else ""
    given = "".join(f"    {expression} as {name},\n" for name, expression in query.given.items())
    steps["given"] = f"select\n{given}{lineage}\nfrom {before}{where}"
    steps["trimmed"] = (
        "select\n"
        "    case\n"
        "        when columns('^[a-z]') like ' %' or columns('^[a-z]') like '% '\n"
        "            then nullif(trim(columns('^[a-z]')), '')\n"
        "        else nullif(columns('^[a-z]'), '')\n"
        f"    end,\n{lineage}\nfrom given"
    )
    steps["renamed"] = f"select\n{_renamed(source, entity, declared, macros)}{lineage}\nfrom trimmed"
    return steps | _LATEST


def _plan(source: Source, entity: str, declared: Entity) -> _Query:
    query = _Query(_Reader("record"), _Reader("element") if declared.each else None, {}, {}, {}, [])
    for number, place in enumerate(declared.key, 1):
        query.given[f"source_key_{number}"] = query.read(place)
    if isinstance(declared.party, dict) and entity == "contact":
        places = declared.party["from"]
        query.given["party_type"] = query.first([places] if isinstance(places, str) else places)
    for number, (_, places) in enumerate(_contact_keys(source, entity, declared), 1):
        for part, place in enumerate(places, 1):
            query.given[f"contact_key_{number}_{part}"] = query.read(place)
    for name in field_order(declared, entity):
        if declared.fields[name].from_:
            query.given[f"{name}"] = query.first(declared.fields[name].from_)
    if updated_at := version_places(source, declared):
        query.given["record_updated_at"] = query.first(updated_at)
    for place, values in declared.only.items():
        query.only.append(f"trim({query.read(place)}) in ({', '.join(literal(str(value)) for value in values)})")
    return query


def _contact_keys(source: Source, entity: str, declared: Entity) -> list[tuple[str, list[str]]]:
    """Return (source, places of the key) of the contact that a fact belongs to."""
    if entity not in FACTS:
        return []
    if declared.contact is not None:
        return [(reference.source, reference.key) for reference in declared.contact]
    contact = source.entities["contact"]
    if contact.each is None:
        return [(source.name, [place if place.startswith("^") else f"^{place}" for place in contact.key])]
    if contact.each == declared.each:
        return [(source.name, contact.key)]
    raise CatalogError(
        f"{source.name}.yml: entities.{entity}: the contact it belongs to is one of several in {contact.each!r}",
        expected="`contact` with source and key",
        action="say which contact the fact belongs to",
    )


def _parsed(query: _Query, declared: Entity, lineage: str) -> dict[str, str]:
    """Return the steps that parse the payload and, for an ``each``, unnest its list."""
    if query.element is None or declared.each is None:
        return {"parsed": f"select\n{_transforms(query.record, 'payload')}{lineage}\nfrom source"}
    element = query.element
    # Elements are parsed with the record where one structure holds all their paths, else once more.
    once = len(element.shapes) + element.scalar <= 1
    leaf: Any = (element.shapes[0].tree if element.shapes else "VARCHAR") if once else "JSON"
    items = query.record.read(parse_path(declared.each), [leaf])
    enclosing = "".join(f"    {expression} as {name},\n" for expression, name in query.enclosing.items())
    steps = {"parsed": f"select\n{_transforms(query.record, 'payload')}{lineage}\nfrom source"}
    steps["elements"] = (
        f"select\n{enclosing}    unnest({items}) as {'element_text' if once and element.scalar else 'element'},\n"
        f"    generate_subscripts({items}, 1) as position,\n{lineage}\nfrom parsed"
    )
    if not once:
        names = "".join(f"    {name},\n" for name in query.enclosing.values())
        text = "    element ->> '$' as element_text,\n" if element.scalar else ""
        transforms = _transforms(element, "element")
        steps["opened"] = f"select\n{names}{text}{transforms}    position,\n{lineage}\nfrom elements"
    return steps


def _transforms(reader: _Reader, value: str) -> str:
    return "".join(
        f"    json_transform(\n        {value},\n{textwrap.indent(reader.structure(shape), '        ')}\n    )"
        f" as {shape.alias},\n"
        for shape in reader.shapes
    )


def _renamed(source: Source, entity: str, declared: Entity, macros: bool) -> str:
    """Return the select list that names and types every column."""
    columns = {"source": literal(source.name)}
    columns["source_key"] = " || '|' || ".join(f"source_key_{number}" for number in range(1, len(declared.key) + 1))
    if entity == "contact":
        columns["party_type"] = _party(declared)
    references = _contact_keys(source, entity, declared)
    if references:
        columns |= _contact_columns(references)
    for name in field_order(declared, entity):
        columns[name] = _value(name, declared.fields[name], source.type(entity, name), macros)
    columns["record_updated_at"] = (
        _read("record_updated_at", "timestamp", None, macros)
        if version_places(source, declared)
        else "cast(null as timestamptz)"
    )
    return "".join(
        f"{textwrap.indent(expression, '    ')}{'' if expression == name else f' as {name}'},\n"
        for name, expression in columns.items()
    )


def _party(declared: Entity) -> str:
    if isinstance(declared.party, str):
        return literal(declared.party)
    values = declared.party["company"]
    companies = ", ".join(literal(str(value)) for value in ([values] if isinstance(values, str) else values))
    return f"case when party_type in ({companies}) then 'company' else 'person' end"


def _contact_columns(references: list[tuple[str, list[str]]]) -> dict[str, str]:
    keys = [
        " || '|' || ".join(f"contact_key_{number}_{part}" for part in range(1, len(places) + 1))
        for number, (_, places) in enumerate(references, 1)
    ]
    arms = [f"when {key} is not null then {literal(name)}" for key, (name, _) in zip(keys, references, strict=True)]
    key = keys[0] if len(keys) == 1 else f"coalesce({', '.join(keys)})"
    if len(key) > _LONG:
        key = "\n".join(["coalesce(", *(f"    {one}{',' if one != keys[-1] else ''}" for one in keys), ")"])
    return {"contact_source": "\n".join(["case", *("    " + arm for arm in arms), "end"]), "contact_key": key}


def _value(name: str, declared: Field, kind: Type, macros: bool) -> str:
    column = name if declared.value is None else literal(declared.value)
    if declared.map:
        arms = [f"    when {literal(old)} then {literal(new) if new else 'null'}" for old, new in declared.map.items()]
        column = "\n".join([f"case {name}", *arms, f"    else {name}", "end"])
    if declared.map and kind != "text":
        return typed(f"({column})", kind, declared.formats)
    return _read(column, kind, declared.formats, macros)


def _read(column: str, kind: Type, formats: list[str] | None, macros: bool) -> str:
    if not macros or formats or kind == "text":
        return typed(column, kind, formats)
    return f"{{{{ read_{kind}({json.dumps(column)}) }}}}"
