"""The kinds of values that are normalised: where they are declared, how they are read, where they are kept.

A value's id is the MD5 of its declared texts, so that equal texts are read once, whoever says them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from datadock import names
from datadock.catalog import Catalog
from datadock.identity.features import linking_fields
from datadock.identity.workspace import Workspace, latest_of
from datadock.quality.address import RESULT_SCHEMA, AddressColumns, AddressNormaliser, normalise_addresses
from datadock.quality.email import EMAIL_SCHEMA, normalise_emails
from datadock.quality.full_name import normalise_full_names
from datadock.quality.names import NAME_SCHEMA, normalise_names
from datadock.quality.phone import PHONE_SCHEMA, normalise_phones
from datadock.warehouse.lake_tables import TABLES

Reader = Callable[[pl.DataFrame, AddressNormaliser], pl.DataFrame]
"""Reads rows of declared texts into rows of results, in their order."""

ADDRESS_PARTS = ("address_line", "address_extra", "postcode", "city", "country")
NAME_PARTS = ("civility", "given_name", "family_name", "full_name")
_SEPARATOR = "chr(31)"

ENTITIES = ("contact", "contact_address", "event", "move")
"""Entities that hold values and contact points."""

_SCHEMA = "warehouse.intermediate"
_CONTACTS, _ADDRESSES, _EVENTS, _MOVES = "int_source_contact", "int_contact_address", "int_event", "int_move"
_Select = tuple[str, str]
"""A table and a query over it."""


@dataclass(frozen=True)
class ValueKind:
    """One kind of value.

    Attributes:
        name: ``address``, ``phone``, ``email`` or ``name``.
        table: Lake table of its values.
        inputs: Declared texts that make one value; stored as ``declared_<input>``.
        schema: Columns of the result, with their Polars types.
        read: Reads declared texts.
        normal_form: SQL of a stored value's normal form, the text that makes two points the same; null for none.
        type: SQL of its type.
    """

    name: str
    table: str
    inputs: tuple[str, ...]
    schema: Mapping[str, Any]
    read: Reader
    normal_form: str = "null"
    type: str = "type"

    @property
    def declared(self) -> tuple[str, ...]:
        """Columns of the declared texts in the lake table."""
        return tuple(f"declared_{name}" for name in self.inputs)


def value_id(*texts: str) -> str:
    """Return the SQL of a value's id, from the SQL of its declared texts."""
    filled = ", ".join(f"coalesce({text}, '')" for text in texts)
    return f"md5(concat_ws({_SEPARATOR}, {filled}))"


def text(field: str) -> str:
    """Return the SQL of a contact's field as text."""
    return f'"{field}"::varchar'


def told_values(catalog: Catalog, kind: str) -> str:
    """Return SQL of what contact records say of a kind: contact_source, contact_key, value_id."""
    return " union all ".join(
        f"select source as contact_source, source_key as contact_key, {value_id(text(field))} as value_id "
        f"from {_SCHEMA}.{_CONTACTS} where {text(field)} is not null"
        for field in contact_fields(catalog, kind)
    )


def contact_fields(catalog: Catalog, kind: str) -> list[str]:
    """Return the fields of contacts that hold a kind of value (``email``, ``phone``)."""
    return [field for field, known in linking_fields(catalog).items() if known == kind]


def latest_forms(workspace: Workspace, kind: ValueKind, wanted: str | None = None) -> str:
    """Return SQL of value_id, normal_form, type, status and codes of stored values, as they are read now.

    Args:
        workspace: The run's workspace.
        kind: The kind.
        wanted: Relation with the ``value_id`` of some few values; all of them by default.
    """
    stored = workspace.scan_or_empty(kind.table, {**TABLES[kind.table], "generation": "bigint"})
    some = f"(select * from {stored} semi join {wanted} using (value_id))" if wanted else stored
    return (
        f"select value_id, {kind.normal_form} as normal_form, {kind.type} as type, status, codes "
        f"from ({latest_of(some, 'value_id')})"
    )


def declared_values(kind: ValueKind, catalog: Catalog, tables: Collection[str], batches: str | None = None) -> str:
    """Return SQL of the distinct values that the warehouse holds of a kind: value_id and the declared texts.

    Args:
        kind: The kind.
        catalog: Declarations, for the fields that hold it.
        tables: Intermediate tables that the warehouse has; others are left out.
        batches: Table with the ``batch_id`` of the batches whose rows are read; all rows by default.
    """
    some = f" and _batch_id in (from {batches})" if batches else ""
    parts = [select + some for table, select in _VALUES_OF[kind.name](catalog) if table in tables]
    if not parts:
        empty = ", ".join(f"null::varchar as {name}" for name in kind.declared)
        return f"select null::varchar as value_id, {empty} where false"
    union = " union all ".join(parts)
    return f"select {value_id(*kind.declared)} as value_id, * from (select distinct * from ({union}))"


