"""Whom one can reach and what keeps others from being reached: channels of contacts, what to mend first, civilities."""

from __future__ import annotations

from typing import Any

from datadock.reports.labels import ADVICE, CHANNELS, fault
from datadock.reports.reading import Reading, Row

_SHOWN = 15
_EXAMPLES = 12
_REASONS = 3
_CHANNEL = "marts.dim_contact_channel"
_NAME = "marts.dim_contact_name"

_REACH = """
    select
        channel,
        count(*) as given,
        count(*) filter (addressable) as reached,
        count(*) filter (addressable) / (select count(*) from marts.dim_contact) as share
    from marts.dim_contact_channel
    group by channel
"""

_UNREACHED = """
    select channel, reason, count(*) as contacts
    from marts.dim_contact_channel
    where not addressable
    group by all
    order by channel, contacts desc, reason
"""

_WHOLE = """
    select
        (select count(*) from marts.dim_contact) as contacts,
        count(distinct golden_id) filter (addressable) as reached,
        (
            select count(distinct golden_id)
            from marts.dim_contact_channel
            where addressable
                and golden_id in (select golden_id from marts.dim_contact_channel where reason = 'DECES')
        ) as deceased
    from marts.dim_contact_channel
"""

# A code that usable values carry, too, tells what was met and is not what blocks the others. Nobody is gained by
# mending a death.
_PRIORITIES = """
    with harmless as (
        select distinct kind, unnest(codes) as code from marts.dim_contact_point where usable and is_current
    )
    select priority.*, harmless.code is null and priority.code <> 'DECES' as is_fault
    from marts.dq_priority as priority
    left join harmless on harmless.kind = priority.channel and harmless.code = priority.code
    order by is_fault desc, blocked_contacts desc, records desc, source, channel, code
"""

_CONTRADICTED = """
    select
        source,
        count(*) filter (is_civility_contradicted) as contradicted,
        count(*) filter (civility <> '' and sex_of_first_name <> '') as compared
    from marts.dim_contact_name
    group by source
    having compared > 0
    order by contradicted desc, source
"""

_CONTRADICTIONS = """
    select source, source_key, civility, display_name, sex_of_first_name as sex, certainty
    from marts.dim_contact_name
    where is_civility_contradicted
    order by certainty desc, source, source_key
    limit $1
"""


def reach(reading: Reading) -> dict[str, Any]:
    """Return whom one can reach by each channel, and why not the others."""
    needs = (_CHANNEL, "marts.dim_contact")
    reasons: dict[str, list[Row]] = {}
    for row in reading.rows(_UNREACHED, _CHANNEL):
        reasons.setdefault(row["channel"], []).append({**row, "label": fault(row["reason"] or "", row["channel"])})
    channels = {row["channel"]: row for row in reading.rows(_REACH, *needs)}
    return {
        "channels": [
            {
                **channels[name],
                "name": CHANNELS[name],
                "closed": channels[name]["given"] - channels[name]["reached"],
                "reasons": reasons.get(name, [])[:_REASONS],
            }
            for name in CHANNELS
            if name in channels
        ],
        "whole": reading.one(_WHOLE, *needs),
    }


def priorities(reading: Reading) -> dict[str, Any]:
    """Return what to mend: faults that keep contacts from being reached first, then all the others."""
    rows = [
        {
            **row,
            "name": CHANNELS.get(row["channel"], (row["channel"], ""))[0],
            "label": fault(row["code"], row["channel"]),
            "advice": ADVICE.get(row["code"], ""),
            "example": reading.personal(row["example"]),
        }
        for row in reading.rows(_PRIORITIES, "marts.dq_priority", "marts.dim_contact_point")
    ]
    first = [row for row in rows if row["is_fault"] and row["blocked_contacts"]][:_SHOWN]
    most = max((row["blocked_contacts"] for row in first), default=0)
    for row in first:
        row["part"] = row["blocked_contacts"] / most
    return {"first": first, "rest": [row for row in rows if row not in first]}


def civilities(reading: Reading) -> dict[str, Any]:
    """Return the records whose civility and first name contradict each other: counts per source, and examples."""
    sources = reading.rows(_CONTRADICTED, _NAME)
    return {
        "sources": sources,
        "total": sum(row["contradicted"] for row in sources),
        "compared": sum(row["compared"] for row in sources),
        "examples": [
            {**row, "source_key": reading.key(row["source_key"]), "display_name": reading.personal(row["display_name"])}
            for row in reading.rows(_CONTRADICTIONS, _NAME, values=[_EXAMPLES])
        ],
    }
