"""Commands of identity: ``link`` joins any files by a catalog alone; ``identity`` judges the deployment's linking."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from datadock.cli import show
from datadock.dock import Progress

group = typer.Typer(help="Identity: how well records are told apart.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(link)
    app.add_typer(group, name="identity")


@group.command()
def evaluate(
    sample: Annotated[
        Path | None,
        typer.Argument(
            help="Reviewed records (source, source_key, entity_id) or pairs (left_source, left_key, right_source, "
            "right_key, same), parquet or csv."
        ),
    ] = None,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Judge the model's weights by the decisions that people took.")
    ] = False,
    min_precision: Annotated[float | None, typer.Option(min=0, max=1, help="Least pair precision.")] = None,
    min_recall: Annotated[float | None, typer.Option(min=0, max=1, help="Least pair recall.")] = None,
    min_b3: Annotated[float | None, typer.Option(min=0, max=1, help="Least B-cubed F1.")] = None,
    judged_by: Annotated[
        Literal["estimate", "lower"] | None,
        typer.Option(help="What is held against the limits: the estimate, or the lower end of its interval."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score the linking on reviewed records or pairs; exit with 1 where it falls short of its limits.

    Limits that are not given are those of the catalog (identity.yml).

    Example: datadock identity evaluate reviewed.csv --min-precision 0.99
    """
    from datadock.accuracy import check_accuracy, limits_of
    from datadock.accuracy import evaluate as evaluate_sample
    from datadock.errors import DatadockError
    from datadock.settings import Settings

    settings = Settings()
    if ledger == (sample is not None):
        raise DatadockError("one of SAMPLE and --ledger is needed", action="name a file, or give --ledger")
    given = {"precision": min_precision, "recall": min_recall, "b3_f1": min_b3, "judged_by": judged_by}
    limits = limits_of(settings).model_copy(update={name: value for name, value in given.items() if value is not None})
    if sample is not None:
        evaluation = evaluate_sample(settings, sample)
    else:
        from datadock.identity.reviewed import evaluate_ledger

        evaluation = evaluate_ledger(settings)
    if json:
        show.as_json(evaluation.as_dict())
    else:
        typer.echo(evaluation.text())
    check_accuracy(evaluation, limits)


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