def _addresses(_catalog: Catalog) -> list[_Select]:
    def part(table: str, prefix: str = "") -> _Select:
        columns = ", ".join(f"{prefix}{name} as declared_{name}" for name in ADDRESS_PARTS)
        some = ", ".join(f"{prefix}{name}" for name in ADDRESS_PARTS[:4])
        return table, f"select {columns} from {_SCHEMA}.{table} where coalesce({some}) is not null"

    return [part(_CONTACTS), part(_ADDRESSES), part(_EVENTS), part(_MOVES), part(_MOVES, "old_")]


def _phones(catalog: Catalog) -> list[_Select]:
    return _single(contact_fields(catalog, "phone"), "phone")


def _emails(catalog: Catalog) -> list[_Select]:
    events = (
        f"select contact_point as declared_email from {_SCHEMA}.{_EVENTS} "
        "where event_type in ('bounce', 'delivery') and contains(contact_point, '@')"
    )
    return [*_single(contact_fields(catalog, "email"), "email"), (_EVENTS, events)]


def _single(fields: list[str], name: str) -> list[_Select]:
    return [
        (
            _CONTACTS,
            f'select "{field}"::varchar as declared_{name} from {_SCHEMA}.{_CONTACTS} where "{field}" is not null',
        )
        for field in fields
    ]


def _names(_catalog: Catalog) -> list[_Select]:
    columns = ", ".join(f"{name} as declared_{name}" for name in NAME_PARTS)
    select = (
        f"select {columns} from {_SCHEMA}.{_CONTACTS} where coalesce(given_name, family_name, full_name) is not null "
        "and party_type = 'person'"
    )
    return [(_CONTACTS, select)]


_VALUES_OF: dict[str, Callable[[Catalog], list[_Select]]] = {
    "address": _addresses,
    "phone": _phones,
    "email": _emails,
    "name": _names,
}


def _read_addresses(rows: pl.DataFrame, normaliser: AddressNormaliser) -> pl.DataFrame:
    columns = AddressColumns(
        lines=("declared_address_extra", "declared_address_line"),
        postal_code="declared_postcode",
        city="declared_city",
        country="declared_country",
    )
    return normalise_addresses(rows, columns, normaliser=normaliser)


def _read_phones(rows: pl.DataFrame, _normaliser: AddressNormaliser) -> pl.DataFrame:
    return normalise_phones(rows["declared_phone"])


def _read_emails(rows: pl.DataFrame, _normaliser: AddressNormaliser) -> pl.DataFrame:
    return normalise_emails(rows["declared_email"])


def _read_names(rows: pl.DataFrame, _normaliser: AddressNormaliser) -> pl.DataFrame:
    """Read names by their parts, and whole names where no part was declared."""
    whole = rows["declared_given_name"].is_null() & rows["declared_family_name"].is_null()
    numbered = rows.with_row_index("__row")
    parts, wholes = numbered.filter(~whole), numbered.filter(whole)
    results = []
    if parts.height:
        read = normalise_names(parts["declared_given_name"], parts["declared_family_name"], parts["declared_civility"])
        results.append(parts.select("__row").hstack(read))
    if wholes.height:
        read = normalise_full_names(wholes["declared_full_name"])
        results.append(wholes.select("__row").hstack(read))
    if not results:
        return normalise_full_names(rows["declared_full_name"])
    return pl.concat(results).sort("__row").drop("__row")


ADDRESS = ValueKind(
    "address",
    names.ADDRESS_VALUES,
    ADDRESS_PARTS,
    {name: kind for name, kind in RESULT_SCHEMA.items() if name != "line_1"},
    _read_addresses,
    "concat_ws(', ', nullif(line_4, ''), nullif(line_5, ''), nullif(line_6, ''), nullif(line_7, ''))",
    "case when bp <> '' then 'boite' when voie <> '' then 'voie' else '' end",
)
PHONE = ValueKind("phone", names.PHONE_VALUES, ("phone",), PHONE_SCHEMA, _read_phones, "coalesce(value, proposal)")
EMAIL = ValueKind(
    "email",
    names.EMAIL_VALUES,
    ("email",),
    EMAIL_SCHEMA,
    _read_emails,
    "case when status = 'A_CONFIRMER' then coalesce(typed, value) else value end",
)
NAME = ValueKind("name", names.NAME_VALUES, NAME_PARTS, NAME_SCHEMA, _read_names)

KINDS = (ADDRESS, PHONE, EMAIL, NAME)
"""Every kind, in the order in which it is read."""
