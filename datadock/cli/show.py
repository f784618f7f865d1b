"""How results are printed: aligned tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def as_json(value: Any) -> None:
    """Print a value as JSON, times and decimals as text."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under their column names; numbers to the right, with thousands separators."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    right = [bool(rows) and all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(columns))]
    _line(columns, widths, right)
    typer.echo("  ".join("-" * width for width in widths))
    for row in cells:
        _line(row, widths, right)


def view(parts: Mapping[str, Any]) -> None:
    """Print an object part by part: what is known of a mapping, a table of a list; empty parts are left out."""
    for name, part in parts.items():
        if isinstance(part, Mapping):
            typer.echo(f"{name}")
            for field, value in part.items():
                if value is not None:
                    typer.echo(f"  {field:<20}{_cell(value)}")
        elif isinstance(part, list) and part:
            typer.echo(f"\n{name} ({len(part)})")
            table(list(part[0]), [list(row.values()) for row in part])
        elif part and not isinstance(part, list):
            typer.echo(f"{name}  {part}")


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> None:
    parts = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
    typer.echo("  ".join(parts).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    return str(value).replace("\n", " ")
