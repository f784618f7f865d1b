"""Messages of one plain text are taken apart by a short way; the record is that of the standard library's parser."""

from email.parser import BytesParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.landing.mail_reader import _clean, describe_mail, simple_mail

SIMPLE = [
    b"From: Zo <z@example.org>\nDate: Tue, 05 Mar 2024 10:15:00 +0100\n\nNom: z\n\nText\n",
    b"Subject: a: b \r\nDATE: 5 Mar 2024 10:15:00 -0000\r\nMIME-Version: 1.0\r\n\r\nNom: \xc3\xa9\r\n> Ville : Y\r\n",
    b"To:x\nsubject:\t=?utf-8?q?Zo=C3=A9?= =?x-unknown?q?a?=\nContent-Type: text/plain; charset=UTF-8\n\nM\xfcller",
    b'From: "A, B" <a@b>\nContent-Type: TEXT/PLAIN; charset="iso-8859-1"\nContent-Transfer-Encoding: 8BIT\n\nNom: \xe9',
    b"Message-ID: <1@x>\nSubject: one\nSubject: two\nDate: 31 Feb 2024 10:00:00 +0000\n\n",
    b"From: =?utf-8?q?Dupont=2C_Zo=C3=A9?= <z@example.org>\nDate: Mon, 01 Jan 2024 00:30:00 +0145\n\nA: b: c\nA: d\n",
]
OTHER = [
    b"Subject: two\n lines\n\nbody",
    b"Content-Type: text/html\n\n<p>a</p>",
    b"Content-Type: text/plain; charset=utf-7\n\na",
    b"Content-Transfer-Encoding: base64\n\nTm9tOiBC\n",
    b"Content-Disposition: attachment\n\na",
    b"Subject: \xff\n\na",
    b"no header\n\na",
    b"From me\nSubject: a\n\nb",
    b"Subject: a\nno header\n\nb",
    b"Subject: a\n\nb\rc",
    b"Subject: a\n\nb\0c",
    b"Subject: a\n",
]


def _long_way(data):
    return _clean(describe_mail(BytesParser().parsebytes(data)))


@pytest.mark.parametrize("data", SIMPLE)
def test_a_simple_message_gives_the_record_of_the_standard_library(data):
    assert simple_mail(data) == _long_way(data)


@pytest.mark.parametrize("data", OTHER)
def test_any_other_message_is_left_to_the_standard_library(data):
    assert simple_mail(data) is None


_HEADER_WORDS = ["Date", "Subject", "From", "To", "Content-Type", "text/plain", "charset", "utf-8", "latin-1", "7bit"]
_VALUES = ["<a@b>", "Tue, 05 Mar 2024 10:15:00 +0100", "=?utf-8?q?=C3=A9?=", "é"]
_SIGNS = [":", ";", "=", '"', " ", "\t", "\n", "\r\n", "\r", "\0"]
_WORDS = st.sampled_from([*_HEADER_WORDS, *_VALUES, *_SIGNS])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SIMPLE), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 6), _WORDS), max_size=4))
def test_whatever_is_taken_for_simple_gives_the_same_record(data, changes):
    spoilt = bytearray(data)
    for place, length, word in changes:
        spoilt[place : place + length] = word.encode()
    found = simple_mail(bytes(spoilt))
    if found is not None:
        assert found == _long_way(bytes(spoilt))
