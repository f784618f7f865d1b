"""The sources of a deployment, as one record at a time meets them: how each writes, reads and judges a record.

The rules are those of ``declared`` and ``gate``; what becomes of a record is not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from datadock.catalog import Catalog
from datadock.errors import DatadockError
from datadock.identity.index.declared import Declared, Payload
from datadock.identity.index.gate import Gate
from datadock.identity.index.resolution import Resolution

Key = str | Sequence[str]
"""Key of a record; one of several parts as a sequence, or with ``|`` between."""


class Sources:
    """Readers and judges of the declared sources, made as they are asked for.

    Args:
        con: Connection of its own, for the types of staging and of the door.
        catalog: The declarations.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._con, self._catalog = con, catalog
        self._declared: dict[str, Declared] = {}
        self._gates: dict[str, Gate] = {}

    def declared(self, source: str) -> Declared:
        """Return how a source writes and reads its contacts.

        Raises:
            DatadockError: When it is not declared, or holds no contacts.
        """
        if source not in self._declared:
            self._declared[source] = Declared(self._con, self._catalog.source(source))
        return self._declared[source]

    def judge(self, source: str, payload: Payload) -> None:
        """Refuse what the door of the raw zone would put into quarantine.

        Raises:
            DatadockError: With all that is wrong with the record.
        """
        declared = self.declared(source)
        if declared.key(payload) is None:
            raise DatadockError(
                f"the record of {source} has no key",
                expected="a text that names the record in its source",
                action="give it as source_key",
            )
        if not declared.is_contact(payload):
            raise DatadockError(
                f"the record is no contact of {source}",
                expected=f"{declared.entity.only}, as `only` of its declaration says",
                action="give these places their values, by their names in the record",
            )
        if source not in self._gates:
            self._gates[source] = Gate(self._con, self._catalog.source(source))
        broken = self._gates[source].judge(payload)
        if broken:
            reasons = "; ".join(f"{r.field}: {r.code}, found {r.found}, expected {r.expected}" for r in broken)
            raise DatadockError(
                f"the record breaks the contract of {source}: {reasons}",
                expected=f"what catalog/sources/{source}.yml demands",
                action="mend the values and commit it again; nothing was stored",
            )


def parts_of(source_key: Key) -> list[str]:
    """Return the parts of a key; none of an empty one."""
    if isinstance(source_key, str):
        return source_key.split("|") if source_key else []
    return list(source_key)


@dataclass
class Commits:
    """What one caller commits, and the answer: what became of it, or why it was refused.

    Attributes:
        records: Source, key and values of every record.
        payloads: Source and payload of every record, once prepared.
        answer: None until there is one.
    """

    records: tuple[tuple[str, Key, Mapping[str, str | None]], ...]
    payloads: list[tuple[str, Payload]] = field(default_factory=list)
    answer: list[Resolution] | BaseException | None = None

    def prepare(self, sources: Sources) -> None:
        """Write the records as their sources would, and judge them; one that is refused answers for all."""
        try:
            for source, source_key, values in self.records:
                payload = sources.declared(source).payload(values, parts_of(source_key))
                sources.judge(source, payload)
                self.payloads.append((source, payload))
        except DatadockError as error:
            self.answer = error
