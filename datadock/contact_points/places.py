"""Where declared addresses lie, and in which contour of an IRIS: the log of places.

A place is a declared address at the position that the BAN has for it, or at the one that a record declared with it.
Looked at again are the addresses that are new or read otherwise, those of streets and communes that newer files tell
otherwise, and newly declared positions; a row is written where the result differs. Without a position there is no row.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from datadock import geography, names
from datadock.contact_points.kinds import ADDRESS_PARTS, value_id
from datadock.geography import Contours, assign_iris
from datadock.geography.positions import DECLARED, KEY, locate
from datadock.identity.workspace import CONTACTS, Workspace, latest_of
from datadock.quality.reference.streets import street_key_expr
from datadock.refdata.publish import plain_texts
from datadock.warehouse.arrived import BATCHES, arrived_batches, staged
from datadock.warehouse.lake_tables import TABLES

_LOGS = (names.ADDRESS_VALUES, names.POSITIONS, names.IRIS_CONTOURS)
"""What places are made from, beside the declared positions."""

_STAMPS = ("generation", "run_id", "recorded_at")
_COLUMNS = [name for name in TABLES[names.PLACES] if name not in _STAMPS]

FULL_STREET = (
    "coalesce(list_filter(evidence, lambda e: e.rule = 'L4_ABREGEE' and e.field = 'voie')[1].\"before\", voie)"
)
"""SQL of an address's street before it was shortened to the length of a line."""


@dataclass(frozen=True)
class PlacesReport:
    """What became of the places.

    Attributes:
        looked_at: Places that were looked at.
        located: Those of them that have a position.
        with_iris: Those of them that lie in a contour.
        written: Rows written: places whose result is new or another.
    """

    looked_at: int = 0
    located: int = 0
    with_iris: int = 0
    written: int = 0


def place_id(value: str, longitude: str, latitude: str) -> str:
    """Return the SQL of a declared position's id: that of the address, and the position."""
    return f"md5(concat_ws(chr(31), {value}, {longitude}::varchar, {latitude}::varchar))"


def update_places(workspace: Workspace) -> PlacesReport:
    """Bring the places up to the addresses, positions and contours that there are.

    Args:
        workspace: The run's workspace; the values of addresses are up to date.

    Raises:
        WarehouseError: When the contacts cannot be read.
    """
    before = workspace.cursor(names.PLACES)
    logs = {table: int(workspace.cursor(table).get("generation", 0)) for table in _LOGS}
    seen = before.get("seen", {}) if before.get("rules") == _rules() else {}
    with workspace.connection(with_contacts=True) as con:
        now = staged(con, ("contact",))
        only_new = bool(seen) and arrived_batches(con, workspace.lake, before.get("staged"), now)
        _find_wanted(con, workspace, seen, logs, only_new=only_new)
        wanted = int(con.execute("select count(*) from dd_wanted").fetchall()[0][0])
        moved = bool(logs[names.POSITIONS] or logs[names.IRIS_CONTOURS]) and seen != logs
        if not wanted and not moved:
            return PlacesReport()
        found = _placed(con, workspace)
        written = _differing(con, workspace, found)
    generation = int(before.get("generation", 0)) + 1
    stamps = {"generation": generation, "run_id": workspace.run_id, "recorded_at": workspace.run_at}
    rows = written.with_columns(**{name: pl.lit(value) for name, value in stamps.items()})
    inputs = {"rules": _rules(), "generation": generation, "seen": logs, "staged": now}
    cast = rows.with_columns(pl.col("generation").cast(pl.Int64), pl.col("recorded_at").cast(pl.Datetime("us", "UTC")))
    workspace.append(names.PLACES, plain_texts(cast.to_arrow()), inputs)
    located = found.filter(pl.col("longitude").is_not_null())
    return PlacesReport(wanted, located.height, located["code_iris"].count(), written.height)


