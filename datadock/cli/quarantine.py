"""``datadock quarantine``: what was refused, why, and the way back in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datadock.cli import show
from datadock.dock import open_dock
from datadock.settings import Settings

app = typer.Typer(help="Refused records: list them, look at one, let them in again.", no_args_is_help=True)

_SOURCE = Annotated[str | None, typer.Option(help="Only this source.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_rejections(
    source: _SOURCE = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason; lists each record.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most records to print.")] = 50,
    json: _JSON = False,
) -> None:
    """Count open records by source and reason; with --reason, list them.

    Example: datadock quarantine list --source loyalty_cards --reason ragged_row
    """
    from datadock.landing import Quarantine

    quarantine = Quarantine(open_dock(Settings()).lake)
    if reason is None:
        rows = [vars(row) for row in quarantine.summary(source)]
    else:
        rows = [vars(row) for row in quarantine.list(source, reason, limit=limit)]
    if json:
        show.as_json(rows)
    elif rows:
        show.table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        typer.echo("nothing is in quarantine")


@app.command("show")
def show_rejection(
    rejection_id: Annotated[str, typer.Argument(help="The record's id, or its first characters.")], json: _JSON = False
) -> None:
    """Show one refused record: where it came from, every reason, its bytes.

    Example: datadock quarantine show 3f9a1c
    """
    from datadock.landing import Quarantine

    record = vars(Quarantine(open_dock(Settings()).lake).show(rejection_id))
    if json:
        show.as_json(record)
        return
    for name, value in record.items():
        typer.echo(f"{name:<14} {value}")


@app.command()
def retry(
    source: _SOURCE = None,
    rejection_id: Annotated[str | None, typer.Option("--id", help="Only this record.")] = None,
    payload: Annotated[Path | None, typer.Option(help="Corrected record, a JSON file; with --id.")] = None,
    json: _JSON = False,
) -> None:
    """Apply today's contract to refused records again; what passes enters its raw table.

    Example: datadock quarantine retry --id 3f9a1c --payload corrected.json
    """
    from datadock.landing import Quarantine

    dock = open_dock(Settings())
    corrected = payload.read_text(encoding="utf-8") if payload else None
    outcome = Quarantine(dock.lake).retry(dock.catalog, source=source, rejection_id=rejection_id, payload=corrected)
    if json:
        show.as_json(vars(outcome))
    else:
        typer.echo(f"{outcome.loaded} of {outcome.tried} records loaded, {outcome.still_refused} still refused")
