"""What the steps that write the lake's derived tables share: their metadata."""

from dataclasses import asdict
from typing import Any

import dagster as dg

from datadock.dock import Dock


def metadata_of(report: Any) -> dict[str, Any]:
    """Return a step's report, a dataclass, as metadata."""
    facts = {key: value for key, value in asdict(report).items() if key != "changed"}
    return {k: v if isinstance(v, int | float | str) else dg.MetadataValue.json(v) for k, v in facts.items()}


def delta_facts(dock: Dock, table: str) -> dict[str, Any]:
    """Return rows, version and folder of a lake table as metadata."""
    opened = dock.lake.open(table)
    return {
        "dagster/row_count": 0 if opened is None else opened.count(),
        "delta_version": dock.lake.version(table),
        "path": dg.MetadataValue.path(str(dock.lake.path(table))),
    }
