import csv
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from datadock.catalog import load_catalog
from datadock.demo import Damage, generate, people_for_records
from datadock.errors import DatadockError
from datadock.evaluation import duplicate_rates, read_truth
from datadock.settings import PROJECT_ROOT


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def keys_of(truth: pl.DataFrame, source: str) -> set[str]:
    return set(truth.filter(pl.col("source") == source)["source_key"])


def test_files_stand_in_the_folders_of_the_declared_sources_and_match_their_patterns(delivered):
    home, summary = delivered
    catalog = load_catalog(PROJECT_ROOT / "catalog")
    assert set(summary.files) == {name for name, source in catalog.sources.items() if not source.occasional}
    for source, paths in summary.files.items():
        for path in paths:
            assert path.exists()
            if catalog.sources[source].pull is None:
                assert path.parent == home / "landing" / source
                assert path.match(catalog.sources[source].pattern)
    assert not list(home.rglob(".*.part"))


def test_the_same_arguments_give_the_same_bytes_in_another_process_with_other_threads(delivered, tmp_path):
    home, _ = delivered
    place = str(tmp_path / "home" / "landing")
    script = f"from pathlib import Path; from datadock.demo import generate; generate(1500, 7, Path({place!r}))"
    environment = {"PYTHONHASHSEED": "12345", "POLARS_MAX_THREADS": "1", "TZ": "Asia/Tokyo", "PATH": ""}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=PROJECT_ROOT, env=environment)
    assert digests(tmp_path / "home") == digests(home)
    assert digests(tmp_path / "home-truth") == digests(home.with_name("home-truth"))


def test_another_seed_gives_other_people(delivered, tmp_path):
    home, _ = delivered
    generate(1500, 8, tmp_path / "landing", truth=tmp_path.with_name(tmp_path.name + "-t"))
    assert not set(digests(home / "landing").items()) & set(digests(tmp_path / "landing").items())


def test_the_truth_knows_every_contact_record_of_the_xlsx_but_the_bad_ones(delivered):
    home, summary = delivered
    truth = read_truth(home.with_name("home-truth"))
    sheet = CalamineWorkbook.from_path(str(summary.files["crm_contacts"][0])).get_sheet_by_name("Contacts").to_python()
    column, kind = sheet[0].index("N° contact"), sheet[0].index("Type")
    good = [row[column] for row in sheet[1:] if row[column] and row[kind] != "#REF!"]
    assert set(good) == keys_of(truth, "crm_contacts")
    assert len(sheet) - 1 - len(good) == summary.bad["crm_contacts"] == 2


def test_lines_of_the_shop_are_json_but_for_the_broken_one_and_hold_nested_records(delivered):
    home, summary = delivered
    records, broken = [], 0
    for line in summary.files["eshop_customers"][0].read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            broken += 1
    assert (broken, sum(record["customer_id"] is None for record in records)) == (1, 1)
    truth = read_truth(home.with_name("home-truth"))
    assert {record["customer_id"] for record in records} - {None} == keys_of(truth, "eshop_customers")


def test_a_joint_contract_has_two_subscribers_one_payer_and_three_addresses(delivered):
    _, summary = delivered
    contracts: dict[str, list[tuple[str, str]]] = {}
    addresses: dict[str, list[str]] = {}
    for line in summary.files["eshop_customers"][0].read_text(encoding="utf-8").splitlines():
        record = json.loads(line) if line.endswith("}") else {"contracts": []}
        for held in record["contracts"]:
            contracts.setdefault(held["contract_id"], []).append((held["role"], record["customer_id"]))
            addresses.setdefault(held["contract_id"], []).extend(a["type"] for a in record["addresses"])
    joint = {
        contract
        for contract, held in contracts.items()
        if len({who for role, who in held if role == "subscriber"}) == 2
        and sum(role == "payer" for role, _ in held) == 1
    }
    assert joint
    assert any(len(addresses[contract]) >= 3 for contract in joint)


def test_loyalty_cards_are_latin_1_with_semicolons_and_one_ragged_line(delivered):
    _, summary = delivered
    content = summary.files["loyalty_cards"][0].read_bytes()
    rows = list(csv.reader(io.StringIO(content.decode("latin-1")), delimiter=";"))
    assert "Tél. fixe" in rows[0]
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert [len(row) for row in rows].count(len(rows[0]) + 2) == 1


def test_a_card_is_used_in_stores_other_than_the_one_where_it_was_taken(delivered):
    _, summary = delivered
    cards = pl.read_csv(
        summary.files["loyalty_cards"][0].read_bytes().decode("latin-1").encode(),
        separator=";",
        infer_schema=False,
        truncate_ragged_lines=True,
    ).select(pl.col("N° carte").alias("loyalty_card"), pl.col("Code magasin").alias("taken_in"))
    orders = pl.read_parquet(summary.files["orders"][0]).join(cards, on="loyalty_card")
    assert orders.filter(pl.col("store_code") != pl.col("taken_in")).height > 0
    assert orders.filter(pl.col("store_code") == pl.col("taken_in")).height > orders.height / 2


