"""Commands of stewards: why two are one or not, decisions on it, and what was decided.

What is to be reviewed and what became of ids is in ``review``.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import asdict
from typing import Annotated, Any

import typer

from datadock.cli import show
from datadock.cli.identity import group
from datadock.dock import open_dock
from datadock.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the ledger.")]
By = Annotated[str, typer.Option(help="Who decides; the system's user by default.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
References = Annotated[list[str], typer.Argument(help="SOURCE:KEY or golden ids.", metavar="A B")]


def register() -> None:
    """Add the commands to the group of identity."""
    for command in (explain, merge, split, refuse, withdraw, decisions):
        group.command()(command)


def user() -> str:
    """Return the name of the system's user, or its number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def open_book(settings: Settings) -> Any:
    """Open the ledger and the memberships of the moment."""
    from datadock.identity.decisions import Book
    from datadock.identity.preview import reading_workspace

    return Book(reading_workspace(open_dock(settings)))


def explain(
    left: Annotated[str, typer.Argument(help="SOURCE:KEY or a golden id.", metavar="A")],
    right: Annotated[str, typer.Argument(help="Another one.", metavar="B")],
    json: AsJson = False,
) -> None:
    """Say why two records or contacts are one party or not: evidence with its weight in bits, values, decisions.

    Example: datadock identity explain crm_contacts:C000000302 eshop_customers:E000000117
    """
    from datadock.identity.why import why

    found = why(open_book(Settings()), left, right)
    if json:
        show.as_json(found.as_dict())
        return
    told = found.explanation
    show.table(["why", ":".join(told.left), ":".join(told.right)], found.lines())
    typer.echo(f"\nweight       {told.weight:+.1f} bits, {told.probability:.1%}: {told.verdict} by itself")
    if found.pairs > 1:
        typer.echo(f"between      the strongest of {found.pairs} pairs; in the mean they weigh {found.mean:+.1f}")
    state = f"one contact, {found.left.golden_id}" if found.is_one else "two contacts"
    typer.echo(f"today        {state}")
    if found.held_apart:
        typer.echo(f"held apart   {found.held_apart}")
    for link in found.chain:
        by = f"decision {link.decision}" if link.weight is None else f"{link.weight:+.1f}"
        typer.echo(f"  through    {':'.join(link.left)}  -  {':'.join(link.right)}  {by}")
    for row in found.decisions:
        typer.echo(f"decided      {_decided(row)}")
    typer.echo(f"model        {told.model}")


def merge(
    references: References, reason: Reason = "", by: By = "", dry_run: DryRun = False, json: AsJson = False
) -> None:
    """Decide that records, or whole contacts, are one party; the next run joins them.

    A record named as SOURCE:KEY ties that record, a golden id all records of the contact.

    Example: datadock identity merge crm_contacts:C000000302 eshop_customers:E000000117 --reason "told on the phone"
    """
    book = open_book(Settings())
    _decide(book, book.merge(references), reason, by, dry_run=dry_run, json=json)


def split(
    references: References, reason: Reason = "", by: By = "", dry_run: DryRun = False, json: AsJson = False
) -> None:
    """Decide that one or more records, named together, are another party than the rest of their contact.

    Example: datadock identity split crm_contacts:C000000302 --reason "father and son" --dry-run
    """
    book = open_book(Settings())
    _decide(book, book.split(references), reason, by, dry_run=dry_run, json=json)


def refuse(
    left: Annotated[str, typer.Argument(help="SOURCE:KEY or a golden id.", metavar="A")],
    right: Annotated[str, typer.Argument(help="Another one.", metavar="B")],
    reason: Reason = "",
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Decide that two records, or two contacts, are never one party, whatever comes later.

    Example: datadock identity refuse crm_contacts:C000000302 eshop_customers:E000000117 --reason "sisters"
    """
    book = open_book(Settings())
    _decide(book, book.refuse(left, right), reason, by, dry_run=dry_run, json=json)


def withdraw(
    decision: Annotated[str, typer.Argument(help="Id of the decision, or how it begins.")],
    reason: Reason = "",
    by: By = "",
    dry_run: DryRun = False,
    json: AsJson = False,
) -> None:
    """Take a decision back; what it had replaced holds again, and the next run restores ids.

    Example: datadock identity withdraw 20260131-101500-a1b2c3 --reason "mistaken"
    """
    book = open_book(Settings())
    _decide(book, book.withdraw(decision), reason, by, dry_run=dry_run, json=json)


def decisions(
    standing: Annotated[bool, typer.Option("--standing", help="Only what holds today.")] = False,
    json: AsJson = False,
) -> None:
    """List the ledger: who decided what of which records, when and why, and whether it holds.

    Example: datadock identity decisions --standing
    """
    from datadock.identity.ledger import listed

    rows = [row for row in listed(open_book(Settings()).decisions) if row["holds"] or not standing]
    if json:
        show.as_json(rows)
    elif not rows:
        typer.echo("Nothing is decided yet.")
    else:
        columns = ["decision_id", "action", "pairs", "left", "right", "by", "at", "reason", "holds"]
        show.table(columns, [[row[name] for name in columns] for row in rows])


def _decide(book: Any, proposal: Any, reason: str, by: str, *, dry_run: bool, json: bool) -> None:
    """Say what a decision changes, and take it unless it is only tried."""
    from datadock.identity.decisions import check_signed, take
    from datadock.identity.preview import preview

    if not dry_run:
        check_signed(by or user(), reason)
    found = preview(Settings(), book, proposal)
    identifier = None if dry_run else take(book, proposal, by or user(), reason)
    if json:
        show.as_json({"decision_id": identifier, "proposal": asdict(proposal), "preview": found.as_dict()})
        return
    for row in proposal.replaces:
        typer.echo(f"replaces     {_decided(row)}")
    for row in proposal.revives:
        typer.echo(f"holds again  {_decided(row)}")
    _show_preview(found)
    if identifier is None:
        typer.echo("\nNothing was written.")
    else:
        typer.echo(f"\nDecision {identifier}, {len(proposal.rows)} pairs; the next run applies it: datadock run")


def _show_preview(found: Any) -> None:
    if not found.moves:
        typer.echo("No record changes its contact.")
    for golden, before, after in found.contacts:
        typer.echo(f"contact      {golden}  {before} -> {after} records" + ("" if after else ", leads elsewhere"))
    for row in found.moves:
        typer.echo(f"record       {row['source']}:{row['source_key']}  {row['before']} -> {row['after']}")
    for name, part in (("value", found.values), ("reach", found.reach), ("consent", found.consents)):
        for change in part:
            told = f"{change.before or 'none'} -> {change.after or 'none'}"
            typer.echo(f"{name:<12} {change.golden_id}  {change.what}: {told}")


def _decided(row: dict[str, Any]) -> str:
    pair = f"{row['left_source']}:{row['left_key']} and {row['right_source']}:{row['right_key']}"
    kind = {"must_link": "one party", "never_link": "two parties"}[row["kind"]]
    return (
        f"{row['decision_id']}  {pair} are {kind}: {row['decided_by']}, {row['decided_at']:%Y-%m-%d}, {row['reason']}"
    )
