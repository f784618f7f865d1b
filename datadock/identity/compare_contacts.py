"""How e-mails, phones, addresses, companies and numbers are compared: data with reasons."""

from __future__ import annotations

from collections.abc import Collection

from datadock.identity.levels import Comparison, Level, alike, close, in_order, missing, same, shared, slips


def email(features: Collection[str]) -> Comparison:
    """Compare: a person's e-mails."""
    names = [n for n in ("given_first", "family") if n in features]
    made_of_name = " or ".join(f"contains(mail_name_{s}, left({n}_{s}, 4))" for n in names for s in "lr") or "false"
    alias = f" or (mail_name_l = mail_name_r and not {shared('emails')} and ({made_of_name}))"
    return Comparison(
        "email",
        "one person's as a rule, a household's at times; names written into addresses are not counted a second time",
        f"{missing('emails')}{alias}",
        (
            Level("same e-mail", shared("emails"), 0.62),
            Level("same e-mail but for the provider", "mail_name_l = mail_name_r and length(mail_name_l) >= 5", 0.04),
            Level(
                "e-mail one or two slips away",
                in_order(
                    "jaro_similarity(mail_name_l, mail_name_r) >= 0.8",
                    "mail_digits_l = mail_digits_r or mail_domain_l is not null or mail_domain_r is not null",
                    "least(length(emails_l[1]), length(emails_r[1])) >= 8",
                    "damerau_levenshtein(emails_l[1], emails_r[1]) <= 2",
                ),
                0.08,
            ),
            Level(
                "e-mails alike on a private domain",
                in_order(same("mail_domain"), alike("mail_name", 0.8)),
                0.06,
            ),
        ),
        0.20,
        0.6,
        household=0.15,
    )


def company_email(_: Collection[str]) -> Comparison:
    """Compare: a company's e-mails."""
    return Comparison(
        "email",
        "a company's own domain speaks for the company, whoever's address it is",
        missing("emails"),
        (
            Level("same e-mail", shared("emails"), 0.5),
            Level("same private domain", "mail_domain_l = mail_domain_r", 0.2),
        ),
        0.3,
        0.6,
    )


def phone(_: Collection[str]) -> Comparison:
    """Compare: phones."""
    return Comparison(
        "phone",
        "a mobile is one person's, a landline a household's: sharing that alone, beside other mobiles, says household",
        missing("phones"),
        (
            Level("same mobile", f"coalesce({shared('mobiles')}, false)", 0.45),
            Level(
                "same landline, other mobiles",
                in_order("mobiles_l is not null and mobiles_r is not null", shared("phones")),
                0.03,
            ),
            Level("same landline", shared("phones"), 0.2),
            Level("phone one digit away", "levenshtein(phones_l[1], phones_r[1]) <= 1", 0.04),
        ),
        0.28,
        0.7,
        household=0.4,
    )


def _place_parts(features: Collection[str]) -> list[str]:
    return [name for name in ("postcode", "city") if name in features]


def address(features: Collection[str]) -> Comparison:
    """Compare: number, street and place as one thing."""
    parts = _place_parts(features)
    any_place = " or ".join([same(p) for p in parts] + [alike("city", 0.92)] * ("city" in parts)) or "true"
    both = " and ".join(same(p) for p in parts) or "true"
    house = "(house_l = house_r or (house_l is null and house_r is null))" if "house" in features else "true"
    similar = alike("street", 0.92)
    nothing = " and ".join(f"({missing(p)})" for p in ["street", *parts])
    whole = Level("same address", f"street_l = street_r and {house} and ({any_place})", 0.55, "address_key")
    levels = [
        whole,
        Level("same house, spelt otherwise", f"{house} and {similar} and ({any_place})", 0.12),
        Level("same street", f"{similar} and ({any_place})", 0.06),
        Level("same street and house, another place", f"{house} and {similar}", 0.02),
    ]
    if parts:
        levels += [
            Level("same place, street unknown", f"({missing('street')}) and ({both})", 0.06, parts[0]),
            Level("same place, another street", f"{both}", 0.06, parts[0]),
            Level("place in part the same", any_place, 0.03),
        ]
    return Comparison(
        "address",
        "number, street and place move together, so they are weighed together; a household shares them",
        nothing,
        tuple(levels),
        0.15,
        0.6,
        household=0.9,
    )


def place(features: Collection[str]) -> Comparison:
    """Compare: postcode and city, where no street is declared."""
    parts = _place_parts(features)
    levels = [Level(f"same {part}", same(part), 0.6 / len(parts), part) for part in parts]
    if len(parts) == 2:
        levels.insert(0, Level("same postcode and city", " and ".join(same(p) for p in parts), 0.3, "postcode"))
    if "postcode" in parts:
        levels.append(Level("postcode one slip away", slips("postcode_l", "postcode_r", 1, 4), 0.05))
        levels.append(
            Level(
                "same postal district",
                "length(postcode_l) >= 5 "
                "and left(postcode_l, length(postcode_l) - 3) = left(postcode_r, length(postcode_r) - 3)",
                0.08,
            )
        )
    if "city" in parts:
        levels.append(Level("city one slip away", close("city", 0.88), 0.08))
    return Comparison(
        "place",
        "where somebody lives, without a street: weighed by how many live there",
        " and ".join(f"({missing(p)})" for p in parts),
        tuple(levels),
        0.2,
        0.5,
        household=0.9,
    )


def organisation(_: Collection[str]) -> Comparison:
    """Compare: name of an organisation."""
    return Comparison(
        "organisation",
        "without its legal form; a longer form of the name often holds the shorter",
        missing("organisation"),
        (
            Level("same name of organisation", same("organisation"), 0.7, "organisation"),
            Level(
                "name of organisation one slip away",
                f"({alike('organisation', 0.96)} or {slips('organisation_l', 'organisation_r', 2, 7, 0.93)})",
                0.12,
            ),
            Level(
                "one name holds the other",
                "contains(organisation_l, organisation_r) or contains(organisation_r, organisation_l)",
                0.06,
            ),
            Level("names of organisation alike", alike("organisation", 0.85), 0.05),
        ),
        0.07,
        0.3,
    )


def identifier(feature: str) -> Comparison:
    """Compare: a declared identifier."""
    return Comparison(
        feature,
        "a number given to one person; slips happen when it is copied",
        missing(feature),
        (
            Level("same number", same(feature), 0.88, feature),
            Level(
                "number one slip away",
                slips(f"{feature}_l", f"{feature}_r", 1, 5),
                0.05,
            ),
        ),
        0.07,
        0.3,
    )
