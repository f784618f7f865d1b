"""A small deployment, written by hand: two sources, seven records, five golden contacts, two runs of quality states."""

import json
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from datadock import names
from datadock.catalog.fields import MODEL
from datadock.identity.comparisons import Comparison, Level
from datadock.identity.model import MODEL_FOLDER, Model, make_current, save_model
from datadock.identity.workspace import FEATURES
from datadock.lake import Lake
from datadock.settings import Settings
from datadock.validations import Kept, Outcome, SuiteResult, keep
from datadock.warehouse.lake_tables import columns_of

NOW = datetime.now(UTC).replace(microsecond=0)
RUN = "run-2"

CRM = """
description: The sales CRM.
owner: sales@demo.example
format: {type: csv}
freshness: {warn_after_days: 8}
entities:
  contact:
    key: id
    fields: {family_name: name, email: mail, birth_date: born}
"""
SHOP = """
description: The web shop.
owner: shop@demo.example
format: {type: jsonl}
freshness: {warn_after_days: 1}
entities:
  contact:
    key: $.id
    fields: {family_name: $.name, email: $.mail}
"""

RECORDS = [
    ("crm", "C1", "Dupont", "jeanne@poste.example", "1984-03-12"),
    ("crm", "C2", "Dupond", "jeanne@poste.example", "1984-03-12"),
    ("crm", "C3", "Martin", None, None),
    ("shop", "S1", "Dupont", "jeanne@poste.example", None),
    ("shop", "S2", "Martins", "martin@web.example", "1970-01-01"),
    ("shop", "S3", None, None, None),
    ("shop", "mail@key.example", "Petit", "mail@key.example", None),
]
HELD = {"C1": "DKA", "C2": "DKA", "S1": "DKA", "C3": "DKB", "S2": "DKC", "S3": "DKD", "mail@key.example": "DKE"}


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A deployment with a catalog and nothing else."""
    return _settings(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def deployed(tmp_path_factory):
    """A deployment after its second run."""
    settings = _settings(tmp_path_factory.mktemp("deployed"))
    lake = Lake(settings.lake_root)
    _ledger(lake)
    _golden(lake)
    _quarantine(lake)
    _model(lake)
    _features(lake)
    _warehouse(settings)
    for result in results():
        keep(settings, Kept(result, {}, {}))
    return settings


def results():
    """Return what two suites found."""
    held = Outcome("rows", "The table holds rows", True, "critical", "5", "at least 1", "or nothing ran", 5.0)
    broken = Outcome("reachable", "One can reach them", False, "warning", "71.4 %", "at least 85.0 %", "why", 71.4)
    at = NOW.isoformat()
    return [
        SuiteResult("golden__contacts", "golden", "contacts", RUN, at, (held, broken)),
        SuiteResult("marts__dim_contact", "marts", "dim_contact", RUN, at, (held,)),
    ]


def append(lake, table, rows):
    """Append rows, given as dictionaries of some of a lake table's columns."""
    columns = columns_of(table)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create table t (" + ", ".join(f'"{name}" {kind}' for name, kind in columns.items()) + ")")
        for row in rows:
            marks = ", ".join("?" for _ in row)
            named = ", ".join(f'"{name}"' for name in row)
            connection.execute(f"insert into t ({named}) values ({marks})", list(row.values()))
        lake.append_once(table, connection.sql("from t").to_arrow_table(), f"test:{len(rows)}")


def _settings(home):
    catalog = home / "catalog" / "sources"
    catalog.mkdir(parents=True)
    (catalog / "crm.yml").write_text(CRM, encoding="utf-8")
    (catalog / "shop.yml").write_text(SHOP, encoding="utf-8")
    return Settings(home=home / "home", catalog=home / "catalog")


def _ledger(lake):
    shared = {"format": "csv", "encoding": "utf-8", "bytes": 100, "recorded_at": NOW}
    append(
        lake,
        names.BATCHES,
        [
            {"batch_id": "b1", "source": "crm", "file": "a.csv", "received_at": NOW - timedelta(days=2), "rows_in": 5}
            | {"rows_loaded": 3, "rows_quarantined": 2}
            | shared,
            {
                "batch_id": "b2",
                "source": "shop",
                "file": "b.jsonl",
                "received_at": NOW - timedelta(days=3),
                "rows_in": 4,
            }
            | {"rows_loaded": 4, "rows_quarantined": 0}
            | shared,
        ],
    )


