"""The list of suspected duplicates: which records, how strong, where the two agree, but not who they are."""

from __future__ import annotations

from typing import Any

from datadock.catalog.fields import MODEL
from datadock.reports.reading import Reading, Row

_SHOWN = 100

_COMPARED = (
    "civility",
    "given_name",
    "family_name",
    "birth_name",
    "full_name",
    "birth_date",
    "organisation_name",
    "siren",
    "siret",
    "email",
    "email_2",
    "phone",
    "mobile",
    "address_line",
    "postcode",
    "city",
    "loyalty_card",
)

_PAIR = "left_source, left_key, right_source, right_key"

_OPEN = f"""
    select {_PAIR}, arg_max(match_weight, recorded_at) as weight, arg_max(match_probability, recorded_at) as probability
    from golden.suspects
    group by {_PAIR}
    having arg_max(status, recorded_at) = 'open'
"""


def suspects(reading: Reading) -> dict[str, Any]:
    """Return the open suspects, strongest first, at most a hundred, and how many there are."""
    total = reading.one(f"select count(*) as n from ({_OPEN})", "golden.suspects").get("n", 0)
    records = "intermediate.int_source_contact"
    pairs = reading.rows(_query(records in reading.there), "golden.suspects") if total else []
    return {"total": total, "pairs": [_shown(reading, pair) for pair in pairs]}


def _query(with_values: bool) -> str:
    chosen = f"select * from ({_OPEN}) order by weight desc, {_PAIR} limit {_SHOWN}"
    if not with_values:
        return chosen
    fields = ", ".join(f'l."{name}"::varchar as "l_{name}", r."{name}"::varchar as "r_{name}"' for name in _COMPARED)
    alike = ", ".join(
        f'jaro_winkler_similarity(lower(l."{name}"::varchar), lower(r."{name}"::varchar)) as "s_{name}"'
        for name in _COMPARED
    )
    records = "intermediate.int_source_contact"
    return f"""
        with chosen as ({chosen})
        select chosen.*, {fields}, {alike}
        from chosen
        left join {records} as l on l.source = chosen.left_source and l.source_key = chosen.left_key
        left join {records} as r on r.source = chosen.right_source and r.source_key = chosen.right_key
        order by weight desc, {_PAIR}
    """


def _shown(reading: Reading, pair: Row) -> Row:
    fields = [_agreement(reading, pair, name) for name in _COMPARED if pair.get(f"l_{name}") or pair.get(f"r_{name}")]
    return {
        "left_source": pair["left_source"],
        "left_key": reading.key(pair["left_key"]),
        "right_source": pair["right_source"],
        "right_key": reading.key(pair["right_key"]),
        "weight": pair["weight"],
        "probability": pair["probability"],
        "fields": fields,
        "agree": [field["name"] for field in fields if field["state"] == "same"],
        "close": [field["name"] for field in fields if field["state"] == "close"],
        "differ": [field["name"] for field in fields if field["state"] == "differs"],
    }


def _agreement(reading: Reading, pair: Row, name: str) -> Row:
    left, right, likeness = pair.get(f"l_{name}"), pair.get(f"r_{name}"), pair.get(f"s_{name}")
    if not left or not right or likeness is None:
        state = "one side only"
    elif likeness == 1:
        state = "same"
    else:
        state = "close" if likeness >= _close_from(name) else "differs"
    return {
        "name": name.replace("_", " "),
        "left": reading.personal(left),
        "right": reading.personal(right),
        "state": state,
    }


def _close_from(name: str) -> float:
    """Return the likeness from which two values count as close: words may differ more than numbers."""
    kind = MODEL["contact"][name][0]
    return 0.93 if kind in ("phone", "identifier", "postcode", "birth_date", "email") else 0.86
