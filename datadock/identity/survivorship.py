"""Golden values by declared rules, in columns: of a contact's records, whose value each field takes.

A rule names criteria in order; the first that tells two records apart decides. What is left equal is
decided by source and key, so that the order of rows never matters. A record's standing under a rule is
one number, so that the winner is the largest; how the winners' values are put together is in ``golden_rows``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import duckdb

from datadock.catalog.fields import MODEL
from datadock.catalog.model import Rule, Survivorship
from datadock.identity.normalise import install_macros

Groups = Mapping[str, tuple[Rule, tuple[str, ...]]]
"""Leading field to its rule and to all fields taken with it from the same record."""

_VALID = {
    "email": "dd_email({0}) is not null",
    "phone": "dd_phone({0}) is not null",
    "birth_date": "dd_date({0}) is not null",
    "postcode": "dd_postcode({0}) is not null",
    "identifier": "dd_identifier({0}) is not null",
}
_TEXT_KINDS = frozenset(
    [
        "given_name",
        "family_name",
        "birth_name",
        "full_name",
        "organisation_name",
        "address_line",
        "address_extra",
        "city",
    ]
)
REACHING = ("email", "email_2", "phone", "mobile", "address_line")
"""Fields whose value is invalid, too, where nobody can be reached by it: returned, bounced, moved away from."""

_BITS = {"filled": 1, "validity": 1, "frequency": 20, "trust": 10, "completeness": 20, "recency": 28, "tie": 28}
_WORD = 62
"""Bits that a number may have before the next one is begun: together they stay within 127."""


def survive(
    con: duckdb.DuckDBPyConnection, members: str, survivorship: Survivorship, trust: Mapping[str, float]
) -> None:
    """Create ``dd_contacts``, ``dd_members`` and ``dd_winners``: who is looked at, and whose values win.

    Args:
        con: Connection.
        members: Table or view of what is told of some contacts: golden_id, source, source_key, party_type,
            record_updated_at, _received_at, every field of the contact model (typed), ``unusable`` (list of the
            fields by which nobody can be reached) and ``is_record`` (false for a move, which tells an address but
            makes no contact).
        survivorship: Declared rules.
        trust: Trust of each source.

    Contacts are numbered in order of their golden id, records (``tie``) from the last source and key to the first.
    """
    install_macros(con)
    groups = groups_of(survivorship)
    con.execute(
        "create or replace temp table dd_contacts as select row_number() over (order by golden_id) - 1 as contact, * "
        "from (select golden_id, any_value(party_type) as party_type, count(*) filter (is_record) as n_records, "
        f"count(distinct source) filter (is_record) as n_sources, count(*) as n_told from {members} group by golden_id)"
    )
    con.execute(
        "create or replace temp table dd_places as select golden_id, source, source_key, contact, n_told, "
        "observed_at, row_number() over (order by source desc, source_key desc) - 1 as tie, "
        "dense_rank() over (order by observed_at) as recency "
        "from (select golden_id, source, source_key, coalesce(record_updated_at, _received_at) as observed_at "
        f"from {members}) join dd_contacts using (golden_id)"
    )
    con.execute(
        f"create or replace temp table dd_members as select p.* exclude (golden_id), {_trust(trust)} as trust, "
        f"unusable, {', '.join(f'm.{name}' for name in MODEL['contact'])} "
        f"from {members} m join dd_places p using (golden_id, source, source_key)"
    )
    alone = ", ".join(f"case when {_filled(fields)} then tie end as w_{x}" for x, (_, fields) in groups.items())
    chosen = ", ".join(f"{_winner(leader, rule, fields)} as w_{leader}" for leader, (rule, fields) in groups.items())
    con.execute(
        f"create or replace temp table dd_winners as select contact, {alone} from dd_members where n_told = 1 "
        f"union all select contact, {chosen} from ({_counted(con, groups)}) group by contact"
    )


def groups_of(survivorship: Survivorship) -> Groups:
    """Return which fields are taken together, and by which rule."""
    fields = tuple(MODEL["contact"])
    followers = {"longitude": "latitude"} | {
        follower: leader
        for leader, rule in survivorship.fields.items()
        for follower in rule.together
        if leader in fields and follower in fields
    }
    followers = {follower: leader for follower, leader in followers.items() if follower not in survivorship.fields}
    groups = {}
    for field in fields:
        if field not in followers:
            rule = survivorship.fields.get(field, survivorship.default)
            groups[field] = (rule, (field, *(f for f in fields if followers.get(f) == field)))
    return groups


def _trust(trust: Mapping[str, float]) -> str:
    """SQL of a source's place among all degrees of trust; a source without one comes last."""
    degrees = {value: place for place, value in enumerate(sorted({0.0, *trust.values()}))}
    weights = " ".join(f"when '{name}' then {degrees[value]}" for name, value in trust.items())
    return f"case source {weights} else 0 end" if weights else "0"


