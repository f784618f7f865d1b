"""Suites of the dimensions: contacts, their addresses, households, sources and roles, and the stores."""

from __future__ import annotations

from datadock import names
from expectations.rule import Plan, Rule, share, volume


def plans() -> list[Plan]:
    """Return the plans of the dimensions."""
    return [
        _contact(),
        _address(),
        _household(),
        _household_member(),
        _store(),
        _contact_source(),
        _contact_role(),
        _company_person(),
    ]


def _plan(table: str, *rules: Rule) -> Plan:
    relation = f"{names.MARTS}.{table}"
    return Plan(names.MARTS, table, relation, rules, (relation,))


def _channel(measure: str, condition: str, floor: float, reason: str) -> Rule:
    return Rule(
        measure=measure,
        sql=share(condition),
        words=f"Enough contacts have {measure.removeprefix('with ')}",
        reason=f"{reason}; a fall of 3 points between two runs means that a source stopped sending it",
        at_least=floor,
        may_fall=3,
        unit="%",
    )


def _contact() -> Plan:
    return _plan(
        "dim_contact",
        volume(reason="everything downstream reads this table"),
        _channel(
            "with an e-mail",
            "coalesce(email, email_2) is not null",
            40,
            "campaigns by e-mail pay from about 40 % of the base on",
        ),
        _channel(
            "with a phone",
            "coalesce(phone, mobile) is not null",
            30,
            "shops and the call centre know customers by phone",
        ),
        _channel("with an address", "address_line is not null", 30, "post is the channel of those who gave no other"),
        Rule(
            measure="companies",
            sql=share("party_type = 'company'"),
            words="Companies are the smaller part of the base",
            reason="a base of private customers and their companies; above half, people were read as companies",
            at_most=50,
            unit="%",
        ),
    )


def _address() -> Plan:
    french = "coalesce(upper(country), 'FR') in ('FR', 'FRA', 'FRANCE') and postcode is not null"
    return _plan(
        "dim_address",
        Rule(
            measure="French postcodes of five digits",
            sql=share("regexp_full_match(postcode, '[0-9]{5}')", french),
            words="French postcodes are written with five digits",
            reason="below 95 % a spreadsheet ate the leading zeros (01000 became 1000) or columns were swapped",
            at_least=95,
            unit="%",
        ),
        Rule(
            measure="addresses with a town",
            sql=share("city is not null"),
            words="Addresses name their town",
            reason="the postman needs it, and the postcode alone covers up to forty towns",
            at_least=90,
            unit="%",
        ),
    )


def _household() -> Plan:
    return _plan(
        "dim_household",
        Rule(
            measure="largest household",
            sql="max(n_people)",
            words="Households are of a size that lives together",
            reason="20 leaves room for three generations; beyond, the address is a home, a camp or a company",
            at_most=20,
        ),
    )


def _household_member() -> Plan:
    return _plan(
        "dim_household_member",
        Rule(
            measure="people who live with somebody known",
            sql=share("role <> 'alone'"),
            words="Some people are known together with those they live with",
            reason="a consumer base knows a tenth to a half of its people with somebody else of their home; above 80 % "
            "neighbours were taken for families",
            at_most=80,
            unit="%",
        ),
    )


def _store() -> Plan:
    return _plan(
        "dim_store",
        Rule(
            measure="stores with a town",
            sql=share("city is not null"),
            words="Stores name their town",
            reason="shop windows of a customer are computed from it; stores are few, so nearly all must have it",
            at_least=90,
            unit="%",
        ),
    )


def _contact_source() -> Plan:
    return _plan(
        "dim_contact_source",
        volume(reason="contacts are made of source records"),
        Rule(
            measure="records of the largest source",
            sql="100.0 * (select max(n) from (select count(*) as n from marts.dim_contact_source group by source)) "
            "/ nullif(count(*), 0)",
            words="No single source makes up the whole base",
            reason="above 99 % the other sources did not arrive",
            at_most=99,
            unit="%",
            severity="info",
        ),
    )


def _contact_role() -> Plan:
    return _plan(
        "dim_contact_role",
        Rule(
            measure="roles with a contract",
            sql=share("contract_id is not null"),
            words="Roles say in which contract they are held",
            reason="a role without a contract tells nobody whom to write to; a few are typed by hand without one",
            at_least=95,
            unit="%",
        ),
    )


def _company_person() -> Plan:
    return _plan(
        "dim_company_person",
        Rule(
            measure="people whose company is known",
            sql=share("company_golden_id is not null"),
            words="The companies that people work at are contacts, too",
            reason="below 60 % the export of companies did not arrive, or its keys changed",
            at_least=60,
            unit="%",
        ),
    )
