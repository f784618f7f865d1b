"""Finding the contacts that may be the typed one, on a published copy: a handful of exact look-ups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb

from datadock.errors import DatadockError
from datadock.probable.index import hashed, index_file
from datadock.probable.judge import CERTAINTIES, Known, Probable, judge, weight
from datadock.probable.typed import Typed, read_typed
from datadock.settings import Settings

_HITS = 50  # a mailbox of a shop stands in thousands of contacts: some of them tell so


def find_probable(
    settings: Settings,
    *,
    given_name: str | None = None,
    family_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    address: str | None = None,
    postcode: str | None = None,
    city: str | None = None,
    birth_date: date | str | None = None,
) -> list[Probable]:
    """Return the contacts of the published copy that probably are the one that is being typed.

    Args:
        settings: The deployment.
        given_name: First name.
        family_name: Family name.
        email: E-mail address, as typed.
        phone: Phone number, as typed.
        address: Street line, as typed.
        postcode: Postal code.
        city: Town.
        birth_date: A date, ``1984-03-12`` or ``12/03/1984``.

    Returns:
        The most probable first; none where nothing agrees enough.

    Raises:
        DatadockError: When too little was given to look for, or nothing is published yet.
    """
    with open_finder(settings) as finder:
        return finder.find(
            given_name=given_name,
            family_name=family_name,
            email=email,
            phone=phone,
            address=address,
            postcode=postcode,
            city=city,
            birth_date=birth_date,
        )


@contextmanager
def open_finder(settings: Settings) -> Iterator[ProbableFinder]:
    """Open the look-up file of the newest published copy, once for many questions.

    Raises:
        WarehouseError: When nothing was published yet, or the look-up file cannot be written.
    """
    with duckdb.connect(str(index_file(settings)), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 1")  # a question reads a few pages
        yield ProbableFinder(connection)


class ProbableFinder:
    """Answers whether a contact exists, on an opened look-up file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take an opened file."""
        self._connection = connection

    def find(self, *, limit: int = 10, **typed: Any) -> list[Probable]:
        """Return the contacts that probably are the one that is being typed; see ``find_probable``.

        Args:
            limit: Most contacts to return.
            typed: What was typed, by field.

        Raises:
            DatadockError: When too little was given to look for.
        """
        wanted = read_typed(**typed)
        if not wanted.is_findable:
            raise DatadockError(
                "too little was given to look for a contact",
                expected="an e-mail, a phone, or a family name with an address, a postal code or a birth date",
                action="give one field more",
            )
        numbers: set[int] = set()
        for key in _keys(wanted):
            query = f"select n from lookup where h = $1 limit {_HITS}"
            numbers.update(row[0] for row in self._connection.execute(query, [hashed(key)]).fetchall())
        found = [probable for number in sorted(numbers) if (probable := self._judged(number, wanted))]
        found.sort(key=lambda one: (CERTAINTIES.index(one.certainty), -weight(one), one.golden_id))
        return found[:limit]

    def _judged(self, number: int, wanted: Typed) -> Probable | None:
        query = "select golden_id, points, names, birth_dates, postcodes, shown from contacts where n = $1"
        golden_id, points, names, birth_dates, postcodes, shown = self._connection.execute(query, [number]).fetchall()[
            0
        ]
        known = Known(
            {(kind, form) for kind, form in points or []},
            {(first, last) for first, last in names or []},
            {day for day in birth_dates or [] if day},
            {code for code in postcodes or [] if code},
        )
        return judge(golden_id, wanted, known, {name: value for name, value in shown.items() if value is not None})


def _keys(wanted: Typed) -> list[str]:
    """Return what to look by; names in either order, since forms are filled in both."""
    first, last = wanted.first_key, wanted.last_key
    keys = [f"email:{form}" for form in wanted.emails] + [f"phone:{form}" for form in wanted.phones]
    keys += [f"mailbox:{wanted.email_key}"] if wanted.email_key else []
    for one, other in ((first, last), (last, first)):
        if other:
            keys += [f"home:{other}|{wanted.address}"] if wanted.address else []
            keys += [f"born:{other}|{wanted.birth_date}"] if wanted.birth_date else []
        if one and other:
            keys += [f"near:{one}|{other}|{code}" for code in wanted.postcodes]
    return keys
