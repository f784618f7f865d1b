"""The platform, run as its user runs it: files in, golden contacts out, then everything that may happen next.

The tests stand in the order of a deployment's life; each works on a copy of the built home, or only looks.
"""

import json
import shutil
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
import yaml

from datadock import names
from datadock.contact_view import view_contact
from datadock.errors import DatadockError
from datadock.evaluation import duplicate_rates, read_truth, score
from datadock.identity import is_valid_id
from datadock.lake import Lake
from datadock.settings import PROJECT_ROOT, Settings

MEMBERS = "select source, source_key, golden_id from marts.golden_membership where is_current order by all"


@pytest.fixture
def home(built_home, tmp_path):
    """A copy of the built home, to change."""
    shutil.copytree(built_home.folder, tmp_path / "home", symlinks=True)
    return replace(built_home, folder=tmp_path / "home")


def _members(home):
    return {(row["source"], row["source_key"]): row["golden_id"] for row in home.sql(MEMBERS)}


def _decide(home, kind, left, right):
    """Append a steward's decision to the ledger."""
    decision = uuid.uuid4().hex
    row = {
        "decision_id": decision,
        "kind": kind,
        "left_source": left[0],
        "left_key": left[1],
        "right_source": right[0],
        "right_key": right[1],
        "decided_by": "steward@example.com",
        "decided_at": datetime.now(UTC),
        "reason": "seen the papers",
    }
    Lake(home.folder / "lake").append_once(names.DECISIONS, pa.Table.from_pylist([row]), decision)


def _revenue(home):
    """Return revenue per golden contact and channel, and in total."""
    rows = home.sql("select golden_id, channel, sum(amount) as amount from marts.fct_order group by all order by all")
    total = home.sql("select sum(amount) as amount, count(*) as orders from marts.fct_order")[0]
    return rows, total


def _state(folder):
    logs = {str(p): p.stat().st_mtime_ns for p in (folder / "lake").rglob("_delta_log/*.json")}
    return logs | {str(p): p.stat().st_mtime_ns for p in (folder / "warehouse").glob("*.duckdb")}


def test_every_row_that_came_in_was_loaded_or_refused(built_home):
    status = built_home.json("status")
    assert [s["source"] for s in status["sources"]] == sorted(
        path.stem for path in (PROJECT_ROOT / "catalog" / "sources").glob("*.yml")
    )
    assert all(s["rows_in"] == s["loaded"] + s["quarantined"] for s in status["sources"])
    came = [s for s in status["sources"] if s["quarantined"] > 0 and s["loaded"] > 0]
    assert len(came) == len(status["sources"]) - 1  # nobody has asked for a treatment of moved people yet
    assert (status["last_run"]["status"], status["waiting_files"], status["alerts"]) == ("success", {}, [])


def test_linking_finds_the_planted_people(built_home):
    """Pairs between and within sources against the truth, which the pipeline never saw."""
    found = pl.DataFrame(built_home.sql(MEMBERS))
    scores = score(found, read_truth(built_home.truth))
    assert scores.precision > 0.97
    assert scores.f1 > 0.90
    assert scores.largest_found <= scores.largest_true + 4


def test_duplicate_rates_within_sources_are_the_planted_ones(built_home):
    rows = built_home.sql(
        "select left_source as source, duplicate_rate as rate from marts.dq_duplicate_state"
        " where left_source = right_source"
    )
    members = pl.DataFrame(built_home.sql(MEMBERS))
    planted = duplicate_rates(read_truth(built_home.truth).join(members, on=["source", "source_key"]), by="entity_id")
    expected = {r["left_source"]: r["rate"] for r in planted.to_dicts() if r["left_source"] == r["right_source"]}
    assert {row["source"]: pytest.approx(row["rate"], abs=0.02) for row in rows} == expected


def test_every_record_has_one_golden_id_that_checks(built_home):
    members = _members(built_home)
    contacts = built_home.sql("select count(*) as n from intermediate.int_source_contact")[0]["n"]
    assert len(members) == contacts
    assert all(is_valid_id(golden_id) for golden_id in members.values())
    known = {row["golden_id"] for row in built_home.sql("select golden_id from marts.dim_contact")}
    assert known == set(members.values())


