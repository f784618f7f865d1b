"""Commands of the checks: what stopped a run, and taking new numbers for right."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from datadock.cli import show

app = typer.Typer(help="Expectations: what failed, and accepting it.", no_args_is_help=True)


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="Print the failures as JSON.")] = False) -> None:
    """List what did not hold at each suite's newest run.

    Example: datadock checks list
    """
    from datadock.settings import Settings
    from datadock.validations import all_kept

    failed = [
        {"suite": kept.result.suite, "severity": outcome.severity, "expectation": outcome.expectation,
         "observed": outcome.observed, "expected": outcome.threshold}
        for kept in all_kept(Settings())
        for outcome in kept.result.failed
    ]  # fmt: skip
    if json:
        show.as_json(failed)
    elif not failed:
        typer.echo("Every expectation held.")
    for row in [] if json else failed:
        typer.echo(f"{row['severity']:<9} {row['suite']}: {row['expectation']}: {row['observed']} ({row['expected']})")


@app.command()
def accept(
    suite: Annotated[str, typer.Argument(help="Name of the suite, as `checks list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why the new numbers are right.")],
    by: Annotated[str, typer.Option(help="Who accepts them.")] = "",
) -> None:
    """Take a suite's newest numbers for right: the next run is compared with them.

    Example: datadock checks accept staging__stg_crm_contacts__contact --reason "closed accounts were removed"
    """
    from datadock.settings import Settings
    from datadock.validations import accept as accept_numbers

    values = accept_numbers(Settings(), suite, by or getpass.getuser(), reason)
    typer.echo(f"{suite}: {len(values)} numbers accepted; the next run is compared with them")
