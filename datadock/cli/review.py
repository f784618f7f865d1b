"""Commands of the review queue and of what became of golden ids.

The score of a pair is shown after the answer, never before: a number steers the eye.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from datadock.cli import show
from datadock.cli.identity import group
from datadock.cli.steward import AsJson, By, open_book, user
from datadock.dock import open_dock
from datadock.settings import Settings

_QUESTION = "\nOne party? [s]ame, [d]ifferent, [u]nsure, [q]uit"
_ANSWERS = {"s": "must_link", "d": "never_link", "u": "unsure"}


def register() -> None:
    """Add the commands to the group of identity."""
    for command in (queue, review, sample, changes, history):
        group.command()(command)


def queue(
    limit: Annotated[int, typer.Option(min=1, help="Most questions to list.")] = 20,
    with_scores: Annotated[
        bool, typer.Option("--with-scores", help="Show weights, too: they steer a reviewer.")
    ] = False,
    json: AsJson = False,
) -> None:
    """List the pairs to review, most valuable first: by the records and orders that an answer is expected to move.

    Example: datadock identity queue --limit 10
    """
    from datadock.identity.queue import count_orders, open_questions

    settings = Settings()
    questions = open_questions(open_book(settings), count_orders(settings))
    rows = [_listed(question, with_scores) for question in questions[:limit]]
    if json:
        show.as_json({"open": len(questions), "questions": rows})
    elif not rows:
        typer.echo("Nothing waits for review.")
    else:
        show.table(list(rows[0]), [list(row.values()) for row in rows])
        typer.echo(f"\n{len(rows)} of {len(questions)}; answer them: datadock identity review")


def _listed(question: Any, with_scores: bool) -> dict[str, Any]:
    scores = {"weight": question.weight, "probability": question.probability, "value": question.value}
    return {
        "left": ":".join(question.left),
        "right": ":".join(question.right),
        "records": question.records,
        "orders": question.orders,
        "pairs": question.pairs,
        "unsure": question.unsure,
        **(scores if with_scores else {}),
    }


def review(
    limit: Annotated[int, typer.Option(min=1, help="Most pairs to ask.")] = 1_000,
    by: By = "",
) -> None:
    """Answer the queue, a pair at a time: same, different, unsure or quit; then see the score and the reasons.

    Every answer goes to the ledger with who, when and why; the next run applies it. An unsure one decides nothing
    and is asked again last.

    Example: datadock identity review --limit 10
    """
    from datadock.identity.queue import count_orders, open_questions

    settings = Settings()
    orders = count_orders(settings)
    answered: set[frozenset[Any]] = set()
    while len(answered) < limit:
        book = open_book(settings)
        left = [q for q in open_questions(book, orders) if frozenset((q.left, q.right)) not in answered]
        if not left:
            typer.echo("Nothing waits for review.")
            break
        typer.echo(f"\n{len(left)} to review")
        if not _ask(settings, book, left[0], by or user()):
            break
        answered.add(frozenset((left[0].left, left[0].right)))
    if answered:
        typer.echo(f"\n{len(answered)} answered; the next run applies them: datadock run")


def _ask(settings: Settings, book: Any, question: Any, by: str) -> bool:
    """Ask one question; False where the reviewer quits."""
    from datadock.identity.decisions import take
    from datadock.identity.queue import side_by_side
    from datadock.identity.why import why

    sides = (":".join(question.left), ":".join(question.right))
    rows = side_by_side(settings, question.left, question.right)
    show.table(["field", "", *sides], [(name, _mark(one, other), one, other) for name, one, other in rows])
    for side, record, golden in zip(
        sides, (question.left, question.right), (question.left_id, question.right_id), strict=True
    ):
        others = [":".join(other) for other in book.members_of(golden) if other != record]
        if others:
            typer.echo(f"{side} is in one contact with {', '.join(others)}")
    answer = ""
    while answer not in (*_ANSWERS, "q"):
        answer = typer.prompt(_QUESTION, default="", show_default=False).strip().lower()[:1]
    if answer == "q":
        return False
    reason = typer.prompt("Why", default="read side by side")
    identifier = take(book, book.answer(_ANSWERS[answer], question.left, question.right), by, reason)
    told = why(book, *sides)
    typer.echo(f"\nKept as {identifier}. The model says {told.explanation.weight:+.1f} bits:")
    for words, *_ in told.lines():
        typer.echo(f"  {words}")
    return True


def _mark(left: str, right: str) -> str:
    """Mark what both sides say alike, for the eye; how much it weighs is told after the answer."""
    return "=" if left.strip().casefold() == right.strip().casefold() else ""


def sample(
    out: Annotated[Path, typer.Option(help="File to write (csv).")],
) -> None:
    """Write what reviewers answered as a sample of pairs: left_source, left_key, right_source, right_key, same.

    Example: datadock identity sample --out reviewed_pairs.csv
    """
    from datadock.errors import DatadockError
    from datadock.identity.queue import reviewed

    rows = reviewed(open_book(Settings()).decisions)
    try:
        with out.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(rows.columns)
            writer.writerows([*row[:-1], str(row[-1]).lower()] for row in rows.iter_rows())
    except OSError as error:
        raise DatadockError(
            f"{out} cannot be written: {error}", action="name a file in a folder that exists"
        ) from error
    same = int(rows["same"].sum())
    typer.echo(f"{rows.height} pairs in {out}: {same} the same, {rows.height - same} different")


def changes(
    since: Annotated[str | None, typer.Option(help="Time (ISO) or run; what happened after it.")] = None,
    json: AsJson = False,
) -> None:
    """List every golden id that was not kept: created, split, restored, merged, retired; with cause and run.

    Example: datadock identity changes --since 2026-01-31
    """
    from datadock.identity.history import changes as read_changes
    from datadock.identity.history import moment_after
    from datadock.identity.workspace import open_workspace

    dock = open_dock(Settings())
    rows = read_changes(open_workspace(dock, "read"), moment_after(dock.state, since) if since else None)
    if json:
        show.as_json(rows)
    elif not rows:
        typer.echo("Every id was kept.")
    else:
        show.table(list(rows[0]), [list(row.values()) for row in rows])


def history(
    reference: Annotated[str, typer.Argument(help="SOURCE:KEY or a golden id.", metavar="ID")],
    on: Annotated[str | None, typer.Option(help="As it was known then: a day (its end) or a time, ISO.")] = None,
    json: AsJson = False,
) -> None:
    """Tell the ids of a record over time, or the records of a golden id; with --on as they were known on a day.

    Example: datadock identity history crm_contacts:C000000302 --on 2026-01-31
    """
    from datadock.identity.history import history as read_history
    from datadock.identity.workspace import open_workspace

    found = read_history(open_workspace(open_dock(Settings()), "read"), reference, on)
    if json:
        show.as_json(vars(found))
        return
    show.view({"periods": list(found.periods), "events": list(found.events)})
    if not found.periods:
        typer.echo(f"{reference} was nobody's then.")
    if found.leads_to:
        typer.echo(f"\nToday it leads to {found.leads_to}.")