def test_one_statement_joins_a_raw_document_to_a_golden_contact(built_home):
    rows = built_home.sql(
        "select c.golden_id, r.payload ->> '$.email' as email from raw.eshop_customers as r"
        " join marts.dim_contact_source as s"
        " on s.source = 'eshop_customers' and s.source_key = r.payload ->> '$.customer_id'"
        " join marts.dim_contact as c using (golden_id) where r.payload ->> '$.email' is not null limit 5"
    )
    assert len(rows) == 5
    assert all("@" in row["email"] and is_valid_id(row["golden_id"]) for row in rows)


def test_a_person_of_several_feeds_is_one_object_with_every_value_traced(built_home):
    rows = built_home.sql(
        "select golden_id, field, source, source_key, rule from marts.golden_provenance where golden_id in"
        " (select golden_id from marts.dim_contact where n_sources >= 3 limit 3) order by all"
    )
    members = _members(built_home)
    assert {row["golden_id"] for row in rows} <= set(members.values())
    assert all(members[row["source"], row["source_key"]] == row["golden_id"] and row["rule"] for row in rows)
    per_contact = {}
    for row in rows:
        per_contact.setdefault(row["golden_id"], set()).add(row["source"])
    assert max(len(sources) for sources in per_contact.values()) >= 2


def test_a_joint_account_has_its_roles_and_addresses_and_no_duplicate_person(built_home):
    joint = built_home.sql(
        "with joint as (select contract_id from marts.dim_contact_role group by contract_id"
        " having count(distinct golden_id) filter (role = 'subscriber') = 2"
        " and count(distinct golden_id) filter (role = 'payer') = 1)"
        " select r.contract_id, count(distinct (a.address_line, a.postcode)) as addresses,"
        " count(distinct r.golden_id) as people from marts.dim_contact_role as r join joint using (contract_id)"
        " join intermediate.int_contact_address as a on a.contact_source = r.contact_source"
        " and a.contact_key = r.contact_key group by r.contract_id order by addresses desc"
    )
    assert joint[0]["addresses"] >= 3
    assert joint[0]["people"] >= 2


def test_a_card_of_one_shop_finds_the_contact_of_another(built_home):
    rows = built_home.sql(
        "select s.golden_id from marts.dim_contact_source as s join staging.stg_loyalty_cards__contact as c"
        " on s.source = 'loyalty_cards' and s.source_key = c.source_key group by s.golden_id"
        " having count(distinct c.store_code) > 1"
    )
    assert rows


def test_one_call_returns_everything_known_of_a_person(built_home):
    record = built_home.sql(
        "select s.source, s.source_key, s.golden_id from marts.dim_contact_source as s"
        " join marts.fct_order as o using (golden_id) join marts.fct_event as e using (golden_id)"
        " join marts.fct_consent as c using (golden_id) order by all limit 1"
    )[0]
    settings = Settings(home=built_home.folder)
    view = view_contact(settings, f"{record['source']}:{record['source_key']}")
    golden_id = record["golden_id"]
    assert list(view) == [
        *("golden_id", "contact", "records", "provenance", "addresses", "channels", "contact_points", "names"),
        *("attributes", "treatments", "roles", "companies", "staff", "orders", "revenue", "events", "consents"),
        *("suspects", "former_ids", "targets", "alerts"),
    ]
    assert view["golden_id"] == view["contact"]["golden_id"] == golden_id
    for part, table in {"records": "dim_contact_source", "orders": "fct_order", "events": "fct_event"}.items():
        count = built_home.sql(f"select count(*) as n from marts.{table} where golden_id = '{golden_id}'")[0]["n"]
        assert len(view[part]) == count > 0
    assert built_home.json("contact", golden_id)["contact"]["golden_id"] == golden_id
    with pytest.raises(DatadockError, match="is not a golden id"):
        view_contact(settings, golden_id[:-2] + ("1" if golden_id[-2] == "0" else "0") + golden_id[-1])


def test_the_accuracy_gate_holds_and_a_planted_regression_makes_it_fail(built_home, tmp_path):
    truth = read_truth(built_home.truth).select("source", "source_key", "entity_id")
    reviewed, regressed = tmp_path / "reviewed.csv", tmp_path / "regressed.parquet"
    truth.write_csv(reviewed)
    scores = built_home.json("identity", "evaluate", reviewed)
    assert scores["missing"] == 0
    assert scores["precision"] > 0.98
    # The same people, of whom every tenth now is somebody else: what a linking that lost its way looks like.
    truth.with_columns(
        pl.when(pl.int_range(pl.len()) % 10 == 0)
        .then(pl.col("entity_id").shift(1))
        .otherwise("entity_id")
        .alias("entity_id")
    ).write_parquet(regressed)
    result = built_home.run("identity", "evaluate", regressed, check=False)
    assert result.returncode == 1
    assert "precision" in result.stderr
    assert "at least 0.98" in result.stderr


