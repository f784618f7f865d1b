"""How features take normalised values in place of the macros' reading of the declared text.

A normal form counts where the value is good or corrected; of a doubtful or refused one, linking still compares
what was written, since two records that hold the same odd text may well be one person. Junk compares as nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb

_GOOD = "status in ('OK', 'CORRIGEE')"
_JUNK = "['VALEUR_BOUCHON', 'CHIFFRES_REPETES', 'CHIFFRES_EN_SUITE', 'NUMERO_FICTIF', 'SANS_CHIFFRE']"

_SINGLE = {"phone": "value", "email": "key"}
"""Kinds with one declared text, and the column of their normal form."""

INPUTS = {
    "address": ("address_line", "address_extra", "postcode", "city", "country"),
    "name": ("civility", "given_name", "family_name", "full_name"),
}
"""Kinds with several declared texts: those that make one value, in order."""
_NEEDS = {"address": ("address_line", "postcode", "city"), "name": ("family_name",)}
"""Fields without which a composite value is not what the feature compares."""

_INVERTED = "list_contains(codes, 'INVERSION_PROBABLE')"
_FIRST = f"case when {_INVERTED} then last_name else first_name end"
_LAST = f"case when {_INVERTED} then first_name else last_name end"
COUNTS = {"address": _GOOD, "name": f"({_GOOD} or {_INVERTED})"}
"""When a composite form counts. A name whose parts stand in each other's place is put right: the same way each time."""

COMPOSITE: dict[str, dict[str, str]] = {
    "address": {
        "house": "nullif(lower(numero || left(repetition, 1)), '')",
        "street": "dd_street(nullif(voie, ''))",
        "postcode": "nullif(code_postal, '')",
        "city": "dd_city(nullif(commune, ''))",
    },
    "name": {
        "given": f"dd_join(dd_given({_FIRST}))",
        "given_words": f"dd_given({_FIRST})",
        "family": f"dd_join(dd_family({_LAST}))",
        "family_words": f"dd_family({_LAST})",
    },
}
"""Kinds with several declared texts: feature to its normal form."""


def read_single(kind: str, macro: str, values: Mapping[str, str]) -> str:
    """Return SQL of one text's form: the normalised one where there is a good one, else the macro's."""
    if kind not in _SINGLE or kind not in values:
        return macro
    return f"case when {_GOOD} then {_SINGLE[kind]} when list_has_any(codes, {_JUNK}) then null else {macro} end"


def join_single(kind: str, values: Mapping[str, str]) -> str:
    """Return the join of a field's distinct texts to the normalised values of its kind."""
    if kind not in _SINGLE or kind not in values:
        return ""
    return f"left join ({values[kind]}) on declared_{kind} = raw::varchar"


def is_composite(kind: str, fields: Mapping[str, str], values: Mapping[str, str]) -> bool:
    """Tell whether a kind's values are at hand and all that they need is declared."""
    return kind in values and all(field in fields for field in _NEEDS[kind])


def told_beside(relation_columns: Collection[str], fields: Mapping[str, str]) -> list[str]:
    """Return the columns of a relation that are no linking fields and yet part of a composite value: the country."""
    inputs = {name for names in INPUTS.values() for name in names}
    return sorted(name for name in inputs if name in relation_columns and name not in fields)


def join_composite(
    con: duckdb.DuckDBPyConnection, fields: Mapping[str, str], values: Mapping[str, str], beside: Collection[str] = ()
) -> str:
    """Create the forms of the composite values of ``dd_input`` and return the joins to them.

    Args:
        con: Connection that holds ``dd_input``.
        fields: Linking fields, which it has as columns.
        values: As of ``build_features``.
        beside: Further columns of ``dd_input`` that are part of a value, as of ``told_beside``.
    """
    joins = ""
    for kind, forms in COMPOSITE.items():
        if not is_composite(kind, fields, values):
            continue
        declared = [f for f in INPUTS[kind] if f in fields or f in beside]
        absent = [f for f in INPUTS[kind] if f not in declared]
        told = "".join(f" and declared_{name} is null" for name in absent)
        picks = ", ".join(f"{sql} as {name}" for name, sql in forms.items())
        on = " and ".join(f"v.declared_{name} is not distinct from i.{name}" for name in declared)
        con.execute(
            f"create or replace temp table dd_form_of_{kind} as select i.rid as form_rid, {picks} from dd_input i "
            f"join (select * from ({values[kind]}) where {COUNTS[kind]}{told}) v on {on}"
        )
        joins += f" left join dd_form_of_{kind} on dd_form_of_{kind}.form_rid = dd_input.rid"
    return joins


def declared_fields(kind: str, fields: Mapping[str, str]) -> list[dict[str, str]]:
    """Return how contacts meet a kind's stored values: per match, field of the contact to column of the store."""
    if kind in _SINGLE:
        return [{field: f"declared_{kind}"} for field, known in fields.items() if known == kind]
    if not all(field in fields for field in _NEEDS[kind]):
        return []
    return [{field: f"declared_{field}" for field in INPUTS[kind] if field in fields}]


def read_composite(feature: str, sql: str, composite: set[str]) -> str:
    """Return SQL of a feature: its composite normal form where there is one, else what the macros read."""
    for kind, forms in COMPOSITE.items():
        if kind in composite and feature in forms:
            return f"coalesce(dd_form_of_{kind}.{feature}, {sql})"
    return sql
