"""JSON files: one object a line, a list somewhere in a document, objects one behind the other."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.catalog.model import Format
from datadock.landing.json_document import read_json
from datadock.landing.json_lines import read_json_lines
from datadock.landing.limits import Limits
from datadock.landing.records import Member


def read(data, records=None, lines=False, block=8 << 20, longest=16 << 20):
    """Return (line, payload text) of what loads and (line, code) of what does not."""
    member = Member("f.json", lambda: io.BytesIO(data), len(data))
    declared = Format(type="jsonl" if lines else "json", records=records)
    loaded, refused = [], []
    for chunk in (read_json_lines if lines else read_json)(member, declared, Limits(longest, block_bytes=block)):
        if chunk.payload is not None:
            loaded += zip(chunk.lines.to_pylist(), chunk.payload.to_pylist(), strict=True)
        refused += [(refusal.line, refusal.reasons[0].code) for refusal in chunk.refused]
    return loaded, refused


def test_a_line_is_kept_as_it_came_numbers_to_the_letter():
    data = b'{"a": 1.10, "b": 1E5}\n{"id":12345678901234567890123}\n'
    assert read(data, lines=True) == ([(1, '{"a": 1.10, "b": 1E5}'), (2, '{"id":12345678901234567890123}')], [])


def test_bad_lines_are_refused_with_their_reasons_and_good_ones_load():
    data = b'{"id":"1"}\n\n[1]\n"x"\n{"id":\n\xff{}\n{"a":"\\u0000"}\n{"a":"\\\\u0000"}\nnull\n{"id":"2"}\n'
    data += '{"a":"éè"}'.encode()
    assert read(data, lines=True) == (
        [(1, '{"id":"1"}'), (7, '{"a":"\\\\u0000"}'), (9, '{"id":"2"}'), (10, '{"a":"éè"}')],
        [
            (2, "not_an_object"),
            (3, "not_an_object"),
            (4, "malformed_json"),
            (5, "undecodable"),
            (6, "nul_byte"),
            (8, "not_an_object"),
        ],
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_lines_in_other_encodings_load_as_text(encoding):
    data = '{"nom":"Noël"}\n{"nom":"Zoé"}\n'.encode(encoding)
    assert read(data, lines=True) == ([(1, '{"nom":"Noël"}'), (2, '{"nom":"Zoé"}')], [])


@pytest.mark.parametrize("lines", [True, False])
def test_nesting_of_a_hundred_thousand_levels_is_refused(lines):
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert read(deep + b'\n{"id":"1"}\n', lines=lines) == ([(2, '{"id":"1"}')], [(1, "nested_too_deep")])
    lists = b"[" * 100_000 + b"]" * 100_000
    assert read(b'{"a":' + lists + b"}", lines=lines) == ([], [(1, "nested_too_deep")])


def test_a_line_longer_than_a_record_may_be_is_refused_and_reading_goes_on():
    data = b'{"id":"1"}\n{"x":"' + b"y" * 5000 + b'"}\n{"id":"2"}\n'
    for block in (7, 100, 10_000):
        assert read(data, lines=True, block=block, longest=1024) == (
            [(1, '{"id":"1"}'), (3, '{"id":"2"}')],
            [(2, "record_too_long")],
        )
        assert read(b"[" + data.replace(b"\n", b",")[:-1] + b"]", block=block, longest=1024) == (
            [(1, '{"id":"1"}'), (3, '{"id":"2"}')],
            [(2, "record_too_long")],
        )


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_records_are_found_at_their_path_and_nothing_else_is_taken(block):
    data = b'{"meta":{"items":[9],"t":"x]\\"["},"data":{"other":[{"no":1}],"items":[{"a":"]}"}, {"a":1.50}\n]},"z":[1]}'
    assert read(data, "$.data.items", block=block) == ([(1, '{"a":"]}"}'), (2, '{"a":1.50}')], [])


def test_a_single_object_is_one_record_and_a_missing_list_is_refused():
    assert read(b'{"id": "1",\n "n": {"x": 1}}') == ([(1, '{"id": "1",\n "n": {"x": 1}}')], [])
    assert read(b'{"id":"1"}', "$.items") == ([], [(0, "records_not_found")])
    assert read(b'{"items":{"a":1}}', "$.items") == ([], [(0, "records_not_found")])
    assert read(b" \n") == ([], [(0, "empty_file")])
    assert read(b"[]") == ([], [(0, "empty_file")])


def test_a_list_cut_short_loads_its_whole_records_and_says_so():
    assert read(b'[{"id":"1"},{"id":"2"},{"id":') == (
        [(1, '{"id":"1"}'), (2, '{"id":"2"}')],
        [(3, "malformed_json")],
    )
    assert read(b'[{"id":"1"},\n') == ([(1, '{"id":"1"}')], [(2, "malformed_json")])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), min_size=1, max_size=6),
    block=st.sampled_from([1, 13, 4096]),
    indent=st.sampled_from([None, 1]),
)
def test_a_list_and_its_lines_give_the_same_records_whatever_the_size_of_blocks(records, block, indent):
    records = json.loads(json.dumps(records).replace("\\u0000", "?"))
    as_list = json.dumps({"a": {"b": records}}, indent=indent).encode()
    in_a_row = " ".join(json.dumps(record, indent=indent, ensure_ascii=False) for record in records).encode()
    as_lines = "\n".join(json.dumps(record) for record in records).encode()
    expected = list(enumerate(records, 1))
    for data, path, lines in ((as_list, "$.a.b", False), (in_a_row, None, False), (as_lines, None, True)):
        loaded, refused = read(data, path, lines, block=block)
        assert [(line, json.loads(text)) for line, text in loaded] == expected
        assert refused == []
