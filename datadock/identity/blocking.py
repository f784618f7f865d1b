"""Which pairs are looked at: named rules, each a ladder from loose to tight.

A rule takes the loosest rung whose pairs stay within the budget of the set at hand, so that a
thousand records are compared widely and a million tightly. The choice is made once, at training,
and kept in the model, with the keys that too many records share.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import duckdb
import pyarrow as pa

from datadock.identity.block_keys import KeyParts, is_list, key_parts, keys_sql, texts_sql
from datadock.identity.features import COMPANY_FEATURES, PERSON_FEATURES

MAX_BLOCK = 400
"""Records that may share a key. Beyond it a key says nothing and its pairs grow with the square."""

GROWN = 2 * MAX_BLOCK
"""Records that may share a key once the model is in use, where the caller sets no other cap."""

_LEAST_BUDGET, _WIDE_BUDGET = 50_000, 600_000
_WIDE_PAIRS_PER_RECORD, _TIGHT_PAIRS_PER_RECORD = 12.0, 1.0
_WIDE_UP_TO = 50_000

_MEASURED_WHOLE_UP_TO = 100_000
_MEASURED_PART = 8
"""Of more records than that, a rung is measured on one in so many of its keys."""


@dataclass(frozen=True)
class Rule:
    """One rule at its chosen rung.

    Attributes:
        name: What is shared.
        keys: SQL over one record, whose parts must all be known; ``unnest(...)`` gives several keys.
        stopped: Keys shared by more than ``MAX_BLOCK`` records at training: not used.
    """

    name: str
    keys: tuple[str, ...]
    stopped: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class BlockReport:
    """What one rule contributed.

    Attributes:
        rule: Its name.
        keys: Its parts.
        pairs: Pairs that share a key.
        stopped: Keys left out because more than ``MAX_BLOCK`` records share them.
        overgrown_keys: Keys that grew over the cap since training, with their records; their pairs are not made.
    """

    rule: str
    keys: tuple[str, ...]
    pairs: int
    stopped: int
    overgrown_keys: tuple[tuple[str, int], ...] = ()


_INITIALS = "least(given[1], family[1]) || greatest(given[1], family[1])"
_SOUND = "family_sound"
_YEAR = "birth_date[:4]"
_NAMES = "least(given_first, family) || ' ' || greatest(given_first, family)"

_LADDERS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("same_birth_date", (("birth_date",), ("birth_date", _INITIALS), ("birth_date", _SOUND))),
    ("same_birth_date_and_given_name", (("birth_date", "given_root"),)),
    ("same_names", ((_NAMES,), (_NAMES, _YEAR), (_NAMES, "postcode"))),
    ("same_names_and_city", ((_NAMES, "city"), (_NAMES, "postcode"))),
    ("same_given_name_and_sounding_family_name", (
        (_SOUND, "given[1]"), (_SOUND, "given_root"), (_SOUND, "given_root", _YEAR),
        (_SOUND, "given_root", "postcode"))),
    ("same_family_name", (("family",), ("family", "given[1]"), ("family", "given[1]", _YEAR))),
    ("same_family_name_and_birth_day", (("family", "birth_date[5:]"),)),
    ("same_family_name_and_birth_month", (("family", "birth_date[:6]"), ("family", "given[1]", "birth_date[:6]"))),
    ("same_family_name_and_place", (("family", "postcode"), ("family", "given[1]", "postcode"))),
    ("same_family_name_and_city", (("family", "city"), ("family", "given[1]", "city"))),
    ("same_given_name_and_birth_year", (
        ("given_root", _YEAR), ("given_root", "birth_date[:6]"), ("given_root", "birth_date[:6]", "family[1]"))),
    ("same_given_name_and_birth_day", (
        ("given_root", "birth_date[5:]"), ("given_root", "birth_date[5:]", "family[1]"))),
    ("same_given_name_and_place", (("given_root", "postcode"), ("given_root", "postcode", _YEAR))),
    ("same_given_name_and_city", (("given_root", "city"), ("given_root", "city", _YEAR))),
    ("same_given_name", (("given_root",),)),
    ("same_given_name_and_birth_place", (("given_root", "birth_place"), ("given_root", "birth_place", _YEAR))),
    ("same_birth_name", (("unnest(list_distinct([family, birth_name]))", "given_root", _YEAR),)),
    ("same_house", (("street", "house"), ("street", "house", "postcode"), ("street", "house", "postcode", "given[1]"))),
    ("same_house_in_city", (("street", "house", "city"), ("street", "house", "city", "given[1]"))),
    ("same_street_and_birth_year", (("street", _YEAR), ("street", "postcode", _YEAR))),
    ("same_place_and_birth_year", (("postcode",), ("postcode", _YEAR), ("postcode", _YEAR, _INITIALS))),
    ("same_city_and_birth_year", (("city",), ("city", _YEAR), ("city", _YEAR, _INITIALS))),
    ("same_birth_place_and_year", (("birth_place", _YEAR), ("birth_place", _YEAR, _INITIALS))),
    ("same_family_name_and_birth_place", (("family", "birth_place"), ("family", "birth_place", "given[1]"))),
    ("same_email", (("unnest(emails)",),)),
    ("same_email_name", (("mail_name",), ("mail_name", "postcode"))),
    ("same_email_start_and_birth_year", (("mail_name[:6]", _YEAR), ("mail_name[:6]", _YEAR, _INITIALS))),
    ("same_private_domain", (("mail_domain",), ("mail_domain", "mail_name[1]"))),
    ("same_phone", (("unnest(phones)",),)),
    ("same_organisation", (("organisation",), ("organisation", "postcode"))),
    ("same_organisation_start_and_place", (("organisation[:5]", "postcode"),)),
)  # fmt: skip


def choose_rules(con: duckdb.DuckDBPyConnection, table: str, features: Collection[str], party: str) -> list[Rule]:
    """Choose the rung of every rule that the features allow, for the records of a table.

    Args:
        con: Connection with the macros installed.
        table: Features of one party type, with ``rid``.
        features: Its feature columns.
        party: ``person`` or ``company``.
    """
    rows = con.execute(f"select count(*) from {table}").fetchall()[0][0]
    budget = _budget(rows)
    ladders = _allowed_ladders(features, party)
    parts = key_parts(con, table, [keys for _, rungs in ladders for keys in rungs])
    part = _MEASURED_PART if rows > _MEASURED_WHOLE_UP_TO else 1
    chosen: list[Rule] = []
    for name, rungs in ladders:
        keys = _loosest(con, parts, rungs, budget, part)
        if keys is not None:
            chosen.append(Rule(name, keys, _stopped(con, parts, keys)))
    return [rule for place, rule in enumerate(chosen) if not _is_implied(rule, place, chosen)]


def _allowed_ladders(features: Collection[str], party: str) -> list[tuple[str, list[tuple[str, ...]]]]:
    """The ladders with the rungs whose features there are, without those that have none."""
    usable = set(features) - (COMPANY_FEATURES if party == "person" else PERSON_FEATURES)
    ladders = [*_LADDERS, *((f"same_{name[3:]}", ((name,),)) for name in sorted(usable) if name.startswith("id_"))]
    allowed = [(name, [rung for rung in rungs if _needs(rung) <= usable]) for name, rungs in ladders]
    return [(name, rungs) for name, rungs in allowed if rungs]


def _budget(rows: int) -> int:
    """Pairs that one rule may bring: wide for small sets, then ever tighter, as the time of a run is for all rules."""
    shrunk = _WIDE_BUDGET * min(1.0, (_WIDE_UP_TO / max(1, rows)) ** 0.5)
    return int(max(_LEAST_BUDGET, min(_WIDE_PAIRS_PER_RECORD * rows, shrunk), _TIGHT_PAIRS_PER_RECORD * rows))


def _is_implied(rule: Rule, place: int, chosen: list[Rule]) -> bool:
    """Whether another rule finds all pairs of this one: fewer of the same parts, and no key stopped."""
    return any(
        set(other.keys) < set(rule.keys) or (set(other.keys) == set(rule.keys) and earlier < place)
        for earlier, other in enumerate(chosen)
        if not other.stopped
    )


def _needs(keys: tuple[str, ...]) -> set[str]:
    known = (
        PERSON_FEATURES
        | COMPANY_FEATURES
        | {"emails", "mail_name", "mail_domain", "phones", "street", "house", "postcode", "city"}
    )
    words = set()
    for key in keys:
        words |= {name for name in known if _has_word(key, name)}
        words |= {key} if key.startswith("id_") else set()
    return words


def _has_word(text: str, name: str) -> bool:
    cleaned = "".join(c if c.isalnum() or c == "_" else " " for c in text)
    return name in cleaned.split()


def _loosest(
    con: duckdb.DuckDBPyConnection, parts: KeyParts, rungs: list[tuple[str, ...]], budget: int, part: int
) -> tuple[str, ...] | None:
    """The loosest rung within the budget; of a ladder with none, its tightest where it is not far beyond."""
    pairs = 0
    for keys in rungs:
        pairs = _measure(con, parts, keys, part)
        if pairs <= budget:
            return keys
    return rungs[-1] if len(rungs) > 1 and pairs <= 2 * budget else None


def _measure(con: duckdb.DuckDBPyConnection, parts: KeyParts, keys: tuple[str, ...], part: int) -> int:
    """Pairs that share a key, estimated from one in ``part`` of the keys."""
    picked = f"where key % {part} = 0" if part > 1 else ""
    pairs = con.execute(
        f"select coalesce(sum(n * (n - 1) / 2) filter (where n <= {MAX_BLOCK}), 0)::bigint "
        f"from (select count(*) as n from ({keys_sql(parts, keys)}) {picked} group by key having count(*) > 1)"
    ).fetchall()[0][0]
    return int(pairs) * part


def _stopped(con: duckdb.DuckDBPyConnection, parts: KeyParts, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that more than ``MAX_BLOCK`` records share, as texts."""
    large = f"select 1 from ({keys_sql(parts, keys)}) group by key having count(*) > {MAX_BLOCK} limit 1"
    if not con.execute(large).fetchall():
        return ()
    texts = (
        f"select any_value(text) as text from ({texts_sql(parts.origin, keys)}) "
        f"group by key having count(*) > {MAX_BLOCK} order by text"
    )
    return tuple(row[0] for row in con.execute(texts).fetchall())


