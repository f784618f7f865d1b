"""Where a deployment stands with its reference data: tables, streets, versions held."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from datadock.errors import DatadockError
from datadock.quality.reference.downloads import version_order
from datadock.quality.reference.manifest import (
    DATA,
    LOCALITIES,
    MANIFEST,
    OWN,
    PUBLISHED,
    entry_of,
    is_intact,
    version_of,
)
from datadock.quality.reference.tables import Reference, load_reference
from datadock.refdata.contours import ContourFile, loaded_iris
from datadock.refdata.store import PACKAGED, current_folder, installed_versions, reference_at
from datadock.refdata.streets import BanFile, loaded_ban
from datadock.settings import Settings


@dataclass(frozen=True)
class TableStatus:
    """One reference table as it is used.

    Attributes:
        table: Its name.
        version: The publisher's version.
        rows: Its rows.
        built_on: The day it was made.
        intact: Whether its text has the hash of the manifest.
        held: ``home`` or ``package``.
        licence: Of the data.
        source: Who publishes it, and where.
        sha256: Hash in the manifest.
    """

    table: str
    version: str
    rows: int
    built_on: str
    intact: bool
    held: str
    licence: str
    source: str
    sha256: str


@dataclass(frozen=True)
class ReferenceStatus:
    """All that a deployment has of reference data.

    Attributes:
        version: Version in use, as evidence quotes it.
        folder: Where its tables stand.
        packaged: Version that ships with the package.
        behind: Whether the package ships newer communes than those in use.
        installed: Versions that the home holds.
        tables: The tables in use.
        ban: The loaded BAN files.
        iris: The loaded files of contours.
    """

    version: str
    folder: Path
    packaged: str
    behind: bool
    installed: list[str]
    tables: list[TableStatus]
    ban: list[BanFile]
    iris: list[ContourFile]

    @property
    def broken(self) -> list[str]:
        """Tables that are not the ones that were built."""
        return [table.table for table in self.tables if not table.intact]


def reference_status(settings: Settings) -> ReferenceStatus:
    """Give where a deployment stands; every table in use is read and its hash compared."""
    folder = current_folder(settings)
    tables = []
    for name in (*PUBLISHED, *OWN):
        place, entry = entry_of(name, folder)
        told = asdict(entry)
        del told["file"]
        tables.append(TableStatus(**told, intact=is_intact(place, entry), held=_held(place)))
    used, shipped = (entry_of(LOCALITIES, place)[1].version for place in (folder, DATA))
    return ReferenceStatus(
        version_of(folder), folder, version_of(DATA), version_order(used) < version_order(shipped),
        sorted(installed_versions(settings)), tables, loaded_ban(settings),
        loaded_iris(settings),
    )  # fmt: skip


def _held(place: Path) -> str:
    return "package" if place == DATA else "home"


def named_reference(settings: Settings, name: str) -> Reference:
    """Give the reference that a person names: a folder, ``packaged``, ``current``, or an installed version.

    Raises:
        DatadockError: When there is none of that name.
    """
    if (Path(name) / MANIFEST).exists():
        return load_reference(Path(name).resolve())
    if name == PACKAGED:
        return load_reference()
    if name == "current":
        return load_reference(current_folder(settings))
    held = installed_versions(settings)
    found = reference_at(settings, next((version for version in held if held[version].name == name), name))
    if found is None:
        raise DatadockError(
            f"no reference tables: {name}",
            "a folder written by datadock refdata build, or one of: " + ", ".join(["current", PACKAGED, *sorted(held)]),
            "name one of them",
        )
    return found
