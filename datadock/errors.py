"""Every error that a user of the dock may meet.

An error here holds its data and writes its own message in three parts: what was
found, what was expected, what to do. Errors of programming stay plain exceptions.
"""

from __future__ import annotations


class DatadockError(Exception):
    """Base of the dock's own errors.

    Args:
        found: What was met, with names and values.
        expected: What should have been there.
        action: What the reader can do about it.
    """

    exit_code = 1

    def __init__(self, found: str, expected: str = "", action: str = "") -> None:
        self.found = found
        self.expected = expected
        self.action = action
        super().__init__(found)

    def __str__(self) -> str:
        """Write the parts that are known, a line each."""
        lines = [self.found]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.action:
            lines.append(f"  to do:    {self.action}")
        return "\n".join(lines)


class CatalogError(DatadockError):
    """A declaration in the catalog is missing, unreadable or contradicts itself."""

    exit_code = 2


class LandingError(DatadockError):
    """A file or payload could not be landed at all (not even to quarantine)."""


class LakeError(DatadockError):
    """The lake's storage refused an operation: disk full, folder unreadable, table broken."""


class WarehouseError(DatadockError):
    """The warehouse file is locked, missing or refused a build."""


class PullError(DatadockError):
    """A SQL or REST source could not be read."""


class ModelError(DatadockError):
    """The linking model cannot be trusted: untrained, one-sided or without usable fields."""


class CheckError(DatadockError):
    """A blocking check failed; nothing after it was built."""