def candidate_pairs(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rules: list[Rule],
    target: str,
    *,
    only_new: str | None = None,
    apart: str = "",
    cap: int = GROWN,
) -> list[BlockReport]:
    """Create the table of candidate pairs (rid_l < rid_r, each pair once).

    Args:
        con: Connection.
        table: Features, of one party type.
        rules: Chosen rules.
        target: Table to create, columns rid_l and rid_r.
        only_new: Table with the ``rid`` of new records: only pairs that hold one of them.
        apart: Condition over ``l`` and ``r`` (features) that drops a pair, empty for none.
        cap: Records beyond which a key that training did not stop makes no pairs, and is told.

    Returns:
        What each rule contributed; the parts of their keys are left as ``key_parts`` makes them.
    """
    parts = key_parts(con, table, [rule.keys for rule in rules])
    met = [f"dd_met_{place}" for place in range(len(rules))]
    reports = [_pairs_of(con, parts, rule, only_new, name, cap) for rule, name in zip(rules, met, strict=True)]
    everything = " union all ".join(f"from {name}" for name in met) or "select 0::bigint as pair where false"
    condition = (
        f"where not exists (select 1 from {table} l, {table} r where l.rid = c.rid_l and r.rid = c.rid_r and ({apart}))"
        if apart
        else ""
    )
    con.execute(
        f"create or replace temp table {target} as select rid_l, rid_r from "
        f"(select pair >> 32 as rid_l, pair & 4294967295 as rid_r from (select distinct pair from ({everything}))) c "
        f"{condition}"
    )
    for name in met:
        con.execute(f"drop table {name}")
    return reports