def _counted(con: duckdb.DuckDBPyConnection, groups: Groups) -> str:
    """Records of contacts of several, with how often each one's value stands among its contact's."""
    counted = [leader for leader, (rule, _) in groups.items() if "frequency" in rule.by]
    several = "from dd_members where n_told > 1"
    if not counted:
        return f"select * {several}"
    spelt = ", ".join(f"case when {f} is not null then hash(contact, {_spelling(f)}) end as h_{f}" for f in counted)
    con.execute(f"create or replace temp table dd_spelt as select tie, {spelt} {several}")
    counts, joins = [], []
    for field in counted:
        repeated = f"select h_{field}, count(*) as n from dd_spelt group by h_{field} having count(*) > 1"
        joins.append(f"left join ({repeated}) r_{field} on r_{field}.h_{field} = s.h_{field}")
        counts.append(f"coalesce(r_{field}.n, (s.h_{field} is not null)::int) as n_{field}")
    return (
        f"select m.*, n.* exclude (tie) from (select * {several}) m "
        f"join (select tie, {', '.join(counts)} from dd_spelt s {' '.join(joins)}) n using (tie)"
    )


def _spelling(field: str) -> str:
    return f"lower(strip_accents(trim({field}::varchar)))"


def _winner(leader: str, rule: Rule, fields: tuple[str, ...]) -> str:
    """SQL of the winning record: the leader's rule decides, a filled leader goes first."""
    terms = [
        (f"({leader} is not null)::bigint", _BITS["filled"]),
        *((criterion_sql(name, leader), _BITS[name]) for name in dict.fromkeys(rule.by)),
        ("tie", _BITS["tie"]),
    ]
    best = f"max({_number(terms)}) filter (where {_filled(fields)})"
    return f"({best} & {(1 << _BITS['tie']) - 1})::bigint"


def _number(terms: list[tuple[str, int]]) -> str:
    """SQL of one number out of several, the first the most significant."""
    words: list[tuple[str, int]] = []
    for text, bits in terms:
        if words and words[-1][1] + bits <= _WORD:
            words[-1] = (f"({words[-1][0]} * {1 << bits} + {text})", words[-1][1] + bits)
        else:
            words.append((text, bits))
    number = words[0][0]
    for text, bits in words[1:]:
        number = f"({number}::hugeint * {1 << bits} + {text})"
    return number


def _filled(fields: tuple[str, ...]) -> str:
    return " or ".join(f"{field} is not null" for field in fields)


def criterion_sql(name: str, field: str) -> str:
    """Return SQL of a record's standing by one criterion, over ``dd_members`` and the counts ``n_<field>``."""
    if name == "validity":
        reached = f" and not list_contains(unusable, '{field}')" if field in REACHING else ""
        return f"({_validity(field)}{reached})::bigint"
    most = (1 << _BITS[name]) - 1
    return {
        "trust": "trust",
        "recency": "recency",
        "completeness": f"least(coalesce(length({field}::varchar), 0), {most})",
        "frequency": f"least(n_{field}, {most})",
    }[name]


@functools.cache
def _validity(field: str) -> str:
    kind = MODEL["contact"][field][0]
    text = f"{field}::varchar"
    if kind in _VALID:
        return f"coalesce({_VALID[kind].format(text)}, false)"
    if kind in _TEXT_KINDS:
        return f"dd_is_told({text})"
    return f"{field} is not null"
