"""Golden ids: ``DK``, 26 characters of Crockford base 32 (48 bits of time, 80 derived bits), a check character.

An id is derived from the record that founds a contact and the deployment's secret, so that a repaired
run gives the id that the killed one would have given. The check character (modulo 37) catches every
single wrong character.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

PREFIX = "DK"
LENGTH = len(PREFIX) + 26 + 1

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _DIGITS + "*~$=U"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_RANDOM_BITS = 80
_TIME_MASK = (1 << 48) - 1
_CHUNK = 1 << 16


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    return _EPOCH + timedelta(milliseconds=number >> _RANDOM_BITS)


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
    digest = hmac.digest(secret.encode(), _seed(source, source_key, nonce), "sha256")
    milliseconds = max(0, (moment - _EPOCH) // timedelta(milliseconds=1)) & _TIME_MASK
    return encode_id(milliseconds, int.from_bytes(digest[:10], "big"))


def derive_ids(
    secret: str, sources: Sequence[str], source_keys: Sequence[str], received_at: npt.NDArray[np.int64]
) -> list[str]:
    """Derive the ids of many founding records, each as ``derive_id`` would, without a nonce.

    Args:
        secret: The deployment's id secret.
        sources: Source of each founding record.
        source_keys: Its key.
        received_at: When it was received, in microseconds since 1970 UTC.
    """
    milliseconds = received_at // 1000
    keyed = hmac.new(secret.encode(), digestmod="sha256")
    made: list[str] = []
    for start in range(0, len(sources), _CHUNK):
        part = slice(start, start + _CHUNK)
        derived = []
        for source, key in zip(sources[part], source_keys[part], strict=True):
            own = keyed.copy()
            own.update(_seed(source, key, 0))
            derived.append(own.digest()[:10])
        made += _encode_many(milliseconds[part], b"".join(derived))
    return made


def _seed(source: str, source_key: str, nonce: int) -> bytes:
    return f"{source}\x1f{source_key}\x1f{nonce}".encode()


def _encode_many(milliseconds: npt.NDArray[np.int64], derived: bytes) -> list[str]:
    """``encode_id`` over columns: 2 empty bits, 48 of time and 80 derived ones are 26 digits of 5 bits."""
    count = len(milliseconds)
    times = (np.maximum(milliseconds, 0) & _TIME_MASK).astype(">u8").view(np.uint8).reshape(count, 8)
    numbers = np.hstack([times[:, 2:], np.frombuffer(derived, dtype=np.uint8).reshape(count, 10)])
    bits = np.zeros((count, 130), dtype=np.uint8)
    bits[:, 2:] = np.unpackbits(numbers, axis=1)
    digits = bits.reshape(count, 26, 5) @ np.array([16, 8, 4, 2, 1], dtype=np.uint8)
    check = np.zeros(count, dtype=np.int64)
    for place in range(26):
        check = (check * 32 + digits[:, place]) % 37
    alphabet = np.frombuffer(_CHECKS.encode(), dtype=np.uint8)
    text = np.empty((count, LENGTH), dtype=np.uint8)
    text[:, : len(PREFIX)] = np.frombuffer(PREFIX.encode(), dtype=np.uint8)
    text[:, len(PREFIX) : -1] = alphabet[digits]
    text[:, -1] = alphabet[check]
    whole = text.tobytes().decode()
    return [whole[at : at + LENGTH] for at in range(0, len(whole), LENGTH)]