def test_the_reports_stand_without_a_network(built_home):
    index = built_home.folder / "reports" / "index.html"
    text = index.read_text(encoding="utf-8")
    assert "crm_contacts" in text
    assert (index.parent / "data_docs" / "index.html").exists()


def test_a_write_through_sql_is_refused(built_home):
    for statement in ("delete from marts.dim_contact", "create table x as select 1", "copy (select 1) to '/tmp/x.csv'"):
        result = built_home.run("sql", statement, check=False)
        assert result.returncode != 0, statement
        assert "datadock:" in result.stderr
        assert "Traceback" not in result.stderr


def test_with_nothing_new_no_table_is_rewritten(built_home):
    before = _state(built_home.folder)
    assert "Nothing new" in built_home.run("run").stdout
    assert _state(built_home.folder) == before


def test_the_same_file_again_under_another_name_adds_nothing(home):
    content = "N° carte;Nom;Code magasin\nF999999999;Durand;M001\n".encode("latin-1")
    first, second = home.folder.parent / "a.csv", home.folder.parent / "b.csv"
    first.write_bytes(content)
    second.write_bytes(content)
    loaded = [home.json("land", path, "--source", "loyalty_cards")[0] for path in (first, second)]
    assert [(row["loaded"], row["known before"]) for row in loaded] == [(1, False), (1, True)]
    rows = home.sql("select count(*) as n from raw.loyalty_cards where payload like '%F999999999%'")
    assert rows == [{"n": 1}]


def test_a_refused_record_enters_once_it_is_corrected(home):
    refused = next(
        row for row in home.json("quarantine", "list", "--source", "orders", "--reason", "out_of_range") if row
    )
    shown = home.json("quarantine", "show", refused["rejection_id"])
    corrected = home.folder.parent / "corrected.json"
    corrected.write_text(json.dumps(json.loads(shown["payload"]) | {"amount": "42.50"}), encoding="utf-8")
    arguments = ("quarantine", "retry", "--id", refused["rejection_id"], "--payload", corrected)
    assert home.json(*arguments)["loaded"] == 1
    order = json.loads(shown["payload"])["order_id"]
    assert home.sql(
        f"select payload ->> '$.amount' as amount from raw.orders where payload ->> '$.order_id' = '{order}'"
    ) == [{"amount": "42.50"}]
    assert home.json(*arguments)["tried"] == 0


def test_a_rebuild_changes_no_id_and_decisions_hold(home):
    """Full rebuild; then a merge by decision, which loses nothing; then its undoing, which restores everything."""
    before = _members(home)
    by_channel, total = _revenue(home)
    assert home.build(full=True).status == "success"
    assert _members(home) == before
    assert _revenue(home) == (by_channel, total)

    buyers = home.sql(
        "select contact_source, contact_key, golden_id, sum(amount) as amount from marts.fct_order"
        " where golden_id is not null group by all order by all"
    )
    one = buyers[0]
    two = next(b for b in buyers if b["golden_id"] != one["golden_id"])
    pair = [(b["contact_source"], b["contact_key"]) for b in (one, two)]
    _decide(home, "must_link", *pair)
    assert home.build().status == "success"
    merged = _members(home)
    assert merged[pair[0]] == merged[pair[1]] == min(one["golden_id"], two["golden_id"])
    assert {record for record in before if before[record] != merged[record]} == {
        record for record in before if before[record] == max(one["golden_id"], two["golden_id"])
    }
    assert _revenue(home)[1] == total
    redirect = home.sql("select old_id, new_id from marts.golden_redirect")
    assert {"old_id": max(one["golden_id"], two["golden_id"]), "new_id": merged[pair[0]]} in redirect

    _decide(home, "never_link", *pair)
    assert home.build().status == "success"
    assert _members(home) == before
    assert _revenue(home) == (by_channel, total)


