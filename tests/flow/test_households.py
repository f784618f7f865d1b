"""Household ids last: newcomers, moves, merges and a rebuild from nothing change no more than they must."""

from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl
import pytest

from datadock import identity, names
from datadock.catalog import load_catalog
from datadock.catalog.fields import MODEL
from datadock.lake import Lake

pytestmark = pytest.mark.slow

START = datetime(2026, 1, 1, tzinfo=UTC)
GIVEN = ("Aline", "Bruno", "Chloé", "David", "Elsa", "Farid", "Gaëlle", "Hugo", "Inès", "Jules")
FAMILY = ("Bal", "Cham", "Dor", "Fal", "Gar", "Lam", "Mou", "Pel", "Rou", "Sal", "Tour", "Vil")
ENDINGS = ("ard", "eau", "et", "ier", "in", "on", "ot", "oux", "and", "ert")
FIELDS = ("given_name", "family_name", "birth_date", "email", "phone", "address_line", "postcode", "city")
SQL = {"text": "varchar", "date": "date", "timestamp": "timestamptz", "number": "double"}


class Town:
    """A deployment with one source, whose contacts can be told anew, and runs over them."""

    def __init__(self, folder):
        (folder / "sources").mkdir(parents=True)
        fields = ", ".join(f"{name}: {name}" for name in FIELDS)
        (folder / "sources" / "crm.yml").write_text(
            "description: x\nowner: x\nformat: {type: csv}\n"
            f"entities: {{contact: {{key: id, fields: {{{fields}}}}}}}\n",
            encoding="utf-8",
        )
        self.catalog, self.lake = load_catalog(folder), Lake(folder / "lake")
        self.warehouse, self.runs, self.people = folder / "warehouse.duckdb", 0, {}

    def tell(self, key, given, family, line, **more):
        told = {"given_name": given, "family_name": family, "address_line": line, "postcode": "69001", "city": "Lyon"}
        self.people[key] = {**told, "email": f"{given}.{family}@mail.fr".lower(), **more}

    def run(self):
        """Run every step; return household by person's key."""
        self.runs += 1
        self.warehouse.unlink(missing_ok=True)
        frame = pl.DataFrame(
            [{"source_key": key, **row} for key, row in sorted(self.people.items())], infer_schema_length=None
        )
        columns = ", ".join(
            f"{name if name in frame.columns else 'null'}::{SQL[kind]} as {name}"
            for name, (_, kind) in MODEL["contact"].items()
        )
        with duckdb.connect(str(self.warehouse)) as con:
            con.register("told", frame.to_arrow())
            con.execute(
                "create schema intermediate; create table intermediate.int_source_contact as select 'crm' as source, "
                f"source_key, 'person' as party_type, {columns}, null::timestamptz as record_updated_at, "
                "'b' as _batch_id, 'f' as _file, 1::bigint as _line, timestamptz '2026-01-01' as _received_at from told"
            )
        at = START + timedelta(hours=self.runs)
        workspace = identity.Workspace(self.lake, self.catalog, self.warehouse, f"run{self.runs}", at, "secret")
        for step in ("update_features", "score_pairs", "assign_identities", "build_golden"):
            getattr(identity, step)(workspace)
        self.report = identity.assign_households(workspace)
        return {key: home for key, home in self.households(workspace).items() if len(key) == 1}

    def households(self, workspace):
        log = pl.concat([pl.read_parquet(file) for file in self.lake.files(names.HOUSEHOLDS)])
        now = log.filter(pl.col("generation") == pl.col("generation").max().over("golden_id"))
        housed = now.filter(pl.col("op") == "upsert").select("golden_id", "household_id")
        members = identity.memberships.current_memberships(identity.memberships.read_log(workspace))
        return dict(
            members.join(housed, on="golden_id").select("source_key", "household_id").sort("source_key").iter_rows()
        )


@pytest.fixture
def town(tmp_path):
    return settled(Town(tmp_path / "town"))


def settled(town):
    """Four people at two addresses, and enough others to learn from what tells people apart."""
    for n in range(120):
        given, family = GIVEN[n % 10], FAMILY[n * 7 % 12] + ENDINGS[n // 12 % 10]
        told = {"birth_date": f"{1940 + n % 60}-{1 + n % 12:02}-{1 + n % 28:02}", "postcode": f"42{n:03}"}
        town.tell(f"x{n}", given, family, f"{n + 1} rue {FAMILY[n % 12]}", **told)
        if n % 3 == 0:
            town.tell(f"y{n}", given, family.upper(), f"{n + 1} rue {FAMILY[n % 12]}", **told)
    town.tell("a", "Paul", "Durand", "1 rue Victor Hugo", birth_date="1961-02-03")
    town.tell("b", "Anne", "Durand", "1 rue Victor Hugo", birth_date="1963-10-21")
    town.tell("c", "Marc", "Petit", "1 rue Victor Hugo", birth_date="1975-07-14")
    town.tell("d", "Lise", "Moreau", "8 rue Nationale", birth_date="1978-12-30")
    return town


def test_a_newcomer_does_not_rename_a_household(town):
    before = town.run()
    assert before["a"] == before["b"]
    assert len(set(before.values())) == 3
    assert all(household.startswith("HH") for household in before.values())
    town.tell("e", "Zoé", "Durand", "1, RUE VICTOR HUGO", birth_date="1990-05-05")
    after = town.run()
    assert after == {**before, "e": before["a"]}
    assert town.report.looked_at == 4  # the people of one address, not the other


def test_nothing_new_is_written_twice(town):
    town.run()
    town.run()
    assert not town.report.changed


def test_who_moves_out_leaves_the_id_to_those_who_stay(town):
    before = town.run()
    town.tell("a", "Paul", "Durand", "5 place du Marché", birth_date="1961-02-03")
    after = town.run()
    assert after["b"] == before["b"]
    assert after["a"] not in before.values()


def test_who_moves_in_with_a_partner_takes_on_their_household(town):
    before = town.run()
    town.tell("d", "Lise", "Moreau", "1 rue Victor Hugo", birth_date="1978-12-30", phone="0612345699")
    town.tell("c", "Marc", "Petit", "1 rue Victor Hugo", birth_date="1975-07-14", phone="06 12 34 56 99")
    after = town.run()
    assert after["c"] == after["d"]
    assert after["c"] in {before["c"], before["d"]}
    assert (after["a"], after["b"]) == (before["a"], before["b"])


def test_looking_at_everybody_anew_changes_nothing(town, monkeypatch):
    town.run()
    town.tell("e", "Zoé", "Durand", "1 rue Victor Hugo", birth_date="1990-05-05")
    before = town.run()
    monkeypatch.setattr(identity.households, "FORM", 99)
    assert town.run() == before
    assert town.report.looked_at == town.report.people
    assert town.report.moves == 0


def test_increments_end_where_one_run_would(town, tmp_path):
    whole = Town(tmp_path / "whole")
    town.run()
    town.tell("e", "Zoé", "Durand", "1 rue Victor Hugo", birth_date="1990-05-05")
    town.tell("f", "Luc", "Moreau", "8 rue Nationale", birth_date="2001-01-09")
    by_steps = town.run()
    whole.people = dict(town.people)
    at_once = whole.run()

    def groups(found):
        return {frozenset(key for key, home in found.items() if home == one) for one in found.values()}

    assert groups(by_steps) == groups(at_once)


def test_who_is_gone_is_in_no_household(town):
    town.run()
    del town.people["d"]
    assert "d" not in town.run()
