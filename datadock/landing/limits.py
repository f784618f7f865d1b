"""The limits of one landing: how long a record, how large an archive may be.

Values come from the settings; every refusal that a limit causes states the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from datadock.settings import Settings

KEPT_BYTES = 1 << 20
"""Of a refused record at most these bytes are copied into quarantine; the archive keeps all of them."""

MAX_DEPTH = 128
"""A JSON or XML record nested deeper is refused: nothing downstream could address its values."""


@dataclass(frozen=True)
class Limits:
    """What a landing accepts.

    Attributes:
        max_record_bytes: A longer record goes to quarantine.
        max_archive_bytes: Most bytes that one archive may unpack to.
        max_archive_ratio: Most bytes that one byte of an archive member may unpack to.
        max_archive_members: Most members of one archive.
        block_bytes: Bytes read at a time; memory grows with it, not with the file.
    """

    max_record_bytes: int = 16 * 2**20
    max_archive_bytes: int = 8 * 2**30
    max_archive_ratio: int = 200
    max_archive_members: int = 200_000
    block_bytes: int = 8 * 2**20

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Take the limits of a deployment."""
        return cls(
            max_record_bytes=settings.max_record_bytes,
            max_archive_bytes=settings.max_archive_bytes,
            max_archive_ratio=settings.max_archive_ratio,
            max_archive_members=settings.max_archive_members,
        )
