from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datadock.warehouse.values_sql import SQL_TYPES, typed, value_macros

LAW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def read(con, text, kind, formats=None):
    return con.execute(
        f"select {typed('value', kind, formats)} from (select ? :: varchar as value)", [text]
    ).fetchone()[0]


@pytest.mark.parametrize(
    "text",
    [
        "1980-03-12",
        "12/03/1980",
        "12-03-1980",
        "12.03.1980",
        "19800312",
        "1980/03/12",
        "12 03 1980",
        "1980-03-12 00:00:00",
    ],
)
def test_a_date_reads_the_same_in_every_usual_format(con, text):
    assert read(con, text, "date") == date(1980, 3, 12)


@pytest.mark.parametrize("text", ["", "12/03/80", "31/02/1980", "1980-13-01", "abc", "00000000", None, "12/1980"])
def test_what_is_no_date_is_null(con, text):
    assert read(con, text, "date") is None


def test_declared_formats_are_tried_in_their_order(con):
    assert read(con, "03/12/1980", "date", ["%m/%d/%Y", "%d/%m/%Y"]) == date(1980, 3, 12)
    assert read(con, "25/12/1980", "date", ["%m/%d/%Y", "%d/%m/%Y"]) == date(1980, 12, 25)
    assert read(con, "12/03/80", "date", ["%d/%m/%y"]) == date(1980, 3, 12)
    assert read(con, "1980-03-12", "date", ["%d/%m/%Y"]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T10:00:00Z", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("2024-01-01 10:00:00.5", datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2024-01-01T10:00:00+02:00", datetime(2024, 1, 1, 8, tzinfo=UTC)),
        ("2024-01-01T10:00:00-0530", datetime(2024, 1, 1, 15, 30, tzinfo=UTC)),
        ("01/02/2024 10:30", datetime(2024, 2, 1, 10, 30, tzinfo=UTC)),
        ("Mon, 01 Jan 2024 10:00:00 +0100", datetime(2024, 1, 1, 9, tzinfo=UTC)),
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("soon", None),
    ],
)
def test_a_time_is_read_with_its_zone_and_as_utc_without(con, text, expected):
    assert read(con, text, "timestamp") == expected


def test_times_do_not_depend_on_the_zone_of_the_session(con):
    con.execute("set TimeZone = 'America/New_York'")
    try:
        assert read(con, "2024-01-01 10:00:00", "timestamp") == datetime(2024, 1, 1, 10, tzinfo=UTC)
        assert read(con, "01/01/2024 10:00", "timestamp") == datetime(2024, 1, 1, 10, tzinfo=UTC)
    finally:
        con.execute("set TimeZone = 'UTC'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.56", "1234.56"),
        ("1 234,56 €", "1234.56"),
        ("1\u202f234,56\u00a0€", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("-12,5", "-12.50"),
        ("12 EUR", "12.00"),
        ("0", "0.00"),
        ("12.5.6", None),
        ("douze", None),
        ("", None),
        ("99999999999999999999", None),
    ],
)
def test_money_is_read_as_french_and_as_english_write_it(con, text, expected):
    assert read(con, text, "decimal") == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("48.856614", 48.856614), ("-0,579180", -0.57918), ("2", 2.0), ("nan", None), ("inf", None), ("48°51'", None)],
)
def test_a_number_keeps_its_decimals(con, text, expected):
    assert read(con, text, "number") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", 12), ("1 234", 1234), ("12.0", 12), ("12,00", 12), ("-3", -3), ("12.6", None), ("a", None)],
)
def test_a_whole_number_is_never_rounded_into_being(con, text, expected):
    assert read(con, text, "integer") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("oui", True), ("O", True), ("1", True), ("Faux", False), ("non", False), ("peut-être", None)],
)
def test_yes_and_no_are_read_in_both_languages(con, text, expected):
    assert read(con, text, "boolean") is expected


@given(st.text(max_size=30), st.sampled_from(sorted(SQL_TYPES)))
@LAW
def test_no_text_makes_a_reading_fail(con, text, kind):
    read(con, text.replace("\x00", ""), kind)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
@LAW
def test_every_amount_reads_back_as_it_was_written_in_french(con, amount):
    text = f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + " €"
    assert read(con, text, "decimal") == amount


@given(st.integers(min_value=-(2**31), max_value=2**32), st.integers(min_value=-12, max_value=12))
@LAW
def test_every_instant_reads_back_from_its_iso_form(con, seconds, hours):
    local = datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours)))
    assert read(con, local.isoformat(), "timestamp") == local


def test_there_is_a_macro_for_every_type_but_text():
    macros = value_macros()
    assert [kind for kind in SQL_TYPES if f"macro read_{kind}(column)" in macros] == [
        k for k in SQL_TYPES if k != "text"
    ]
