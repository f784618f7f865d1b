"""Words for levels of agreement: for and against, known and unknown, rare and common, counted and not."""

import pytest

from datadock.identity import compare_contacts, compare_people
from datadock.identity.comparisons import comparisons_for
from datadock.identity.wording import Facts, evidence, level_name

FEATURES = {
    "given", "family", "birth_name", "birth_date", "sex", "name_words", "birth_place", "occupation", "emails", "phones",
    "street", "house", "postcode", "city", "id_siren",
}  # fmt: skip
PHONE = compare_contacts.phone(())
EMAIL = compare_contacts.email(FEATURES)
BIRTH = compare_people.birth_date(())
FAMILY = compare_people.family(FEATURES)
SIREN = compare_contacts.identifier("id_siren")


def number_of(comparison, level):
    """Return the number by which ``engine.level_settings`` tells a level."""
    told = ["unknown", "differs", *(one.name for one in reversed(comparison.levels))]
    return told.index(level)


@pytest.mark.parametrize(
    ("comparison", "level", "bits", "facts", "words"),
    [
        (PHONE, "same mobile", 7.24, Facts(holders=2), "phone: same mobile, rarely shared: +7.2"),
        (PHONE, "same mobile", 3.0, Facts(holders=9), "phone: same mobile, shared by 9 contacts: +3.0"),
        (PHONE, "differs", -1.5, Facts(), "phone differs: -1.5"),
        (PHONE, "unknown", 0.0, Facts(known=(True, False)), "phone: not known on one side"),
        (PHONE, "unknown", 0.0, Facts(known=(False, False)), "phone: not known on either side"),
        (PHONE, "unknown", 0.0, Facts(discounted=(("phone", 14),)), "this phone is used by 14 contacts: not counted"),
        (
            PHONE, "same mobile", 7.0, Facts(holders=1, discounted=(("phone", 14),)),
            "phone: same mobile, rarely shared: +7.0; this phone is used by 14 contacts: not counted",
        ),
        (BIRTH, "differs", -6.1, Facts(), "birth date differs: -6.1"),
        (BIRTH, "same birth date", 11.0, Facts(frequency=1 / 9000), "same birth date, 1 in 9,000: +11.0"),
        (BIRTH, "day and month swapped", 2.0, Facts(), "birth date: day and month swapped: +2.0"),
        (BIRTH, "same year", 0.5, Facts(), "birth date: same year: +0.5"),
        (FAMILY, "same family name", 3.9, Facts(frequency=1 / 210), "same family name, common (1 in 210): +3.9"),
        (FAMILY, "same family name", 9.0, Facts(frequency=1 / 80_000), "same family name, rare (1 in 80,000): +9.0"),
        (FAMILY, "unknown", 0.0, Facts(), "family name: told with the given name, the two are swapped"),
        (EMAIL, "unknown", 0.0, Facts(), "e-mails alike only in the name they are made of: not counted a second time"),
        (SIREN, "same number", 8.0, Facts(), "siren: same number: +8.0"),
        (SIREN, "differs", -4.0, Facts(), "siren differs: -4.0"),
    ],
)  # fmt: skip
def test_a_level_is_told_in_words_with_its_weight(comparison, level, bits, facts, words) -> None:
    told = evidence(comparison, number_of(comparison, level), bits, facts)
    assert (told.comparison, told.bits, told.words) == (comparison.name, bits, words)


def test_every_level_of_every_comparison_has_words_of_its_own() -> None:
    both = {"person": FEATURES, "company": {"organisation", "emails", "phones", "postcode", "city", "id_siren"}}
    for party, features in both.items():
        for comparison in comparisons_for(features, party):
            told = [
                evidence(comparison, n, 1.0, Facts(known=(n > 0, n > 0))).words
                for n in range(len(comparison.levels) + 2)
            ]
            assert len(set(told)) == len(comparison.levels) + 2
            assert [level_name(comparison, n) for n in (0, 1)] == ["unknown", "differs"]
            assert level_name(comparison, len(comparison.levels) + 1) == comparison.levels[0].name
