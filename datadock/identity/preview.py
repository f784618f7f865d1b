"""What a decision would change, before it is taken: ids, golden values, reach and consents; nothing is written.

The clusters, ids and golden values come from the code of the next run, over the same tables; where
contacts can be reached, from the steps of the mart over the memberships thought of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import duckdb
import polars as pl

from datadock.catalog.fields import MODEL
from datadock.dock import Dock
from datadock.errors import WarehouseError
from datadock.identity.decisions import Book, Proposal, rows_of
from datadock.identity.golden_rows import golden_rows
from datadock.identity.ledger import SCHEMA
from datadock.identity.memberships import is_settled, plan_next
from datadock.identity.reach import channels_sql
from datadock.identity.survivorship import groups_of, survive
from datadock.identity.told import create_members
from datadock.identity.workspace import Workspace, open_workspace
from datadock.settings import Settings
from datadock.warehouse.publish import connect_published, published_file

State = dict[tuple[str, str], str]
"""Golden id and name of a thing, to what it is."""


@dataclass(frozen=True)
class Change:
    """One thing of a contact before and after.

    Attributes:
        golden_id: The contact.
        what: Field, or channel, or channel and purpose.
        before: Its value today; None where the contact is not there, or has none.
        after: Its value then; likewise.
    """

    golden_id: str
    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Preview:
    """What would change.

    Attributes:
        moves: source, source_key, before and after (golden ids) of each record that would bear another id.
        contacts: Records of each golden id touched, as (id, records before, records after).
        values: Golden values that would change, of contacts that go on or begin; an ended one has no values left.
        reach: Where a contact would be reached or not any more.
        consents: Consents that would change; of several answers the strictest holds.
    """

    moves: tuple[dict[str, str | None], ...]
    contacts: tuple[tuple[str, int, int], ...]
    values: tuple[Change, ...]
    reach: tuple[Change, ...]
    consents: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


def reading_workspace(dock: Dock) -> Workspace:
    """Return a workspace that reads the published copy, so that a run that is under way does not lock it out.

    Raises:
        WarehouseError: When nothing is published yet.
    """
    published = published_file(dock.settings)
    if published is None:
        raise WarehouseError(
            f"nothing is published in {dock.settings.published} yet",
            expected="contacts that a run has linked",
            action="run: datadock run",
        )
    return replace(open_workspace(dock, "preview"), warehouse=published)


def preview(settings: Settings, book: Book, proposal: Proposal) -> Preview:
    """Say what a decision would change at the next run, by itself.

    Args:
        settings: The deployment; its published copy is read.
        book: What the decision was worked out with, on ``reading_workspace``.
        proposal: The decision.
    """
    before, after = _memberships(book, proposal)
    moved = before.join(after, on=["source", "source_key"], how="full", coalesce=True, suffix="_after").filter(
        pl.col("golden_id").ne_missing(pl.col("golden_id_after"))
    )
    touched = pl.concat([moved["golden_id"], moved["golden_id_after"]]).drop_nulls().unique().sort()
    sides = [frame.filter(pl.col("golden_id").is_in(touched.implode())) for frame in (before, after)]
    counts = [dict(frame.group_by("golden_id").len().iter_rows()) for frame in sides]
    living = set(counts[1])
    values = _changes([_values(book.workspace, frame) for frame in sides], living)
    with connect_published(settings, lake=False) as con:
        reach = _changes([_reach(settings, con, frame) for frame in sides], living)
        consents = _changes([_consents(con, frame) for frame in sides], living)
    return Preview(
        moves=tuple(
            moved.select("source", "source_key", before="golden_id", after="golden_id_after")
            .sort("source", "source_key")
            .to_dicts()
        ),
        contacts=tuple((golden, counts[0].get(golden, 0), counts[1].get(golden, 0)) for golden in touched),
        values=values,
        reach=reach,
        consents=consents,
    )


def _memberships(book: Book, proposal: Proposal) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Memberships without and with a decision; what is decided and not yet applied counts on both sides."""
    thought_of = pl.DataFrame(rows_of(proposal, "thought of", "", "", book.workspace.run_at), schema=SCHEMA)
    after = _assigned(book, pl.concat([book.decisions, thought_of]))
    return (book.current if is_settled(book.workspace) else _assigned(book, book.decisions)), after


def _assigned(book: Book, decisions: pl.DataFrame) -> pl.DataFrame:
    return plan_next(book.workspace, decisions).everyone(book.current)


def _values(workspace: Workspace, members: pl.DataFrame) -> State:
    """Golden values of contacts by golden id and field, as the next run would choose them."""
    if not members.height:
        return {}
    trust = {source.name: source.trust for source in workspace.catalog.sources.values()}
    found: State = {}
    with workspace.connection(with_contacts=True) as con:
        con.register("dd_current", members.to_arrow())
        con.register("dd_touched", members.select("golden_id").unique().to_arrow())
        create_members(con, workspace)
        survive(con, "dd_touched_members", workspace.catalog.survivorship, trust)
        for part in golden_rows(con, groups_of(workspace.catalog.survivorship)):
            for row in part.select(["golden_id", *MODEL["contact"]]).to_pylist():
                found |= {(row["golden_id"], field): str(row[field]) for field in MODEL["contact"] if row[field]}
    return found


@contextmanager
def _members(con: duckdb.DuckDBPyConnection, members: pl.DataFrame) -> Iterator[None]:
    con.register("dd_members_then", members.select("source", "source_key", "golden_id").to_arrow())
    try:
        yield
    finally:
        con.unregister("dd_members_then")


def _reach(settings: Settings, con: duckdb.DuckDBPyConnection, members: pl.DataFrame) -> State:
    """State of every channel by golden id: worked out as the mart does, over these memberships."""
    with _members(con, members):
        con.execute(
            "create or replace temp table dd_told as select p.* from marts.dim_contact_point p "
            "semi join dd_members_then m on p.contact_source = m.source and p.contact_key = m.source_key"
        )
        channels = channels_sql(settings.dbt_project, "dd_members_then", "dd_told")
        rows = con.execute(f"select golden_id, channel, addressable, reason from ({channels})").fetchall()
    return {(golden, channel): "open" if opened else f"closed: {reason}" for golden, channel, opened, reason in rows}


def _consents(con: duckdb.DuckDBPyConnection, members: pl.DataFrame) -> State:
    """Consent of every contact by channel and purpose: each record's last answer, of several the strictest."""
    with _members(con, members):
        rows = con.execute(
            "with last as (select m.golden_id, c.channel, c.purpose, arg_max(c.status, c.decided_at) as status "
            "from marts.fct_consent c join dd_members_then m "
            "on c.contact_source = m.source and c.contact_key = m.source_key "
            "group by m.golden_id, c.contact_source, c.contact_key, c.contact_point, c.channel, c.purpose) "
            "select golden_id, channel || ' ' || purpose, bool_and(status = 'opt-in') from last group by all"
        ).fetchall()
    return {(golden, what): "given" if given else "refused" for golden, what, given in rows}


def _changes(states: Sequence[State], living: Collection[str]) -> tuple[Change, ...]:
    """What differs between two states, of contacts that live in the second."""
    before, after = states
    told = [(golden, what) for golden, what in sorted({*before, *after}) if golden in living]
    return tuple(Change(*key, before.get(key), after.get(key)) for key in told if before.get(key) != after.get(key))
