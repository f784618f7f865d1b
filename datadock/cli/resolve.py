"""``identity resolve``: who one record is, now; and its commit."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datadock.cli import show
from datadock.cli.identity import group
from datadock.errors import DatadockError

if TYPE_CHECKING:
    from datadock.identity.index import Resolution


_TELLING = 0.05
"""Bits from which something is worth a word."""


def register() -> None:
    """Add the command to the group of identity."""
    group.command()(resolve)


def resolve(
    source: Annotated[str, typer.Option(help="The declared source that the record is of.")],
    field: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a contact field; may be repeated.")] = None,
    commit: Annotated[bool, typer.Option("--commit", help="Store the record; else it is only asked about.")] = False,
    key: Annotated[str, typer.Option(help="Its key in the source; parts with | between.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; without --field, read one object of it.")
    ] = False,
) -> None:
    """Say who a record is, as the next run will: same, suspect or new, and why.

    Without --field the record is read from standard input, as one JSON object of field to value.

    Example: datadock identity resolve --source eshop_customers --field family_name=Martin --field email=m@free.fr
    """
    from datadock.identity.index import IdentityIndex
    from datadock.settings import Settings

    values = _fields(field) if field else _read(sys.stdin.read())
    if commit and not key:
        raise DatadockError(
            "--commit without --key",
            expected="the record's key in its source",
            action="add --key, or leave --commit out",
        )
    with IdentityIndex.open(Settings()) as index:
        found = index.commit(source, key, values) if commit else index.resolve(source, values, key)
        if as_json:
            show.as_json(found.as_dict())
        else:
            _show(found)


def _show(found: Resolution) -> None:
    """Print a resolution for a person."""
    stored = "committed" if found.committed else "not stored"
    typer.echo(f"{found.certainty}  {found.golden_id or 'no golden id yet'}  ({stored}, {found.compared:,} compared)")
    for candidate in found.candidates:
        typer.echo(
            f"\n{candidate.weight:+6.1f}  {candidate.source}:{candidate.source_key}  {candidate.golden_id or ''}"
        )
        told = [piece.words for piece in candidate.explanation.evidence if piece.bits]
        household = candidate.explanation.household
        told += [f"shared by households: {household:+.1f}"] if household <= -_TELLING else []
        typer.echo("        " + "; ".join(told))


def _fields(told: list[str]) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for text in told:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise DatadockError(
                f"--field {text!r} has no name and value",
                expected="NAME=VALUE",
                action="write --field family_name=Martin",
            )
        values[name] = value
    return values


def _read(text: str) -> dict[str, str | None]:
    try:
        values: Any = json.loads(text)
    except json.JSONDecodeError as error:
        values = error
    if not isinstance(values, Mapping) or any(isinstance(value, dict | list) for value in values.values()):
        raise DatadockError(
            f"standard input is no record: {text[:60]!r}",
            expected='one JSON object of field to value: {"family_name": "Martin", "postcode": "75011"}',
            action="pipe one in, or give --field NAME=VALUE",
        )
    return {str(name): None if value is None else str(value) for name, value in values.items()}
