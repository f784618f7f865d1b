"""One record between its two spellings: contact fields as a person gives them, and the payload of its source.

A payload made here lands by the source's own declaration; read back, it gives what staging would give of it. Staging's
dates are read by staging's own SQL, once per text.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

import duckdb

from datadock.catalog.fields import DATE_FORMATS
from datadock.catalog.model import Entity, Source
from datadock.errors import DatadockError
from datadock.identity.compiled.functions import SPACES
from datadock.identity.features import LINKING_KINDS
from datadock.warehouse.staging_sql import parse_path, version_places
from datadock.warehouse.values_sql import typed

_KEPT = 1 << 14
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:[.]\d{1,6})?)?Z?)?", re.ASCII)
_DAY = re.compile(r"([12]\d{3})-(\d\d)-(\d\d)|(\d\d)/(\d\d)/([12]\d{3})", re.ASCII)
Payload = dict[str, Any]


class Declared:
    """Writes and reads the contact records of one source.

    Args:
        con: Connection of its own, for the types of staging.
        source: The declaration.

    Raises:
        DatadockError: When the source holds no contacts, or several in one record.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, source: Source) -> None:
        entity = source.entities.get("contact")
        if entity is None or entity.each:
            raise DatadockError(
                f"{source.name} holds {'several contacts in a record' if entity else 'no contacts'}",
                expected="a source whose records are contacts",
                action="name another source: datadock source list",
            )
        self.con, self.source, self.entity = con, source, entity
        self._places = {place for one in source.entities.values() if not one.each for place in places_of(one)}
        self._typed = {
            name: lru_cache(_KEPT)(self._reader(name))
            for name in entity.fields
            if source.type("contact", name) != "text" and source.kind("contact", name) in LINKING_KINDS
        }
        self._moments = lru_cache(_KEPT)(self._read_moment)

    def payload(self, values: Mapping[str, str | None], key: Sequence[str] = ()) -> Payload:
        """Write a record as its source would deliver it.

        Args:
            values: Contact field to text; ``party_type`` and ``record_updated_at`` where the source tells them. What
                the source's other entities read is named by its place in the record.
            key: Parts of the record's key; none for a record that is only asked about.

        Raises:
            DatadockError: When a field is not declared, or the key has another number of parts.
        """
        payload: Payload = {}
        for name, value in values.items():
            text = self._party_text(value) if name == "party_type" else value
            if text is not None:
                self._put(payload, self._place(name), str(text))
        if key and len(key) != len(self.entity.key):
            raise DatadockError(
                f"the key of a record of {self.source.name} was given in {len(key)} part(s)",
                expected=f"{len(self.entity.key)}: {', '.join(self.entity.key)}",
                action="give all of them, with | between",
            )
        for place, part in zip(self.entity.key, key, strict=False):
            if self._get(payload, place) not in (None, part):
                raise DatadockError(
                    f"the key {part!r} stands where {self._get(payload, place)!r} was given",
                    expected="one value for both: the key is a field of the record",
                    action="give the same text as key and as field",
                )
            self._put(payload, place, part)
        return payload

    def texts(self, payload: Payload) -> dict[str, str | None]:
        """Read a payload as staging does: contact field to text, null as None, dates as ISO text."""
        found: dict[str, str | None] = {}
        for name, field in self.entity.fields.items():
            text = field.value if field.value is not None else self._first(payload, field.from_)
            if field.map and text is not None:
                text = field.map.get(text, text) or None
            found[name] = self._typed[name](text) if name in self._typed and text is not None else text
        return found

    def key(self, payload: Payload) -> str | None:
        """Return the record's key as staging gives it."""
        parts = [bare(self._get(payload, place)) for place in self.entity.key]
        return None if None in parts else "|".join(part for part in parts if part)

    def changed_at(self, payload: Payload, received_at: int) -> int:
        """Return when its source says that this version of a record was made, else when it came in.

        Args:
            payload: The record.
            received_at: Microseconds since 1970 UTC, as the result.
        """
        text = self._first(payload, version_places(self.source, self.entity))
        moment = None if text is None else self._moments(text)
        return received_at if moment is None else moment

    def _read_moment(self, text: str) -> int | None:
        plain = _MOMENT.fullmatch(text)
        if plain is not None:
            with suppress(ValueError):  # what is no day here, staging's own SQL judges
                seconds = plain[3] or ":00"
                told = datetime.fromisoformat(f"{plain[1]}T{plain[2] or '00:00'}{seconds[:3]}+00:00")
                return round(told.timestamp()) * 1_000_000 + int(seconds[4:].ljust(6, "0"))
        query = f"select epoch_us({typed('given', 'timestamp')}) from (select $1 as given)"
        found: int | None = self.con.execute(query, [text]).fetchall()[0][0]
        return found

    def is_contact(self, payload: Payload) -> bool:
        """Whether staging takes the record for a contact: its source may say so of some records only."""
        told = self.entity.only.items()
        return all(bare(self._get(payload, place)) in [str(value) for value in values] for place, values in told)

    def party(self, payload: Payload) -> str:
        """Return the record's party type."""
        declared = self.entity.party
        if isinstance(declared, str):
            return declared
        places = declared["from"]
        told = self._first(payload, [places] if isinstance(places, str) else list(places))
        companies = declared["company"]
        return "company" if told in ([companies] if isinstance(companies, str) else companies) else "person"

    def _party_text(self, party: str | None) -> str | None:
        """How the source itself says that a record is a company; a person needs no saying."""
        declared = self.entity.party
        if isinstance(declared, str) or party not in ("company", "person"):
            return None if party == declared else party
        companies = declared["company"]
        told = companies if isinstance(companies, str) else companies[0]
        return str(told) if party == "company" else None

    def _place(self, name: str) -> str:
        if name == "party_type" and isinstance(self.entity.party, dict):
            places = self.entity.party["from"]
            return places if isinstance(places, str) else places[0]
        if name == "record_updated_at" and self.entity.updated_at:
            return self.entity.updated_at[0]
        field = self.entity.fields.get(name)
        if (field is None or not field.from_) and name in self._places:
            return name
        if field is None or not field.from_:
            raise DatadockError(
                f"{self.source.name} declares no field {name!r}",
                expected=f"some of {', '.join(n for n, f in self.entity.fields.items() if f.from_)}",
                action=f"leave it out, or add it to catalog/sources/{self.source.name}.yml",
            )
        return field.from_[0]

    def _reader(self, name: str) -> Any:
        formats = self.entity.fields[name].formats
        reading = typed("given", self.source.type("contact", name), formats)
        query = f"select cast({reading} as varchar) from (select $1 as given)"

        quick = source_reads_plainly(self.source.type("contact", name), formats)

        def read(text: str) -> str | None:
            plain = plain_date(text) if quick else None
            if plain is not None:
                return plain
            found: str | None = self.con.execute(query, [text]).fetchall()[0][0]
            return found

        return read

    def _first(self, payload: Payload, places: Sequence[str]) -> str | None:
        for place in places:
            text = bare(self._get(payload, place))
            if text is not None:
                return text
        return None

    @staticmethod
    def _get(payload: Payload, place: str) -> str | None:
        value: Any = payload
        for name in parse_path(place):
            value = value.get(name) if isinstance(value, dict) else None
        return value if value is None or isinstance(value, str) else str(value)

    def _put(self, payload: Payload, place: str, text: str) -> None:
        *path, last = parse_path(place)
        inner = payload
        for name in path:
            inner = inner.setdefault(name, {})
        inner[last] = text


def places_of(entity: Entity) -> list[str]:
    """Return every place of a record that an entity reads."""
    fields = [place for field in entity.fields.values() for place in field.from_]
    return [*fields, *entity.key, *(entity.updated_at or []), *entity.only]


def source_reads_plainly(kind: str, formats: Sequence[str] | None) -> bool:
    """Whether staging reads 1984-03-12 and 12/03/1984 as that day: with its own formats it does."""
    return kind == "date" and formats is None and "%m/%d/%Y" not in DATE_FORMATS and "%d/%m/%Y" in DATE_FORMATS


def plain_date(text: str) -> str | None:
    """Read a day of the two common forms; None for all other texts."""
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    if not 1 <= int(month) <= 12 or not 1 <= int(day) <= monthrange(int(year), int(month))[1]:
        return None
    return f"{year}-{month}-{day}"


def bare(text: str | None) -> str | None:
    """Return a text without spaces around it, as staging and the door do; None where nothing is left."""
    if text is not None and (text[:1] == " " or text[-1:] == " "):
        text = text.strip(SPACES)
    return text or None
