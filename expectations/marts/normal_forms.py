"""Suites of the normal forms: how they are written, which must never break, and which shares are plausible."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share

_ACCEPTED = "status in ('OK', 'CORRIGEE', 'ETRANGERE')"


def plans() -> list[Plan]:
    """Return the plans of the normal forms."""
    return [_address(), _phone(), _email(), _name()]


def _plan(table: str, *rules: Rule) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation,))


def _never(measure: str, condition: str, words: str, reason: str) -> Rule:
    """Return the rule that no row may break: what reads the copy relies on it."""
    return Rule(
        measure=measure,
        sql=f"count(*) filter ({condition})",
        words=words,
        reason=reason,
        at_most=0,
        severity="critical",
    )


def _empty_is_empty(filled: str) -> Rule:
    return _never(
        "empty values with a normal form",
        f"status = 'VIDE' and ({filled})",
        "What says nothing has no normal form",
        "a value told empty and yet filled would be sent to by one program and skipped by another",
    )


def _shares(what: str, *, doubtful: tuple[float, str], rejected: tuple[float, str]) -> tuple[Rule, ...]:
    """Return the rules on how many distinct values are doubtful and rejected, each with its limit and reason."""
    return (
        Rule(
            measure=f"doubtful {what}",
            sql=share("status = 'A_CONFIRMER'", "status <> 'VIDE'"),
            words=f"Few {what} wait to be confirmed by somebody",
            reason=doubtful[1],
            at_most=doubtful[0],
            unit="%",
        ),
        Rule(
            measure=f"rejected {what}",
            sql=share("status = 'REJETEE'", "status <> 'VIDE'"),
            words=f"Few {what} cannot be used at all",
            reason=rejected[1],
            at_most=rejected[0],
            unit="%",
        ),
    )


def _address() -> Plan:
    return _plan("normal_address", *_norm(), *_address_shares())


def _norm() -> tuple[Rule, ...]:
    """Return the rules of the norm NF Z10-011, which no address may break."""
    lines = [f"coalesce(line_{place}, '')" for place in range(2, 8)]
    postal = " || ".join(lines[2:5])
    return (
        _never(
            "lines over 38 characters",
            " or ".join(f"length({line}) > 38" for line in lines),
            "No line of an address is longer than 38 characters",
            "the norm's width: sorting machines and windows of envelopes cut what is longer",
        ),
        _never(
            "lines 4 to 6 with other signs than A-Z and 0-9",
            f"{_ACCEPTED} and regexp_matches({postal}, '[^A-Z0-9 ]')",
            "Lines 4 to 6 are written in capitals, digits and blanks only",
            "the norm asks for it, and contacts are compared by these lines: another sign would part equal addresses",
        ),
        _never(
            "French addresses accepted without a line 6",
            "status in ('OK', 'CORRIGEE') and coalesce(line_6, '') = ''",
            "An accepted French address has a postal code and a locality",
            "no letter arrives without line 6, so that such an address must not be told usable",
        ),
        _empty_is_empty(" or ".join(f"{line} <> ''" for line in lines)),
    )


def _address_shares() -> tuple[Rule, ...]:
    """Return the rules on what became of the distinct addresses."""
    return (
        *_shares(
            "addresses",
            doubtful=(
                35,
                "forms that ask for the town only leave a third without a street; more means that the street's "
                "column was lost",
            ),
            rejected=(
                5,
                "an address without any word of one is rare; above 5 % another column was declared as address",
            ),
        ),
        Rule(
            measure="corrected addresses",
            sql=share("status = 'CORRIGEE'", "status <> 'VIDE'"),
            words="Corrections of addresses stay the smaller part",
            reason="people abbreviate streets and misspell towns in up to half of the forms; above 60 % the dock "
            "rewrites a feed that should be mended at its sender",
            at_most=60,
            unit="%",
        ),
        Rule(
            measure="commune known of French addresses",
            sql=share("code_insee <> ''", "status in ('OK', 'CORRIGEE')"),
            words="Accepted French addresses lie in a commune that the reference knows",
            reason="CEDEX offices outside the table and army post lack one; below 98 % the reference is too old",
            at_least=98,
            unit="%",
        ),
    )


def _phone() -> Plan:
    return _plan(
        "normal_phone",
        _never(
            "accepted numbers that are not E.164",
            f"{_ACCEPTED} and not coalesce(regexp_full_match(value, '[+][1-9][0-9]{{5,14}}'), false)",
            "Accepted numbers are written as E.164",
            "providers of calls and texts take this form only, and two forms of one number would be two contacts",
        ),
        _empty_is_empty("coalesce(value, '') <> ''"),
        *_shares(
            "phones",
            doubtful=(10, "closed ranges and invented numbers are 1 or 2 %; above 10 % digits are lost on the way"),
            rejected=(10, "junk typed to pass a form is 1 or 2 %; above 10 % another column was declared as phone"),
        ),
        Rule(
            measure="numbers of automated callers",
            sql=share("list_contains(codes, 'DEMARCHAGE_AUTOMATISE')", "status <> 'VIDE'"),
            words="Customers do not give the numbers of call centres",
            reason="these ranges are for machines that call, so nobody lives there; above 2 % a list was bought or "
            "numbers were invented",
            at_most=2,
            unit="%",
        ),
    )


def _email() -> Plan:
    return _plan(
        "normal_email",
        _never(
            "accepted addresses that are not local@domain",
            f"{_ACCEPTED} and not coalesce(regexp_full_match(value, '[^@\\s]+@[^@\\sA-Z]+[.][^@\\sA-Z]+'), false)",
            "Accepted e-mail addresses have one @ and a domain in small letters",
            "senders take nothing else, and a domain in two writings would part one mailbox into two",
        ),
        _empty_is_empty("coalesce(value, '') <> ''"),
        *_shares(
            "e-mails",
            doubtful=(
                10,
                "mailboxes of functions and possible typos are 2 or 3 %; more is a source of companies or junk",
            ),
            rejected=(5, "junk typed to pass a form is under 1 %; above 5 % another column was declared as e-mail"),
        ),
        Rule(
            measure="corrected e-mails",
            sql=share("status = 'CORRIGEE'", "status <> 'VIDE'"),
            words="Few domains had to be corrected",
            reason="one person in fifty mistypes a domain; above 10 % a source spoils addresses when it writes them",
            at_most=10,
            unit="%",
        ),
        Rule(
            measure="disposable e-mails",
            sql=share("list_contains(codes, 'DOMAINE_JETABLE')", "status <> 'VIDE'"),
            words="Few mailboxes are made to be thrown away",
            reason="some always are; above 5 % a form gives away something that robots come for",
            at_most=5,
            unit="%",
        ),
    )


def _name() -> Plan:
    return _plan(
        "normal_name",
        _empty_is_empty("coalesce(value, '') <> ''"),
        *_shares(
            "names",
            doubtful=(25, "first and family name swapped or joined are 5 to 10 %; a quarter means swapped columns"),
            rejected=(5, "junk typed to pass a form is under 1 %; above 5 % another column was declared as name"),
        ),
        Rule(
            measure="first names whose sex is known",
            sql=share("type is not null and type <> ''", "coalesce(first_name, '') <> ''"),
            words="The file of first names knows most first names",
            reason="it covers 96 % of French people, rare and foreign names less; below 60 % the first names hold "
            "family names or initials",
            at_least=60,
            unit="%",
        ),
    )