def _golden(lake):
    then = NOW - timedelta(hours=1)
    append(
        lake,
        names.MEMBERSHIPS,
        [
            {"source": source, "source_key": key, "golden_id": HELD[key], "valid_from": then, "cause": "created"}
            | {"run_id": RUN, "generation": 1}
            for source, key, *_ in RECORDS
        ],
    )
    sizes = {"DKA": (3, 2), "DKB": (1, 1), "DKC": (1, 1), "DKD": (1, 1), "DKE": (1, 1)}
    rows = [
        {"golden_id": golden_id, "op": "upsert", "recorded_at": then, "run_id": "run-1", "party_type": "person"}
        | {"n_records": records, "n_sources": sources, "family_name": "Dupont", "email": "jeanne@poste.example"}
        for golden_id, (records, sources) in sizes.items()
    ]
    gone = {**rows[0], "golden_id": "DKZ", "recorded_at": then, "op": "upsert"}
    append(lake, names.CONTACTS, [*rows, gone, {**gone, "op": "retire", "recorded_at": NOW}])
    append(
        lake,
        names.LINEAGE,
        [{"golden_id": "DKZ", "event": "merged_into", "other_id": "DKA", "at": then, "cause": "joined", "run_id": RUN}],
    )
    pair = {
        "left_source": "crm",
        "left_key": "C3",
        "right_source": "shop",
        "right_key": "S2",
        "match_probability": 0.31,
    }
    pair |= {"match_weight": -1.2, "run_id": RUN, "recorded_at": then}
    other = {**pair, "left_source": "shop", "left_key": "mail@key.example", "match_weight": -3.0}
    append(
        lake,
        names.SUSPECTS,
        [
            {**pair, "status": "open"},
            {**other, "status": "open"},
            {**pair, "right_key": "S3", "status": "open"},
            {**pair, "right_key": "S3", "status": "closed", "recorded_at": NOW},
        ],
    )
    hashes = {"left_hash": "l", "right_hash": "r", "model_version": _trained().version}
    append(lake, names.PAIRS, [{**pair, **hashes}, {**pair, **hashes, "right_key": "S1", "match_weight": 14.5}])


def _quarantine(lake):
    shared = {"_source": "crm", "_batch_id": "b1", "_file": "a.csv", "_received_at": NOW, "raw_bytes": b"x"}
    payload = json.dumps({"id": "C9", "name": "Bernard", "mail": "bernard@poste.example", "born": "never"})
    reasons = json.dumps([{"code": "bad_type", "field": "born", "found": "never", "expected": "a date"}])
    append(
        lake,
        names.QUARANTINE,
        [
            {"rejection_id": "aaaa1111bbbb", "_line": 4, "stage": "contract", "reason": "bad_type", "reasons": reasons}
            | {"payload": payload}
            | shared,
            {"rejection_id": "cccc2222dddd", "_line": 5, "stage": "read", "reason": "ragged_row", "reasons": "[]"}
            | {"payload": None}
            | shared,
            {"rejection_id": "eeee3333ffff", "_line": 6, "stage": "read", "reason": "ragged_row", "reasons": "[]"}
            | {"payload": None}
            | shared,
        ],
    )
    append(
        lake,
        "quarantine/resolutions",
        [{"rejection_id": "eeee3333ffff", "resolved_at": NOW, "outcome": "loaded", "batch_id": "b3"}],
    )


def _trained():
    level = Level("same family name", "family_l = family_r", 0.9, "family")
    name = Comparison("family_name", "Names vary.", "family_l is null or family_r is null", (level,), 0.1, 0.5)
    return Model(
        party="person",
        fields={"family_name": "family_name"},
        features=("family_name",),
        rules=(),
        comparisons=(name,),
        m={"family_name": (0.9, 0.1)},
        u={"family_name": (0.001, 0.999)},
        h={"family_name": (0.5, 0.5)},
        match_share=1e-4,
        household_share=1e-5,
        records=7,
        trained_at=NOW.isoformat(),
    )


def _model(lake):
    with duckdb.connect() as connection:
        connection.execute("create table terms as select 'dupont' as family, 0.01 as tf_family")
        save_model(lake.root / MODEL_FOLDER, _trained(), connection, {"family": "terms"})
        make_current(lake.root / MODEL_FOLDER, _trained())


def _features(lake):
    rows = [
        {"source": source, "source_key": key, "party_type": "person", "op": "upsert", "content_hash": 1}
        | {"feature_hash": key, "received_at": NOW, "generation": 1, "linked": 1}
        | dict.fromkeys(("family", "family_words"), family.lower() if family else None)
        for source, key, family, *_ in RECORDS
    ]
    lake.append_once(FEATURES, pa.Table.from_pylist(rows), "features")


