"""csv files, clean and broken: every row loads to the letter or is refused with its reason."""

import csv
import io
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.catalog.model import Format
from datadock.landing.csv_dialect import Dialect, column_names, sniff_delimiter
from datadock.landing.csv_reader import read_csv
from datadock.landing.csv_tolerant import Tolerant
from datadock.landing.limits import Limits
from datadock.landing.records import Member

HEADER = "id,nom\n"


def read(data, declared=None, known=(), block=8 << 20, longest=16 << 20):
    """Read bytes; return (line, row) of what loads and (line, code, bytes) of what does not."""
    member = Member("f.csv", lambda: io.BytesIO(data), len(data))
    limits = Limits(block_bytes=block, max_record_bytes=longest)
    rows, refused = [], []
    for chunk in read_csv(member, declared or Format(type="csv"), known, limits):
        if chunk.columns is not None:
            rows += zip(
                chunk.lines.to_pylist(), (tuple(row.values()) for row in chunk.columns.to_pylist()), strict=True
            )
        refused += [(refusal.line, refusal.reasons[0].code, refusal.raw) for refusal in chunk.refused]
    return rows, refused


def test_values_are_kept_to_the_letter(ground, source):
    people = source()
    batch = ground.land(people, 'id,a,b,c\n01000,1e5, x ,""\n+33,007,,"say ""hi"""\n')
    assert ground.loaded(people) == [
        (1, {"id": "01000", "a": "1e5", "b": " x ", "c": ""}),
        (2, {"id": "+33", "a": "007", "b": "", "c": 'say "hi"'}),
    ]
    assert (batch.rows_in, batch.rows_loaded, batch.rows_quarantined) == (2, 2, 0)


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "cp850", "mac_roman"],
)
def test_any_usual_encoding_is_recognised(encoding):
    text = "id;prénom\n" + "".join(f"{n};Zoé Müller à Besançon, François\n" for n in range(9))
    assert read(text.encode(encoding)) == ([(n + 1, (str(n), "Zoé Müller à Besançon, François")) for n in range(9)], [])


def test_an_accent_far_below_the_sniffed_beginning_still_decides_the_encoding():
    text = "id,nom\n" + "1,plain\n" * 200_000 + "2,Noël\n"
    rows, refused = read(text.encode("cp1252"))
    assert rows[-1] == (200_001, ("2", "Noël"))
    assert refused == []


def test_one_broken_byte_in_utf8_costs_one_row():
    data = HEADER.encode() + "1,é\n".encode() * 3 + b"2,\xe9\n" + "3,è\n".encode()
    rows, refused = read(data)
    assert [row for _, row in rows] == [("1", "é")] * 3 + [("3", "è")]
    assert refused == [(4, "undecodable", b"2,\xe9")]


def test_a_stated_encoding_that_is_wrong_refuses_the_rows_it_cannot_read():
    rows, refused = read("id,nom\n1,a\n2,é\n".encode("latin-1"), Format(type="csv", encoding="utf-8"))
    assert rows == [(1, ("1", "a"))]
    assert refused == [(2, "undecodable", b"2,\xe9")]


def test_bytes_that_cp1252_lacks_come_back_as_they_were():
    rows, refused = read(b"id;nom\n1;\xe9\n2;\x81\n3;\xe8\n", Format(type="csv", encoding="cp1252"))
    assert [row for _, row in rows] == [("1", "é"), ("3", "è")]
    assert refused == [(2, "undecodable", b"2;\x81")]


def test_half_a_utf16_character_at_the_end_costs_its_row():
    rows, refused = read("id,nom\n1,a\n2,b".encode("utf-16") + b"\x00")
    assert rows == [(1, ("1", "a"))]
    assert [(line, code) for line, code, _ in refused] == [(2, "undecodable")]


def test_ragged_rows_are_refused_and_their_neighbours_load():
    rows, refused = read(b"id,nom\n1,a\n2\n3,b,c\n4,d\n")
    assert rows == [(1, ("1", "a")), (4, ("4", "d"))]
    assert refused == [(2, "ragged_row", b"2"), (3, "ragged_row", b"3,b,c")]


def test_newlines_and_quotes_inside_values_are_kept():
    rows, refused = read(b'id,nom\n1,"a\nb"\n2,"c ""d"", e"\r\n3,5" disk\n')
    assert rows == [(1, ("1", "a\nb")), (2, ("2", 'c "d", e')), (3, ("3", '5" disk'))]
    assert refused == []


@pytest.mark.parametrize("stray", [b'1,"open\n', b'1,"a"b\n', b'1,"a" \n'])
def test_a_stray_quote_costs_one_line(stray):
    good = b"".join(b'%d,"v%d"\n' % (n, n) for n in range(2, 50))
    rows, refused = read(HEADER.encode() + stray + good)
    assert [row[0] for _, row in rows] == [str(n) for n in range(2, 50)]
    assert refused == [(1, "unbalanced_quote", stray.rstrip(b"\n"))]


