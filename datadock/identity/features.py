"""From source contacts to linking features: one row per record, one normal form per thing compared.

Which features exist follows from the declared kinds of the fields, nothing else. A feature's
column name is fixed here; ``comparisons`` and ``blocking`` speak of features only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import duckdb

from datadock.catalog import Catalog
from datadock.catalog.fields import MODEL
from datadock.identity.normal_values import (
    COMPOSITE,
    is_composite,
    join_composite,
    join_single,
    read_composite,
    read_single,
    told_beside,
)
from datadock.identity.normalise import install_macros

LINKING_KINDS = frozenset(
    {
        "given_name", "family_name", "birth_name", "full_name", "birth_date", "sex", "civility", "email", "phone",
        "address_line", "street_number", "street_name", "address_extra", "postcode", "city", "region",
        "birth_place", "occupation", "organisation_name", "identifier",
    }
)  # fmt: skip
"""Kinds that the model compares; `country` and `attribute` say too little about who somebody is."""

RECORD = ("source", "source_key", "party_type")
LISTS = ("emails", "phones")

_MOBILE = r"^\+(33[67]|590690|594694|596696|262692|262693|447|324[5-9]|491[567]|34[67]|393|417|3519|352[6]|614)"
"""Starts of mobile numbers, in France and about it: a mobile is one person's, a landline a household's."""

PERSON_FEATURES = frozenset(
    {
        "given", "given_words", "given_first", "given_root", "given_roots", "family",
        "family_words", "family_sound", "birth_name", "name_words",
        "birth_date", "birth_place", "sex", "occupation",
    }
)  # fmt: skip
COMPANY_FEATURES = frozenset({"organisation"})
DERIVED_FEATURES = frozenset(
    {
        "given_words", "given_first", "given_root", "given_roots", "family_words", "family_sound", "birth_name",
        "name_words", "mail_name",
        "mail_digits", "mail_domain", "mobiles",
    }
)  # fmt: skip
"""Features that come with another one; that they are empty needs no telling."""


_SOUND = "dd_sound(family_words)"
_ROOTS = "coalesce(whole_roots, first_roots, [split_part(given_words, ' ', 1)])"
DERIVED_SQL = {
    "given_first": ("given_words", "split_part(given_words, ' ', 1)"),
    "given_root": ("given_words", f"case when given_words is not null then {_ROOTS}[1] end"),
    "given_roots": ("given_words", f"case when given_words is not null then {_ROOTS} end"),
    "family_sound": ("family_words", _SOUND),
    "mobiles": ("phones", f"nullif(list_filter(phones, lambda p: regexp_matches(p, '{_MOBILE}')), [])"),
}
"""Features made of another one: which, and how.

