"""The ledger of reference versions that a deployment has used: one row per table and version, never changed.

The lake table ``reference/versions``. A row is added when a table is used in another version than the time
before, so that the order of the rows is the order of use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa

from datadock.lake import Lake
from datadock.names import VERSIONS
from datadock.quality.reference.manifest import OWN, PUBLISHED, entry_of
from datadock.quality.reference.streets import StreetReference
from datadock.quality.reference.tables import Reference
from datadock.refdata.contours import loaded_iris
from datadock.refdata.store import keep
from datadock.refdata.streets import loaded_ban
from datadock.settings import Settings


@dataclass(frozen=True)
class UsedVersion:
    """One version of one table, from its first use on.

    Attributes:
        table: The reference table, or the file of streets or contours.
        source: Who publishes it.
        version: The publisher's version.
        sha256: Hex digest of the table's text, or of the file.
        loaded_at: When it was used first (UTC).
        reference: Version of the whole, as evidence quotes it.
        step: Number of earlier rows of the table.
    """

    table: str
    source: str
    version: str
    sha256: str
    loaded_at: datetime
    reference: str
    step: int


_SCHEMA = pa.schema(
    [(field.name, pa.string()) for field in fields(UsedVersion)[:4]]
    + [("loaded_at", pa.timestamp("us", "UTC")), ("reference", pa.string()), ("step", pa.int64())]
)


def used_versions(lake: Lake) -> list[UsedVersion]:
    """Give what the ledger holds, in the order of use."""
    files = lake.files(VERSIONS)
    if not files:
        return []
    frame = pl.concat([pl.read_parquet(file, columns=_SCHEMA.names) for file in files])
    return [UsedVersion(*row) for row in frame.sort("loaded_at", "step", "table").iter_rows()]


def record_versions(
    settings: Settings, reference: Reference, streets: StreetReference | None = None, now: datetime | None = None
) -> list[UsedVersion]:
    """Note the versions of a reference and its streets that are used from now on, and keep a copy of the tables.

    Args:
        settings: The deployment.
        reference: What ``current_reference`` gave.
        streets: What ``current_streets`` gave.
        now: When; the present when none is given.

    Returns:
        The rows that were added: none while the same versions are used.
    """
    lake = Lake(settings.lake_root)
    keep(settings, reference.folder)
    latest: dict[str, UsedVersion] = {}
    for row in used_versions(lake):
        latest[row.table] = row
    at = now or datetime.now(UTC)
    added = []
    for table, source, version, sha256 in _used(settings, reference, streets):
        before = latest.get(table)
        if before is None or before.sha256 != sha256:
            step = before.step + 1 if before else 0
            added.append(UsedVersion(table, source, version, sha256, at, reference.version, step))
    if added:
        columns = list(zip(*(astuple(row) for row in added), strict=True))
        arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
        names = [f"{row.table} {row.step}" for row in added]
        if lake.append_once(VERSIONS, pa.Table.from_arrays(arrays, schema=_SCHEMA), names) is None:
            return []
    return added


def _used(
    settings: Settings, reference: Reference, streets: StreetReference | None
) -> Iterable[tuple[str, str, str, str]]:
    for name in (*PUBLISHED, *OWN):
        entry = entry_of(name, reference.folder)[1]
        yield name, entry.source, entry.version, entry.sha256
    for item in loaded_ban(settings) if streets else ():
        yield item.file, "BAN, adresse.data.gouv.fr", item.loaded_at[:10], item.sha256
    for contours in loaded_iris(settings):
        yield contours.file, contours.source, contours.version, contours.sha256