def _find_wanted(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, seen: Mapping[str, int], logs: Mapping[str, int], *,
    only_new: bool,
) -> None:  # fmt: skip
    """Create ``dd_wanted``: place_id, value_id, and the declared longitude and latitude, of what is looked at."""
    some = f" and _batch_id in (from {BATCHES})" if only_new else ""
    known = value_id(*ADDRESS_PARTS)
    parts = [
        f"select {place_id(known, 'longitude', 'latitude')} as place_id, {known} as value_id, longitude, latitude "
        f"from {CONTACTS} where latitude between -90 and 90 and longitude between -180 and 180 "
        f"and (latitude <> 0 or longitude <> 0){some}"
    ]
    since = {table: seen.get(table, 0) for table in logs}
    stored = workspace.scan_or_empty(names.PLACES, TABLES[names.PLACES])
    again = f"select place_id, value_id, longitude, latitude from ({latest_of(stored, 'place_id')}) "
    addresses = workspace.scan_or_empty(names.ADDRESS_VALUES, {"value_id": "varchar", "generation": "bigint"})
    changed = f"(select value_id from {addresses} where generation > {since[names.ADDRESS_VALUES]})"
    declared = f"precision = '{DECLARED}'"
    if logs[names.ADDRESS_VALUES] > since[names.ADDRESS_VALUES]:
        parts.append(f"{again} where {declared} and value_id in {changed}")
        if logs[names.POSITIONS]:
            parts.append(_of_address(f"select distinct value_id from {changed}"))
    if logs[names.POSITIONS] > since[names.POSITIONS]:
        _find_touched(con, workspace, since[names.POSITIONS])
        parts.append(_of_address("from dd_touched"))
    if logs[names.IRIS_CONTOURS] > since[names.IRIS_CONTOURS]:
        drawn = workspace.scan(names.IRIS_CONTOURS, "code_insee, generation")
        communes = f"(select code_insee from {drawn} where generation > {since[names.IRIS_CONTOURS]})"
        inside = f"(code_insee = '' or code_insee in {communes})"
        parts.append(f"{again} where {declared} and {inside}")
        parts.append(_of_address(f"select value_id from ({again} where precision <> '{DECLARED}' and {inside})"))
    con.execute(f"create or replace temp table dd_wanted as {' union '.join(parts)}")


def _of_address(value_ids: str) -> str:
    return (
        f"select value_id as place_id, value_id, null::double as longitude, null::double as latitude from ({value_ids})"
    )


def _find_touched(con: duckdb.DuckDBPyConnection, workspace: Workspace, since: int) -> None:
    """Create ``dd_touched``: value_id of the addresses in streets that newer files tell otherwise."""
    stored = workspace.scan(names.POSITIONS, "code_insee, street, generation")
    con.execute(
        "create or replace temp table dd_streets as select distinct code_insee, street "
        f"from {stored} where generation > {since}"
    )
    _read_streets(con, workspace, "code_insee in (select code_insee from dd_streets)")
    con.execute(
        "create or replace temp table dd_touched as select value_id from dd_addresses "
        "semi join dd_streets using (code_insee, street)"
    )


def _read_streets(con: duckdb.DuckDBPyConnection, workspace: Workspace, condition: str) -> None:
    """Create ``dd_addresses``: what places the addresses under a condition; their street where it was checked."""
    columns = ("value_id", "code_insee", "voie", "numero", "repetition", "street_checked", "evidence", "generation")
    types = {name: TABLES[names.ADDRESS_VALUES][name] for name in columns}
    stored = workspace.scan_or_empty(names.ADDRESS_VALUES, types)
    read: pl.DataFrame = con.sql(
        f"select value_id, coalesce(code_insee, '') as code_insee, case when street_checked then {FULL_STREET} "
        "else '' end as street, try_cast(nullif(numero, '') as bigint) as number, "
        f"coalesce(repetition, '') as repetition from ({latest_of(stored, 'value_id')}) where {condition}"
    ).pl()
    con.register("dd_read", read.with_columns(street_key_expr(pl.col("street"))).to_arrow())
    con.execute("create or replace temp table dd_addresses as from dd_read")
    con.unregister("dd_read")


