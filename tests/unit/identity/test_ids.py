"""Golden ids: their form, their check character, and that they are derived, not drawn."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datadock.identity.ids import LENGTH, derive_id, derive_ids, encode_id, id_time, is_valid_id

MOMENT = datetime(2025, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*~$=abcdefghijklmnopqrstuvwxyz -"

times = st.integers(0, 2**48 - 1)
parts = st.integers(0, 2**80 - 1)


def test_an_id_has_the_documented_form() -> None:
    assert encode_id(0, 0) == "DK" + "0" * 26 + "0"
    assert encode_id(2**48 - 1, 2**80 - 1) == "DK7ZZZZZZZZZZZZZZZZZZZZZZZZZ*"
    assert len(encode_id(1, 1)) == LENGTH == 29


@given(times, parts)
def test_every_id_is_valid_and_carries_its_time(milliseconds: int, derived: int) -> None:
    text = encode_id(milliseconds, derived)
    assert is_valid_id(text)
    if milliseconds < 253_402_300_800_000:  # what a datetime can hold
        assert id_time(text) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


@given(times, parts, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_any_single_wrong_character_is_caught(milliseconds: int, derived: int, place: int, other: str) -> None:
    text = encode_id(milliseconds, derived)
    typo = text[:place] + other + text[place + 1 :]
    assert is_valid_id(typo) == (typo == text)


@given(st.lists(st.tuples(times, parts), min_size=2, max_size=2, unique=True))
def test_ids_sort_by_time(pairs: list[tuple[int, int]]) -> None:
    older, younger = sorted(pairs)
    assert encode_id(*older)[:-1] < encode_id(*younger)[:-1]


def test_the_same_founder_and_secret_give_the_same_id() -> None:
    first = derive_id("secret", "crm", "17", MOMENT)
    assert first == derive_id("secret", "crm", "17", MOMENT)
    assert id_time(first) == MOMENT
    others = {
        derive_id("other", "crm", "17", MOMENT),
        derive_id("secret", "shop", "17", MOMENT),
        derive_id("secret", "crm", "18", MOMENT),
        derive_id("secret", "crm", "17", MOMENT, nonce=1),
    }
    assert len({first, *others}) == 5


@given(
    st.lists(st.tuples(st.text(), st.text(), st.datetimes(timezones=st.just(UTC))), max_size=20),
    st.text(max_size=80),
)
def test_ids_derived_together_are_those_derived_one_by_one(
    founders: list[tuple[str, str, datetime]], secret: str
) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = np.array([(moment - epoch) // timedelta(microseconds=1) for _, _, moment in founders], dtype=np.int64)
    together = derive_ids(secret, [f[0] for f in founders], [f[1] for f in founders], moments)
    assert together == [derive_id(secret, *founder) for founder in founders]


@pytest.mark.parametrize("text", ["", "DK", "17", "DKI0000000000000000000000000", encode_id(1, 1).lower()])
def test_what_is_no_id_is_refused(text: str) -> None:
    assert not is_valid_id(text)
    with pytest.raises(ValueError, match="is not a golden id"):
        id_time(text)


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_id(2**48, 0)


@given(times, parts, st.integers(len("DK"), LENGTH - 3))
def test_two_neighbouring_digits_that_change_places_are_caught(milliseconds: int, derived: int, place: int) -> None:
    text = encode_id(milliseconds, derived)
    typo = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert is_valid_id(typo) == (typo == text)
