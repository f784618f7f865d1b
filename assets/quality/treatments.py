"""Treatments of sets of contacts: the ledger and its rows. Done when a run asks for one, else only counted.

What a treatment adds or changes is brought to the marts by the next run of the platform.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.metadata import delta_facts
from datadock import names
from datadock.dock import Dock
from datadock.treatments import Request, treat

_TABLES = {
    names.TREATMENTS: "Who asked for which treatment of which contacts, when and why. Ledger, one row per act.",
    names.TREATED_CONTACTS: "What became of each contact of a treatment. One row per treatment and contact or line.",
    names.TREATED_ADDRESSES: "Addresses before and after. One row per treatment and address of a source record.",
    names.TREATED_ATTRIBUTES: "What was added to contacts. One row per treatment, source record and attribute.",
}

WAIT_SECONDS = 600.0
"""How long a treatment waits for a run that is under way."""


class Asked(dg.Config):
    """What is asked for; nothing where `kind` is empty."""

    kind: str = ""
    contacts: str = ""
    by: str = ""
    why: str = ""
    reference: str = "current"
    file: str = ""
    columns: dict[str, str] = {}
    into: str = ""
    data_set: str = ""


def build(owner: str) -> dg.AssetsDefinition:
    """Return the treatments as one step."""

    @dg.multi_asset(
        name="treatments",
        specs=[
            dg.AssetSpec(
                table.split("/"),
                group_name=names.QUALITY,
                owners=[owner],
                kinds={"delta"},
                description=description,
            )
            for table, description in _TABLES.items()
        ],
    )
    def treatments(
        context: dg.AssetExecutionContext, config: Asked, dock: dg.ResourceParam[Dock]
    ) -> Iterator[dg.MaterializeResult]:
        facts: dict[str, Any] = {}
        if config.kind:
            with dock.progress.step(f"treat {config.kind}") as note:
                request = Request(**config.model_dump())
                done = treat(dock, request, run_id=context.run.run_id, wait_seconds=WAIT_SECONDS)
                note(f"{done.treatment_id}, {done.contacts:,} contacts")
            facts = {"treatment": done.treatment_id, "new": done.new, "contacts": done.contacts, **done.counts}
        for table in _TABLES:
            mine = facts if table == names.TREATMENTS else {}
            yield dg.MaterializeResult(asset_key=table.split("/"), metadata=mine | delta_facts(dock, table))

    return treatments
