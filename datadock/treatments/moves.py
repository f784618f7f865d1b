"""Moved people of a set: lines of a file that match a contact for sure become moves of a declared source.

From there the ordinary machinery makes the new address current on its day and keeps the old one. One move is landed for
each source record of the contact. Taking the treatment back lands each of its moves again, without a day.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from datadock import names
from datadock.catalog import Source
from datadock.catalog.model import Format
from datadock.contact_points.kinds import ADDRESS, ADDRESS_PARTS
from datadock.contact_points.references import references_in_use
from datadock.dock import Dock
from datadock.errors import DatadockError
from datadock.landing import Limits, land_bytes
from datadock.treatments.addresses import STORED, load_stored
from datadock.treatments.book import rows_of, treatments
from datadock.treatments.files import sha256_of
from datadock.treatments.matching import match
from datadock.treatments.move_file import OLD, read_moves
from datadock.treatments.prepared import Prepared, Request
from datadock.treatments.sets import ContactSet

DEFAULT_SOURCE = "moved_people"
_LANDED = (*ADDRESS_PARTS, *OLD, "moves_on")


def prepare(dock: Dock, con: duckdb.DuckDBPyConnection, contacts: ContactSet, request: Request) -> Prepared:
    """Work out the moves of a set.

    Raises:
        DatadockError: When no source for moves is declared, or the file is not of the import contract.
    """
    target = move_source(dock, request.into or DEFAULT_SOURCE)
    path = Path(request.file)
    used = references_in_use(dock.settings)
    load_stored(con)
    lines = match(con, read_moves(path, request.columns, used))
    rows = _of_records(con, lines.filter(pl.col("outcome") == "treated"), target)
    counts = {
        "lines": lines.height,
        **{f"lines {name}": n for name, n in sorted(lines["outcome"].value_counts().iter_rows())},
        "contacts moved": rows["golden_id"].n_unique(),
        "moves landed": rows.height,
    }
    outcomes = pl.concat([_of_lines(lines), _untouched(contacts, lines)], how="diagonal")
    kept = rows.drop(*ADDRESS_PARTS, *OLD)
    inputs = {"sha256": sha256_of(path), "file": path.name, "into": target.name, "reference": used.version}

    def land(identifier: str) -> None:
        with path.open("rb") as stream:
            dock.lake.store(stream, {"source": target.name, "file": path.name, "treatment": identifier})
        _land(dock, target, identifier, rows.to_dicts())

    decides = rows.select("move_key", "golden_id")
    return Prepared(inputs, outcomes, {names.TREATED_ADDRESSES: kept}, decides, counts, land)


def move_source(dock: Dock, name: str) -> Source:
    """Return the declared source that moves land in.

    Raises:
        DatadockError: When it is not declared, or does not hold moves of contacts of other sources.
    """
    found = dock.catalog.sources.get(name)
    entity = None if found is None else found.entities.get("move")
    flat = entity is not None and entity.each is None and len(entity.key) == 1 and entity.contact is not None
    if found is None or not flat or found.main_entity != "move":
        raise DatadockError(
            f"no source {name!r} for moves is declared",
            expected="a source whose main entity is move, with one key column and `contact` naming a key column for "
            "each source of contacts",
            action=f"declare {dock.catalog.folder / 'sources' / (name + '.yml')}: see the README, Treatments",
        )
    return found


def undo(dock: Dock, identifier: str, into: str, asked_at: str) -> int:
    """Land the moves of a treatment again, without a day; those that another standing treatment makes too stay.

    Returns:
        The number of moves that hold no more.
    """
    others = [one.treatment_id for one in treatments(dock.lake) if one.stands and one.treatment_id != identifier]
    own = rows_of(dock.lake, names.TREATED_ADDRESSES, identifier)
    made = [rows_of(dock.lake, names.TREATED_ADDRESSES, one)["move_key"] for one in others if one.startswith("moves-")]
    gone = own.filter(~pl.col("move_key").is_in(pl.concat(made).implode())) if made else own
    voided = gone.select("move_key", "contact_source", "contact_key").to_dicts()
    _land(dock, move_source(dock, into), f"{identifier} withdrawn {asked_at}", voided)
    return len(voided)


def _of_records(con: duckdb.DuckDBPyConnection, lines: pl.DataFrame, target: Source) -> pl.DataFrame:
    """Return a move for each source record of the contacts that move, with the address that it leaves."""
    con.register("dd_lines", lines.to_arrow())
    known = [reference.source for reference in target.entities["move"].contact or []]
    old = ", ".join(f"t.{name}" for name in ADDRESS.declared)
    before = ", ".join(f"t.before_{name}" for name in ("form", "status", "codes", "score", "code_insee", "reference"))
    rows: pl.DataFrame = con.sql(
        f"select l.* exclude (reason, detail, refusal, source, source_key, given), l.given as said, m.source as "
        f"contact_source, m.source_key as contact_key, t.field, t.value_id, {old}, {before} from dd_lines l "
        "join marts.dim_contact_source m using (golden_id) left join (from "
        f"{STORED} where field <> 'address_move' qualify row_number() over (partition by contact_source, contact_key "
        "order by (field = 'address') desc, field, value_id) = 1) t "
        "on t.contact_source = m.source and t.contact_key = m.source_key where m.source in (select unnest($1)) "
        "order by l.line, m.source, m.source_key",
        params=[known],
    ).pl()
    con.unregister("dd_lines")
    text = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in _LANDED], separator="\x1f")
    record = pl.concat_str("contact_source", "contact_key", text, separator="\x1f")
    return (
        rows.with_columns(
            move_source=pl.lit(target.name),
            move_key=record.map_elements(_key, return_dtype=pl.String),
            given=pl.concat_str(ADDRESS_PARTS, separator=", ", ignore_nulls=True),
            is_changed=pl.lit(value=True),
        )
        .unique("move_key", keep="first", maintain_order=True)
        .drop("line", "said", "civility", "given_name", "family_name", "status", "outcome", "old_form")
    )


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _of_lines(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.select("golden_id", "given", "line", "outcome", "reason", "detail")


def _untouched(contacts: ContactSet, lines: pl.DataFrame) -> pl.DataFrame:
    moved = lines.select("golden_id").drop_nulls()
    rest = contacts.members.join(moved, on="golden_id", how="anti", maintain_order="left")
    return rest.select("golden_id", "given", outcome=pl.lit("untouched"))


def _land(dock: Dock, target: Source, identifier: str, rows: list[dict[str, Any]]) -> None:
    """Land moves as records of their source, written as its declaration reads them."""
    if not rows:
        return
    write = _writer(target)
    lines = [json.dumps(write(row) | {"treatment": identifier}, ensure_ascii=False, sort_keys=True) for row in rows]
    data = "\n".join(lines).encode() + b"\n"
    name = f"{identifier.split()[0]}{'-withdrawn' if ' ' in identifier else ''}.jsonl"
    batch = land_bytes(dock.lake, target, data, name, Limits.from_settings(dock.settings), written_as=_JSONL)
    if batch.rows_quarantined:
        raise DatadockError(
            f"{batch.rows_quarantined} of {batch.rows_in} moves were refused by the contract of {target.name}",
            expected="a declaration that takes a move with its key, contact, day and addresses",
            action=f"see why: datadock quarantine list --source {target.name}",
        )


_JSONL = Format(type="jsonl")


def _writer(target: Source) -> Callable[[Mapping[str, Any]], dict[str, str | None]]:
    """Return what writes a move under the columns that the declaration reads: the first of each field."""
    entity = target.entities["move"]
    column = {name: field.from_[0] for name, field in entity.fields.items() if field.from_}
    key_of = {reference.source: reference.key[0] for reference in entity.contact or []}

    def write(row: Mapping[str, Any]) -> dict[str, str | None]:
        told = {column[name]: row.get(name) for name in _LANDED if name in column}
        keys = {key_of[row["contact_source"]]: row["contact_key"]}
        text = {name: None if value is None else str(value) for name, value in told.items()}
        return {entity.key[0]: row["move_key"], **text, **keys}

    return write
