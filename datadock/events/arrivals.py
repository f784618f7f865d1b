"""Files that wait in a drop folder."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_UNFINISHED = (".tmp", ".part", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Arrival:
    """The files that wait for one source.

    Attributes:
        source: The source's name.
        files: Their names, sorted.
        key: Digest of names, sizes and times; the same files give the same key.
    """

    source: str
    files: tuple[str, ...]
    key: str


def waiting(folder: Path, pattern: str, *, settle_seconds: float = 0.0, now: float | None = None) -> list[Path]:
    """Return the files of a drop folder that are whole and match the source's pattern.

    Args:
        folder: The source's drop folder; may be missing.
        pattern: Glob of file names; an archive of such a file (``.gz``, ``.zip``) matches too.
        settle_seconds: Files changed within this time are still being written.
        now: The present, seconds since the epoch.
    """
    if not folder.is_dir():
        return []
    limit = (time.time() if now is None else now) - settle_seconds
    found = []
    for path in sorted(folder.iterdir()):
        name = path.name
        if name.startswith(".") or name.endswith(_UNFINISHED) or not path.is_file():
            continue
        plain = name.removesuffix(".gz").removesuffix(".zip")
        if (fnmatch(name, pattern) or fnmatch(plain, pattern)) and path.stat().st_mtime <= limit:
            found.append(path)
    return found


def arrival(source: str, files: list[Path]) -> Arrival | None:
    """Describe the waiting files of a source; None where there are none."""
    if not files:
        return None
    digest = hashlib.sha256(source.encode())
    for path in files:
        facts = path.stat()
        digest.update(f"{path.name}|{facts.st_size}|{facts.st_mtime_ns};".encode())
    return Arrival(source, tuple(path.name for path in files), digest.hexdigest()[:32])
