"""The list of suspected duplicates: what to ask first, and why the model doubts, but not who they are.

Order, reasons and weights are those of the command line (``identity queue`` and ``identity explain``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datadock.reports.reading import Reading, Row

_SHOWN = 100
_ORDERS = "select golden_id, count(*) as orders from marts.fct_order where golden_id is not null group by golden_id"
_OPEN = """
    select count(*) as n
    from (
        select arg_max(status, recorded_at) as status
        from golden.suspects
        group by left_source, left_key, right_source, right_key
    )
    where status = 'open'
"""


def suspects(reading: Reading) -> dict[str, Any]:
    """Return the open suspects in the order of the review queue, at most a hundred, and how many there are."""
    total = reading.one(_OPEN, "golden.suspects").get("n", 0)
    if not total:
        return {"total": 0, "questions": 0, "pairs": []}
    from datadock.identity.decisions import Book
    from datadock.identity.explain import explain_known, values_compared
    from datadock.identity.queue import open_questions
    from datadock.identity.workspace import Workspace

    workspace = Workspace(
        reading.lake, reading.catalog, Path(reading.settings.warehouse), reading.run_id, reading.now,
        memory_limit=reading.settings.memory_limit, threads=reading.settings.threads,
    )  # fmt: skip
    orders = {row["golden_id"]: row["orders"] for row in reading.rows(_ORDERS, "marts.fct_order")}
    questions = open_questions(Book(workspace), orders)
    shown = questions[:_SHOWN]
    reasons = explain_known(workspace, [(question.left, question.right) for question in shown])
    values = values_compared(workspace, {record for one in shown for record in (one.left, one.right)})
    pairs = [_shown(reading, one, reasons.get((one.left, one.right)), values) for one in shown]
    return {"total": total, "questions": len(questions), "pairs": pairs}


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
