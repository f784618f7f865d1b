"""Doing a treatment, and taking one back: worked out on a published copy, then written to the lake, once.

Rows first, then what is sent elsewhere, then the ledger: killed anywhere, the same call again ends where a calm one
would.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from datadock import names
from datadock.dock import Dock, exclusive
from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.treatments import enrichment, moves, rnvp
from datadock.treatments.book import (
    ENRICHMENT,
    IRIS,
    MOVES,
    RNVP,
    TREATED,
    WITHDRAWN,
    Treatment,
    check_signed,
    digest_of,
    find,
    rows_of,
    treatment_id,
    treatments,
    write_act,
    write_rows,
)
from datadock.treatments.prepared import Kind, Prepared, Request
from datadock.treatments.sets import ContactSet, as_names, named_rows, resolve
from datadock.warehouse.lake_tables import TABLES
from datadock.warehouse.publish import connect_published

_PREPARE: dict[str, Kind] = {
    RNVP: rnvp.prepare,
    MOVES: moves.prepare,
    ENRICHMENT: enrichment.prepare,
    IRIS: enrichment.prepare_iris,
}


@dataclass(frozen=True)
class Treated:
    """What came of a request.

    Attributes:
        treatment_id: Its id; that of the earlier one where the same was done before; empty where the set is.
        kind: Its kind.
        new: Whether anything was written; false for what was done before, and for a dry run.
        dry_run: Whether it was only tried.
        contacts: Contacts of the set.
        unknown: What was named and is no contact.
        inputs: Versions and digests that decided the result.
        counts: What came of it, by name.
        outcomes: golden_id, given, line, outcome, reason, detail.
        addresses: Addresses before and after; without rows for other kinds.
    """

    treatment_id: str
    kind: str
    new: bool
    dry_run: bool
    contacts: int
    unknown: tuple[str, ...]
    inputs: dict[str, str]
    counts: dict[str, int]
    outcomes: pl.DataFrame
    addresses: pl.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; of the contacts those that were not treated."""
        frames = ("outcomes", "addresses")
        plain = {name: value for name, value in vars(self).items() if name not in frames}
        return {**plain, "listed": listed(self.outcomes).to_dicts()}


