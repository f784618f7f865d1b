"""A small published copy: five contacts of two sources, read as a run reads them; no run is needed."""

import shutil
from datetime import date

import duckdb
import polars as pl
import pytest

from datadock.contact_points.kinds import ADDRESS, NAME, value_id
from datadock.contact_points.references import references_in_use
from datadock.dock import open_dock
from datadock.settings import PROJECT_ROOT, Settings

ANNE, PAUL, ZOE, LEA, FIRM = (f"DK{name}" for name in ("ANNE", "PAUL", "ZOE", "LEA", "FIRM"))
FORMER, LOST = "DKFORMER", "DKLOST"

# golden id, source, key, given name, family name, address line, postcode, city
RECORDS = [
    (ANNE, "crm_contacts", "C1", "Anne", "Martin", "12 rue de la Republique", "69002", "Lyon"),
    (ANNE, "eshop_customers", "E1", "Anne", "Martin", "12, r. de la République", "69002", "LYON 2EME"),
    (PAUL, "crm_contacts", "C2", "Paul", "Martin", "12 rue de la République", "69002", "Lyon"),
    (ZOE, "eshop_customers", "E3", "Zoé", "Petit", "8 rue Sainte-Catherine", "33000", "Bordaeux"),
    (LEA, "crm_contacts", "C4", "Léa", "Durand", "4 route du Lac", "01140", "Illiat"),
    (FIRM, "crm_contacts", "C5", None, None, None, None, None),
]


def _values(con, settings):
    """Read addresses and names of the records, as the step of a run does."""
    used = references_in_use(settings)
    con.execute(
        "create table records (golden_id varchar, source varchar, source_key varchar, given_name varchar, "
        "family_name varchar, address_line varchar, postcode varchar, city varchar)"
    )
    con.executemany("insert into records values (?, ?, ?, ?, ?, ?, ?, ?)", RECORDS)
    parts = ("address_line", "null", "postcode", "city", "null")
    declared = ", ".join(f"{part}::varchar as {name}" for part, name in zip(parts, ADDRESS.declared, strict=True))
    names = ("null", "given_name", "family_name", "null")
    told = ", ".join(f"{part}::varchar as {name}" for part, name in zip(names, NAME.declared, strict=True))
    for kind, columns, texts, filled in ((ADDRESS, declared, parts, "city"), (NAME, told, names, "family_name")):
        rows = con.sql(
            f"select distinct {value_id(*texts)} as value_id, {columns} from records where {filled} is not null "
            "order by value_id"
        ).pl()
        result = kind.read(rows, used.normaliser).with_columns(reference=pl.lit(used.version))
        con.register("dd_read", rows.hstack(result.with_columns(pl.col(pl.Enum).cast(pl.String))).to_arrow())
        con.execute(f"create table marts.normal_{kind.name} as from dd_read")
    return value_id(*parts), value_id(*names)


def _tables(con, address, name):
    con.execute(f"""
        create table marts.dim_contact as select distinct golden_id, null::varchar as siren from records;
        create table marts.golden_redirect as select '{FORMER}' as old_id, '{ANNE}' as new_id;
        create table marts.dim_contact_source as select source, source_key, golden_id from records;
        create table marts.dim_contact_point as select source, source_key, source as contact_source,
            source_key as contact_key, 'address' as kind, 'address' as field, true as is_current, {address} as value_id
            from records where city is not null;
        create table marts.dim_contact_name as select source, source_key, {name} as value_id from records
            where family_name is not null;
        create table marts.dim_contact_channel as select golden_id, 'postal' as channel, true as addressable,
            null::varchar as reason, min({address}) as value_id from records where city is not null group by all;
        create table marts.contact_enrichment as
            select golden_id, 'commune' as attribute, code_insee as value, 'joined' as layer, null::varchar as reason,
            'etalab' as origin, '2026' as origin_version, date '2026-01-01' as as_of
            from marts.dim_contact_channel join marts.normal_address using (value_id) where code_insee <> ''
            union all values ('{LEA}', 'iris', '011880000', 'joined', null, 'INSEE', '2021', date '2026-01-01'),
            ('{ANNE}', 'iris', null, 'joined', 'contours_absents', 'INSEE', '2021', date '2026-01-01');
        create table marts.enrichment_origin as select 'iris' as attribute, 'Licence Ouverte' as licence;
        drop table records;
    """)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A home with a published copy; to be copied, never written."""
    home = tmp_path_factory.mktemp("treated") / "home"
    settings = Settings(home=home)
    open_dock(settings)
    with duckdb.connect(home / "published" / "warehouse-1.duckdb") as con:
        con.execute("set TimeZone = 'UTC'; create schema marts")
        _tables(con, *_values(con, settings))
    (home / "published" / "current.duckdb").symlink_to("warehouse-1.duckdb")
    return home


@pytest.fixture
def dock(world, tmp_path):
    """A dock on a home of its own, with the demo company's catalog."""
    shutil.copytree(world, tmp_path / "home", symlinks=True)
    shutil.copytree(PROJECT_ROOT / "catalog", tmp_path / "catalog")
    return open_dock(Settings(home=tmp_path / "home", catalog=tmp_path / "catalog"))


@pytest.fixture
def move_file(tmp_path):
    """Writes a file of moved people from its lines."""

    def write(*lines, header="golden_id,address_line,postcode,city,moves_on"):
        path = tmp_path / "moved.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


DAY = date(2026, 2, 1)
