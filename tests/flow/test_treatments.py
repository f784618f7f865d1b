"""Treatments on the demo company, run for real: a set is treated, nothing else changes, and taking back restores."""

from dataclasses import dataclass, field

import pytest

from datadock.demo import generate
from datadock.dock import exclusive, open_dock
from datadock.errors import DatadockError
from datadock.jobs import QUALITY, TREATMENT
from datadock.launch import launch_and_wait, treatment_config
from datadock.run import run_platform
from datadock.settings import Settings
from datadock.treatments import Request, listed, treat, treatments, withdraw, withdraw_data_set
from datadock.warehouse.publish import query_published

# Typed at the counter; what a reading makes of it: status, line 4, line 6.
DAMAGED = {
    "F900000001": ("8 rue ste catherine;33000;Bordaeux", "CORRIGEE", "8 RUE STE CATHERINE", "33000 BORDEAUX"),
    "F900000002": ("5 rue Nationale;59000;LILE", "CORRIGEE", "5 RUE NATIONALE", "59000 LILLE"),
    "F900000003": ("4, route du Lac;01140;Illiat", "OK", "4 ROUTE DU LAC", "01140 ILLIAT"),
    "F900000004": ("7 avenue Foch;99999;Nulleville", "REJETEE", "7 AVENUE FOCH", "99999 NULLEVILLE"),
}
PEOPLE = ("Berthe;Quillard", "Gaspard;Tournefeuille", "Ombeline;Vaudricourt", "Anatole;Zieger")
CARDS = "N° carte;Prénom;Nom;Adresse;Code postal;Ville;Code magasin\n" + "".join(
    f"{card};{name};{told[0]};M001\n" for (card, told), name in zip(DAMAGED.items(), PEOPLE, strict=True)
)
SET = "sql: select golden_id from marts.dim_contact_source where source_key like 'F90000000%'"
MOVED = (
    "given_name,family_name,old_address_line,old_postcode,old_city,address_line,postcode,city,moves_on\n"
    "GASPARD,TOURNEFEUILLE,5 r. nationale,59000,Lille,3 place Bellecour,69002,Lyon,2026-02-01\n"
    "Ombeline,Vaudricourt,4 route du Lac,01140,Illiat,1 rue Crébillon,44000,Nantes,2999-01-01\n"
    "Berthe,Delaroche,8 rue ste catherine,33000,Bordeaux,1 rue Crébillon,44000,Nantes,2026-02-01\n"
)
OF_SET = "contact_key like 'F90000000%'"
POINTS = (
    "select contact_source, contact_key, kind, field, value, normal_form, status, usable, reason "
    "from marts.dim_contact_point where is_current and "
)
CONTACTS = (
    "select golden_id, family_name, address_line, postcode, city from marts.dim_contact where golden_id {} in ("
    + (SET.removeprefix("sql:") + ") order by all")
)


@dataclass
class Company:
    """The demo company and what was seen of it, by moment."""

    settings: Settings
    seen: dict = field(default_factory=dict)

    def rows(self, query):
        return [tuple(row) for row in query_published(self.settings, query)[1]]

    def look(self, moment):
        self.seen[moment] = {
            "set": self.rows(f"{POINTS} kind = 'address' and {OF_SET} order by all"),
            "golden": [row[1:] for row in self.rows(CONTACTS.format(""))],
            "others": self.rows(f"{POINTS} not {OF_SET} order by all") + self.rows(CONTACTS.format("not")),
            "attributes": self.rows(
                "select source_key, attribute, value, data_set, origin_version, added_by from marts.contact_attribute "
                "join marts.dim_contact_source using (golden_id) order by all"
            ),
        }

    def run(self, moment):
        assert run_platform(open_dock(self.settings)).failures == ()
        self.look(moment)


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    base = tmp_path_factory.mktemp("treatments")
    home = base / "home"
    generate(300, 11, home / "landing", truth=base / "truth")
    (home / "landing" / "loyalty_cards" / "planted.csv").write_text(CARDS, encoding="latin-1")
    company = Company(Settings(home=home, modules_off="expectations,reports"))
    company.run("before")
    dock = open_dock(company.settings)
    rnvp = treatment_config(kind="rnvp", contacts=SET, by="anne", why="spring catalogue")
    company.seen["launched"] = launch_and_wait(dock, TREATMENT, rnvp, timeout_seconds=300)
    (base / "moved.csv").write_text(MOVED)
    company.seen["moves"] = treat(dock, Request("moves", SET, "anne", "monthly file", file=str(base / "moved.csv")))
    zones = Request("enrichment", SET, "paul", "holidays", data_set="school_zones")
    company.seen["zones"] = treat(dock, zones)
    company.seen["iris"] = treat(dock, Request("iris", SET, "paul", "catchment area"))
    company.run("treated")
    withdraw(dock, company.seen["moves"].treatment_id, "paul", "wrong file")
    withdraw_data_set(dock, "school_zones", "paul", "no holidays")
    company.run("restored")
    return company


