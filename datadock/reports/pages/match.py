"""Match quality: how pairs are weighed, what was joined, what is in doubt, what cannot be linked, which ids moved."""

from __future__ import annotations

from typing import Any

from datadock.reports.charts import Bar, histogram
from datadock.reports.figures import count
from datadock.reports.linking import Linking
from datadock.reports.model_file import ShownModel, read_models
from datadock.reports.pages.suspects import suspects
from datadock.reports.reading import Reading, Row

_BIN = 2

_WEIGHTS = """
    select (floor(match_weight / {bin}) * {bin})::int as start, count(*) as pairs
    from golden.pairs
    where list_contains($1, model_version)
    group by start
    order by start
"""

_DOUBT = """
    select min(weight) as lowest
    from (
        select arg_max(match_weight, recorded_at) as weight, arg_max(status, recorded_at) as status
        from golden.suspects
        group by left_source, left_key, right_source, right_key
    )
    where status = 'open'
"""

_CURRENT = """
    select versions.golden_id, versions.n_records, versions.n_sources, versions.party_type
    from golden.contacts as versions
    inner join (
        select golden_id, max(recorded_at) as recorded_at from golden.contacts group by golden_id
    ) as newest using (golden_id, recorded_at)
    where versions.op = 'upsert'
"""

_SIZES = f"""
    select least(n_records, 20) as records, count(*) as contacts, sum(n_records) as held
    from ({_CURRENT})
    group by least(n_records, 20)
    order by records
"""

_LARGEST = f"""
    with largest as (select * from ({_CURRENT}) order by n_records desc, golden_id limit 15),
    held as (
        select source, source_key, arg_max_null(golden_id, valid_from) as golden_id
        from golden.memberships
        group by source, source_key
        having golden_id in (select golden_id from largest)
    ),
    per_source as (select golden_id, source, count(*) as records from held group by golden_id, source)
    select
        any_value(columns(largest.*)),
        string_agg(source || ' × ' || records, ', ' order by per_source.records desc, source) as sources
    from largest
    left join per_source using (golden_id)
    group by largest.golden_id
    order by 2 desc, 1
"""

_LINKABLE = """
    coalesce(email, email_2, phone, mobile, siren, siret, loyalty_card) is not null
    or (
        coalesce(family_name, full_name, organisation_name, birth_name) is not null
        and (birth_date is not null or coalesce(address_line, postcode, city) is not null)
    )
"""

_UNLINKABLE = f"""
    select source, count(*) as records, count(*) filter (not ({_LINKABLE})) as unlinkable
    from intermediate.int_source_contact
    group by source
    order by source
"""

_MOVES = """
    select cause, count(*) as records
    from golden.memberships
    where run_id = $1
    group by cause
    order by records desc, cause
"""

_EVENTS = "select event, count(*) as ids from golden.lineage where run_id = $1 group by event order by ids desc, event"

_KEPT = """
    select
        count(*) filter (run_id <> $1) as kept,
        count(*) as living
    from (
        select golden_id, arg_min(run_id, recorded_at) as run_id, arg_max(op, recorded_at) as op
        from golden.contacts
        group by golden_id
    )
    where op = 'upsert'
"""


def gather(linking: Linking) -> dict[str, Any]:
    """Return what the match-quality page shows."""
    reading = linking.reading
    models = read_models(reading.lake.root)
    sizes = reading.rows(_SIZES, "golden.contacts")
    run = _last_run(reading)
    unlinkable = reading.rows(_UNLINKABLE, "intermediate.int_source_contact")
    return {
        "pairs": reading.one("select count(*) as pairs, max(recorded_at) as newest from golden.pairs", "golden.pairs"),
        "weights": _weights(reading, models),
        "sizes": sizes,
        "size_chart": _size_chart(sizes),
        "largest": reading.rows(_LARGEST, "golden.contacts", "golden.memberships"),
        "unlinkable": unlinkable,
        "unlinkable_total": sum(row["unlinkable"] for row in unlinkable),
        "suspects": suspects(linking),
        "run": run,
        "moves": reading.rows(_MOVES, "golden.memberships", values=[run]),
        "events": reading.rows(_EVENTS, "golden.lineage", values=[run]),
        "kept": reading.one(_KEPT, "golden.contacts", values=[run]),
    }


def _last_run(reading: Reading) -> str:
    """Return the newest run that changed memberships: the reported one, or the last before it that had news."""
    row = reading.one("select arg_max(run_id, valid_from) as run from golden.memberships", "golden.memberships")
    here = reading.one(
        "select count(*) as n from golden.memberships where run_id = $1", "golden.memberships", values=[reading.run_id]
    )
    return reading.run_id if here.get("n") else str(row.get("run") or reading.run_id)


def _weights(reading: Reading, models: list[ShownModel]) -> Any:
    """Draw the weights of the current models' pairs, with the weight from which pairs are joined."""
    edge = reading.catalog.identity.threshold.person
    versions = [model.version for model in models]
    rows = reading.rows(_WEIGHTS.format(bin=_BIN), "golden.pairs", values=[versions])
    doubt = reading.one(_DOUBT, "golden.suspects")
    marks = [(edge, "joined from here on")]
    if doubt.get("lowest") is not None:
        marks.append((doubt["lowest"], "weakest suspect"))
    bars = [
        Bar(
            row["start"],
            f"weight {row['start']} to {row['start'] + _BIN}: {count(row['pairs'])} pairs",
            row["pairs"],
            "high" if row["start"] >= edge else "low",
        )
        for row in rows
    ]
    words = "Number of scored pairs by match weight"
    return histogram(bars, words, step=_BIN, marks=marks, unit="match weight (bits)")


def _size_chart(sizes: list[Row]) -> Any:
    bars = [
        Bar(
            row["records"] - 0.5,
            f"{row['records']}{' and more' if row['records'] == 20 else ''} records: {count(row['contacts'])} contacts",
            row["contacts"],
        )
        for row in sizes
    ]
    return histogram(
        bars, "Number of golden contacts by source records", step=1, unit="source records in the contact", width=500
    )