def test_a_quote_that_never_closes_costs_one_line_even_over_many_blocks():
    good = b"".join(b"%d,v\n" % n for n in range(2, 5000))
    rows, refused = read(HEADER.encode() + b'1,"open\n' + good, block=1000, longest=4000)
    assert len(rows) == 4998
    assert refused == [(1, "unbalanced_quote", b'1,"open')]


def test_nul_bytes_are_refused():
    assert read(b"id,nom\n1,a\x00b\n2,c\n") == ([(2, ("2", "c"))], [(1, "nul_byte", b"1,a\x00b")])


def test_a_line_of_100_megabytes_is_refused_without_being_held():
    class Huge(io.BufferedIOBase):
        left = 100 << 20

        def readable(self):
            return True

        def read(self, size=-1):
            if self.left == 100 << 20:
                self.left -= 1
                return b"id,nom\n1,a\n2,"
            taken = min(size, self.left)
            self.left -= taken
            return b"x" * taken if self.left else b"\n3,c\n" if taken else b""

        read1 = read

    member = Member("huge.csv", Huge)
    chunks = list(read_csv(member, Format(type="csv", encoding="utf-8"), (), Limits()))
    refused = [refusal for chunk in chunks for refusal in chunk.refused]
    assert [(r.line, r.reasons[0].code) for r in refused] == [(2, "record_too_long")]
    assert len(refused[0].raw) <= 1 << 20
    rows = [row for chunk in chunks if chunk.columns is not None for row in chunk.columns.to_pylist()]
    assert rows == [{"id": "1", "nom": "a"}, {"id": "3", "nom": "c"}]


@pytest.mark.parametrize(("data", "code"), [(b"", "empty_file"), (b"\n\n", "empty_file"), (b"id,nom\n", "header_only")])
def test_a_file_without_records_is_refused_as_a_whole(ground, source, data, code):
    people = source()
    batch = ground.land(people, data)
    assert (batch.rows_in, batch.rows_loaded, batch.rows_quarantined) == (1, 0, 1)
    assert [(line, reason) for line, reason, _ in ground.refused()] == [(0, code)]


def test_repeated_and_empty_column_names_are_told_apart():
    assert column_names(["Nom", " Nom ", "", "Nom", "column_3"]) == ["Nom", "Nom_2", "column_3_2", "Nom_3", "column_3"]


def test_the_delimiter_that_brings_out_declared_names_wins():
    assert sniff_delimiter(b"nom, prenom;ville\na, b;c\n", b'"', ["ville"]) == b";"
    assert sniff_delimiter(b"a\tb\tc\n1,5\t2\t3\n", b'"') == b"\t"
    assert sniff_delimiter(b"only\nvalue\n", b'"') == b","


def test_a_declared_header_makes_the_first_line_a_record():
    declared = Format(type="csv", header=["id", "nom"], delimiter="|", quote="'")
    assert read(b"1|'a|b'\n2|c\n", declared) == ([(1, ("1", "a|b")), (2, ("2", "c"))], [])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_is_read(end):
    assert read(end.join([b"id,nom", b"1,a", b"", b"2,b"])) == ([(1, ("1", "a")), (2, ("2", "b"))], [])


def test_a_delimiter_outside_ascii_is_read():
    assert read("id¦nom\n1¦a\n".encode(), Format(type="csv", delimiter="¦")) == ([(1, ("1", "a"))], [])


VALUES = st.text(alphabet=string.ascii_letters + ' ,;"\n\r\té€', max_size=6)


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=12),
    block=st.integers(1, 64),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_a_csv_writer_writes_is_read_back_whatever_the_size_of_blocks(rows, block, ending):
    text = io.StringIO(newline="")
    bare_return = any("\r" in value for row in rows for value in row)  # the writer forgets to quote it
    writer = csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL if bare_return else csv.QUOTE_MINIMAL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    data = text.getvalue().encode()
    expected = [(line, row) for line, row in enumerate(rows, 1)]
    declared = Format(type="csv", encoding="utf-8", delimiter=",")
    assert read(data, declared, block=block) == (expected, [])
    assert read(data, declared) == (expected, [])


@settings(max_examples=100, deadline=None)
@given(data=st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n", b"\xff", b"\0", b"bb", b"1"]), max_size=40))
def test_blocks_of_any_size_give_the_same_rows_and_refusals(data):
    declared = Format(type="csv", encoding="utf-8", delimiter=",", header=["x", "y"])
    assert read(b"".join(data), declared, block=3) == read(b"".join(data), declared)


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(VALUES, VALUES), max_size=12), ending=st.sampled_from(["\n", "\r\n"]))
def test_the_fast_and_the_careful_parser_agree_on_clean_text(rows, ending):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    data = text.getvalue().encode()
    careful = Tolerant(Dialect(b",", b'"'), 2, 1 << 20, lambda raw: raw).parse(data, 1, final=True)
    fast, refused = read(data, Format(type="csv", encoding="utf-8", delimiter=",", header=["a", "b"]))
    assert [(line, tuple(row)) for line, row in zip(careful.lines, careful.rows, strict=True)] == fast
    assert [code for _, code, _ in refused] == ([] if rows else ["empty_file"])
    assert careful.refused == []
