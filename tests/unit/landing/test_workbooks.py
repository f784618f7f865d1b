"""Workbooks: cells as text, formulas by their kept values, merged cells, dates; broken ones refused."""

import datetime as dt
import io
import zipfile

import pytest
import xlsxwriter

from datadock.landing import Limits


def workbook(fill, **options):
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, options) as book:
        fill(book)
    return data.getvalue()


def test_every_cell_is_text(ground, source):
    def fill(book):
        sheet = book.add_worksheet("Contacts")
        day, moment = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_row(0, 0, ["id", "Né le", "Vu le", "CA", "Actif", "Total", "id"])
        sheet.write_string(1, 0, "01000")
        sheet.write_datetime(1, 1, dt.datetime.fromisoformat("1968-08-15"), day)
        sheet.write_datetime(1, 2, dt.datetime.fromisoformat("2024-03-01T12:30"), moment)
        sheet.write_number(1, 3, 1234.5)
        sheet.write_boolean(1, 4, True)
        sheet.write_formula(1, 5, "=D2*2", None, 2469)
        sheet.write_number(1, 6, 1e5)

    people = source("xlsx")
    ground.land(people, workbook(fill))
    assert ground.loaded(people) == [
        (
            1,
            {
                "id": "01000",
                "Né le": "1968-08-15",
                "Vu le": "2024-03-01 12:30:00",
                "CA": "1234.5",
                "Actif": "true",
                "Total": "2469",
                "id_2": "100000",
            },
        )
    ]


def test_a_cell_merged_over_rows_holds_its_value_in_each_of_them(ground, source):
    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "ville"])
        sheet.write_column(1, 0, ["1", "2", "3"])
        sheet.merge_range(1, 1, 2, 1, "Lyon")
        sheet.write(3, 1, "Paris")

    people = source("xlsx")
    ground.land(people, workbook(fill))
    assert [record["ville"] for _, record in ground.loaded(people)] == ["Lyon", "Lyon", "Paris"]


def test_the_named_sheet_and_header_row_are_read_and_blank_rows_skipped(ground, source):
    def fill(book):
        book.add_worksheet("Notes").write(0, 0, "nothing")
        sheet = book.add_worksheet("Contacts")
        sheet.write(0, 0, "Export du 12/03")
        sheet.write_row(2, 0, ["id", "", "nom"])
        sheet.write_row(3, 0, ["1", "x", "A"])
        sheet.write_row(5, 0, ["2", "", "B"])

    people = source("xlsx", sheet="Contacts", header_row=3)
    ground.land(people, workbook(fill))
    assert ground.loaded(people) == [
        (1, {"id": "1", "column_2": "x", "nom": "A"}),
        (2, {"id": "2", "column_2": "", "nom": "B"}),
    ]


def _empty(book):
    book.add_worksheet("Contacts")


def _header(book):
    book.add_worksheet("Contacts").write_row(0, 0, ["id", "nom"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (workbook(_empty), "empty_file"),
        (workbook(_header), "header_only"),
        (workbook(lambda book: book.add_worksheet("Autre")), "missing_sheet"),
        (workbook(_header)[:-30], "broken_archive"),
        (b"id;nom\n1;a\n", "broken_workbook"),
        (b"", "empty_file"),
    ],
)
def test_a_workbook_without_records_is_refused_as_a_whole(ground, source, data, reason):
    people = source("xlsx", sheet="Contacts")
    batch = ground.land(people, data)
    assert (batch.rows_in, batch.rows_quarantined) == (1, 1)
    assert [(line, code) for line, code, _ in ground.refused()] == [(0, reason)]


def test_a_workbook_that_is_a_bomb_is_refused_before_it_is_unpacked(ground, source):
    data = io.BytesIO(workbook(_header))
    with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * (4 << 20))
    ground.land(source("xlsx"), data.getvalue(), limits=Limits(max_archive_ratio=20))
    assert [code for _, code, _ in ground.refused()] == ["archive_too_large"]