def test_each_planted_address_is_kept_before_and_after(company):
    rows = company.rows(
        "select contact_key, declared_address_line, declared_postcode, declared_city, after_status, after_line_4, "
        "after_line_6, is_newest and before_form = after_form and after_reference like 'communes%' "
        "from marts.fct_treatment_address where kind = 'rnvp' order by all"
    )
    assert rows == [(card, *told[0].split(";"), *told[1:], True) for card, told in DAMAGED.items()]
    evidence = company.rows(
        "select contact_key, unnest(after_evidence).before, unnest(after_evidence).after "
        "from marts.fct_treatment_address where kind = 'rnvp' and contact_key = 'F900000002'"
    )
    assert ("F900000002", "LILE", "LILLE") in evidence


def test_a_job_was_launched_and_waited_for(company):
    launched = company.seen["launched"]
    facts = launched.facts["quality/treatments"]
    (kept,) = [one for one in treatments(open_dock(company.settings).lake) if one.kind == "rnvp"]
    assert (facts["treatment"], facts["contacts"]) == (kept.treatment_id, 4)
    told = company.rows(
        "select treatment_id, asked_by, reason, run_id, stands from marts.fct_treatment where kind = 'rnvp'"
    )
    assert told == [(kept.treatment_id, "anne", "spring catalogue", launched.run_id, True)]


def test_a_due_move_makes_the_new_address_current_an_announced_one_waits_and_the_rest_is_listed(company):
    outcomes = company.seen["moves"].outcomes.drop_nulls("line").select("line", "outcome", "reason").rows()
    assert outcomes == [(1, "treated", None), (2, "treated", None), (3, "unmatched", "INCONNU_A_L_ADRESSE")]
    points = [
        (key, form, usable, reason) for _, key, _, _, _, form, _, usable, reason in company.seen["treated"]["set"]
    ]
    assert points == [
        ("F900000001", "8 RUE STE CATHERINE, 33000 BORDEAUX", True, None),
        ("F900000002", "5 RUE NATIONALE, 59000 LILLE", False, "DEMENAGEMENT"),
        ("F900000002", "3 PLACE BELLECOUR, 69002 LYON", True, None),
        ("F900000003", "4 ROUTE DU LAC, 01140 ILLIAT", True, None),
        ("F900000003", "1 RUE CREBILLON, 44000 NANTES", False, "ANNONCEE"),
        ("F900000004", "7 AVENUE FOCH, 99999 NULLEVILLE", False, "REJETEE"),
    ]
    assert ("Tournefeuille", "3 place Bellecour", "69002", "Lyon") in company.seen["treated"]["golden"]


def test_outside_the_set_nothing_changes(company):
    assert len(company.seen["before"]["others"]) > 500
    assert company.seen["treated"]["others"] == company.seen["before"]["others"]
    assert company.seen["restored"]["others"] == company.seen["before"]["others"]


def test_what_was_added_stands_on_the_set_only_and_goes_with_its_data_set(company):
    iris = ("F900000003", "iris", "011880000", "iris", "2021", "paul")
    zones = [
        (card, *attribute, "school_zones", "2015", "paul")
        for card, academy, zone in (
            ("F900000001", "Bordeaux", "A"),
            ("F900000002", "Lille", "B"),
            ("F900000003", "Lyon", "A"),
        )
        for attribute in (("school_academy", academy), ("school_zone", zone))
    ]
    assert company.seen["treated"]["attributes"] == sorted([*zones, iris])
    assert company.seen["restored"]["attributes"] == [iris]


def test_contacts_without_an_iris_are_listed_with_the_reason(company):
    reasons = listed(company.seen["iris"].outcomes)["reason"].to_list()
    assert sorted(reasons) == ["REJETEE", "contours_absents", "contours_absents"]
    told = company.rows(
        "select count(*) from marts.fct_treatment_contact where kind = 'iris' and outcome = 'unmatched'"
    )
    assert told == [(3,)]


def test_taking_a_move_back_restores_what_it_changed(company):
    assert company.seen["restored"]["set"] == company.seen["before"]["set"]
    assert company.seen["restored"]["golden"] == company.seen["before"]["golden"]
    told = company.rows("select stands, withdrawn_by, withdrawn_why from marts.fct_treatment where kind = 'moves'")
    assert told == [(False, "paul", "wrong file")]
    assert run_platform(open_dock(company.settings)).status == "nothing_new"


def test_a_job_that_fails_fails_whoever_waits_for_it(company):
    wrong = treatment_config(kind="enrichment", contacts=SET, by="anne", why="x", data_set="weather")
    with pytest.raises(DatadockError, match=r"(?s)the job treatment ended as failure.*no data set is called 'weather'"):
        launch_and_wait(open_dock(company.settings), TREATMENT, wrong, timeout_seconds=300)


def test_a_job_that_takes_too_long_is_ended(company):
    asked = treatment_config(kind="iris", contacts=SET, by="anne", why="x")
    with exclusive(company.settings.home_path), pytest.raises(DatadockError, match="had not ended after 25 s"):
        launch_and_wait(open_dock(company.settings), TREATMENT, asked, timeout_seconds=25)
    assert len(treatments(open_dock(company.settings).lake)) == 4


def test_a_step_may_launch_the_quality_job_too(company):
    ended = launch_and_wait(open_dock(company.settings), QUALITY, timeout_seconds=300)
    assert "quality/contact_points" in ended.facts
    with pytest.raises(DatadockError, match="no job is called 'tidy'"):
        launch_and_wait(open_dock(company.settings), "tidy")