``whole_roots`` and ``first_roots`` are the names that a whole given name, or its first word, is short for.
"""


@dataclass(frozen=True)
class Features:
    """A table of features.

    Attributes:
        table: Its name on the connection; columns ``rid`` (bigint, from 0), source, source_key,
            party_type, feature_hash, and one column per feature.
        columns: The features that exist, in order.
        rows: Number of records.
    """

    table: str
    columns: tuple[str, ...]
    rows: int


def linking_fields(catalog: Catalog) -> dict[str, str]:
    """Return the contact fields that some source declares and the model can use, with their kinds."""
    kinds: dict[str, str] = {}
    for source in catalog.with_entity("contact"):
        for name in source.entities["contact"].fields:
            kind = source.kind("contact", name)
            if kind in LINKING_KINDS:
                kinds[name] = kind
    order = {name: place for place, name in enumerate(MODEL["contact"])}
    return dict(sorted(kinds.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def build_features(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    fields: Mapping[str, str],
    table: str = "features",
    values: Mapping[str, str] | None = None,
) -> Features:
    """Create the table of features of all contacts of a relation.

    Args:
        con: Connection; macros and temporary tables are made on it.
        relation: Table name or parenthesised query with source, source_key, party_type and the fields.
        fields: Field name to kind, as of ``linking_fields``.
        table: Name of the table to create.
        values: Kind of value (``address``, ``phone``, ``email``, ``name``) to a query of normalised values; what a
            kind does not know is read by the macros.
    """
    install_macros(con)
    _install_nicknames(con)
    known = values or {}
    recipe = Recipe(fields, known)
    features = recipe.features()
    beside = told_beside([row[0] for row in con.execute(f"describe from {relation}").fetchall()], fields)
    columns = ", ".join(f'"{name}"' for name in (*fields, *beside))
    con.execute(
        f"create or replace temp table dd_input as select row_number() over () - 1 as rid, "
        f"source, source_key, party_type{', ' if columns else ''}{columns} from {relation}"
    )
    for field, forms in recipe.forms.items():
        picks = ", ".join(f"{sql} as {name}" for name, sql in forms.items())
        told = f'(select distinct "{field}" as raw from dd_input where "{field}" is not null)'
        normal = join_single(fields[field], known)
        con.execute(f"create or replace temp table dd_form_{field} as select raw, {picks} from {told} {normal}")
    joins = " ".join(f'left join dd_form_{field} on dd_form_{field}.raw = dd_input."{field}"' for field in recipe.forms)
    joins += join_composite(con, fields, known, beside)
    picks = "".join(f", {sql} as {name}" for name, sql in features.items())
    con.execute(
        f"create or replace temp table dd_normal as select {', '.join(('rid', *RECORD))}{picks} from dd_input {joins}"
    )
    names = tuple(features)
    return _finish(con, table, names)


def _finish(con: duckdb.DuckDBPyConnection, table: str, names: tuple[str, ...]) -> Features:
    parts = ", '\x1f', ".join(
        f"coalesce(array_to_string({name}, ' '), '')" if name in LISTS else f"coalesce({name}, '')" for name in names
    )
    derived = {name: sql for name, (needed, sql) in DERIVED_SQL.items() if needed in names}
    joins = ""
    if "given_words" in names:
        joins += " left join (select name, roots as whole_roots from dd_nicknames) whole on whole.name = given"
        joins += " left join (select name, roots as first_roots from dd_nicknames) first"
        joins += " on first.name = split_part(given_words, ' ', 1)"
    if "family_words" in names:
        con.execute(
            f"create or replace temp table dd_sounds as select family_words as words, {_SOUND} as sound "
            "from (select distinct family_words from dd_normal where family_words is not null)"
        )
        derived["family_sound"] = "sound"  # each sound is made once
        joins += " left join dd_sounds on words = family_words"
    extra = "".join(f", {sql} as {name}" for name, sql in derived.items())
    con.execute(
        f"create or replace temp table {table} as select dd_normal.*{extra}, "
        f"left(md5(concat({parts or repr('')})), 16) as feature_hash from dd_normal{joins}"
    )
    rows = int(con.execute(f"select count(*) from {table}").fetchall()[0][0])
    return Features(table, (*names, *derived), rows)


def nicknames() -> dict[str, list[str]]:
    """Return nicknames, and the names that each stands for."""
    text = resources.files("datadock.identity").joinpath("nicknames.csv").read_text(encoding="utf-8")
    roots: dict[str, list[str]] = {}
    for line in text.splitlines()[1:]:
        name, root = line.split(",")
        roots.setdefault(name, []).append(root)
    return roots


def _install_nicknames(con: duckdb.DuckDBPyConnection) -> None:
    values = ", ".join(f"('{name}', {roots})" for name, roots in nicknames().items())
    con.execute(f"create or replace temp table dd_nicknames as select * from (values {values}) t(name, roots)")


class Recipe:
    """Which normal forms a set of declared fields needs, and how features come from them."""

    def __init__(self, fields: Mapping[str, str], values: Mapping[str, str]) -> None:
        self.values = values
        self.composite = {kind for kind in COMPOSITE if is_composite(kind, fields, values)}
        self.by_kind: dict[str, list[str]] = {}
        for field, kind in fields.items():
            self.by_kind.setdefault(kind, []).append(field)
        self.forms: dict[str, dict[str, str]] = {}

    def form(self, field: str, name: str, sql: str) -> str:
        """Ask for a normal form of a field's distinct values; return how to refer to it."""
        self.forms.setdefault(field, {})[name] = sql
        return f"dd_form_{field}.{name}"

    def first(self, kind: str, name: str, macro: str) -> str | None:
        """First known normal form over the fields of a kind, or None where none is declared."""
        refs = [self.form(field, name, self._read(kind, macro)) for field in self.by_kind.get(kind, [])]
        return f"coalesce({', '.join(refs)})" if refs else None

    def _read(self, kind: str, macro: str) -> str:
        return read_single(kind, f"{macro}(cast(raw as varchar))", self.values)

    def every(self, kind: str, macro: str) -> str | None:
        """Sorted distinct list of the known normal forms over the fields of a kind; null where empty."""
        refs = [self.form(field, "v", self._read(kind, macro)) for field in self.by_kind.get(kind, [])]
        if not refs:
            return None
        if len(refs) == 1:
            return f"case when {refs[0]} is not null then [{refs[0]}] end"
        known = f"list_sort(list_distinct(list_filter([{', '.join(refs)}], lambda v: v is not null)))"
        several = " and ".join(f"{ref} is not null" for ref in refs[1:])
        first = f"coalesce({', '.join(refs)})"
        return (
            f"case when {several} then {known} when {first} is not null then [{first}] end"
            if len(refs) == 2
            else (f"case when {first} is not null then {known} end")
        )

    def features(self) -> dict[str, str]:
        """Feature name to SQL over the joined normal forms."""
        found: dict[str, str | None] = {**self._names(), **self._places()}
        found["birth_date"] = self.first("birth_date", "v", "dd_date")
        sexes = [ref for ref in (self.first("sex", "v", "dd_sex"), self.first("civility", "v", "dd_sex")) if ref]
        found["sex"] = f"coalesce({', '.join(sexes)})" if sexes else None
        found |= self._mails()
        found["phones"] = self.every("phone", "dd_phone")
        found["birth_place"] = self.first("birth_place", "v", "dd_text")
        found["occupation"] = self.first("occupation", "v", "dd_text")
        found["organisation"] = self.first("organisation_name", "v", "dd_organisation")
        for field in self.by_kind.get("identifier", []):
            found[f"id_{field}"] = self.form(field, "v", "dd_identifier(cast(raw as varchar))")
        found |= self._legal_unit()
        told = {name: sql for name, sql in found.items() if sql is not None}
        return {name: read_composite(name, sql, self.composite) for name, sql in told.items()}

    def _legal_unit(self) -> dict[str, str | None]:
        """The SIREN, whichever number tells it: one that passes its check digit before one that does not."""
        fields = [field for field in ("siren", "siret", "vat_number") if field in self.by_kind.get("identifier", [])]
        ways = [
            self.form(f, how, f"dd_{how}(cast(raw as varchar))") for how in ("sound_siren", "siren") for f in fields
        ]
        return {"id_siren": f"coalesce({', '.join(ways)})"} if ways else {}

    def _mails(self) -> dict[str, str | None]:
        mails = self.every("email", "dd_email")
        if mails is None:
            return {}
        first = self.first("email", "v", "dd_email")
        return {
            "emails": mails,
            "mail_name": f"dd_mail_name({first})",
            "mail_digits": f"regexp_replace(split_part({first}, '@', 1), '[^0-9]+', '', 'g')",
            "mail_domain": f"dd_mail_domain({first})",
        }

    def _names(self) -> dict[str, str | None]:
        given = self.first("given_name", "given", "dd_given")
        family = self.first("family_name", "family", "dd_family")
        birth = [
            ref
            for ref in (self.first("birth_name", "family", "dd_family"), self.first("family_name", "birth", "dd_birth"))
            if ref
        ]
        full = self.by_kind.get("full_name", [])
        if full:
            parsed_given = ", ".join(
                self.form(f, "given", "dd_given(dd_full_given(cast(raw as varchar)))") for f in full
            )
            parsed_family = ", ".join(
                self.form(f, "family", "dd_family(dd_full_family(cast(raw as varchar)))") for f in full
            )
            both = " and ".join(f"{ref} is null" for ref in (given, family) if ref) or "true"
            given = f"coalesce({given or 'null'}, case when {both} then coalesce({parsed_given}) end)"
            family = f"coalesce({family or 'null'}, case when {both} then coalesce({parsed_family}) end)"
        tokens = self.first("full_name", "tokens", "dd_tokens")
        if tokens:
            own = f"string_split(concat_ws(' ', {', '.join(part for part in (given, family) if part)}), ' ')"
            beyond = f"list_filter(string_split({tokens}, ' '), lambda w: not list_contains({own}, w))"
            tokens = f"nullif(array_to_string({beyond}, ' '), '')"
        return {
            "given": f"dd_join({given})" if given else None,
            "given_words": given,
            "family": f"dd_join({family})" if family else None,
            "family_words": family,
            "birth_name": f"dd_join(coalesce({', '.join(birth)}))" if birth else None,
            "name_words": tokens,
        }

    def _places(self) -> dict[str, str | None]:
        line = self.by_kind.get("address_line", [])
        numbers = [
            self.form(f, "v", "dd_identifier(cast(raw as varchar))") for f in self.by_kind.get("street_number", [])
        ]
        numbers += [self.form(f, "number", "dd_number(cast(raw as varchar))") for f in line]
        streets = [
            self.form(f, "street", "dd_street(cast(raw as varchar))") for f in self.by_kind.get("street_name", [])
        ]
        streets += [self.form(f, "street", "dd_street(cast(raw as varchar))") for f in line]
        return {
            "house": f"lower(dd_join(coalesce({', '.join(numbers)})))" if numbers else None,
            "street": f"coalesce({', '.join(streets)})" if streets else None,
            "address_extra": self.first("address_extra", "v", "dd_text"),
            "postcode": self.first("postcode", "v", "dd_postcode"),
            "city": self.first("city", "v", "dd_city"),
            "region": self.first("region", "v", "dd_text"),
        }
