"""Commands of identity: ``link`` joins any files by a catalog alone, outside the platform's stores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datadock.cli import show
from datadock.dock import Progress


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(link)


def link(
    folder: Annotated[Path, typer.Argument(help="Catalog folder, with sources/*.yml.", metavar="DIR")],
    out: Annotated[Path, typer.Option(help="Result: .parquet or .csv with source, source_key, golden_id.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the files; DIR by default.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Link the records of any files that a catalog declares.

    Example: datadock link examples/febrl4 --data ../shared/data/er/febrl4 --out linked.parquet
    """
    from datadock.link import link as link_files

    summary = link_files(folder, data, out, progress=Progress(not quiet))
    if json:
        show.as_json(vars(summary))
    else:
        typer.echo(str(summary))
