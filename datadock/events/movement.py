"""Raw tables that moved since a cursor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Movement:
    """Which raw tables have new commits.

    Attributes:
        moved: Names of the sources, sorted.
        cursor: The versions now, as text; the next cursor.
        key: Digest of the versions; the same versions give the same key.
    """

    moved: tuple[str, ...]
    cursor: str
    key: str


def movement(cursor: str | None, versions: Mapping[str, int]) -> Movement:
    """Compare the versions of the raw tables with a cursor.

    Args:
        cursor: What an earlier call returned as ``cursor``; None on the first call, or text that
            no longer reads, counts as "never seen".
        versions: Latest Delta version per source; -1 where the table does not exist.
    """
    seen = _read(cursor)
    moved = tuple(sorted(name for name, version in versions.items() if version > seen.get(name, -1)))
    now = json.dumps(dict(sorted(versions.items())))
    return Movement(moved, now, hashlib.sha256(now.encode()).hexdigest()[:32])


def _read(cursor: str | None) -> dict[str, int]:
    try:
        seen = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return {}
    return {name: int(version) for name, version in seen.items()} if isinstance(seen, dict) else {}
