"""The published contact cases, all of them, one by one and in bulk."""

import csv

import polars as pl

from datadock.quality.contact_codes import CONTACT_CODES
from datadock.quality.contact_tables import first_name_spellings
from datadock.quality.email import normalise_email, normalise_emails
from datadock.quality.names import normalise_name, normalise_names
from datadock.quality.phone import normalise_phone, normalise_phones

STATUS = {"ok": "OK", "corrected": "CORRIGEE", "suspect": "A_CONFIRMER", "rejected": "REJETEE", "alert": "A_CONFIRMER"}
CIVILITIES = {"M": "Monsieur", "MME": "Madame", None: ""}


def answer(kind, text):
    if kind == "civilite_prenom":
        civility, first = text.split("|")
        found = normalise_name(first, civility=civility)
        changed = found.proposed_civility or (found.civility if found.status == "CORRIGEE" else None)
        return CIVILITIES[changed], found.type if changed else "", found
    read = {
        "phone": normalise_phone,
        "email": normalise_email,
        "prenom": normalise_name,
        "nom": lambda name: normalise_name(last_name=name),
    }
    found = read[kind](text)
    return found.value or "", found.type, found


def test_every_published_case_is_right(published_data):
    with (published_data / "fr" / "contact_cases.csv").open(encoding="utf-8", newline="") as stream:
        cases = list(csv.DictReader(stream))
    assert len(cases) > 40
    wrong = []
    for case in cases:
        value, kind, found = answer(case["kind"], case["input"])
        expected = case["expected_value"], case["expected_type"], STATUS[case["expected_status"]]
        if (value, kind, found.status.value) != expected or not set(found.codes) <= set(CONTACT_CODES):
            wrong.append((case["id"], case["input"], found))
    assert wrong == []


def test_real_rows_give_the_same_one_by_one_and_in_bulk_and_change_nothing_twice(published_data):
    with (published_data / "fr" / "contact_cases.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row["input"] for row in csv.DictReader(stream)]
    names = [spelling.title() for spelling in first_name_spellings()][::40]
    values = pl.Series(texts + names)
    for one, bulk in (
        (normalise_phone, normalise_phones(values)),
        (normalise_email, normalise_emails(values)),
        (normalise_name, normalise_names(values)),
    ):
        found = [one(text) for text in values]
        assert bulk["value"].to_list() == [item.value for item in found]
        assert bulk["codes"].to_list() == [list(item.codes) for item in found]
        kept = [item.value for item in found if item.value]
        assert [one(value).value for value in kept] == kept
