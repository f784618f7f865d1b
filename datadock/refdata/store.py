"""The versions of the reference tables that a home holds, and the one that it uses.

``<home>/reference/tables/<version>/`` is one whole version: what was built, the project's own tables beside it,
one manifest. ``<home>/reference/tables/current`` names the one in use; without it the package's tables are.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from datadock.errors import DatadockError
from datadock.quality.contact_tables import read_tables_from
from datadock.quality.reference.build import COLUMNS
from datadock.quality.reference.manifest import (
    DATA,
    DECIDING,
    LOCALITIES,
    MANIFEST,
    OWN,
    PUBLISHED,
    TableEntry,
    entry_of,
    is_intact,
    read_manifest,
    table_text,
    version_of,
    write_manifest,
)
from datadock.quality.reference.tables import Reference, load_reference
from datadock.settings import Settings

PACKAGED = "packaged"
"""The word for the tables that ship with the package."""

_CURRENT = "current"


def tables_folder(settings: Settings) -> Path:
    """Give the folder of a home's installed versions."""
    return settings.home_path / "reference" / "tables"


def folder_name(version: str) -> str:
    """Give the name of a version's folder: ``communes 6.0.0 (b0da0b0d)`` stands in ``communes-6.0.0-b0da0b0d``."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", version).strip("-")


def current_folder(settings: Settings) -> Path:
    """Give the folder of the tables that a home uses: those installed last, else the package's."""
    pointer = tables_folder(settings) / _CURRENT
    if not pointer.exists():
        return DATA
    folder = tables_folder(settings) / pointer.read_text(encoding="utf-8").strip()
    if not (folder / MANIFEST).exists():
        raise DatadockError(
            f"the tables in use are gone: {folder}",
            "a version installed by: datadock refdata use",
            "install them again, or go back to the package's with: datadock refdata use packaged",
        )
    return folder


def current_reference(settings: Settings) -> Reference:
    """Give the reference that a home uses, read once; ``.version`` changes with any table that decides an address."""
    return load_reference(current_folder(settings))


def read_contacts_by(settings: Settings) -> None:
    """Read names and phones of this process by the tables that the home uses."""
    read_tables_from(current_folder(settings))


def installed_versions(settings: Settings) -> dict[str, Path]:
    """Give the folders of the versions that a home holds, by version."""
    found = (path for path in sorted(tables_folder(settings).glob("*")) if (path / MANIFEST).exists())
    return {recorded_version(path): path for path in found}


def recorded_version(folder: Path) -> str:
    """Give the version of a folder by its own manifest alone, whatever the package holds today."""
    entries = read_manifest(folder)
    whole = all(name in entries for name in DECIDING)
    return version_of(folder, entries=entries) if whole else version_of(folder)


def reference_at(settings: Settings, version: str) -> Reference | None:
    """Give an older version for a comparison: an installed or kept one, the package's; none where it is gone.

    Its street types and abbreviations are those of the package; where they were others, a comparison says that
    everything is touched.
    """
    if version == version_of(DATA):
        return load_reference()
    folder = installed_versions(settings).get(version)
    if folder is None:
        return None
    entries = read_manifest(folder)
    hashes = {name: entries[name].sha256 for name in DECIDING if name in entries}
    return replace(load_reference(folder), version=version, hashes=hashes)


def install(settings: Settings, source: Path) -> str:
    """Install a folder of built tables into the home and use it from now on.

    Args:
        settings: The deployment.
        source: A folder that ``build_reference`` wrote.

    Returns:
        The version that is in use now.

    Raises:
        DatadockError: When a table is missing, changed since it was built, or of another layout; nothing changes.
    """
    _check(source)
    version = keep(settings, source)
    _point(settings, folder_name(version))
    return version


def use_installed(settings: Settings, version: str) -> str:
    """Use a version that the home holds already, or the package's; give its name.

    Raises:
        DatadockError: When the home holds no such version.
    """
    if version in (PACKAGED, version_of(DATA)):
        (tables_folder(settings) / _CURRENT).unlink(missing_ok=True)
        return version_of(DATA)
    held = installed_versions(settings)
    named = {folder_name(name): name for name in held} | {name: name for name in held}
    if version not in named:
        raise DatadockError(
            f"neither a folder of tables nor an installed version: {version}",
            "a folder written by datadock refdata build, or one of: " + ", ".join([*sorted(held), PACKAGED]),
            "name one of them",
        )
    _point(settings, held[named[version]].name)
    return named[version]


def keep(settings: Settings, source: Path) -> str:
    """Keep a copy of the tables as they are read for a folder, under their version; once there it stays."""
    version = version_of(source)
    target = tables_folder(settings) / folder_name(version)
    if (target / MANIFEST).exists():
        return version
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True)
    try:
        entries: dict[str, TableEntry] = {}
        for name in (*PUBLISHED, *OWN):
            folder, entries[name] = entry_of(name, source)
            shutil.copyfile(folder / entries[name].file, draft / entries[name].file)
        write_manifest(draft, entries)
        if not target.exists():
            draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return version


def _point(settings: Settings, name: str) -> None:
    draft = tables_folder(settings) / f".{_CURRENT}.{secrets.token_hex(4)}"
    draft.write_text(name + "\n", encoding="utf-8")
    draft.replace(tables_folder(settings) / _CURRENT)


def _check(source: Path) -> None:
    """Refuse a folder that is no whole, unchanged set of tables with localities of the known layout."""
    entries = read_manifest(source)
    unknown = sorted(entries.keys() - {*PUBLISHED, *OWN})
    if LOCALITIES not in entries or unknown:
        raise DatadockError(
            f"{source} holds {', '.join(sorted(entries)) or 'no table'}",
            f"{LOCALITIES} at least, and none but {', '.join((*PUBLISHED, *OWN))}",
            "build the tables with: datadock refdata build",
        )
    for entry in entries.values():
        if Path(entry.file).name != entry.file or not is_intact(source, entry):
            raise DatadockError(
                f"the table {entry.file} in {source} is not the one that was built",
                f"SHA-256 {entry.sha256} of its text",
                "build the tables anew with: datadock refdata build",
            )
        if entry.table in COLUMNS:
            _check_columns(source, entry, COLUMNS)


def _check_columns(source: Path, entry: TableEntry, wanted: Mapping[str, tuple[str, ...]]) -> None:
    header = table_text(source / entry.file).split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    if header != ",".join(wanted[entry.table]):
        raise DatadockError(
            f"the table {entry.file} has the columns {header}",
            ",".join(wanted[entry.table]),
            "build the tables anew with: datadock refdata build",
        )
