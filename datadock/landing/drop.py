"""Drop folders: every waiting file lands, and leaves the folder once its batch is complete.

The bytes stay in the archive. What does not match the source's pattern is left alone and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from datadock.catalog.model import Source
from datadock.errors import LandingError
from datadock.events.arrivals import waiting
from datadock.lake import Lake
from datadock.landing.land import Batch, land_file
from datadock.landing.limits import Limits


@dataclass(frozen=True)
class Dropped:
    """What became of a drop folder's files.

    Attributes:
        batches: One per file that landed, in the order of their names.
        left_alone: Names of files that do not match the source's pattern.
        changed: Names of files that were written again while they landed; they wait for the next time.
    """

    batches: list[Batch] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches."""
        return iter(self.batches)

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self.batches)


def land_drop_folder(
    lake: Lake, source: Source, folder: Path, limits: Limits | None = None, min_age_seconds: float = 0.0
) -> Dropped:
    """Land every file that waits in a drop folder.

    Args:
        lake: Where to.
        source: The declaration; its pattern chooses the files (an archive of such a file too).
        folder: The drop folder; may be missing.
        limits: Limits of the landing; the defaults where None.
        min_age_seconds: Files changed within this time are still being written, and wait.

    Raises:
        LandingError: When the folder or a file in it cannot be read.
        LakeError: When the lake's storage refuses; files that did not land stay where they are.
    """
    dropped = Dropped()
    try:
        if folder.exists() and not folder.is_dir():
            raise LandingError(
                f"{folder} is no folder", expected="the source's drop folder", action="move the file away"
            )
        files = waiting(folder, source.pattern, settle_seconds=min_age_seconds)
        every = waiting(folder, "*", settle_seconds=min_age_seconds)
    except OSError as error:
        raise LandingError(f"{folder} cannot be read: {error.strerror}", action="mend the folder's rights") from error
    dropped.left_alone.extend(path.name for path in every if path not in files)
    for path in files:
        before = _identity(path)
        if before is None:
            continue
        dropped.batches.append(land_file(lake, source, path, limits))
        if _identity(path) == before:
            path.unlink(missing_ok=True)
        else:
            dropped.changed.append(path.name)
    return dropped


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Tell one state of a file from another; None where it is gone (another landing took it)."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
