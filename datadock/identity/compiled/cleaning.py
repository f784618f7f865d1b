"""Features of one record: the batch's own recipe and macros, compiled; the batch's own readers of values.

The expressions are those of ``features.Recipe`` and ``normalise``; what of them cannot be said in Python (dates) is
asked of DuckDB itself, once per text. A text's normal forms are kept for the next record that says it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any

import duckdb

from datadock.errors import ModelError
from datadock.identity.compiled.compiler import Compiler, namespace
from datadock.identity.features import DERIVED_SQL, LISTS, Recipe, nicknames
from datadock.identity.normal_values import COMPOSITE, COUNTS, INPUTS
from datadock.identity.normalise import install_macros, macros
from datadock.quality.address import AddressInput, AddressNormaliser
from datadock.quality.email import normalise_email
from datadock.quality.full_name import normalise_full_name
from datadock.quality.names import normalise_name
from datadock.quality.phone import normalise_phone

_KEPT = 1 << 16
_ISO_DAY = re.compile(r"([12]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
Texts = Mapping[str, str | None]
Forms = Callable[[str], tuple[Any, ...]]


class Cleaner:
    """Gives the features of one record.

    Args:
        con: Connection of its own; macros are made on it.
        fields: Declared linking fields with their kinds, as of ``features.linking_fields``.
        kinds: Kinds of values whose normal forms the batch takes features from.
        addresses: The deployment's reader of addresses.

    Raises:
        ModelError: When an expression of the recipe cannot be compiled.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        fields: Mapping[str, str],
        kinds: Collection[str],
        addresses: AddressNormaliser,
    ) -> None:
        install_macros(con)
        self.con, self.fields, self.kinds = con, fields, kinds
        self.addresses = addresses
        self.macros = self._compiled_macros()
        self._compiler = Compiler(con, frozenset(self.macros))
        recipe = Recipe(fields, dict.fromkeys(kinds, ""))
        features = recipe.features()
        self._composite = recipe.composite
        self._forms = {field: self._form(field, forms) for field, forms in recipe.forms.items()}
        self._variables = {
            f"{field}.{name}": f"x_{field}_{name}" for field, forms in recipe.forms.items() for name in forms
        }
        self._form_names = {field: tuple(forms) for field, forms in recipe.forms.items()}
        self._read = self._features(features)
        self._address = lru_cache(_KEPT)(self._read_address)
        self._name = lru_cache(_KEPT)(self._read_name)

    def features(self, texts: Texts, party: str) -> dict[str, Any]:
        """Return the features of a record, by name; null is None.

        Args:
            texts: What is declared, as staging gives it: field to text, dates as ISO text, nothing as None.
            party: ``person`` or ``company``.
        """
        forms = {field: known(text) for field, known in self._forms.items() if (text := texts.get(field)) is not None}
        read: dict[str, Any] = self._read(forms, self._composites(texts, party))
        return read

    def _composites(self, texts: Texts, party: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "address" in self._composite:
            told = tuple(texts.get(field) for field in INPUTS["address"])
            if any(text is not None for text in told[:4]):
                found |= self._address(*told)
        if "name" in self._composite and party == "person":
            told = tuple(texts.get(field) for field in INPUTS["name"])
            if any(text is not None for text in told[1:]):
                found |= self._name(*told)
        return found

    def _compiled_macros(self) -> dict[str, Callable[..., Any]]:
        """The macros as functions; one that cannot be compiled asks DuckDB."""
        made: dict[str, Callable[..., Any]] = {}
        for name, (parameters, body) in macros().items():
            compiler = Compiler(self.con, frozenset(made))
            names = namespace() | made
            own = {parameter: f"p_{parameter}" for parameter in parameters}
            try:
                source = compiler.value(body, _named(own), f"macro {name}")
            except ModelError:
                made[name] = _quick_day(self._asked(name)) if name == "dd_day" else self._asked(name)
                continue
            made[name] = _function(name, ", ".join(own.values()), source, names)
        return made

    def _asked(self, macro: str) -> Callable[[Any], Any]:
        @lru_cache(_KEPT)
        def ask(text: str | None) -> Any:
            return self.con.execute(f"select {macro}($1)", [text]).fetchall()[0][0]

        return ask

    def _form(self, field: str, forms: Mapping[str, str]) -> Forms:
        """The normal forms of one field's text."""
        kind = self.fields[field]
        names = {"raw": "raw", **{name: f"read.{name}" for name in ("status", "codes", "value", "key")}}
        where = f"field {field}"
        told = ", ".join(self._compiler.value(sql, lambda path: names[path[-1]], where) for sql in forms.values())
        reader = {"phone": normalise_phone, "email": normalise_email}.get(kind) if kind in self.kinds else None
        source = f"(lambda read: ({told},))(reader(raw))" if reader else f"({told},)"
        made = _function(f"form_{field}", "raw", source, namespace() | self.macros | {"reader": reader})
        return lru_cache(_KEPT)(made)

    def _features(self, features: Mapping[str, str]) -> Callable[..., dict[str, Any]]:
        """The function from forms to features."""
        lines = ["def read(forms, composite):"]
        for field, names in self._form_names.items():
            told = ", ".join(f"x_{field}_{name}" for name in names)
            lines.append(f"    {told}, = forms.get({field!r}) or {(None,) * len(names)!r}")
        for kind in self._composite:
            lines += [f"    c_{kind}_{name} = composite.get({name!r})" for name in COMPOSITE[kind]]

        def resolve(path: tuple[str, ...]) -> str:
            table, name = path
            if table.startswith("dd_form_of_"):
                return f"c_{table.removeprefix('dd_form_of_')}_{name}"
            return self._variables[f"{table.removeprefix('dd_form_')}.{name}"]

        for name, sql in features.items():
            lines.append(f"    f_of_{name} = {self._compiler.value(sql, resolve, f'feature {name}')}")
        derived = {name: sql for name, (needed, sql) in DERIVED_SQL.items() if needed in features}
        own = {name: f"f_of_{name}" for name in (*features, *derived)}
        own |= {name: name for name in ("whole_roots", "first_roots")}
        if "given_words" in features:
            first = self._compiler.value(DERIVED_SQL["given_first"][1], _named(own), "feature given_first")
            lines += ["    whole_roots = nicknames.get(f_of_given)", f"    first_roots = nicknames.get({first})"]
        for name, sql in derived.items():
            lines.append(f"    f_of_{name} = {self._compiler.value(sql, _named(own), f'feature {name}')}")
        told = ", ".join(f"{name!r}: f_of_{name}" for name in (*features, *derived))
        lines.append(f"    return {{{told}}}")
        scope = namespace() | self.macros | {"nicknames": nicknames()}
        exec(compile("\n".join(lines), "<features>", "exec"), scope)  # made of the batch's own recipe
        made: Callable[..., dict[str, Any]] = scope["read"]
        return made

    def _composite_forms(self, kind: str, read: object) -> dict[str, Any]:
        if not hasattr(self, f"_forms_of_{kind}"):
            forms = {name: self._of_reading(sql, f"{kind} {name}") for name, sql in COMPOSITE[kind].items()}
            told = ", ".join(f"{name!r}: {code}" for name, code in forms.items())
            counts = self._of_reading(COUNTS[kind], f"{kind} that counts")
            source = f"{{{told}}} if {counts} else {{}}"
            setattr(self, f"_forms_of_{kind}", _function(kind, "read", source, namespace() | self.macros))
        found: dict[str, Any] = getattr(self, f"_forms_of_{kind}")(read)
        return found

    def _of_reading(self, sql: str, what: str) -> str:
        return self._compiler.value(sql, lambda path: f"read.{path[-1]}", what)

    def _read_address(self, *texts: str | None) -> dict[str, Any]:
        line, extra, postcode, city, country = (text or "" for text in texts)
        given = AddressInput((extra, line), postal_code=postcode, city=city, country=country)
        return self._composite_forms("address", self.addresses.normalise(given))

    def _read_name(self, *texts: str | None) -> dict[str, Any]:
        civility, given, family, full = texts
        if given is None and family is None:
            return self._composite_forms("name", normalise_full_name(full))
        return self._composite_forms("name", normalise_name(given or "", family or "", civility or ""))


def _named(own: Mapping[str, str]) -> Callable[[tuple[str, ...]], str]:
    return lambda path: own[path[-1]]


def _quick_day(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Read a plain ISO date without asking."""

    def day(text: str | None) -> Any:
        plain = _ISO_DAY.fullmatch(text) if text is not None else None
        if plain is None or int(plain[3]) > monthrange(int(plain[1]), int(plain[2]))[1]:
            return ask(text)
        return plain[1] + plain[2] + plain[3]

    return day


def _function(name: str, parameters: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = eval(f"lambda {parameters}: {source}", names)  # made of the batch's own SQL
    made.__name__ = name
    return made


def scored_row(
    features: Mapping[str, Any], columns: Collection[str], shared: Mapping[str, Collection[str]]
) -> tuple[Any, ...]:
    """Return what a model compares of a record: as ``trainer.without_shared`` lays it out.

    Args:
        features: As of ``Cleaner.features``.
        columns: As of ``scorer.scored_columns``.
        shared: E-mails and phones that many people share.
    """
    values = dict(features)
    for name in (*LISTS, "mobiles"):
        left_out = shared.get("phones" if name == "mobiles" else name)
        if values.get(name) and left_out:
            values[name] = [value for value in values[name] if value not in left_out] or None
    if values.get("street") is not None:
        parts = (values[part] or "" for part in ("street", "house", "postcode") if part in values)
        values["address_key"] = "|".join(parts)
    return tuple([values.get(name) for name in columns])
