"""Golden ids: ``DK``, 26 characters of Crockford base 32 (48 bits of time, 80 derived bits), a check character.

An id is derived from the record that founds a contact and the deployment's secret, so that a repaired
run gives the id that the killed one would have given. The check character (modulo 37) catches every
single wrong character.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

PREFIX = "DK"
LENGTH = len(PREFIX) + 26 + 1

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _DIGITS + "*~$=U"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_RANDOM_BITS = 80


def encode_id(milliseconds: int, derived: int) -> str:
    """Write an id from its time (48 bits, milliseconds since 1970 UTC) and its derived part (80 bits).

    Raises:
        ValueError: When a part does not fit.
    """
    if not 0 <= milliseconds < 1 << 48 or not 0 <= derived < 1 << _RANDOM_BITS:
        raise ValueError(f"time {milliseconds} or derived part {derived} does not fit into an id")
    number = (milliseconds << _RANDOM_BITS) | derived
    text = "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])
    return PREFIX + text + _CHECKS[number % 37]


def is_valid_id(text: str) -> bool:
    """Tell whether a text is a well-formed id with the right check character."""
    if len(text) != LENGTH or not text.startswith(PREFIX):
        return False
    number = 0
    for character in text[len(PREFIX) : -1]:
        if character not in _VALUES:
            return False
        number = number * 32 + _VALUES[character]
    return number < 1 << 128 and _CHECKS[number % 37] == text[-1]


def id_time(text: str) -> datetime:
    """Return the time that an id carries: when its founding record was received.

    Raises:
        ValueError: When the id is not valid.
    """
    if not is_valid_id(text):
        raise ValueError(f"{text!r} is not a golden id")
    number = 0
    for character in text[len(PREFIX) : -1]:
        number = number * 32 + _VALUES[character]
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number >> _RANDOM_BITS)


def derive_id(secret: str, source: str, source_key: str, received_at: datetime, nonce: int = 0) -> str:
    """Derive the id that a founding record gives.

    Args:
        secret: The deployment's id secret.
        source: Source of the founding record.
        source_key: Its key.
        received_at: When it was received; a naive time is taken as UTC.
        nonce: Raised where the id was given before.
    """
    moment = received_at if received_at.tzinfo else received_at.replace(tzinfo=UTC)
    seed = f"{source}\x1f{source_key}\x1f{nonce}".encode()
    digest = hmac.digest(secret.encode(), seed, "sha256")
    milliseconds = max(0, int(moment.timestamp() * 1000)) & ((1 << 48) - 1)
    return encode_id(milliseconds, int.from_bytes(digest[:10], "big"))
