"""Whether a run from the command line is under way: what it lands it will build itself."""

from __future__ import annotations

import fcntl
from pathlib import Path


def run_under_way(lock: Path) -> bool:
    """Tell whether a process holds the home's run lock.

    Args:
        lock: The lock's file; may be missing.
    """
    if not lock.exists():
        return False
    with lock.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
