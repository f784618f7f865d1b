"""Commands that only read: ``status``, ``contact``, ``sql``, ``report``."""

from __future__ import annotations

from typing import Annotated

import typer

from datadock.cli import show
from datadock.dock import open_dock
from datadock.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (status, contact, sql, report):
        app.command()(command)


def status(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what the dock holds: rows per source, contacts, the last run, what waits, open alerts.

    Example: datadock status --json
    """
    from datadock.summary import status_of

    found = status_of(open_dock(Settings()))
    if json:
        show.as_json(found.as_dict())
    else:
        typer.echo(found.text())


def contact(
    reference: Annotated[str, typer.Argument(help="Golden id, live or former, or SOURCE:KEY.", metavar="ID")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    values: Annotated[
        bool,
        typer.Option("--values", help="Every value told of each field, and why it lost: of today's warehouse."),
    ] = False,
) -> None:
    """Show everything known of one contact: golden values, records, orders, events, consents, open questions.

    Example: datadock contact crm_contacts:C000000302 --values
    """
    from datadock.contact_view import find_golden_id, view_contact

    if values:
        from datadock.identity.candidates import candidate_values
        from datadock.identity.workspace import open_workspace

        told = candidate_values(open_workspace(open_dock(Settings()), "values"), find_golden_id(Settings(), reference))
        columns = ["field", "value", "standing", "source", "source_key", "observed_at", "rule"]
        if json:
            show.as_json(told)
        else:
            show.table(columns, [[row[name] for name in columns] for row in told])
        return
    found = view_contact(Settings(), reference)
    if json:
        show.as_json(found)
    else:
        show.view(found)


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over staging, marts, raw and golden.")],
    json: Annotated[bool, typer.Option("--json", help="Print rows as JSON objects.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most rows to print.")] = 1000,
) -> None:
    """Query a published copy of the warehouse, and the lake with it; nothing can be written.

    Example: datadock sql "select party_type, count(*) from marts.dim_contact group by all"
    """
    from datadock.warehouse.publish import query_published

    columns, rows = query_published(Settings(), query, limit=limit)
    if json:
        show.as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show.table(columns, rows)


def report() -> None:
    """Write the stewards' reports anew and print where they start.

    Example: datadock report
    """
    from datadock.reports import build_reports

    dock = open_dock(Settings(), progress=True)
    last = dock.state.last_run("success")
    typer.echo(build_reports(dock.settings, last.run_id if last else "").index)
