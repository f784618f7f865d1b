"""Any bytes given as any format: never anything but rows and refusals that balance."""

import gzip
import io
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datadock.catalog.model import Source
from datadock.landing import Limits
from datadock.landing.reading import read_file
from datadock.landing.records import Member

FORMATS = ["csv", "jsonl", "json", "xml", "xlsx", "parquet", "eml", "document"]


def _zip():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "id,n\n1,2\n")
        archive.writestr("b.json", '[{"id":1}]')
    return data.getvalue()


def _parquet():
    data = io.BytesIO()
    pq.write_table(pa.table({"id": ["1"], "lines": [[{"a": 1}]]}), data)
    return data.getvalue()


SEEDS = [
    b'id,nom\n1,"a"\n2,b\n',
    b'{"id":"1","l":[1,{"x":"y"}]}\n{"id":"2"}\n',
    b'[{"id":1},{"id":2}]',
    b"<a><r><id>1</id></r><r/></a>",
    b"From: a@b\nDate: Tue, 05 Mar 2024 10:15:00 +0100\n\nNom: z\n",
    b"%PDF-1.4\n/Title (x)",
    "id;é\n1;à\n".encode("utf-16"),
    gzip.compress(b"id,n\n1,2\n"),
    _zip(),
    gzip.compress(_zip())[:-9],
    gzip.compress(_parquet())[:-9],
    _parquet(),
]


@st.composite
def damaged(draw):
    """Draw bytes that begin as a file of some format and go wrong somewhere."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


def read(data, format_type, block):
    source = Source.model_validate(
        {
            "name": "any",
            "description": "Any bytes.",
            "owner": "team@example.org",
            "format": {"type": format_type},
            "entities": {"contact": {"key": "id", "fields": {}}},
        }
    )
    limits = Limits(max_record_bytes=2048, max_archive_bytes=1 << 20, block_bytes=block)
    return [
        (member.name, line)
        for member, chunk in read_file(Member("f", lambda: io.BytesIO(data), len(data)), source, limits)
        for line in [*chunk.lines.to_pylist(), *(refusal.line for refusal in chunk.refused)]
    ]


@pytest.mark.parametrize("format_type", FORMATS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=damaged() | st.binary(max_size=60), block=st.sampled_from([1, 50, 4096]))
def test_every_record_of_any_bytes_has_one_position(data, format_type, block):
    places = read(data, format_type, block)
    assert len(places) == len(set(places))
    assert places
