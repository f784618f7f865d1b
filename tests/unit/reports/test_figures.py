"""Numbers and charts as the pages write them."""

from datetime import UTC, datetime, timedelta

import pytest

from datadock.reports import figures
from datadock.reports.charts import Bar, diverging, histogram, sparkline
from datadock.reports.offline import html_addresses

NOW = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figures.count(1204311), "1 204 311"),
        (figures.count(None), "–"),
        (figures.share(0.4213), "42.1 %"),
        (figures.share(0.0004), "< 0.1 %"),
        (figures.share(0), "0.0 %"),
        (figures.probability(7.5e-7), "7.5e-07"),
        (figures.probability(0.889), "0.889"),
        (figures.moment("2024-05-06T09:08:00+02:00"), "2024-05-06 07:08 UTC"),
        (figures.moment(None), "–"),
        (figures.age(NOW - timedelta(minutes=40), NOW), "40 min ago"),
        (figures.age(NOW - timedelta(hours=30), NOW), "30 h ago"),
        (figures.age(NOW - timedelta(days=12), NOW), "12 days ago"),
        (figures.age(None, NOW), "never"),
        (str(figures.ticks("see `map` <b>")), "see <code>map</code> &lt;b&gt;"),
    ],
)
def test_a_figure_is_written_for_readers(written, expected):
    assert written.replace("\u202f", " ") == expected


def test_a_trend_says_in_words_what_it_shows_and_needs_two_runs():
    assert "Valid: 90.0 % to 80.0 % over 3 runs (-10.0 points)" in sparkline([0.9, None, 0.85, 0.8], "Valid")
    assert "<svg" not in sparkline([0.9, None], "Valid")


def test_a_histogram_keeps_its_marks_on_the_axis_and_escapes_its_words():
    drawn = histogram([Bar(-2, "few <pairs>", 3), Bar(4, "many", 900)], "Weights", step=2, marks=[(-6.0, "a<b")])
    assert "few &lt;pairs&gt;" in drawn
    assert "a&lt;b" in drawn
    assert 'x1="-' not in drawn
    assert html_addresses(drawn) == []


def test_a_weight_points_right_when_it_speaks_for_and_left_when_against():
    assert 'class="bar high" x="50.00"' in diverging(5.0, 10.0)
    assert 'class="bar low" x="25.00"' in diverging(-5.0, 10.0)
