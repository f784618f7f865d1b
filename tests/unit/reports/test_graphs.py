"""Drawings of linking: bars add up to the sum, every record and pair has its words, nothing unescaped."""

import re

from datadock.identity.explanation import Evidence, Explanation
from datadock.reports.graphs import Link, cluster_graph, waterfall

PAIR = Explanation(
    left=("crm", "1"),
    right=("shop", "2"),
    prior=-10.0,
    evidence=(
        Evidence("email", "same e-mail", 16.0, "same e-mail <rare>: +16.0"),
        Evidence("family_name", "differs", -4.0, "family name differs: -4.0"),
        Evidence("phone", "unknown", 0.0, "phone unknown: +0.0"),
    ),
    household=0.0,
    weight=2.0,
    probability=0.8,
    verdict="same",
    model="person-1",
)


def test_each_bar_of_a_waterfall_begins_where_the_last_one_ends_and_the_sum_stands_below():
    drawn = str(waterfall(PAIR, -1.0))
    bars = [
        (float(x), float(w))
        for x, w in re.findall(r'<rect class="bar [a-z]*" x="([0-9.]+)" y="\d+" width="([0-9.]+)"', drawn)
    ]
    start, end, last, total = bars
    assert start[0] == end[0], "ten bits down, sixteen up from there"
    assert abs(end[0] + end[1] - last[0] - last[1]) < 0.2, "four bits down from there"
    assert abs(total[0] + total[1] - last[0]) < 0.2, "to the sum"
    assert "together +2.0 bits" in drawn
    assert "joined from -1 bits" in drawn
    assert "&lt;rare&gt;" in drawn
    assert "phone" not in drawn, "what says nothing is not drawn"


def test_a_cluster_shows_weak_strong_and_decided_pairs_apart():
    links = [Link(0, 1, 9.0), Link(1, 2, -3.0), Link(0, 2, 0.0, decided=True)]
    drawn = str(cluster_graph(["crm 1", "crm 2", "shop <3>"], links, -1.0))
    assert re.findall(r'<line class="([a-z ]+)"', drawn) == ["edge weak", "decided", "edge"]
    assert re.findall(r"<title>(\d and \d: [^<]+)</title>", drawn) == [
        "2 and 3: -3.0 bits",
        "1 and 3: decided by a person",
        "1 and 2: +9.0 bits",
    ]
    assert "3: shop &lt;3&gt;" in drawn
    assert drawn.count("<circle") == 3
