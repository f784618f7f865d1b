"""What a run's inputs were, as one digest: equal digests mean that nothing new can come out.

Covers the raw tables' versions, decisions, treatments, models in use, declarations, dbt project and code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from datadock import names
from datadock.dock import Dock
from datadock.settings import PROJECT_ROOT

_CODE = ("datadock", "assets", "expectations")
_SUFFIXES = {".py", ".sql", ".yml", ".yaml", ".csv", ".html", ".css", ".js"}


_ASKED = (names.DECISIONS, names.TREATMENTS)
"""Ledgers that people write between runs."""


def asked(dock: Dock) -> dict[str, int]:
    """Return the versions of the ledgers that people write: what is asked after this is news to the next run."""
    return {table: dock.lake.version(table) for table in _ASKED}


def fingerprint(dock: Dock, ledgers: Mapping[str, int] | None = None, raw: Mapping[str, int] | None = None) -> str:
    """Return the digest of everything that a run's result depends on.

    Args:
        dock: The opened deployment.
        ledgers: Versions of the ledgers that count, as of ``asked``; the latest by default.
        raw: Versions of raw tables that count, where they are not the latest: those that a run has read.
    """
    digest = hashlib.sha256()
    for source in dock.catalog.sources:
        table = names.raw_table(source)
        digest.update(f"{source}={(raw or {}).get(table, dock.lake.version(table))};".encode())
    for ledger, version in (asked(dock) if ledgers is None else ledgers).items():
        digest.update(f"{ledger}={version};".encode())
    digest.update(f"{names.QUARANTINE}={dock.lake.version(names.QUARANTINE)};".encode())
    digest.update(f"due={_due(dock)};".encode())
    for pointer in sorted(dock.lake.path(names.MODELS).glob("current-*")):
        digest.update(pointer.name.encode() + pointer.read_bytes())
    reference = dock.settings.home_path / "reference"
    for path in (
        reference / "tables" / "current",
        *sorted(reference.glob("ban/*.json")),
        *sorted(reference.glob("iris/*.json")),
    ):
        digest.update(path.read_bytes() if path.exists() else b"-")
    digest.update(dock.catalog.digest.encode() + dock.settings.modules_off.encode())
    for path in _files(dock.settings.dbt_project):
        digest.update(path.name.encode() + path.read_bytes())
    for room in _CODE:
        for path in _files(PROJECT_ROOT / room):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _due(dock: Dock) -> str:
    """Return today where an announced move or a period's end waits for it: time alone changes contact points then."""
    today = datetime.now(UTC).date().isoformat()
    day = dock.lake.last_inputs(names.CONTACT_POINTS).get("due_on")
    return today if day is not None and day <= today else ""


def _files(folder: Path) -> Iterator[Path]:
    skipped = {"target", "logs", "dbt_packages", "__pycache__"}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and not skipped & set(path.relative_to(folder).parts):
            yield path
