"""How features take normalised values in place of the macros' reading of the declared text.

A normal form counts where the value is good or corrected; of a doubtful or refused one, linking still compares
what was written, since two records that hold the same odd text may well be one person. Junk compares as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

_GOOD = "status in ('OK', 'CORRIGEE')"
_JUNK = "['VALEUR_BOUCHON', 'CHIFFRES_REPETES', 'CHIFFRES_EN_SUITE', 'NUMERO_FICTIF', 'SANS_CHIFFRE']"

_SINGLE = {"phone": "value", "email": "key"}
"""Kinds with one declared text, and the column of their normal form."""

_INPUTS = {
    "address": ("address_line", "address_extra", "postcode", "city", "country"),
    "name": ("civility", "given_name", "family_name", "full_name"),
}
_NEEDS = {"address": ("address_line", "postcode", "city"), "name": ("family_name",)}
"""Fields without which a composite value is not what the feature compares."""

COMPOSITE: dict[str, dict[str, str]] = {
    "address": {
        "house": "nullif(lower(numero || left(repetition, 1)), '')",
        "street": "dd_street(nullif(voie, ''))",
        "postcode": "nullif(code_postal, '')",
        "city": "dd_city(nullif(commune, ''))",
    },
    "name": {
        "given": "dd_given(first_key)",
        "family": "dd_join(dd_family(last_key))",
        "family_words": "dd_family(last_key)",
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


def join_composite(con: duckdb.DuckDBPyConnection, fields: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Create the forms of the composite values of ``dd_input`` and return the joins to them."""
    joins = ""
    for kind, forms in COMPOSITE.items():
        if not is_composite(kind, fields, values):
            continue
        declared = [f for f in _INPUTS[kind] if f in fields]
        absent = [f for f in _INPUTS[kind] if f not in fields]
        told = "".join(f" and declared_{name} is null" for name in absent)
        picks = ", ".join(f"{sql} as {name}" for name, sql in forms.items())
        on = " and ".join(f"v.declared_{name} is not distinct from i.{name}" for name in declared)
        con.execute(
            f"create or replace temp table dd_form_of_{kind} as select i.rid as form_rid, {picks} from dd_input i "
            f"join (select * from ({values[kind]}) where {_GOOD}{told}) v on {on}"
        )
        joins += f" left join dd_form_of_{kind} on dd_form_of_{kind}.form_rid = dd_input.rid"
    return joins


def declared_fields(kind: str, fields: Mapping[str, str]) -> list[dict[str, str]]:
    """Return how contacts meet a kind's stored values: per match, field of the contact to column of the store."""
    if kind in _SINGLE:
        return [{field: f"declared_{kind}"} for field, known in fields.items() if known == kind]
    if not all(field in fields for field in _NEEDS[kind]):
        return []
    return [{field: f"declared_{field}" for field in _INPUTS[kind] if field in fields}]


def read_composite(feature: str, sql: str, composite: set[str]) -> str:
    """Return SQL of a feature: its composite normal form where there is one, else what the macros read."""
    for kind, forms in COMPOSITE.items():
        if kind in composite and feature in forms:
            return f"coalesce(dd_form_of_{kind}.{feature}, {sql})"
    return sql
