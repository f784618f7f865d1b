"""What a file's columns mean for each kind of value, and which columns its normal form adds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import polars as pl

from datadock.quality.address import AddressNormaliser, normalise_addresses
from datadock.quality.email import normalise_emails
from datadock.quality.fold import fold
from datadock.quality.full_name import normalise_full_names
from datadock.quality.names import normalise_names
from datadock.quality.phone import normalise_phones
from datadock.quality.reference import load_reference

ADDED = ("value", "type", "status", "codes")
_ADDRESS = (
    *(f"line_{place}" for place in range(1, 7)),
    *("numero", "repetition", "voie", "code_postal", "commune", "code_insee"),
    *("status", "codes", "score", "street_checked"),
)
_NAME_PARTS = {
    "civilities": ("CIVILITE", "CIV", "TITRE", "TITLE", "CIVILITY", "SEXE", "GENRE", "SALUTATION", "PREFIX"),
    "first_names": ("PRENOM", "PRENOMS", "FIRST NAME", "FIRSTNAME", "GIVEN NAME", "FIRST", "GIVEN"),
    "last_names": ("NOM", "NOM DE FAMILLE", "LAST NAME", "LASTNAME", "SURNAME", "FAMILY NAME", "LAST", "NOM USAGE"),
}
_NAMED_BY_PLACE = {2: ("first_names", "last_names"), 3: ("civilities", "first_names", "last_names")}


def results_of(
    kind: str, values: pl.DataFrame, region: str, normaliser: AddressNormaliser | None = None
) -> pl.DataFrame:
    """Read some columns as one kind of value; the result has the columns that a file gets.

    Args:
        kind: One of ``KINDS``.
        values: The columns.
        region: Country of phone numbers without a country code.
        normaliser: Reads addresses; by the packaged reference when none is given.
    """
    texts = values.cast(pl.String, strict=False)
    if kind == "address":
        read = normalise_addresses(texts, texts.columns, normaliser=normaliser or _normaliser())
        return read.select(_ADDRESS)
    return _READERS[kind](texts, region)


@cache
def _normaliser() -> AddressNormaliser:
    """Give the one normaliser that all pieces of a file go through."""
    return AddressNormaliser(load_reference())


def _phones(values: pl.DataFrame, region: str) -> pl.DataFrame:
    return normalise_phones(_joined(values), region).select(ADDED)


def _emails(values: pl.DataFrame, _region: str) -> pl.DataFrame:
    return normalise_emails(_joined(values)).select(ADDED)


def _names(values: pl.DataFrame, _region: str) -> pl.DataFrame:
    roles = _roles(values.columns)
    places = _NAMED_BY_PLACE.get(values.width)
    if len(roles) < values.width and places is not None:
        roles = dict(zip(values.columns, places, strict=True))
    if len(roles) < values.width:
        return normalise_full_names(_joined(values, " ")).select(ADDED)
    return normalise_names(**{role: values[column] for column, role in roles.items()}).select(ADDED)


def _joined(values: pl.DataFrame, separator: str = " / ") -> pl.Series:
    """Put the cells of a row into one; blank ones are left out."""
    if values.width == 1:
        return values.to_series()
    cells = [pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in values.columns]
    return values.select(pl.concat_str(cells, separator=separator, ignore_nulls=True)).to_series()


def _roles(columns: list[str]) -> dict[str, str]:
    """Tell the roles of columns by their names; none where two columns claim one role."""
    roles = {column: role for column in columns for role, names in _NAME_PARTS.items() if fold(column) in names}
    return {} if len(set(roles.values())) < len(roles) else roles


_READERS: dict[str, Callable[[pl.DataFrame, str], pl.DataFrame]] = {
    "phone": _phones,
    "email": _emails,
    "name": _names,
}

KINDS = ("address", *_READERS)
"""Kinds of values that a file may hold."""
