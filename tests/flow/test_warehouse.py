"""The dbt project built for real, on a small lake written by hand: raw rows in, marts out."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from datadock.catalog import load_catalog
from datadock.errors import WarehouseError
from datadock.lake import Lake
from datadock.settings import PROJECT_ROOT, Settings
from datadock.warehouse.dbt import run_dbt
from datadock.warehouse.publish import publish, query_published
from datadock.warehouse.scaffold import scaffold
from datadock.warehouse.store import open_warehouse

TIME = pa.timestamp("us", "UTC")
PROVENANCE = pa.list_(
    pa.struct(
        [
            ("field", pa.string()),
            ("source", pa.string()),
            ("source_key", pa.string()),
            ("rule", pa.string()),
            ("observed_at", TIME),
        ]
    )
)


def day(number):
    return datetime(2026, 1, number, tzinfo=UTC)


class Small:
    """A deployment with a lake that tests write by hand."""

    def __init__(self, home, catalog=PROJECT_ROOT / "catalog", dbt_project=PROJECT_ROOT / "dbt_project"):
        self.settings = Settings(home=home, catalog=catalog, dbt_project=dbt_project)
        self.lake = Lake(self.settings.lake_root)

    def land(self, source, batch, records, received=1):
        count = len(records)
        table = pa.table(
            {
                "payload": [json.dumps(record, ensure_ascii=False) for record in records],
                "_source": [source] * count,
                "_entity": ["contact"] * count,
                "_batch_id": [batch] * count,
                "_file": [f"{batch}.csv"] * count,
                "_line": pa.array(range(1, count + 1), pa.int64()),
                "_received_at": pa.array([day(received)] * count, TIME),
                "_received_date": [day(received).date().isoformat()] * count,
            }
        )
        self.lake.append_once(f"raw/{source}", table, f"{source}:{batch}", partition_by=["_received_date"])

    def resolve(self, run, memberships, contacts, at=2, rule="trust"):
        """Write what the identity step would: memberships as (source, key, id), contacts as id to family name."""
        count = len(memberships)
        table = pa.table(
            {
                "source": [one[0] for one in memberships],
                "source_key": [one[1] for one in memberships],
                "golden_id": [one[2] for one in memberships],
                "valid_from": pa.array([day(at)] * count, TIME),
                "cause": ["created"] * count,
                "run_id": [run] * count,
            }
        )
        self.lake.append_once("golden/memberships", table, run)
        count = len(contacts)
        origin = {"field": "family_name", "source": "x", "source_key": "1", "rule": rule, "observed_at": day(1)}
        table = pa.table(
            {
                "golden_id": list(contacts),
                "op": ["retire" if name is None else "upsert" for name in contacts.values()],
                "recorded_at": pa.array([day(at)] * count, TIME),
                "run_id": [run] * count,
                "party_type": ["person"] * count,
                "n_records": pa.array([1] * count, pa.int64()),
                "n_sources": pa.array([1] * count, pa.int64()),
                "family_name": pa.array(list(contacts.values()), pa.string()),
                "provenance": pa.array([[origin]] * count, PROVENANCE),
            }
        )
        self.lake.append_once("golden/contacts", table, run)

    def redirect(self, old, new, at=2):
        row = {"old_id": [old], "new_id": [new], "at": pa.array([day(at)], TIME), "cause": ["merged"], "run_id": ["r"]}
        self.lake.append_once("golden/redirects", pa.table(row), old)

    def build(self, **options):
        return run_dbt(self.settings, **options)

    def rows(self, query):
        with open_warehouse(self.settings) as con:
            return con.execute(query).fetchall()


CRM = [
    {"N° contact": "1", "Type": "Particulier", "Nom": "Durand", "Modifié le": "2025-06-01"},
    {"N° contact": "2", "Type": "Société", "Société": "ACME", "Modifié le": "2025-06-01"},
]
SHOP = [
    {
        "customer_id": "c1",
        "name": {"first": "Ana", "last": "Durand"},
        "contracts": [{"contract_id": "k", "role": "subscriber"}, {"contract_id": "k", "role": "payer"}],
        "addresses": [{"id": "a1", "type": "home", "line": "1 rue X"}, {"id": "a2", "type": "work", "line": "2 rue Y"}],
    },
    {"customer_id": "c2", "name": {"last": "Durant"}, "contracts": [{"contract_id": "k", "role": "subscriber"}]},
]
ORDERS = [
    {
        "order_id": "o1",
        "customer_id": "c1",
        "source": "web",
        "amount": "10,50 €",
        "ordered_at": "2025-05-01T10:00:00Z",
        "lines": [{"line_no": 1, "amount": 4}, {"line_no": 2, "amount": "6.50"}],
    },
    {"order_id": "o2", "customer_id": "c2", "source": "web", "amount": 20, "ordered_at": "2025-05-02T10:00:00Z"},
    {"order_id": "o3", "loyalty_card": "F1", "source": "store", "amount": 5, "ordered_at": "2025-05-03T10:00:00Z"},
]


@pytest.fixture(scope="module")
def built_small(tmp_path_factory):
    """A deployment with three feeds landed, resolved and built; copied for each test."""
    small = Small(tmp_path_factory.mktemp("small") / "home")
    small.land("crm_contacts", "b1", CRM)
    small.land("eshop_customers", "b2", SHOP)
    small.land("orders", "b3", ORDERS)
    small.resolve(
        "r1",
        [
            ("crm_contacts", "1", "DK1"),
            ("crm_contacts", "2", "DK2"),
            ("eshop_customers", "c1", "DK3"),
            ("eshop_customers", "c2", "DK4"),
        ],
        {"DK1": "Durand", "DK2": "ACME", "DK3": "Durand", "DK4": "Durant"},
    )
    run = small.build(run_id="r1")
    run.raise_for_problems()
    return small.settings.home


@pytest.fixture
def small(built_small, tmp_path):
    return Small(Path(shutil.copytree(built_small, tmp_path / "home")))


def merge(small):
    """Make one person of both shop accounts, as a reviewer would."""
    small.resolve("r2", [("eshop_customers", "c2", "DK3")], {"DK3": "Durand", "DK4": None}, at=3)
    small.redirect("DK4", "DK3", at=3)


def test_the_unit_tests_of_the_models_pass_before_anything_is_landed(tmp_path):
    run = Small(tmp_path / "home").build(unit_tests=True)
    run.raise_for_problems()
    assert sum(node.kind == "unit_test" for node in run.nodes) >= 7
    assert {node.rows for node in run.nodes if node.kind == "model" and node.name.startswith("stg_")} == {0}


def test_three_partial_feeds_become_typed_objects_that_know_their_origin(small):
    assert small.rows(
        "select source, source_key, golden_id, channel, amount, _file, _line from marts.fct_order order by order_id"
    ) == [
        ("orders", "o1", "DK3", "web", Decimal("10.50"), "b3.csv", 1),
        ("orders", "o2", "DK4", "web", Decimal("20.00"), "b3.csv", 2),
        ("orders", "o3", None, "store", Decimal("5.00"), "b3.csv", 3),
    ]
    assert small.rows("select order_id, line_no, golden_id, amount from marts.fct_order_line order by all") == [
        ("o1", 1, "DK3", Decimal("4.00")),
        ("o1", 2, "DK3", Decimal("6.50")),
    ]
    assert small.rows("select field, source, rule from marts.golden_provenance where golden_id = 'DK1'") == [
        ("family_name", "x", "trust")
    ]


def test_a_joint_account_has_its_roles_and_addresses_without_a_person_twice(small):
    assert small.rows("select role, golden_id from marts.dim_contact_role where contract_id = 'k' order by all") == [
        ("payer", "DK3"),
        ("subscriber", "DK3"),
        ("subscriber", "DK4"),
    ]
    assert small.rows(
        "select address_type, address_line from marts.dim_address where golden_id = 'DK3' order by 1"
    ) == [
        ("home", "1 rue X"),
        ("work", "2 rue Y"),
    ]


def test_a_merge_moves_the_orders_and_loses_none_and_a_split_gives_them_back(small):
    per_source = "select channel, sum(amount) from marts.fct_order group by all order by 1"
    before = small.rows(per_source)
    merge(small)
    small.build(run_id="r2").raise_for_problems()
    assert small.rows("select order_id, golden_id from marts.fct_order order by 1") == [
        ("o1", "DK3"),
        ("o2", "DK3"),
        ("o3", None),
    ]
    assert small.rows("select golden_id, family_name from marts.dim_contact order by 1") == [
        ("DK1", "Durand"),
        ("DK2", "ACME"),
        ("DK3", "Durand"),
    ]
    assert small.rows(per_source) == before
    assert small.rows("select old_id, new_id from marts.golden_redirect") == [("DK4", "DK3")]
    small.resolve("r3", [("eshop_customers", "c2", "DK5")], {"DK5": "Durant"}, at=4)
    small.build(run_id="r3").raise_for_problems()
    assert small.rows("select golden_id from marts.fct_order where order_id = 'o2'") == [("DK5",)]
    assert small.rows(
        "select golden_id, valid_from, valid_to, is_current from marts.golden_membership"
        " where source_key = 'c2' order by valid_from"
    ) == [("DK4", day(2), day(3), False), ("DK3", day(3), day(4), False), ("DK5", day(4), None, True)]


def test_a_newer_version_replaces_and_an_older_one_that_comes_late_does_not(small):
    late = {"N° contact": "1", "Type": "Particulier", "Nom": "Vieux", "Modifié le": "2020-01-01"}
    newer = {"N° contact": "2", "Type": "Société", "Société": "ACME SA", "Modifié le": "2026-01-05"}
    small.land("crm_contacts", "b4", [late, newer], received=6)
    small.build(run_id="r2").raise_for_problems()
    assert small.rows(
        "select source_key, family_name, organisation_name, _batch_id from staging.stg_crm_contacts__contact order by 1"
    ) == [("1", "Durand", None, "b1"), ("2", None, "ACME SA", "b4")]


def test_a_line_that_the_newest_version_of_its_order_drops_is_no_line_any_more(small):
    lines = "select source_key, amount from marts.fct_order_line order by 1"
    assert small.rows(lines) == [("o1|1", Decimal("4.00")), ("o1|2", Decimal("6.50"))]
    newest = ORDERS[0] | {"updated_at": "2026-01-05T00:00:00Z", "lines": [{"line_no": 2, "amount": "7.50"}]}
    small.land("orders", "b4", [newest], received=6)
    small.build(run_id="r2").raise_for_problems()
    assert small.rows(lines) == [("o1|2", Decimal("7.50"))]
    late = ORDERS[0] | {"updated_at": "2025-12-01T00:00:00Z", "lines": [{"line_no": n, "amount": 1} for n in (1, 2, 3)]}
    small.land("orders", "b5", [late], received=7)
    small.build(run_id="r3").raise_for_problems()
    assert small.rows(lines) == [("o1|2", Decimal("7.50"))]


def test_nothing_new_builds_nothing_and_new_rows_build_only_what_reads_them(small):
    def written():
        return (small.settings.warehouse.stat().st_mtime_ns, small.rows("select * from datadock.cursors order by all"))

    before = written()
    run = small.build(run_id="r2")
    assert {node.status for node in run.nodes} == {"unchanged"}
    assert written() == before
    small.land("crm_contacts", "b4", CRM, received=6)
    built = {node.name for node in small.build(run_id="r3").nodes if node.status == "success"}
    assert {"stg_crm_contacts__contact", "int_source_contact", "dim_contact_source"} <= built
    assert not {"stg_orders__order", "stg_eshop_customers__contact"} & built


def test_data_quality_has_one_state_per_run_however_often_the_run_is_repeated(small):
    counted = "select run_id, count(*) from marts.dq_duplicate_state group by all order by 1"
    merge(small)
    small.build(run_id="r2").raise_for_problems()
    small.land("crm_contacts", "b4", CRM, received=6)
    small.build(run_id="r2").raise_for_problems()
    assert small.rows(counted) == [("r1", 4), ("r2", 4)]
    assert small.rows(
        "select run_id, duplicate_records, duplicate_rate from marts.dq_duplicate_state"
        " where left_source = 'eshop_customers' and right_source = 'eshop_customers' order by 1"
    ) == [("r1", 0, 0.0), ("r2", 1, 0.5)]


def test_a_model_that_changed_is_built_from_nothing(small, tmp_path):
    copy = tmp_path / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "dbt_project", copy, ignore=shutil.ignore_patterns("logs"))
    model = copy / "models/staging/crm_contacts/stg_crm_contacts__contact.sql"
    model.write_text(
        model.read_text().replace("        family_name,\n", "        upper(family_name) as family_name,\n", 1)
    )
    changed = Small(small.settings.home, dbt_project=copy)
    changed.build(run_id="r2").raise_for_problems()
    found = changed.rows("select family_name from intermediate.int_source_contact where source_key = '1'")
    assert found == [("DURAND",)]


def test_a_row_that_breaks_the_contract_is_refused_and_cited(small, tmp_path):
    copy = tmp_path / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "dbt_project", copy, ignore=shutil.ignore_patterns("logs"))
    contract = copy / "models/staging/crm_contacts/stg_crm_contacts__contact.yml"
    name = "  - name: family_name\n    data_type: varchar\n"
    assert name in contract.read_text()
    contract.write_text(contract.read_text().replace(name, f"{name}    constraints:\n    - type: not_null\n"))
    changed = Small(small.settings.home, dbt_project=copy)
    run = changed.build(run_id="r2")
    (problem,) = [node for node in run.problems() if node.kind == "model"]
    assert problem.name == "stg_crm_contacts__contact"
    assert "NOT NULL constraint failed" in problem.message
    assert '"source_key": "2"' in problem.message
    assert '"_file": "b1.csv"' in problem.message
    with pytest.raises(WarehouseError, match='"source_key": "2"'):
        run.raise_for_problems()


def test_a_test_that_fails_cites_the_row_and_fails_again_until_it_is_mended(small):
    small.resolve("r2", [("eshop_customers", "c2", "DK9")], {"DK3": "Durand"}, at=3)
    for run_id in ("r2", "r3"):
        names = {node.name: node for node in small.build(run_id=run_id).problems()}
        assert '"source_key": "c2"' in names["every_source_record_has_one_active_golden_id"].message
    small.resolve("r3", [], {"DK9": "Durant", "DK4": None}, at=4)
    small.build(run_id="r4").raise_for_problems()


def test_a_value_chosen_by_no_rule_is_refused(small):
    small.resolve("r2", [], {"DK1": "Durand"}, at=3, rule="")
    problems = {node.name for node in small.build(run_id="r2").problems()}
    assert "every_golden_value_was_chosen_by_a_named_rule" in problems


def test_one_statement_joins_a_raw_document_to_a_golden_contact(small):
    publish(small.settings)
    _, rows = query_published(
        small.settings,
        "select r.payload ->> '$.name.first', c.family_name, sum(o.amount) from raw.eshop_customers r"
        " join marts.dim_contact_source s on s.source = r._source and s.source_key = r.payload ->> '$.customer_id'"
        " join golden.contacts c on c.golden_id = s.golden_id"
        " join marts.fct_order o on o.golden_id = c.golden_id group by all order by all",
    )
    assert rows == [("Ana", "Durand", Decimal("10.50")), (None, "Durant", Decimal("20.00"))]


def test_no_view_of_the_warehouse_reads_the_lake(small):
    assert small.rows("select view_name from duckdb_views() where not internal and sql like '%lake.%'") == []


def test_a_locked_warehouse_is_a_clear_error_and_the_next_run_goes_on(small):
    script = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(small.settings.warehouse)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            holder.stdout.readline()
            with pytest.raises(WarehouseError, match="in use"):
                small.build(run_id="r2")
        finally:
            holder.kill()
    small.build(run_id="r2").raise_for_problems()


def test_a_ninth_source_takes_one_declaration_and_no_edit(tmp_path):
    catalog, project = tmp_path / "catalog", tmp_path / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "catalog", catalog)
    shutil.copytree(PROJECT_ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("logs"))
    (catalog / "sources" / "survey.yml").write_text(
        "description: Answers of a survey.\n"
        "owner: survey@example.org\n"
        "format: {type: csv}\n"
        "entities:\n"
        "  contact:\n"
        "    key: répondant\n"
        "    fields: {full_name: nom, email: e-mail}\n"
        "  event:\n"
        "    key: répondant\n"
        "    fields: {event_type: {value: survey}, detail: avis}\n",
        encoding="utf-8",
    )
    scaffold(load_catalog(catalog), project, "survey")
    small = Small(tmp_path / "home", catalog, project)
    small.land("survey", "b1", [{"répondant": "7", "nom": "Ana Roy", "e-mail": "ana@x.fr", "avis": "bien"}])
    small.resolve("r1", [("survey", "7", "DK7")], {"DK7": "Roy"})
    small.build(run_id="r1").raise_for_problems()
    assert small.rows("select source, source_key, full_name, email from intermediate.int_source_contact") == [
        ("survey", "7", "Ana Roy", "ana@x.fr")
    ]
    assert small.rows("select source, event_type, detail, golden_id from marts.fct_event") == [
        ("survey", "survey", "bien", "DK7")
    ]