def test_orders_add_up_and_refer_to_known_keys(delivered):
    home, summary = delivered
    truth = read_truth(home.with_name("home-truth"))
    orders = pl.read_parquet(summary.files["orders"][0])
    good = orders.filter(pl.col("order_id").str.starts_with("O"))
    assert orders.height - good.height == summary.bad["orders"]
    totals = good.select(
        pl.col("lines").list.eval(pl.element().struct.field("amount")).list.sum().alias("sum"), "amount"
    )
    assert totals.filter(pl.col("sum") != pl.col("amount")).height == 0
    assert set(good["source"]) == {"web", "store"}
    assert set(good["customer_id"].drop_nulls()) <= keys_of(truth, "eshop_customers")
    assert set(good["loyalty_card"].drop_nulls()) <= keys_of(truth, "loyalty_cards")
    assert good.filter(pl.col("customer_id").is_null() == pl.col("loyalty_card").is_null()).height == 0


def test_call_notes_are_messages_with_labelled_lines(delivered):
    home, summary = delivered
    with zipfile.ZipFile(summary.files["call_notes"][0]) as archive:
        assert archive.testzip() is None
        notes = [archive.read(name).decode() for name in archive.namelist()]
    keys = {
        line.removeprefix("Dossier: ") for note in notes for line in note.splitlines() if line.startswith("Dossier: ")
    }
    assert keys == keys_of(read_truth(home.with_name("home-truth")), "call_notes")
    assert len(notes) - len(keys) == summary.bad["call_notes"] == 1


def test_the_partner_database_answers_the_declared_query(delivered):
    home, summary = delivered
    pull = load_catalog(PROJECT_ROOT / "catalog").sources["partner_prospects"].pull
    assert pull is not None
    assert pull.url == "sqlite:///{home}/partner/partner.sqlite"
    with sqlite3.connect(home / "partner" / "partner.sqlite") as connection:
        rows = connection.execute(pull.query or "").fetchall()
    assert len(rows) == summary.records["partner_prospects"]


def test_late_files_are_older_lack_a_column_and_come_twice(delivered):
    _, summary = delivered
    first, late, copy = summary.files["loyalty_cards"]
    assert late.read_bytes() == copy.read_bytes()
    assert [path.name for path in (first, late, copy)] == sorted(path.name for path in (first, late, copy))
    header = late.read_bytes().decode("latin-1").splitlines()[0].split(";")
    assert "Portable" in first.read_bytes().decode("latin-1").splitlines()[0].split(";")
    assert "Portable" not in header
    assert len(late.read_bytes().splitlines()) - 1 == summary.late["loyalty_cards"]


def test_planted_rates_are_those_of_the_truth(delivered):
    home, summary = delivered
    truth = read_truth(home.with_name("home-truth"))
    assert summary.planted.equals(duplicate_rates(truth, "entity_id"))
    inside = summary.planted.filter(pl.col("left_source") == "loyalty_cards", pl.col("right_source") == "loyalty_cards")
    assert 0.01 < inside["rate"][0] < 0.08


def test_without_damage_nothing_is_bad_late_or_twice(tmp_path):
    summary = generate(300, 1, tmp_path / "home" / "landing", damage=Damage.none())
    assert set(summary.bad.values()) == {0}
    assert summary.late == {}
    assert all(len(paths) == 1 for paths in summary.files.values())
    within = summary.planted.filter(
        pl.col("left_source") == pl.col("right_source"), pl.col("left_source") != "crm_contacts"
    )
    # The CRM still holds some people twice: privately and as somebody's contact.
    assert within["duplicates"].sum() == 0


def test_a_second_delivery_is_about_as_large_as_asked_and_its_new_keys_are_new(tmp_path):
    home = tmp_path / "home"
    first = generate(8000, 5, home / "landing")
    second = generate(8000, 5, home / "landing", delivery=2, new_rate=0.02)
    assert second.total / first.total == pytest.approx(0.02, rel=0.25)
    keys = pl.concat(
        [pl.read_parquet(home.with_name("home-truth") / f"delivery-0{number}" / "records.parquet") for number in (1, 2)]
    )
    pairs = keys.group_by("source", "source_key").agg(pl.len(), pl.col("entity_id").n_unique())
    assert pairs["entity_id"].max() == 1
    assert 0 < pairs.filter(pl.col("len") == 2).height < second.contact_records


def test_a_truth_inside_the_home_is_refused(tmp_path):
    with pytest.raises(DatadockError, match="the truth would lie inside the home"):
        generate(10, 1, tmp_path / "home" / "landing", truth=tmp_path / "home" / "truth")


def test_a_folder_that_takes_no_files_is_an_error_in_words(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "landing").write_text("a file, not a folder")
    with pytest.raises(DatadockError, match="cannot be written"):
        generate(10, 1, tmp_path / "home" / "landing")


def test_no_part_of_the_platform_reads_the_truth():
    readers = {
        str(path.relative_to(PROJECT_ROOT))
        for room in ("datadock", "assets", "sensors", "expectations")
        for path in (PROJECT_ROOT / room).rglob("*.py")
        if "read_truth" in path.read_text(encoding="utf-8") or "-truth" in path.read_text(encoding="utf-8")
    }
    assert readers <= {"datadock/evaluation.py", "datadock/demo/delivery.py", "datadock/cli/demo.py"}


def test_people_for_records_inverts_the_stated_rate():
    people = people_for_records(1_000_000)
    assert 420_000 < people < 440_000
