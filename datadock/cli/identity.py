"""Commands of identity: ``link`` joins any files by a catalog alone; ``identity`` judges the deployment's linking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datadock.cli import show
from datadock.dock import Progress

group = typer.Typer(help="Identity: how well records are told apart.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(link)
    app.add_typer(group, name="identity")


@group.callback()
def _group() -> None:
    """Keep the group a group while it holds one command."""


@group.command()
def evaluate(
    sample: Annotated[Path, typer.Argument(help="Reviewed records: source, source_key, entity_id (parquet or csv).")],
    min_precision: Annotated[float, typer.Option(min=0, max=1, help="Least pair precision.")] = 0.98,
    min_recall: Annotated[float, typer.Option(min=0, max=1, help="Least pair recall.")] = 0.90,
    min_b3: Annotated[float, typer.Option(min=0, max=1, help="Least B-cubed F1.")] = 0.95,
    json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score the linking on reviewed records; exit with 1 where it falls short of its limits.

    Example: datadock identity evaluate reviewed.csv --min-precision 0.99
    """
    from datadock.accuracy import Limits, check_accuracy
    from datadock.accuracy import evaluate as evaluate_sample
    from datadock.settings import Settings

    scores = evaluate_sample(Settings(), sample)
    if json:
        measures = {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1, "b3_f1": scores.b3_f1}
        show.as_json({**vars(scores), **measures})
    else:
        typer.echo(str(scores))
    check_accuracy(scores, Limits(min_precision, min_recall, min_b3))


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