def _pairs_of(
    con: duckdb.DuckDBPyConnection, parts: KeyParts, rule: Rule, only_new: str | None, target: str, cap: int
) -> BlockReport:
    """Create the table of the pairs that a rule finds, each as one number."""
    everyone = texts_sql(parts.origin, rule.keys) if rule.stopped else keys_sql(parts, rule.keys)
    mine = everyone
    if only_new:
        origin, own = (f"(from {x} semi join {only_new} using (rid))" for x in (parts.origin, parts.table))
        mine = texts_sql(origin, rule.keys) if rule.stopped else keys_sql(replace(parts, table=own), rule.keys)
    con.execute(f"create or replace temp table dd_keys as {mine}")
    if rule.stopped:
        con.register("dd_stopped", pa.table({"text": list(rule.stopped)}))
        con.execute("delete from dd_keys where text in (select text from dd_stopped)")
        con.unregister("dd_stopped")
    overgrown = _overgrown(
        con, parts, rule, f"({everyone}) semi join dd_keys using (key)" if only_new else "dd_keys", cap
    )
    # All keys of everyone are made once; where only a few records are new, the others' keys just stream past.
    others, order = (f"({everyone})", "l.rid <> r.rid") if only_new else ("dd_keys", "l.rid < r.rid")
    once = "distinct" if only_new or any(is_list(key) for key in rule.keys) else ""
    con.execute(
        f"create or replace temp table {target} as select {once} "
        "least(l.rid, r.rid) << 32 | greatest(l.rid, r.rid) as pair "
        f"from dd_keys l join {others} r on l.key = r.key and {order}"
    )
    made = con.execute(f"select count(*) from {target}").fetchall()[0][0]
    return BlockReport(rule.name, rule.keys, int(made), len(rule.stopped), overgrown)


def _overgrown(
    con: duckdb.DuckDBPyConnection, parts: KeyParts, rule: Rule, sharing: str, cap: int
) -> tuple[tuple[str, int], ...]:
    """Take the keys that too many records share out of ``dd_keys``; return their texts and records, largest first."""
    con.execute(
        f"create or replace temp table dd_large as select key from {sharing} group by key having count(*) > {cap}"
    )
    if not con.execute("select count(*) from dd_large").fetchall()[0][0]:
        return ()
    con.execute("delete from dd_keys where key in (select key from dd_large)")
    named = con.execute(
        f"select any_value(text) as text, count(*) as n from ({texts_sql(parts.origin, rule.keys)}) "
        f"group by key having count(*) > {cap} order by n desc, 1"
    ).fetchall()
    return tuple((str(text), int(n)) for text, n in named if text not in rule.stopped)