def _placed(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> pl.DataFrame:
    """Return the wanted places with position, commune and IRIS as they are now."""
    _read_streets(con, workspace, "value_id in (select value_id from dd_wanted)")
    con.execute(
        "create or replace temp table dd_asked as select a.* from dd_addresses a semi join "
        "(from dd_wanted where longitude is null) w using (value_id) where street <> ''"
    )
    hold_positions(con, workspace)
    con.register("dd_located", locate(con, "dd_asked", "dd_positions").to_arrow())
    # A row that is looked at for its address alone has no declared position: it takes what the BAN has.
    told: pl.DataFrame = con.sql(
        "select w.place_id, w.value_id, coalesce(w.longitude, l.longitude) as longitude, "
        "coalesce(w.latitude, l.latitude) as latitude, "
        f"case when w.longitude is not null then '{DECLARED}' else l.precision end as precision, "
        "l.position_version, coalesce(a.code_insee, '') as code_insee "
        "from dd_wanted w left join dd_addresses a using (value_id) "
        "left join dd_located l on w.longitude is null and w.value_id = l.value_id order by w.place_id"
    ).pl()
    con.unregister("dd_located")
    contours = contours_of(con, workspace, told)
    iris = assign_iris(told, contours, {})
    versions = contours.frame.select("code_iris", iris_version="version")
    found = told.hstack(iris.drop("iris_by")).join(versions, on="code_iris", how="left", maintain_order="left")
    return found.select(_COLUMNS)


def hold_positions(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Create ``dd_positions``: what holds of the positions in the streets that are asked, each number once.

    Args:
        con: Connection with ``dd_asked``: code_insee and street (key) of what is asked.
        workspace: Where the positions are read from.
    """
    stored = workspace.scan_or_empty(names.POSITIONS, TABLES[names.POSITIONS])
    con.execute(
        f"create or replace temp table dd_near as select p.* from {stored} p "
        "semi join dd_asked a on p.code_insee = a.code_insee and p.street = a.street"
    )
    key = ", ".join(KEY)
    con.execute(
        f"create or replace temp table dd_positions as select * from ({latest_of('dd_near', 'file', *KEY)}) "
        f"where op = 'upsert' qualify row_number() over (partition by {key} order by file) = 1"
    )


def contours_of(con: duckdb.DuckDBPyConnection, workspace: Workspace, told: pl.DataFrame) -> Contours:
    """Return the contours in force, with their version, of the communes that are asked.

    Args:
        con: Connection.
        workspace: Where the contours are read from.
        told: ``longitude`` and ``code_insee`` of what is asked; where one tells no commune, all contours are read.
    """
    stored = workspace.scan_or_empty(names.IRIS_CONTOURS, TABLES[names.IRIS_CONTOURS])
    placed = told.filter(pl.col("longitude").is_not_null())
    con.register("dd_communes", placed.select("code_insee").unique().to_arrow())
    asked = "true" if "" in placed["code_insee"] else "code_insee in (select code_insee from dd_communes)"
    frame: pl.DataFrame = con.sql(
        "select code_iris, code_insee, contour, version from "
        f"({latest_of(f'(select * from {stored} where {asked})', 'code_iris')}) where op = 'upsert'"
    ).pl()
    con.unregister("dd_communes")
    return Contours(frame)


def _differing(con: duckdb.DuckDBPyConnection, workspace: Workspace, found: pl.DataFrame) -> pl.DataFrame:
    """Return the places whose result is another than the stored one; without a position only where one was stored."""
    stored = workspace.scan_or_empty(names.PLACES, TABLES[names.PLACES])
    some = f"(select * from {stored} semi join dd_wanted using (place_id))"
    then: pl.DataFrame = con.sql(f"select {', '.join(_COLUMNS)} from ({latest_of(some, 'place_id')})").pl()
    before = then.rename({name: f"{name}__then" for name in _COLUMNS if name != "place_id"}).with_columns(
        known=pl.lit(value=True)
    )
    both = found.join(before, on="place_id", how="left", maintain_order="left")
    known = pl.col("known").fill_null(value=False)
    differs = pl.any_horizontal(
        [pl.col(name).ne_missing(pl.col(f"{name}__then")) for name in _COLUMNS if name != "place_id"]
    )
    wanted = pl.when(known).then(differs).otherwise(pl.col("longitude").is_not_null())
    return both.filter(wanted).select(_COLUMNS)


@functools.cache
def _rules() -> str:
    """Return a digest of the code that places addresses: other rules may place every one otherwise."""
    folder = Path(str(geography.__file__)).parent
    digest = hashlib.sha256()
    for path in (*sorted(folder.glob("*.py")), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
