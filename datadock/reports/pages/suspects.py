"""The list of suspected duplicates: which records, how strong, where the two agree, but not who they are.

Values are compared roughly here, for the eye; what counts for linking is the weight.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

from datadock.reports.reading import Reading, Row

_SHOWN = 100
_RECORDS = "intermediate.int_source_contact"
_PAIR = "left_source, left_key, right_source, right_key"

_OPEN = f"""
    select {_PAIR}, arg_max(match_weight, recorded_at) as weight, arg_max(match_probability, recorded_at) as probability
    from golden.suspects
    group by {_PAIR}
    having arg_max(status, recorded_at) = 'open'
"""


def _words(value: str) -> str:
    """Return a text without accents, case, punctuation and order of words."""
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    letters = "".join(letter if letter.isalnum() else " " for letter in plain)
    return " ".join(sorted(letters.split()))


def _digits(value: str) -> str:
    """Return the last nine digits: a French number with or without its prefix."""
    return "".join(letter for letter in value if letter.isdigit())[-9:]


def _lower(value: str) -> str:
    return value.strip().lower()


_COMPARED: tuple[tuple[str, tuple[str, ...], Callable[[str], str]], ...] = (
    ("name", ("name",), _words),
    ("birth name", ("birth_name",), _words),
    ("birth date", ("birth_date",), _lower),
    ("company", ("organisation_name",), _words),
    ("siren", ("siren",), _digits),
    ("siret", ("siret",), _lower),
    ("e-mail", ("email", "email_2"), _lower),
    ("phone", ("phone", "mobile"), _digits),
    ("address", ("address_line",), _words),
    ("postcode", ("postcode",), _lower),
    ("city", ("city",), _words),
    ("loyalty card", ("loyalty_card",), _lower),
)
"""What is compared for the eye: its name, the columns whose values may meet, and how a value is made comparable."""

_CLOSE = 0.8

_COLUMNS = {
    "name": "coalesce({side}.full_name, nullif(trim(concat_ws(' ', {side}.given_name, {side}.family_name)), ''))",
    **{column: f"{{side}}.{column}" for _, columns, _ in _COMPARED[1:] for column in columns},
}


def suspects(reading: Reading) -> dict[str, Any]:
    """Return the open suspects, strongest first, at most a hundred, and how many there are."""
    total = reading.one(f"select count(*) as n from ({_OPEN})", "golden.suspects").get("n", 0)
    pairs = reading.rows(_query(_RECORDS in reading.there), "golden.suspects") if total else []
    return {"total": total, "pairs": [_shown(reading, pair) for pair in pairs]}


def _query(with_values: bool) -> str:
    chosen = f"select * from ({_OPEN}) order by weight desc, {_PAIR} limit {_SHOWN}"
    if not with_values:
        return chosen
    values = ", ".join(
        f'({sql.format(side=side)})::varchar as "{side}_{name}"' for side in "lr" for name, sql in _COLUMNS.items()
    )
    return f"""
        with chosen as ({chosen})
        select chosen.*, {values}
        from chosen
        left join {_RECORDS} as l on l.source = chosen.left_source and l.source_key = chosen.left_key
        left join {_RECORDS} as r on r.source = chosen.right_source and r.source_key = chosen.right_key
        order by weight desc, {_PAIR}
    """


def _shown(reading: Reading, pair: Row) -> Row:
    fields = [field for compared in _COMPARED if (field := _agreement(reading, pair, *compared))]
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


def _agreement(
    reading: Reading, pair: Row, name: str, columns: tuple[str, ...], comparable: Callable[[str], str]
) -> Row | None:
    """Compare one thing of two records; None where neither has it."""
    left = [value for column in columns if (value := pair.get(f"l_{column}"))]
    right = [value for column in columns if (value := pair.get(f"r_{column}"))]
    if not left and not right:
        return None
    return {
        "name": name,
        "left": ", ".join(reading.personal(value) for value in left),
        "right": ", ".join(reading.personal(value) for value in right),
        "state": _state([comparable(value) for value in left], [comparable(value) for value in right]),
    }


def _state(left: list[str], right: list[str]) -> str:
    if not left or not right:
        return "one side only"
    if set(left) & set(right):
        return "same"
    likeness = max(SequenceMatcher(None, one, other).ratio() for one in left for other in right)
    return "close" if likeness >= _CLOSE else "differs"
