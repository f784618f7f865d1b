"""gz and zip: opened within limits; a broken one keeps what was read before the break."""

import gzip
import io
import zipfile

import pytest

from datadock.landing import Limits

ROWS = b"id,nom\n" + b"".join(b"%d,name %d\n" % (n, n * 7919 % 1000) for n in range(1, 20_001))


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


def test_a_gz_file_lands_like_the_file_inside(ground, source):
    people = source()
    batch = ground.land(people, gzip.compress(ROWS), "a.csv.gz")
    assert (batch.rows_in, batch.rows_loaded) == (20_000, 20_000)
    assert ground.loaded(people)[0] == (1, {"id": "1", "nom": "name 919"})


def test_members_of_a_zip_are_one_batch_with_their_own_names_and_positions(ground, source):
    people = source()
    batch = ground.land(people, zipped(a__csv="id,n\n1,a\n", b__csv=gzip.compress(b"id;n\n2;b\n3;c\n")), "x.zip")
    assert batch.rows_loaded == 3
    rows = ground.table("raw/people").sort("_file", "_line").select("_file", "_line", "payload").rows()
    assert rows == [
        ("x.zip!a.csv", 1, '{"id":"1","n":"a"}'),
        ("x.zip!b.csv", 1, '{"id":"2","n":"b"}'),
        ("x.zip!b.csv", 2, '{"id":"3","n":"c"}'),
    ]


def test_a_gz_cut_short_keeps_its_whole_rows_and_refuses_the_rest(ground, source):
    people = source()
    packed = gzip.compress(ROWS)
    batch = ground.land(people, packed[: len(packed) // 2])
    assert batch.rows_quarantined == 1
    assert 0 < batch.rows_loaded < 20_000
    expected = [line.split(b",")[1].decode() for line in ROWS.splitlines()[1 : batch.rows_loaded + 1]]
    assert [record["nom"] for _, record in ground.loaded(people)] == expected
    assert ground.refused()[0][:2] == (batch.rows_loaded + 1, "broken_archive")
    assert ground.balanced(people)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(ROWS)[:-6],
        b"\x1f\x8bnothing",
        zipped(a__csv=ROWS)[:-40],
        zipped(a__csv=ROWS)[:500],
        zipped(a__csv=ROWS).replace(b"name", b"nome").replace(b"\x00\x00a.csv", b"\x01\x00a.csv", 1),
    ],
)
def test_broken_archives_never_raise(ground, source, data):
    people = source()
    batch = ground.land(people, data)
    assert batch.rows_in == batch.rows_loaded + batch.rows_quarantined
    assert ground.balanced(people)


def test_a_zip_bomb_is_refused_with_the_limit_stated(ground, source):
    bomb = zipped(a__csv=b"id,n\n1,a\n", b__csv=b"0" * (30 << 20))
    ground.land(source(), bomb, "bomb.zip", Limits(max_archive_ratio=100))
    assert [code for _, code, _ in ground.refused()] == ["archive_too_large"]
    assert ground.reasons()[0][0]["expected"] == "a ratio of at most 100"
    assert len(ground.loaded(source())) == 1


def test_an_archive_with_more_bytes_or_members_than_allowed_is_refused_unopened(ground, source):
    people = source()
    ground.land(people, zipped(a__csv=b"x" * 3000), "a.zip", Limits(max_archive_bytes=2000))
    ground.land(people, zipped(a__csv=b"1", b__csv=b"2", c__csv=b"3"), "b.zip", Limits(max_archive_members=2))
    ground.land(
        people, gzip.compress(bytes(range(256)) * 10_000), "c.gz", Limits(4096, 1 << 20, max_archive_ratio=9999)
    )
    assert {code for _, code, _ in ground.refused()} == {"archive_too_large"}
    assert {reason[0]["expected"] for reason in ground.reasons()} == {
        "at most 2000 unpacked bytes",
        "at most 2",
        "at most 1048576 unpacked bytes",
    }


def test_archives_in_archives_stop_somewhere(ground, source):
    data = b"id,n\n1,a\n"
    for _ in range(5):
        data = gzip.compress(data)
    ground.land(source(), data)
    assert [code for _, code, _ in ground.refused()] == ["archive_too_deep"]
    ground.land(source(name="other"), gzip.compress(gzip.compress(b"id,n\n1,a\n")))
    assert len(ground.loaded(source(name="other"))) == 1
