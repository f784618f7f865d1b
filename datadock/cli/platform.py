"""Commands that run the platform: ``run``, ``land``, ``ui``, ``webhook``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datadock.cli import show
from datadock.dock import open_dock
from datadock.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (run, land, ui, webhook):
        app.command()(command)


def run(
    full: Annotated[bool, typer.Option("--full", help="Rebuild the warehouse from the lake.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Land what waits, then build everything that it touches; say so at once where nothing is new.

    Example: datadock run
    """
    from datadock.run import run_platform

    outcome = run_platform(open_dock(Settings(), progress=not quiet), full=full)
    if json:
        show.as_json(outcome.as_dict())
    else:
        typer.echo(outcome.text())
    if outcome.status == "failure":
        raise typer.Exit(1)


def land(
    files: Annotated[list[Path], typer.Argument(help="Files to land; they stay where they are.")],
    source: Annotated[str, typer.Option(help="The source they belong to.")],
    json: Annotated[bool, typer.Option("--json", help="Print the batches as JSON.")] = False,
) -> None:
    """Land files into a source's raw table; the same file twice adds nothing.

    Example: datadock land export_2026_11.csv --source newsletter
    """
    from datadock.landing import Limits, land_file

    dock = open_dock(Settings())
    declared = dock.catalog.source(source)
    batches = [land_file(dock.lake, declared, path, Limits.from_settings(dock.settings)) for path in files]
    columns = ("file", "rows in", "loaded", "quarantined", "known before")
    rows = [(b.file, b.rows_in, b.rows_loaded, b.rows_quarantined, b.known) for b in batches]
    if json:
        show.as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show.table(columns, rows)


def ui(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open the Dagster UI and its daemon (sensors, schedules) on this home's data; the reports one port up.

    Example: datadock ui --port 3000
    """
    from datadock.serve import serve_ui

    raise typer.Exit(serve_ui(open_dock(Settings()), host, port))


def webhook(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8800,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Receive records over HTTP: POST /hooks/SOURCE with the bearer token DATADOCK_WEBHOOK_TOKEN.

    Example: DATADOCK_WEBHOOK_TOKEN=secret datadock webhook --port 8800
    """
    from datadock.serve import serve_webhook

    serve_webhook(open_dock(Settings()), host, port)