def test_a_ninth_source_takes_one_yml_and_no_python(home, tmp_path):
    catalog, project = tmp_path / "catalog", tmp_path / "dbt_project"
    shutil.copytree(PROJECT_ROOT / "catalog", catalog)
    shutil.copytree(PROJECT_ROOT / "dbt_project", project, ignore=shutil.ignore_patterns("target", "logs"))
    declaration = tmp_path / "paper_coupons.yml"
    declaration.write_text(
        yaml.safe_dump(
            {
                "description": "Coupons sent back by post.",
                "owner": "marketing@example.com",
                "format": {"type": "csv"},
                "entities": {
                    "contact": {
                        "key": "coupon",
                        "fields": {"given_name": "first", "family_name": "last", "email": "mail", "postcode": "zip"},
                    }
                },
            }
        ),
        encoding="utf-8",
    )
    known = home.sql(
        "select given_name, family_name, email, postcode, golden_id from marts.dim_contact"
        " where party_type = 'person' and email is not null"
        " and given_name is not null and family_name is not null and postcode is not null and n_records > 2 limit 1"
    )[0]
    home.run("source", "add", declaration, DATADOCK_CATALOG=str(catalog), DATADOCK_DBT_PROJECT=str(project))
    folder = home.folder / "landing" / "paper_coupons"
    folder.mkdir(parents=True)
    (folder / "coupons.csv").write_text(
        "coupon,first,last,mail,zip\n"
        f"K1,{known['given_name']},{known['family_name']},{known['email']},{known['postcode']}\n"
        "K2,Zéphyrine,Quatrebarbes,zephyrine@quatrebarbes.example,35000\n",
        encoding="utf-8",
    )
    outcome = home.build(catalog=catalog, dbt_project=project)
    assert [(s.source, s.loaded) for s in outcome.summary.sources if s.source == "paper_coupons"] == [
        ("paper_coupons", 2)
    ]
    found = home.sql(
        "select source_key, golden_id from marts.dim_contact_source where source = 'paper_coupons' order by all",
        catalog=catalog,
        dbt_project=project,
    )
    assert [row["source_key"] for row in found] == ["K1", "K2"]
    assert found[0]["golden_id"] == known["golden_id"]
    assert is_valid_id(found[1]["golden_id"])


def test_a_locked_warehouse_is_a_clear_error_and_nothing_is_lost(home):
    holder = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]);"
        " c.execute('create or replace table datadock.x as select 1');"
        " print('held', flush=True); time.sleep(120)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(home.folder / "warehouse" / "warehouse.duckdb")], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"held\n"
        (home.folder / "landing" / "loyalty_cards" / "late.csv").write_bytes(
            "N° carte;Nom;Code magasin\nF999999998;Durand;M001\n".encode("latin-1")
        )
        outcome = home.build()
        assert outcome.status == "failure"
        assert "is in use" in outcome.text()
        assert "to do:" in outcome.text()
        assert "Traceback" not in outcome.text()
    finally:
        process.kill()
        process.wait()
    assert home.build().status == "success"
    assert home.sql("select count(*) as n from staging.stg_loyalty_cards__contact where source_key = 'F999999998'") == [
        {"n": 1}
    ]


def test_errors_are_three_lines_and_an_exit_code(tmp_path, built_home):
    cases = {
        ("land", tmp_path / "nothing.csv", "--source", "newsletter"): (1, "cannot be read"),
        ("land", PROJECT_ROOT / "README.md", "--source", "nobody"): (2, "no source is called 'nobody'"),
        ("sql", "select * from marts.no_such_table"): (1, "no_such_table"),
        ("quarantine", "show", "ffffffffffff"): (1, "ffffffffffff"),
        ("link", tmp_path, "--out", tmp_path / "x.parquet"): (2, "no declaration"),
    }
    for arguments, (code, words) in cases.items():
        result = built_home.run(*arguments, check=False)
        assert (result.returncode, words in result.stderr) == (code, True), (arguments, result.stderr)
        assert "Traceback" not in result.stderr


def test_help_shows_an_example_everywhere():
    from typer.testing import CliRunner

    from datadock.cli import app

    commands = [
        ("run",), ("land",), ("status",), ("contact",), ("sql",), ("report",), ("link",), ("ui",), ("webhook",),
        ("identity", "evaluate"), ("identity", "what-if"), ("identity", "train"), ("identity", "models"),
        ("identity", "use"), ("identity", "report"), ("source", "add"), ("source", "list"), ("source", "check"),
        ("quarantine", "list"), ("quarantine", "show"), ("quarantine", "retry"), ("demo", "generate"),
    ]  # fmt: skip
    assert [c for c in commands if "Example: " not in CliRunner().invoke(app, [*c, "--help"]).stdout] == []


def test_the_truth_is_outside_the_home(built_home):
    assert not Path(built_home.truth).is_relative_to(built_home.folder)
    assert list(Path(built_home.truth).iterdir())
