"""Raw tables that moved: each new version once, whatever the cursor went through."""

from hypothesis import given
from hypothesis import strategies as st

from datadock.events.movement import movement

versions = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(-1, 50), max_size=4)


def test_a_new_version_moves_and_the_same_versions_do_not():
    first = movement(None, {"b": 0, "a": 3, "c": -1})
    assert (first.moved, first.cursor) == (("a", "b"), '{"a": 3, "b": 0, "c": -1}')
    assert movement(first.cursor, {"b": 0, "a": 3, "c": -1}).moved == ()
    assert movement(first.cursor, {"b": 0, "a": 4, "c": 0}).moved == ("a", "c")


def test_a_cursor_that_no_longer_reads_counts_as_never_seen():
    for broken in ("", "{", "[1]", "null"):
        assert movement(broken, {"a": 0}).moved == ("a",)


@given(versions, versions)
def test_a_tick_that_is_repeated_moves_nothing(before, now):
    seen = movement(movement(None, before).cursor, now)
    again = movement(seen.cursor, now)
    assert again.moved == ()
    assert again.key == seen.key
