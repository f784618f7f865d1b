"""The style sheet: what is written can be read, in light and in dark."""

import re

import pytest

from datadock.reports.build import TEMPLATES

SHEET = (TEMPLATES / "style.css").read_text(encoding="utf-8")
LIGHT, DARK = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
WRITTEN_ON = [
    ("ink", "page"),
    ("ink", "card"),
    ("ink", "head"),
    ("soft", "page"),
    ("soft", "card"),
    ("soft", "head"),
    ("accent", "page"),
    ("accent", "card"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
]


def _colours(block):
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def _luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_its_ground_as_the_guidelines_ask(scheme):
    colours = _colours(scheme)
    weak = {}
    for ink, ground in WRITTEN_ON:
        bright, dim = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
        contrast = (bright + 0.05) / (dim + 0.05)
        if contrast < 4.5:
            weak[ink, ground] = round(contrast, 2)
    assert weak == {}


def test_both_schemes_define_the_same_colours():
    assert sorted(_colours(LIGHT)) == sorted(_colours(DARK))
