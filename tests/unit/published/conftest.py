"""A published copy written by hand: two records of one woman, her son of the same address, and a stranger."""

import duckdb
import pytest
import yaml

from datadock.settings import PROJECT_ROOT, Settings

MODELS = PROJECT_ROOT / "dbt_project" / "models"
RECORDS = [
    ("crm", "1", "DK1", "MME", "Élodie", "Martin", "1984-03-12", "69002"),
    ("shop", "7", "DK1", None, "ELODIE", "MARTIN", None, "69002"),
    ("shop", "8", "DK2", "M", "Léo", "Martin", "2010-05-01", "69002"),
    ("crm", "3", "DK3", "M", "Elodie", "Durand", "1970-01-01", "75011"),
    ("crm", "4", "DK4", None, "Jean", "Petit", None, "75011"),
    ("crm", "9", None, "MME", "Gone", "Martin", "1984-03-12", "69002"),
]
HOME = "12 RUE DE LA GARE, 69002 LYON"
POINTS = [
    (
        "crm",
        "1",
        "email",
        "email",
        "Elodie.Martin@martin-web.fr",
        "elodie.martin@martin-web.fr",
        "OK",
        True,
        None,
        True,
    ),
    ("crm", "1", "phone", "mobile", "06 12 34 56 78", "+33612345678", "OK", True, None, True),
    ("crm", "1", "address", "address", "12 rue de la Gare, 69002 Lyon", HOME, "OK", False, "RETOURS", True),
    ("shop", "7", "email", "email", "elodiemartin@gmail.com", "elodiemartin@gmail.com", "OK", True, None, True),
    ("shop", "7", "email", "email", "old@martin-web.fr", "old@martin-web.fr", "OK", False, "REMPLACEE", False),
    ("shop", "8", "phone", "phone", "0612345678", "+33612345678", "OK", True, None, True),
    ("shop", "8", "address", "address", "12 R DE LA GARE 69002 LYON", HOME, "OK", True, None, True),
    ("crm", "3", "email", "email", "durand@martin-web.fr", "durand@martin-web.fr", "OK", False, "REBOND_DUR", True),
    ("crm", "4", "phone", "phone", "99", None, "REJETEE", False, "REJETEE", True),
]
NAME_ID = (
    "md5(concat_ws(chr(31), coalesce(civility, ''), coalesce(given_name, ''), coalesce(family_name, ''), "
    "coalesce(full_name, '')))"
)


def _columns(path):
    """Return the columns of every model that a folder's yml files declare."""
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for file in path.glob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
    }


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A deployment of which only the published copy exists."""
    settings = Settings(home=tmp_path_factory.mktemp("published") / "home")
    settings.published.mkdir(parents=True)
    target = settings.published / "warehouse-1.duckdb"
    with duckdb.connect(str(target)) as con:
        con.execute("set TimeZone = 'UTC'; create schema marts; create schema intermediate; create schema staging")
        for schema in ("marts", "intermediate"):
            for table, columns in _columns(MODELS / schema).items():
                shape = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                con.execute(f"create table {schema}.{table} ({shape})")
        _fill(con)
    (settings.published / "current.duckdb").symlink_to(target.name)
    return settings


def _fill(con):
    for source, key, golden_id, civility, given, family, born, postcode in RECORDS:
        con.execute(
            "insert into intermediate.int_source_contact by name select $1 as source, $2 as source_key, "
            "'person' as party_type, $3 as civility, $4 as given_name, $5 as family_name, $6::date as birth_date, "
            "$7 as postcode",
            [source, key, civility, given, family, born, postcode],
        )
        con.execute(
            "insert into marts.golden_membership by name select $1 as source, $2 as source_key, $3 as golden_id, "
            "$3 is not null as is_current",
            [source, key, golden_id],
        )
    con.execute(
        "insert into marts.dim_contact_source by name "
        "select source, source_key, golden_id from marts.golden_membership;"
        "insert into marts.dim_contact by name select golden_id, 'person' as party_type, "
        "max(given_name) as given_name, max(family_name) as family_name, max(birth_date) as birth_date, "
        "max(postcode) as postcode, count(*) as n_records, count(distinct source) as n_sources "
        "from intermediate.int_source_contact join marts.golden_membership using (source, source_key) "
        "where is_current group by golden_id;"
        f"insert into marts.normal_name by name select distinct {NAME_ID} as value_id, civility as declared_civility, "
        "given_name as declared_given_name, family_name as declared_family_name, "
        "upper(strip_accents(given_name)) as first_key, upper(family_name) as last_key, 'OK' as status "
        "from intermediate.int_source_contact;"
        f"insert into marts.dim_contact_name by name select source, source_key, {NAME_ID} as value_id, "
        "given_name || ' ' || family_name as display_name, civility, ['INITIALE'] as codes, 'OK' as status "
        "from intermediate.int_source_contact"
    )
    for number, (source, key, kind, field, value, form, status, usable, reason, current) in enumerate(POINTS):
        con.execute(
            "insert into marts.dim_contact_point by name select $1 as point_id, $2 as source, $3 as source_key, "
            "$2 as contact_source, $3 as contact_key, $4 as kind, $5 as field, $6 as value, $7 as normal_form, "
            "$8 as status, $9 as usable, $10 as reason, $11 as is_current, md5($6) as value_id, 0 as incidents, "
            "timestamptz '2026-01-01 00:00:00+00' as since",
            [f"p{number}", source, key, kind, field, value, form, status, usable, reason, current],
        )
    con.execute(
        "insert into marts.normal_email by name select value_id, value as declared_email, normal_form as value, "
        "normal_form as typed, normal_form as key, status from marts.dim_contact_point where kind = 'email';"
        "insert into marts.dim_contact_channel by name select 'DK1' as golden_id, 'postal' as channel, "
        "false as addressable, 0 as n_usable, 1 as n_given, 'RETOURS' as reason"
    )