def listed(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return the outcomes that somebody should look at: neither treated nor untouched."""
    return outcomes.filter(~pl.col("outcome").is_in(("treated", "untouched")))


def result_of(lake: Lake, treatment: Treatment) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what a treatment is written out as (its addresses for rnvp, else its outcomes), and its outcomes."""
    outcomes = rows_of(lake, names.TREATED_CONTACTS, treatment.treatment_id)
    result = rows_of(lake, names.TREATED_ADDRESSES, treatment.treatment_id) if treatment.kind == RNVP else outcomes
    return result, outcomes


def treat(
    dock: Dock,
    request: Request,
    *,
    dry_run: bool = False,
    contacts: pl.DataFrame | None = None,
    run_id: str = "",
    wait_seconds: float = 0.0,
) -> Treated:
    """Do a treatment on a set of contacts; the marts show it after the next run.

    Args:
        dock: The opened deployment.
        request: What is asked.
        dry_run: Only work it out.
        contacts: The set itself (golden_id, or source and source_key), where ``request.contacts`` only names it.
        run_id: Dagster's run, where there is one.
        wait_seconds: How long to wait for a run that is under way.

    Raises:
        DatadockError: When it is not signed, what was named leads to nobody, the kind's own needs are not met, nothing
            is published yet, or another run is under way.
    """
    if request.kind not in _PREPARE:
        raise DatadockError(
            f"no treatment is called {request.kind!r}", f"one of {', '.join(_PREPARE)}", "mend the kind"
        )
    if not dry_run:
        check_signed(request.by, request.why)
    with exclusive(dock.settings.home_path, wait_seconds):
        with connect_published(dock.settings, lake=False) as con:
            if contacts is not None:
                named = as_names(contacts)
            elif request.contacts == rnvp.TOUCHED:
                named = as_names(rnvp.touched_contacts(dock, con))
            else:
                named = named_rows(dock.settings, request.contacts)
            found = resolve(con, request.contacts, named)
            if not found.members.height:
                return _nobody(found, request, dry_run=dry_run)
            made = _PREPARE[request.kind](dock, con, found, request)
        return _finish(dock, request, found, made, dry_run=dry_run, run_id=run_id)


def _nobody(found: ContactSet, request: Request, *, dry_run: bool) -> Treated:
    """Return that there is nothing to do on an empty set; names that all lead to nobody are a mistake."""
    if found.unknown:
        raise DatadockError(
            f"no contact is in the set {found.told}: {', '.join(found.unknown[:5])} lead to nobody",
            expected="at least one golden id, live or former, or record of a contact",
            action='see contacts with: datadock sql "select golden_id from marts.dim_contact"',
        )
    nothing = pl.DataFrame(schema=dict.fromkeys(TABLES[names.TREATED_CONTACTS], pl.String()))
    return Treated("", request.kind, False, dry_run, 0, (), {}, {}, nothing, pl.DataFrame())


def _finish(dock: Dock, request: Request, found: ContactSet, made: Prepared, *, dry_run: bool, run_id: str) -> Treated:
    decides = {"set": found.digest, "rows": digest_of(made.decides), **made.inputs}
    identifier = treatment_id(dock.lake, request.kind, decides)
    unknown = pl.DataFrame({"given": found.unknown, "outcome": "unknown", "reason": "ID_INCONNU"}, schema_overrides={
        "given": pl.String()})  # fmt: skip
    outcomes = pl.concat([made.outcomes, unknown], how="diagonal_relaxed")
    new = False
    if not dry_run:
        for table, rows in {names.TREATED_CONTACTS: outcomes, **made.rows}.items():
            write_rows(dock.lake, table, identifier, rows)
        if made.land is not None:
            made.land(identifier)
        new = write_act(dock.lake, TREATED, _row(request, found, made, identifier, run_id))
    addresses = made.rows.get(names.TREATED_ADDRESSES, pl.DataFrame())
    return Treated(
        identifier, request.kind, new, dry_run, found.members.height, found.unknown, made.inputs, made.counts,
        outcomes, addresses,
    )  # fmt: skip


def _row(request: Request, found: ContactSet, made: Prepared, identifier: str, run_id: str) -> dict[str, Any]:
    return {
        "treatment_id": identifier,
        "kind": request.kind,
        "asked_by": request.by.strip(),
        "reason": request.why.strip(),
        "asked_at": datetime.now(UTC),
        "contacts_asked": found.told,
        "contacts": found.members.height,
        "unknown": list(found.unknown),
        "inputs": json.dumps(made.inputs, ensure_ascii=False, sort_keys=True),
        "counts": json.dumps(made.counts, ensure_ascii=False),
        "run_id": run_id or None,
    }


def withdraw(dock: Dock, reference: str, by: str, why: str) -> Treatment:
    """Take a treatment back: what it added or changed holds no more after the next run; its rows stay.

    Args:
        dock: The opened deployment.
        reference: Id of the treatment, or as much of it as no other one begins with.
        by: Who takes it back.
        why: Why.

    Returns:
        The treatment as it stands now.

    Raises:
        DatadockError: When there is none or several of that id, or it was taken back already.
    """
    check_signed(by, why)
    with exclusive(dock.settings.home_path):
        found = find(dock.lake, reference)
        if not found.stands:
            raise DatadockError(
                f"{found.treatment_id} was taken back by {found.withdrawn_by}, {found.withdrawn_at:%Y-%m-%d}",
                expected="a treatment that stands",
                action="see them: datadock treat list",
            )
        asked_at = datetime.now(UTC)
        if found.kind == MOVES:
            moves.undo(dock, found.treatment_id, found.inputs["into"], asked_at.isoformat(timespec="seconds"))
        row = {"treatment_id": found.treatment_id, "kind": found.kind, "asked_by": by.strip(), "reason": why.strip()}
        write_act(dock.lake, WITHDRAWN, {**row, "asked_at": asked_at})
    return find(dock.lake, found.treatment_id)


def withdraw_data_set(dock: Dock, data_set: str, by: str, why: str) -> list[Treatment]:
    """Take back every standing treatment that added a data set.

    Raises:
        DatadockError: When there is none.
    """
    standing = [one for one in treatments(dock.lake) if one.stands and one.inputs.get("data_set") == data_set]
    if not standing:
        raise DatadockError(
            f"no standing treatment added the data set {data_set!r}",
            expected="a data set that was added to some contacts",
            action="see them: datadock treat list",
        )
    return [withdraw(dock, one.treatment_id, by, why) for one in standing]
