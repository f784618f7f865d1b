"""Finding the contacts that may be the typed one, on a published copy: a handful of exact look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb

from datadock.errors import DatadockError
from datadock.probable.judge import CERTAINTIES, Known, Probable, judge, weight
from datadock.probable.typed import Typed, read_typed
from datadock.settings import Settings
from datadock.warehouse.publish import connect_published

_HITS = 200  # a mailbox of a shop stands in thousands of records: enough of them tell so
_SHOWN = (
    *("party_type", "civility", "given_name", "family_name", "full_name", "organisation_name", "birth_date"),
    *("email", "phone", "mobile", "address_line", "postcode", "city", "n_records", "n_sources"),
)
_NAMESAKES = 2000
_NAME_ID = (
    "md5(concat_ws(chr(31), coalesce(civility, ''), coalesce(given_name, ''), coalesce(family_name, ''), "
    "coalesce(full_name, '')))"
)


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
    """Open the newest published copy once for many questions.

    Raises:
        WarehouseError: When nothing was published yet.
    """
    with connect_published(settings, lake=False) as connection:
        yield ProbableFinder(connection)


class ProbableFinder:
    """Answers whether a contact exists, on an opened published copy."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Take an opened copy."""
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
        known = self._known(self._candidates(wanted))
        found = [probable for golden_id, what in known.items() if (probable := judge(golden_id, wanted, what))]
        found.sort(key=lambda one: (CERTAINTIES.index(one.certainty), -weight(one), one.golden_id))
        values = self._values([one.golden_id for one in found[:limit]])
        return [
            Probable(one.golden_id, one.certainty, one.reasons, one.differs, values[one.golden_id])
            for one in found[:limit]
            if one.golden_id in values
        ]

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, list(values)).fetchall()

    def _candidates(self, wanted: Typed) -> list[str]:
        """Return the ids of contacts of which some record agrees in something to look by."""
        points = "select contact_source, contact_key from marts.dim_contact_point where is_current and kind = "
        records: set[tuple[Any, ...]] = set()
        if wanted.emails:
            same = self._rows("select value_id from marts.normal_email where key = $1 limit 50", wanted.email_key)
            query = f"{points} 'email' and (normal_form in $1 or value_id in $2) limit {_HITS}"
            records.update(self._rows(query, list(wanted.emails), [row[0] for row in same]))
        if wanted.phones:
            records.update(self._rows(f"{points} 'phone' and normal_form in $1 limit {_HITS}", list(wanted.phones)))
        if wanted.address and wanted.last_key:
            records.update(self._rows(f"{points} 'address' and normal_form = $1 limit {_HITS}", wanted.address))
        found = set(self._owners(records).values())
        return sorted(found | self._named(wanted))

    def _owners(self, records: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
        """Return the contact of each record that has one."""
        wanted = set(records)
        if not wanted:
            return {}
        memberships = self._rows(
            "select source, source_key, golden_id from marts.golden_membership where is_current and source_key in $1",
            sorted({key for _, key in wanted}),
        )
        return {(source, key): golden_id for source, key, golden_id in memberships if (source, key) in wanted}

    def _named(self, wanted: Typed) -> set[str]:
        """Return the contacts of the typed name, in either order, that have its postal code or birth date, too."""
        if not (wanted.last_key and (wanted.birth_date or (wanted.first_key and wanted.postcodes))):
            return set()
        either = [wanted.last_key, wanted.first_key] if wanted.first_key else [wanted.last_key]
        declared = self._rows(
            "select value_id, coalesce(declared_family_name, declared_full_name, declared_given_name) "
            f"from marts.normal_name where last_key in $1 {'and first_key in $1' if wanted.first_key else ''}",
            either,
        )
        if not declared:
            return set()
        place = [list(wanted.postcodes), wanted.birth_date]
        records = self._rows(
            "select source, source_key, coalesce(postcode in $1 or birth_date = $2, false) "
            "from intermediate.int_source_contact where coalesce(family_name, full_name, given_name) in $3 "
            f"and {_NAME_ID} in $4 limit {_NAMESAKES}",
            *place,
            sorted({name for _, name in declared if name}),
            [value_id for value_id, _ in declared],
        )
        owners = self._owners((source, key) for source, key, _ in records)
        # One record may tell the name and another of the same contact the rest.
        golden = self._rows(
            "select golden_id from marts.dim_contact where golden_id in $3 and (postcode in $1 or birth_date = $2)",
            *place,
            sorted(set(owners.values())),
        )
        direct = {owners[source, key] for source, key, agrees in records if agrees and (source, key) in owners}
        return direct | {row[0] for row in golden}

    def _known(self, golden_ids: Sequence[str]) -> dict[str, Known]:
        """Return what the records of each contact say."""
        known = {golden_id: Known() for golden_id in golden_ids}
        if not known:
            return {}
        owners = {
            (source, key): golden_id
            for source, key, golden_id in self._rows(
                "select source, source_key, golden_id from marts.golden_membership "
                "where is_current and golden_id in $1",
                list(golden_ids),
            )
        }
        keys = sorted({key for _, key in owners})
        for source, key, kind, form in self._rows(
            "select contact_source, contact_key, kind, normal_form from marts.dim_contact_point "
            "where is_current and contact_key in $1 and normal_form is not null",
            keys,
        ):
            if golden_id := owners.get((source, key)):
                known[golden_id].points.add((kind, form))
        named: dict[str, list[Known]] = {}
        for source, key, birth_date, postcode, name_id in self._rows(
            f"select source, source_key, birth_date, postcode, {_NAME_ID} from intermediate.int_source_contact "
            "where source_key in $1",
            keys,
        ):
            if golden_id := owners.get((source, key)):
                one = known[golden_id]
                one.birth_dates |= {birth_date} if birth_date else set()
                one.postcodes |= {postcode.strip()} if postcode else set()
                named.setdefault(name_id, []).append(one)
        query = "select value_id, first_key, last_key from marts.normal_name where value_id in $1"
        for name_id, first_key, last_key in self._rows(query, sorted(named)):
            for one in named[name_id]:
                one.names.add((first_key or "", last_key or ""))
        return known

    def _values(self, golden_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        if not golden_ids:
            return {}
        query = f"select golden_id, {', '.join(_SHOWN)} from marts.dim_contact where golden_id in $1"
        return {
            row[0]: {name: value for name, value in zip(_SHOWN, row[1:], strict=True) if value is not None}
            for row in self._rows(query, list(golden_ids))
        }
