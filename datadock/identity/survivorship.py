"""Golden values by declared rules, in columns: of a contact's records, whose value each field takes.

A rule names criteria in order; the first that tells two records apart decides. What is left equal is
decided by source and key, so that the order of rows never matters.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import duckdb

from datadock.catalog.fields import MODEL
from datadock.catalog.model import Rule, Survivorship
from datadock.identity.normalise import install_macros

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


def survive(
    con: duckdb.DuckDBPyConnection, members: str, survivorship: Survivorship, trust: Mapping[str, float], target: str
) -> None:
    """Create the golden rows of some contacts.

    Args:
        con: Connection.
        members: Table of their records: golden_id, source, source_key, party_type, record_updated_at,
            _received_at, and every field of the contact model (typed).
        survivorship: Declared rules.
        trust: Trust of each source.
        target: Table to create: golden_id, party_type, n_records, n_sources, the fields, provenance
            (list of struct of field, source, source_key, rule, observed_at), row_hash.
    """
    install_macros(con)
    groups = _groups(survivorship)
    con.execute(
        "create or replace temp table dd_sizes as select row_number() over () as contact, * from "
        "(select golden_id, any_value(party_type) as party_type, count(*) as n_records, "
        f"count(distinct source) as n_sources from {members} group by golden_id)"
    )
    con.execute(f"create or replace temp table dd_members as {_prepared(members, trust)}")
    alone = ", ".join(f"case when {_filled(fields)} then tie end as w_{x}" for x, (_, fields) in groups.items())
    chosen = ", ".join(f"{_winner(leader, rule, fields)} as w_{leader}" for leader, (rule, fields) in groups.items())
    con.execute(
        "create or replace temp table dd_winners as "
        f"select contact, {alone} from dd_members semi join (from dd_sizes where n_records = 1) using (contact) "
        f"union all select contact, {chosen} from ({_counted(groups)}) group by contact"
    )
    _collect(con, groups, target)


def _groups(survivorship: Survivorship) -> dict[str, tuple[Rule, tuple[str, ...]]]:
    """Leading field to its rule and to all fields taken with it from the same record."""
    fields = tuple(MODEL["contact"])
    followers = {
        follower: leader
        for leader, rule in survivorship.fields.items()
        for follower in rule.together
        if leader in fields and follower in fields and follower not in survivorship.fields
    }
    groups = {}
    for field in fields:
        if field not in followers:
            rule = survivorship.fields.get(field, survivorship.default)
            groups[field] = (rule, (field, *(f for f in fields if followers.get(f) == field)))
    return groups


def _prepared(members: str, trust: Mapping[str, float]) -> str:
    weights = " ".join(f"when '{name}' then {value}" for name, value in trust.items())
    trusted = f"case source {weights} else 0.0 end" if weights else "0.0"
    return (
        f"select m.*, contact, {trusted} as trust, coalesce(record_updated_at, _received_at) as observed_at, "
        "row_number() over (order by source desc, source_key desc) as tie "
        f"from (select * exclude (party_type) from {members}) m join dd_sizes using (golden_id)"
    )


def _counted(groups: Mapping[str, tuple[Rule, tuple[str, ...]]]) -> str:
    """Records of contacts of several, with how often each one's value stands among its contact's.

    Counted in narrow rows and joined back: a window over whole records would carry every field along.
    """
    counted = [leader for leader, (rule, _) in groups.items() if "frequency" in rule.by]
    several = "from dd_members semi join (from dd_sizes where n_records > 1) using (contact)"
    if not counted:
        return f"select * {several}"
    spelt = ", ".join(f"case when {f} is not null then hash(contact, {_spelling(f)}) end as h_{f}" for f in counted)
    counts = ", ".join(f"count(h_{f}) over (partition by h_{f}) as n_{f}" for f in counted)
    return (
        f"select m.*, n.* exclude (tie) from (select * {several}) m "
        f"join (select tie, {counts} from (select tie, {spelt} {several})) n using (tie)"
    )


def _spelling(field: str) -> str:
    return f"lower(strip_accents(trim({field}::varchar)))"


def _winner(leader: str, rule: Rule, fields: tuple[str, ...]) -> str:
    """SQL of the winning record's values: the leader's rule decides, a filled leader goes first."""
    parts = [f"({leader} is not null)::int", *(_criterion(name, leader) for name in rule.by), "tie"]
    return f"arg_max(tie, row({', '.join(parts)})) filter (where {_filled(fields)})"


def _filled(fields: tuple[str, ...]) -> str:
    return " or ".join(f"{field} is not null" for field in fields)


def _criterion(name: str, field: str) -> str:
    if name == "validity":
        return f"({_validity(field)})::int"
    return {
        "trust": "trust",
        "recency": "epoch_us(observed_at)",
        "completeness": f"length({field}::varchar)",
        "frequency": f"n_{field}",
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


def _collect(con: duckdb.DuckDBPyConnection, groups: Mapping[str, tuple[Rule, tuple[str, ...]]], target: str) -> None:
    home = {field: f"m_{leader}" for leader, (_, fields) in groups.items() for field in fields}
    names = tuple(MODEL["contact"])
    joins = " ".join(f"left join dd_members m_{leader} on m_{leader}.tie = w.w_{leader}" for leader in groups)
    values = ", ".join(f"{home[field]}.{field} as {field}" for field in names)
    sources = ", ".join(
        f"case when {home[f]}.{f} is not null then struct_pack(field := '{f}', source := {home[f]}.source, "
        f"source_key := {home[f]}.source_key, rule := '{' > '.join(groups[home[f][2:]][0].by)}', "
        f"observed_at := {home[f]}.observed_at) end"
        for f in names
    )
    # The hash leaves the time of observation out: a file delivered again with the same values changes nothing.
    origins = ", ".join(f"m_{leader}.source, m_{leader}.source_key" for leader in groups)
    hashed = ", '\x1f', ".join(f"coalesce({home[f]}.{f}::varchar, '')" for f in names)
    con.execute(
        f"create or replace temp table {target} as select s.golden_id, s.party_type, s.n_records, s.n_sources, "
        f"{values}, "
        f"list_filter([{sources}], lambda p: p is not null) as provenance, "
        f"md5(concat({hashed}, s.n_records, '/', s.n_sources, s.party_type, concat_ws('\x1f', {origins}))) as row_hash "
        f"from dd_winners w join dd_sizes s using (contact) {joins}"
    )