def _warehouse(settings):
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema intermediate; create schema marts")
        fields = ", ".join(f"{name} varchar" for name in MODEL["contact"])
        connection.execute(
            f"create table intermediate.int_source_contact (source varchar, source_key varchar, {fields})"
        )
        connection.executemany(
            "insert into intermediate.int_source_contact (source, source_key, family_name, email, birth_date) "
            "values (?, ?, ?, ?, ?)",
            RECORDS,
        )
        connection.execute(
            "create table marts.dq_channel_state (run_id varchar, measured_at timestamptz, source varchar, "
            "channel varchar, records bigint, filled bigint, valid bigint, corrected bigint, doubtful bigint, "
            "spoilt bigint, rejected bigint, fill_rate double, valid_rate double, corrected_rate double, "
            "doubtful_rate double, duplicate_rate double)"
        )
        connection.execute(
            "create table marts.dq_duplicate_state (run_id varchar, measured_at timestamptz, left_source varchar, "
            "right_source varchar, records bigint, duplicate_records bigint, duplicate_rate double)"
        )
        for run, at, valid in (("run-1", NOW - timedelta(days=1), 0.9), (RUN, NOW, 0.8)):
            for source, channel, fill in (("crm", "email", 0.667), ("crm", "phone", 0.0), ("shop", "email", 0.75)):
                counts = (10, round(10 * valid), 3, 1, 0, 9 - round(10 * valid)) if fill else (0,) * 6
                rates = (fill, valid, 0.3, 0.1, 0.5) if fill else (fill, None, None, None, None)
                connection.execute(
                    f"insert into marts.dq_channel_state values (?, ?, ?, ?, 15, {', '.join('?' * 11)})",
                    [run, at, source, channel, *counts, *rates],
                )
            for left, right, rate in (("crm", "crm", 0.667), ("crm", "shop", 0.667), ("shop", "crm", 0.25)):
                connection.execute(
                    "insert into marts.dq_duplicate_state values (?, ?, ?, ?, 3, 2, ?)", [run, at, left, right, rate]
                )
        _points(connection)


def _points(connection):
    """What contact points and names came to: three contacts, one shut out of e-mail and one out of post."""
    connection.execute(
        "create table marts.dim_contact (golden_id varchar);"
        "insert into marts.dim_contact values ('DKA'), ('DKB'), ('DKC'), ('DKD'), ('DKE');"
        "create table marts.dim_contact_channel (golden_id varchar, channel varchar, addressable boolean, "
        "reason varchar);"
        "insert into marts.dim_contact_channel values ('DKA', 'email', true, null), ('DKA', 'postal', false, 'DECES'), "
        "('DKC', 'email', false, 'REBOND_DUR'), ('DKE', 'email', true, null), ('DKE', 'mobile', true, null);"
        "create table marts.dim_contact_point (kind varchar, codes varchar[], usable boolean, is_current boolean);"
        "insert into marts.dim_contact_point values ('address', ['COMMUNE_CORRIGEE'], true, true);"
        "create table marts.dq_priority (source varchar, channel varchar, code varchar, records bigint, "
        "blocked_contacts bigint, example varchar);"
        "insert into marts.dq_priority values ('shop', 'email', 'REBOND_DUR', 4, 1, 'martin@web.example'), "
        "('crm', 'address', 'VOIE_ABSENTE', 3, 2, '69002 Petitville'), "
        "('crm', 'address', 'COMMUNE_CORRIGEE', 3, 2, '69002 Petitville'), "
        "('crm', 'address', 'DECES', 1, 1, '1 rue Bernard'), ('crm', 'name', 'ORDRE_AMBIGU', 9, 0, null);"
        "create table marts.dim_contact_name (source varchar, source_key varchar, display_name varchar, "
        "civility varchar, sex_of_first_name varchar, certainty double, is_civility_contradicted boolean);"
        "insert into marts.dim_contact_name values ('crm', 'C1', 'Jeanne Dupont', 'M', 'F', 0.997, true), "
        "('crm', 'C2', 'Jeanne Dupond', 'MME', 'F', 0.997, false), "
        "('shop', 'mail@key.example', 'Jean Petit', 'MME', 'M', 0.999, true), "
        "('shop', 'S3', 'Camille Petit', 'MME', null, null, false)"
    )
