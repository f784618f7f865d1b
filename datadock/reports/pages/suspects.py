"""The list of suspected duplicates: what to ask first, and why the model doubts, but not who they are.

Order, reasons and weights are those of the command line (``identity queue`` and ``identity explain``).
"""

from __future__ import annotations

from typing import Any

from datadock.reports.linking import SHOWN, Linking
from datadock.reports.reading import Reading, Row

_OPEN = """
    select count(*) as n
    from (
        select arg_max(status, recorded_at) as status
        from golden.suspects
        group by left_source, left_key, right_source, right_key
    )
    where status = 'open'
"""


def suspects(linking: Linking) -> dict[str, Any]:
    """Return the open suspects in the order of the review queue, at most a hundred, and how many there are."""
    reading = linking.reading
    total = reading.one(_OPEN, "golden.suspects").get("n", 0)
    if not total:
        return {"total": 0, "questions": 0, "pairs": []}
    told = linking.explained
    pairs = [
        _shown(reading, one, told.pairs.get((one.left, one.right)), told.values) for one in linking.questions[:SHOWN]
    ]
    return {"total": total, "questions": len(linking.questions), "pairs": pairs}


def _shown(reading: Reading, question: Any, told: Any, values: dict[tuple[str, str], dict[str, str]]) -> Row:
    evidence = told.evidence if told else ()
    keys = [reading.key(key) for _, key in (question.left, question.right)]
    return {
        "left_source": question.left[0],
        "left_key": keys[0],
        "right_source": question.right[0],
        "right_key": keys[1],
        "is_named": keys == [question.left[1], question.right[1]],
        "records": question.records,
        "orders": question.orders,
        "pairs": question.pairs,
        "unsure": question.unsure,
        "weight": question.weight,
        "probability": question.probability,
        "speaks_for": [piece.reason for piece in evidence if piece.bits > 0],
        "speaks_against": [piece.reason for piece in evidence if piece.bits < 0],
        "reasons": [
            {
                "words": piece.reason,
                "bits": piece.bits if piece.bits else None,
                "left": reading.personal(values.get(question.left, {}).get(piece.comparison)),
                "right": reading.personal(values.get(question.right, {}).get(piece.comparison)),
            }
            for piece in evidence
        ],
        "household": told.household if told else None,
        "prior": told.prior if told else None,
        "largest": max((abs(piece.bits) for piece in evidence), default=1.0),
    }
