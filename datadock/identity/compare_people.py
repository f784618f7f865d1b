"""How people's names, dates and other personal things are compared: data with reasons."""

from __future__ import annotations

from collections.abc import Collection

from datadock.identity.levels import Comparison, Level, alike, close, missing, same, shared, slips

_SWAPPED = (
    f"((given_l = family_r and {slips('family_l', 'given_r', 2, 4, 0.85)}) "
    f"or (given_r = family_l and {slips('family_r', 'given_l', 2, 4, 0.85)}) "
    "or (given_l = family_r and given_first_r = family_l) or (given_r = family_l and given_first_l = family_r))"
)
"""Each name stands in the other's place; one of them may have slipped besides, or lost its second half."""


def given(features: Collection[str]) -> Comparison:
    """Compare: given name, with sex told by it."""
    swapped = [Level("given and family name swapped", _SWAPPED, 0.01)] if "family" in features else []
    one_word = "(given_l = given_first_l or given_r = given_first_r)"  # Jean-Pierre is not Jean-Paul
    slipped = (
        f"(given_first_l <> given_first_r and {close('given_first', 0.92)}) or {slips('given_l', 'given_r', 1, 4)}"
    )
    return Comparison(
        "given_name",
        "tells members of a household apart; nicknames and a first of several names count as the same person",
        missing("given"),
        (
            Level("same given name", same("given"), 0.72, "given"),
            Level("same first name or its nickname", f"{same('given_root')} and {one_word}", 0.07, "given_root"),
            *swapped,
            Level("a nickname of several names", f"{shared('given_roots')} and {one_word}", 0.01),
            Level("given name one slip away", slipped, 0.09),
            Level(
                "one given name within the other",
                "least(length(given_l), length(given_r)) >= 3 and (starts_with(given_l, given_r) "
                "or starts_with(given_r, given_l) or ends_with(given_l, given_r) or ends_with(given_r, given_l))",
                0.02,
            ),
            Level(
                "only an initial, and it fits",
                "(length(given_first_l) = 1 or length(given_first_r) = 1) "
                "and left(given_first_l, 1) = left(given_first_r, 1)",
                0.02,
            ),
            Level("given names alike", alike("given", 0.8), 0.03),
        ),
        0.04,
        0.25,
    )


def family(features: Collection[str]) -> Comparison:
    """Compare: family, birth and married names."""
    swapped = f" or {_SWAPPED}" if "given" in features else ""  # told once, by the given name
    crossed = "family_l = birth_name_r or birth_name_l = family_r or birth_name_l = birth_name_r"
    married = [Level("birth name of one is the other's name", crossed, 0.01)] if "birth_name" in features else []
    women = [Level("another name, of a woman", "sex_l = 'f' and sex_r = 'f'", 0.03)] if "sex" in features else []
    told = (
        "least(length(family_l), length(family_r)) >= 4 and (contains(mail_name_l, family_r) "
        "or contains(mail_name_r, family_l))"
    )
    in_mail = [Level("another name, which stands in the e-mail", told, 0.01)] if "mail_name" in features else []
    return Comparison(
        "family_name",
        "shared by a household; birth and married names cross; one part of a double name is enough",
        f"({missing('family')}){swapped}",
        (
            Level("same family name", same("family"), 0.80, "family"),
            Level("family name one slip away", close("family", 0.93), 0.09, None),
            *married,
            Level(
                "one part of a double name in common",
                "(contains(family_words_l, ' ') or contains(family_words_r, ' ')) "
                "and list_has_any(list_filter(string_split(family_words_l, ' '), lambda w: length(w) > 3), "
                "list_filter(string_split(family_words_r, ' '), lambda w: length(w) > 3))",
                0.02,
            ),
            *in_mail,
            Level("family names alike", alike("family", 0.82), 0.02),
            *women,
        ),
        0.05,
        0.35,
        household=0.75,
    )


_GENERATION = "abs(cast(left(birth_date_l, 4) as integer) - cast(left(birth_date_r, 4) as integer)) between 16 and 60"


def birth_date(_: Collection[str]) -> Comparison:
    """Compare: birth date."""
    return Comparison(
        "birth_date",
        "the best single witness; day and month change places, digits slip",
        missing("birth_date"),
        (
            Level("same birth date", same("birth_date"), 0.86, "birth_date"),
            Level(
                "day and month swapped",
                "left(birth_date_l, 4) = left(birth_date_r, 4) "
                "and substr(birth_date_l, 5, 2) = right(birth_date_r, 2) "
                "and right(birth_date_l, 2) = substr(birth_date_r, 5, 2)",
                0.01,
            ),
            Level(
                "birth date one digit away",
                "hamming(birth_date_l, birth_date_r) = 1 or (hamming(birth_date_l, birth_date_r) = 2 "
                "and damerau_levenshtein(birth_date_l, birth_date_r) = 1)",
                0.05,
            ),
            Level("same day and month, another year", "right(birth_date_l, 4) = right(birth_date_r, 4)", 0.01),
            Level("birth date two digits away", "hamming(birth_date_l, birth_date_r) = 2", 0.02),
            Level("a generation apart", _GENERATION, 0.001, most=0.001),
            Level("same year", "left(birth_date_l, 4) = left(birth_date_r, 4)", 0.02),
        ),
        0.03,
        0.3,
    )


def sex(features: Collection[str]) -> Comparison:
    """Compare: sex, where the given names differ."""
    known = f" or {same('given')}" if "given" in features else ""  # the same given name has said it already
    return Comparison(
        "sex",
        "counts only where the given names differ: together with an equal given name it says nothing new",
        f"(sex_l is null or sex_r is null){known}",
        (Level("same sex", same("sex"), 0.96),),
        0.04,
        0.15,
    )


def name_words(_: Collection[str]) -> Comparison:
    """Compare: words of a full name beyond given and family name."""
    shared = "len(list_intersect(string_split(name_words_l, ' '), string_split(name_words_r, ' ')))"
    least = "least(len(string_split(name_words_l, ' ')), len(string_split(name_words_r, ' ')))"
    return Comparison(
        "full_name",
        "words of the full name beyond given and family name: second names, titles, places",
        missing("name_words"),
        (
            Level("same words in the full name", same("name_words"), 0.35, "name_words"),
            Level("most words in common", f"{shared} * 3 >= {least} * 2", 0.45),
            Level("some words in common", f"{shared} * 3 >= {least}", 0.15),
        ),
        0.05,
        0.4,
    )


def birth_place(_: Collection[str]) -> Comparison:
    """Compare: birth place."""
    return Comparison(
        "birth_place",
        "fixed for life, told as a town or as its county",
        missing("birth_place"),
        (
            Level("same birth place", same("birth_place"), 0.7, "birth_place"),
            Level(
                "birth place alike or within the other",
                f"{close('birth_place', 0.9)} or contains(birth_place_l, birth_place_r) "
                "or contains(birth_place_r, birth_place_l)",
                0.12,
            ),
        ),
        0.18,
        0.4,
    )


def occupation(_: Collection[str]) -> Comparison:
    """Compare: occupation."""
    return Comparison(
        "occupation",
        "changes over a life, so that a difference says little",
        missing("occupation"),
        (Level("same occupation", same("occupation"), 0.6, "occupation"),),
        0.4,
        0.6,
    )
