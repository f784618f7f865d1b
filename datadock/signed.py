"""Who does something and why: what people do to the data is signed, or not done."""

from __future__ import annotations

from datadock.errors import DatadockError


def check_signed(act: str, by: str, why: str, *, option: str) -> None:
    """Refuse an act that nobody signs, or that has no reason.

    Args:
        act: What it is, for the error: ``a decision``.
        by: Who does it.
        why: Why.
        option: The option that says why.

    Raises:
        DatadockError: When who or why is missing.
    """
    if not by.strip() or not why.strip():
        raise DatadockError(
            f"{act} without {'a reason' if by.strip() else 'a name'}",
            expected="who it is by and why: both are kept, and shown to whoever asks",
            action=f"say why with {option}, and who with --by",
        )
