"""The ``datadock`` command. Each module holds one family of commands; bodies call the core.

Heavy imports (Dagster, dbt, Splink) stay inside the commands that need them: ``datadock status``
answers at once. Results go to standard output, progress and errors to standard error.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from datadock.cli import (
    checks,
    demo,
    identity,
    model,
    platform,
    quality,
    quarantine,
    query,
    refdata,
    resolve,
    review,
    sources,
    steward,
    treat,
)
from datadock.errors import DatadockError

app = typer.Typer(
    name="datadock",
    help="An open Data Dock: files in, golden contacts out.\n\nExample: datadock demo generate --people 5000 --seed 1 "
    "&& datadock run",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
platform.register(app)
query.register(app)
identity.register(app)
steward.register()
review.register()
resolve.register()
model.register()
app.add_typer(sources.app, name="source")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(checks.app, name="checks")
app.add_typer(demo.app, name="demo")
app.add_typer(quality.app, name="quality")
app.add_typer(treat.group, name="treat")
app.add_typer(refdata.app, name="refdata")


def _version(shown: bool) -> None:
    if shown:
        from datadock import __version__

        typer.echo(f"datadock {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Hold the options that every command shares."""


def main() -> None:
    """Run the command; an error of the dock is three lines on standard error and its exit code."""
    try:
        app()
    except DatadockError as error:
        sys.stderr.write(f"datadock: {error}\n")
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        sys.stderr.write("datadock: interrupted; run again, it goes on where it stopped\n")
        raise SystemExit(130) from None
