"""How two records are compared, by kind of field: data with reasons.

Levels stand from the strongest to the weakest; the first that holds counts. Column names end in
``_l`` and ``_r``. The shares among matches (``m``) are where training starts and what it falls
back to; nothing here knows a particular file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One degree of agreement.

    Attributes:
        name: What a person reads.
        sql: Condition over ``_l`` and ``_r`` columns; must be symmetric.
        m: Expected share of this level among true matches, before training.
        tf: Feature whose term frequency sharpens the level's weight.
    """

    name: str
    sql: str
    m: float
    tf: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One thing compared.

    Attributes:
        name: Output name, also of the columns ``gamma_<name>`` and ``mw_<name>``.
        reason: Why it is compared like this.
        unknown: Condition under which nothing can be said (weight 0).
        levels: From strongest to weakest, without the last ("differs").
        differs_m: Expected share of "differs" among true matches.
        household: How far two people of one household agree on it as one person would; 0 for what is personal.
    """

    name: str
    reason: str
    unknown: str
    levels: tuple[Level, ...]
    differs_m: float
    household: float = 0.0


def comparisons_for(features: Collection[str], party: str) -> list[Comparison]:
    """Return the comparisons that a set of features allows for people or for companies."""
    found: list[Comparison] = []
    if party == "person":
        for needed, build in _PERSON:
            if needed in features:
                found.append(build(features))
    else:
        found.extend(build(features) for needed, build in _COMPANY if needed in features)
    for needed, build in _BOTH:
        if needed in features:
            found.append(build(features))
    if "street" in features:
        found.append(_address(features))
    elif "postcode" in features or "city" in features:
        found.append(_place(features))
    found.extend(_identifier(name) for name in sorted(features) if name.startswith("id_"))
    return found


def _missing(*columns: str) -> str:
    return " or ".join(f"{c}_l is null or {c}_r is null" for c in columns)


def _same(column: str) -> str:
    return f"{column}_l = {column}_r"


def _shared(column: str) -> str:
    """A value in common; most lists hold one value, and comparing those is far cheaper."""
    several = f"(len({column}_l) > 1 or len({column}_r) > 1)"
    return f"({column}_l[1] = {column}_r[1] or ({several} and list_has_any({column}_l, {column}_r)))"


def _alike(column: str, similarity: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {similarity}"


def _slips(left: str, right: str, edits: int, length: int) -> str:
    """Few edits apart; the cheap similarity keeps most pairs away from the dear edit distance."""
    return (
        f"(least(length({left}), length({right})) >= {length} and jaro_similarity({left}, {right}) >= 0.8 "
        f"and damerau_levenshtein({left}, {right}) <= {edits})"
    )


def _close(column: str, similarity: float, edits: int = 1, length: int = 4) -> str:
    return f"({_alike(column, similarity)} or {_slips(column + '_l', column + '_r', edits, length)})"


_SWAPPED = "(given_first_l = family_r and family_l = given_first_r)"


def _given(features: Collection[str]) -> Comparison:
    swapped = [Level("given and family name swapped", _SWAPPED, 0.01)] if "family" in features else []
    return Comparison(
        "given_name",
        "tells members of a household apart; nicknames and a first of several names count as the same person",
        _missing("given"),
        (
            Level("same given name", _same("given"), 0.72, "given"),
            Level("same first name or its nickname", _same("given_root"), 0.08, "given_root"),
            *swapped,
            Level("given name one slip away", _close("given_first", 0.92), 0.09),
            Level(
                "only an initial, and it fits",
                "(length(given_first_l) = 1 or length(given_first_r) = 1) and left(given_first_l, 1) = left(given_first_r, 1)",
                0.02,
            ),
            Level("given names alike", _alike("given_first", 0.8), 0.03),
        ),
        0.04,
    )


def _family(features: Collection[str]) -> Comparison:
    swapped = f" or {_SWAPPED}" if "given" in features else ""  # told once, by the given name
    return Comparison(
        "family_name",
        "shared by a household; birth and married names cross; one part of a double name is enough",
        f"({_missing('family')}){swapped}",
        (
            Level("same family name", _same("family"), 0.80, "family"),
            Level("family name one slip away", _close("family", 0.93), 0.09, None),
            Level(
                "birth name of one is the other's name",
                "family_l = birth_name_r or birth_name_l = family_r or birth_name_l = birth_name_r",
                0.01,
            ),
            Level(
                "one part of a double name in common",
                "(contains(family_words_l, ' ') or contains(family_words_r, ' ')) "
                "and list_has_any(list_filter(string_split(family_words_l, ' '), lambda w: length(w) > 3), "
                "list_filter(string_split(family_words_r, ' '), lambda w: length(w) > 3))",
                0.02,
            ),
            Level("family names alike", _alike("family", 0.82), 0.02),
        ),
        0.05,
        household=0.75,
    )


def _birth_date(_: Collection[str]) -> Comparison:
    return Comparison(
        "birth_date",
        "the best single witness; day and month change places, digits slip",
        _missing("birth_date"),
        (
            Level("same birth date", _same("birth_date"), 0.86, "birth_date"),
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
            Level("same year", "left(birth_date_l, 4) = left(birth_date_r, 4)", 0.02),
        ),
        0.03,
    )


def _sex(features: Collection[str]) -> Comparison:
    known = f" or {_same('given')}" if "given" in features else ""  # the same given name has said it already
    return Comparison(
        "sex",
        "counts only where the given names differ: together with an equal given name it says nothing new",
        f"(sex_l is null or sex_r is null){known}",
        (Level("same sex", _same("sex"), 0.96),),
        0.04,
    )


def _name_words(_: Collection[str]) -> Comparison:
    shared = "len(list_intersect(string_split(name_words_l, ' '), string_split(name_words_r, ' ')))"
    least = "least(len(string_split(name_words_l, ' ')), len(string_split(name_words_r, ' ')))"
    return Comparison(
        "full_name",
        "words of the full name beyond given and family name: second names, titles, places",
        _missing("name_words"),
        (
            Level("same words in the full name", _same("name_words"), 0.35, "name_words"),
            Level("most words in common", f"{shared} * 3 >= {least} * 2", 0.45),
            Level("some words in common", f"{shared} * 3 >= {least}", 0.15),
        ),
        0.05,
    )


def _email(features: Collection[str]) -> Comparison:
    names = [n for n in ("given_first", "family") if n in features]
    made_of_name = " or ".join(f"contains(mail_name_l, left({n}_l, 4))" for n in names) or "false"
    alias = f" or (mail_name_l = mail_name_r and not {_shared('emails')} and ({made_of_name}))"
    return Comparison(
        "email",
        "one person's as a rule, a household's at times; names written into addresses are not counted a second time",
        f"{_missing('emails')}{alias}",
        (
            Level("same e-mail", _shared("emails"), 0.62),
            Level("same e-mail but for the provider", "mail_name_l = mail_name_r and length(mail_name_l) >= 5", 0.04),
            Level(
                "e-mail one or two slips away",
                "jaro_similarity(mail_name_l, mail_name_r) >= 0.8 and length(emails_l[1]) >= 8 "
                "and (mail_digits_l = mail_digits_r or mail_domain_l is not null) "
                "and damerau_levenshtein(emails_l[1], emails_r[1]) <= 2",
                0.08,
            ),
            Level(
                "e-mails alike on a private domain",
                "mail_domain_l = mail_domain_r and jaro_winkler_similarity(mail_name_l, mail_name_r) >= 0.8",
                0.06,
            ),
        ),
        0.20,
        household=0.15,
    )


def _company_email(_: Collection[str]) -> Comparison:
    return Comparison(
        "email",
        "a company's own domain speaks for the company, whoever's address it is",
        _missing("emails"),
        (
            Level("same e-mail", _shared("emails"), 0.5),
            Level("same private domain", "mail_domain_l = mail_domain_r", 0.2),
        ),
        0.3,
    )


def _phone(_: Collection[str]) -> Comparison:
    return Comparison(
        "phone",
        "one person's or one household's",
        _missing("phones"),
        (
            Level("same phone", _shared("phones"), 0.68),
            Level("phone one digit away", "levenshtein(phones_l[1], phones_r[1]) <= 1", 0.04),
        ),
        0.28,
        household=0.4,
    )


def _place_parts(features: Collection[str]) -> list[str]:
    return [name for name in ("postcode", "city") if name in features]


def _address(features: Collection[str]) -> Comparison:
    parts = _place_parts(features)
    any_place = " or ".join([_same(p) for p in parts] + [_alike("city", 0.92)] * ("city" in parts)) or "true"
    both = " and ".join(_same(p) for p in parts) or "true"
    house = "(house_l = house_r or (house_l is null and house_r is null))" if "house" in features else "true"
    similar = _alike("street", 0.92)
    nothing = " and ".join(f"({_missing(p)})" for p in ["street", *parts])
    same = Level("same address", f"street_l = street_r and {house} and ({any_place})", 0.55, "address_key")
    levels = [
        same,
        Level("same house, spelt otherwise", f"{house} and {similar} and ({any_place})", 0.12),
        Level("same street", f"{similar} and ({any_place})", 0.06),
        Level("same street and house, another place", f"{house} and {similar}", 0.02),
    ]
    if parts:
        levels += [
            Level("same place, street unknown", f"({_missing('street')}) and ({both})", 0.06, parts[0]),
            Level("same place, another street", f"{both}", 0.06, parts[0]),
            Level("place in part the same", any_place, 0.03),
        ]
    return Comparison(
        "address",
        "number, street and place move together, so they are weighed together; a household shares them",
        nothing,
        tuple(levels),
        0.15,
        household=0.9,
    )


def _place(features: Collection[str]) -> Comparison:
    parts = _place_parts(features)
    levels = [Level(f"same {part}", _same(part), 0.6 / len(parts), part) for part in parts]
    if len(parts) == 2:
        levels.insert(0, Level("same postcode and city", " and ".join(_same(p) for p in parts), 0.3, "postcode"))
    if "postcode" in parts:
        levels.append(Level("postcode one slip away", _slips("postcode_l", "postcode_r", 1, 4), 0.05))
        levels.append(
            Level(
                "same postal district",
                "length(postcode_l) >= 5 and left(postcode_l, length(postcode_l) - 3) = left(postcode_r, length(postcode_r) - 3)",
                0.08,
            )
        )
    if "city" in parts:
        levels.append(Level("city one slip away", _close("city", 0.88), 0.08))
    return Comparison(
        "place",
        "where somebody lives, without a street: weighed by how many live there",
        " and ".join(f"({_missing(p)})" for p in parts),
        tuple(levels),
        0.2,
        household=0.9,
    )


def _birth_place(_: Collection[str]) -> Comparison:
    return Comparison(
        "birth_place",
        "fixed for life, but told as a town or as its county",
        _missing("birth_place"),
        (
            Level("same birth place", _same("birth_place"), 0.7, "birth_place"),
            Level(
                "birth place alike or within the other",
                f"{_close('birth_place', 0.9)} or contains(birth_place_l, birth_place_r) "
                "or contains(birth_place_r, birth_place_l)",
                0.12,
            ),
        ),
        0.18,
    )


def _occupation(_: Collection[str]) -> Comparison:
    return Comparison(
        "occupation",
        "changes over a life, so that a difference says little",
        _missing("occupation"),
        (Level("same occupation", _same("occupation"), 0.6, "occupation"),),
        0.4,
    )


def _organisation(_: Collection[str]) -> Comparison:
    return Comparison(
        "organisation",
        "without its legal form; a longer form of the name often holds the shorter",
        _missing("organisation"),
        (
            Level("same name of organisation", _same("organisation"), 0.7, "organisation"),
            Level("name of organisation one slip away", _close("organisation", 0.94, 2, 7), 0.12),
            Level(
                "one name holds the other",
                "contains(organisation_l, organisation_r) or contains(organisation_r, organisation_l)",
                0.06,
            ),
            Level("names of organisation alike", _alike("organisation", 0.85), 0.05),
        ),
        0.07,
    )


def _identifier(feature: str) -> Comparison:
    return Comparison(
        feature,
        "a number given to one person; slips happen when it is copied",
        _missing(feature),
        (
            Level("same number", _same(feature), 0.88, feature),
            Level(
                "number one slip away",
                _slips(f"{feature}_l", f"{feature}_r", 1, 5),
                0.05,
            ),
        ),
        0.07,
    )


_Build = Callable[[Collection[str]], Comparison]
_PERSON: tuple[tuple[str, _Build], ...] = (
    ("given", _given),
    ("family", _family),
    ("birth_date", _birth_date),
    ("sex", _sex),
    ("name_words", _name_words),
    ("birth_place", _birth_place),
    ("occupation", _occupation),
    ("emails", _email),
)
_COMPANY: tuple[tuple[str, _Build], ...] = (("organisation", _organisation), ("emails", _company_email))
_BOTH: tuple[tuple[str, _Build], ...] = (("phones", _phone),)
