"""The look-up file beside a published copy: what contacts are found by, sorted so that a question reads a few pages.

Built from the copy by the first question that is asked of it, and thrown away when the next copy comes: nothing in
it is kept nowhere else.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import duckdb

from datadock.errors import WarehouseError
from datadock.settings import Settings
from datadock.warehouse.publish import published_file
from datadock.warehouse.values_sql import literal

SHOWN = (
    *("party_type", "civility", "given_name", "family_name", "full_name", "organisation_name", "birth_date"),
    *("email", "phone", "mobile", "address_line", "postcode", "city", "n_records", "n_sources"),
)
"""Golden values that are shown of a contact."""

_FORM = "2"  # of this file; another one is built anew
_NAME_ID = (
    "md5(concat_ws(chr(31), coalesce(c.civility, ''), coalesce(c.given_name, ''), coalesce(c.family_name, ''), "
    "coalesce(c.full_name, '')))"
)
_STEPS = f"""
create temp table ids as
    select golden_id, (row_number() over (order by golden_id))::integer as n from copy.marts.dim_contact;
create temp table members as
    select m.source, m.source_key, i.n
    from copy.marts.golden_membership as m join ids as i using (golden_id) where m.is_current;
create temp table points as
    select m.n, p.kind, p.normal_form as form, p.value_id
    from copy.marts.dim_contact_point as p
    join members as m on p.contact_source = m.source and p.contact_key = m.source_key
    where p.is_current and p.normal_form is not null;
create temp table records as
    select m.n, c.birth_date, trim(c.postcode) as postcode, {_NAME_ID} as value_id
    from copy.intermediate.int_source_contact as c join members as m using (source, source_key);
create temp table names as
    select distinct r.n, coalesce(v.first_key, '') as first_key, coalesce(v.last_key, '') as last_key
    from records as r join copy.marts.normal_name as v using (value_id)
    where coalesce(v.first_key, v.last_key) is not null;
create temp table keys as
    select n, kind || ':' || form as key from points where kind <> 'address'
    union select p.n, 'mailbox:' || v.key from points as p join copy.marts.normal_email as v using (value_id)
    where p.kind = 'email' and v.key is not null
    union select p.n, 'home:' || s.last_key || '|' || p.form
    from points as p join names as s using (n) where p.kind = 'address' and s.last_key <> ''
    union select s.n, 'born:' || s.last_key || '|' || r.birth_date
    from names as s join records as r using (n) where r.birth_date is not null and s.last_key <> ''
    union select s.n, 'near:' || s.first_key || '|' || s.last_key || '|' || r.postcode
    from names as s join records as r using (n) where r.postcode is not null and s.first_key <> '' and s.last_key <> '';
create table lookup as
    select ('0x' || left(md5(key), 16))::ubigint as h, n from keys order by h, n;
create table contacts as
    select ids.n, ids.golden_id, p.* exclude (n), s.* exclude (n), r.* exclude (n),
        struct_pack({", ".join(f"{name} := g.{name}" for name in SHOWN)}) as shown
    from ids
    join copy.marts.dim_contact as g using (golden_id)
    left join (select n, list([kind, form]) as points from points group by n) as p using (n)
    left join (select n, list([first_key, last_key]) as names from names group by n) as s using (n)
    left join (
        select n, list(birth_date) as birth_dates, list(postcode) as postcodes from records group by n
    ) as r using (n)
    order by ids.n;
"""


def hashed(key: str) -> int:
    """Return the number under which a key stands in the look-up file."""
    return int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:16], 16)


def index_file(settings: Settings) -> Path:
    """Return the look-up file of the newest published copy, built where there is none yet.

    Raises:
        WarehouseError: When nothing was published yet, or the file cannot be written.
    """
    copy = published_file(settings)
    if copy is None:
        raise WarehouseError(
            f"nothing is published in {settings.published} yet",
            expected="the copy of the warehouse that a run leaves there",
            action="run: datadock run",
        )
    about = copy.stat()
    folder = settings.published.with_name("lookup")
    mark = hashed(f"{_FORM} {copy.name} {about.st_size} {about.st_mtime_ns} {duckdb.__version__}")
    target = folder / f"{copy.stem}-{mark:016x}.duckdb"
    if not target.exists():
        _build(settings, copy, target)
    return target


def _build(settings: Settings, copy: Path, target: Path) -> None:
    """Write the look-up file under another name, then put it in its place; older ones go."""
    draft = target.with_name(f".{target.stem}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": settings.memory_limit,
            "threads": settings.threads,
        }
        with duckdb.connect(str(draft), config=config) as connection:
            connection.execute(f"set TimeZone = 'UTC'; attach {literal(str(copy))} as copy (read_only)")
            connection.execute(_STEPS)
        draft.rename(target)
    except (OSError, duckdb.Error) as error:
        raise WarehouseError(
            f"the look-up file {target} cannot be written: {error}",
            expected="free space, and a published copy with contact points",
            action="free space, or run: datadock run",
        ) from error
    finally:
        for left in target.parent.glob(f"{draft.name}*"):
            left.unlink(missing_ok=True)
    for old in target.parent.glob("*.duckdb"):
        if old != target:
            old.unlink(missing_ok=True)
