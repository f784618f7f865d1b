"""The reports as a reader opens them: from disk, without a network, without anybody's name."""

import re
from html.parser import HTMLParser

import pytest

from datadock.errors import LakeError
from datadock.quality.address.model import DETAIL_CODES
from datadock.quality.contact_codes import CONTACT_CODES
from datadock.reports import build_reports
from datadock.reports.labels import ADVICE, REASONS, fault
from datadock.reports.offline import external_references, html_addresses
from datadock.settings import Settings
from datadock.validations import Kept, SuiteResult, keep

PAGES = ("index", "match", "identity", "quality", "treatments", "quarantine", "checks", "glossary")
VALUES = (
    "Dupont",
    "Dupond",
    "Martin",
    "Petit",
    "Bernard",
    "jeanne@",
    "martin@web",
    "mail@key",
    "1984-03-12",
    "1970-01-01",
)


@pytest.fixture(scope="module")
def report(deployed):
    made = build_reports(deployed, "run-2", with_data_docs=False)
    return {name: made.pages[name].read_text(encoding="utf-8") for name in PAGES}


@pytest.fixture(scope="module")
def blank(empty):
    made = build_reports(empty, "", with_data_docs=False)
    return {name: made.pages[name].read_text(encoding="utf-8") for name in PAGES}


def _words(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class _Shape(HTMLParser):
    """Notes what makes a page usable without eyes: headers of tables, names of pictures, unique ids."""

    def __init__(self, text):
        super().__init__()
        self.tables = self.headed = self.pictures = self.told = 0
        self.ids, self.language, self.headings = [], None, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tables += tag == "table"
        self.headed += tag == "thead"
        self.pictures += tag == "svg" and given.get("role") == "img"
        self.told += tag == "title" and self.pictures > 0
        self.ids += [given["id"]] if "id" in given else []
        self.language = given.get("lang") if tag == "html" else self.language
        self.headings += [tag] if re.fullmatch("h[1-6]", tag) else []


def test_every_page_is_there_and_leads_nowhere_outside(deployed, report):
    assert sorted(path.stem for path in deployed.reports.glob("*.html")) == sorted(PAGES)
    assert external_references(deployed.reports) == []


def test_every_link_between_the_pages_leads_to_a_file_that_is_there(deployed, report):
    missing = [
        (name, address)
        for name, page in report.items()
        for address in html_addresses(page)
        if not address.startswith(("#", "data:")) and not (deployed.reports / address.split("#")[0]).exists()
    ]
    assert missing == []


def test_pages_show_no_value_of_a_person(report):
    assert [(name, value) for name, page in report.items() for value in VALUES if value in page] == []


def test_values_are_shown_where_the_deployment_says_so(deployed):
    settings = deployed.model_copy(update={"report_personal_data": True})
    page = build_reports(settings, "run-2", with_data_docs=False).pages["match"].read_text(encoding="utf-8")
    assert "martins" in page
    assert "mail@key.example" in page


def test_every_page_has_a_language_one_main_heading_table_heads_and_named_pictures(report):
    for name, page in report.items():
        shape = _Shape(page)
        assert (name, shape.language, shape.headings.count("h1")) == (name, "en", 1)
        assert (name, shape.headed) == (name, shape.tables)
        assert shape.told >= shape.pictures
        assert sorted(set(shape.ids)) == sorted(shape.ids)


def test_the_overview_balances_each_source_and_says_which_is_stale(report):
    words = _words(report["index"])
    assert "crm 5 3 2 40.0 % 1" in words.replace("\u202f", " ")
    assert "shop 4 4 0 1" in words
    assert words.count("stale") == 1
    assert "28.6 % of the records were repeats" in words.replace("\u202f", " ")
    assert "1 failed" in words


def test_the_overview_shows_rates_within_and_between_sources(report):
    page = report["index"].replace("\u202f", " ")
    assert re.search(r'class="within"[^>]*>66.7 %', page)
    assert "25.0 %" in page


def test_match_quality_asks_the_open_suspects_masked_with_reasons_in_words(report):
    words = _words(report["match"])
    asked = words.split("Suspected duplicates ·")[1].split("Records that cannot be linked")[0]
    assert "2 pairs are open, 2 questions" in asked
    assert asked.index("crm C3 shop S2") < asked.index("shop m•••@k••.example shop S2")
    assert "S3" not in asked
    assert "crm C3 shop S2 – family name differs 1 record" in asked
    assert "family name differs m••••n m•••••s -3.3" in asked.replace("-3.3 bits", "-3.3")
    assert "datadock identity merge crm:C3 shop:S2 --dry-run" in asked
    assert "mail@key" not in asked
    assert "datadock identity review" in asked


def test_the_page_on_linking_tells_the_model_level_by_level(report):
    words = _words(report["identity"])
    assert "+9.8" in words
    assert "by rarity" in words


def test_match_quality_tells_the_largest_contact_and_what_moved(report):
    words = _words(report["match"])
    assert "crm × 2, shop × 1" in words
    assert "created 7" in words
    assert "merged into 1" in words
    assert "DKZ" not in words


def test_match_quality_counts_records_that_cannot_be_linked(report):
    words = _words(report["match"]).replace("\u202f", " ")
    assert "crm 3 1 33.3 %" in words
    assert "shop 4 1 25.0 %" in words


def test_data_quality_shows_what_became_of_the_filled_with_a_trend_over_two_runs(report):
    page = report["quality"]
    words = _words(page).replace("\u202f", " ")
    assert "Valid: 90.0 % to 80.0 % over 2 runs (-10.0 points)" in page
    assert "Rejected: 0.0 % to 10.0 % over 2 runs (+10.0 points)" in page
    assert "email: valid as declared 5, valid once corrected 3, doubtful 1, rejected 1" in page
    assert "E-mail 10 · 66.7 %" in words
    assert "Phone 0 · 0.0 %" in words
    assert words.split("shop 15 contact records")[0].endswith(
        "Phone 0 · 0.0 % Filled: 0.0 % to 0.0 % over 2 runs (+0.0 points) – – – – – – "
    )
    assert "Doublons intra-base" in page


def test_data_quality_tells_whom_one_can_reach_and_why_not_the_others(report):
    words = _words(report["quality"]).replace("\u202f", " ")
    assert "Of 5 golden contacts 2 (40.0 %) can be reached by at least one channel." in words
    assert "Post · courrier 0 0.0 % Reached: 0.0 % 1 1 × un courrier est revenu avec la mention décédé" in words
    assert "E-mail · courriel 2 40.0 % Reached: 40.0 % 1 1 × la boîte n'existe plus : rebond définitif" in (
        words.replace("&#39;", "'")
    )
    assert "Mobile · mobile 1 20.0 % Reached: 20.0 % 0 –" in words
    assert "1 contact of whom a letter came back as deceased can still be reached otherwise" in words


def test_what_to_mend_first_goes_by_the_contacts_gained_and_tells_the_rest_below(report):
    words = _words(report["quality"]).replace("\u202f", " ")
    first, rest = words.split("What to mend first")[1].split("Civility and first name")[0].split("3 more:")
    codes = ("VOIE_ABSENTE", "REBOND_DUR", "COMMUNE_CORRIGEE", "DECES", "ORDRE_AMBIGU")
    assert [code for code in codes if code in first] == ["VOIE_ABSENTE", "REBOND_DUR"]
    assert [code for code in codes if code in rest] == ["COMMUNE_CORRIGEE", "DECES", "ORDRE_AMBIGU"]
    assert first.index("VOIE_ABSENTE") < first.index("REBOND_DUR")
    assert "crm Address Aucune voie, aucun lieu-dit, aucune boîte postale VOIE_ABSENTE" in first
    assert "3 2 Of the largest gain: 100.0 % 6•••2 P••••••••e" in first
    assert "4 1 Of the largest gain: 50.0 % m•••••@w••.example" in first


def test_civilities_that_first_names_contradict_are_counted_with_masked_examples(report):
    words = _words(report["quality"]).replace("\u202f", " ")
    assert "2 of 3 records that tell both (66.7 %)" in words
    assert "crm 1 of 2 shop 1 of 1" in words
    assert "crm C1 M J••••e D••••t a woman 99.7 %" in words
    assert "shop m•••@k••.example MME J••n P•••t a man 99.9 %" in words


def test_a_fault_is_told_in_french_and_one_without_a_label_by_its_code():
    assert fault("TEXTE_ILLISIBLE", "address") == "le texte n'est pas en caractères latins"
    assert fault("TEXTE_ILLISIBLE", "phone") == "le texte ne se lit pas comme une valeur"
    assert fault("REBONDS", "email") == "rebonds temporaires répétés"
    assert fault("NOBODY_KNOWS", "email") == "nobody knows"
    assert set(ADVICE) <= set(DETAIL_CODES) | set(CONTACT_CODES) | set(REASONS)


def test_quarantine_shows_what_is_open_with_a_masked_example_and_the_commands(report):
    words = _words(report["quarantine"])
    assert "2 records wait outside" in words
    assert "datadock quarantine retry --source crm" in words
    assert "datadock quarantine show aaaa1111" in words
    assert "datadock quarantine list --source crm --reason ragged_row" in words
    assert "C9" in words
    assert "B•••••d" in words
    assert "1 loaded since" in words


def test_checks_name_the_limit_its_reason_and_what_was_observed(report):
    words = _words(report["checks"])
    assert "1 of 2 failed" in words
    assert "warning One can reach them (reachable) Why this limit why 71.4 % at least 85.0 %" in words


def test_an_empty_deployment_says_that_there_is_nothing_yet(blank):
    words = {name: _words(page) for name, page in blank.items()}
    assert words["index"].count("never received") == 2
    assert "Nothing is in quarantine." in words["quarantine"]
    assert "No suite has run yet." in words["checks"]
    assert "No model is kept yet" in words["identity"]
    assert "Nothing is linked yet" in words["identity"]
    assert "after the first run that builds the marts" in words["quality"]


def test_building_again_replaces_the_report_and_leaves_nothing_beside_it(deployed, report):
    (deployed.reports / "left.html").write_text("old", encoding="utf-8")
    build_reports(deployed, "run-3", with_data_docs=False)
    assert not (deployed.reports / "left.html").exists()
    assert [path.name for path in deployed.home_path.iterdir() if path.name.startswith(".reports")] == []


def test_a_staging_suite_whose_table_is_declared_no_more_is_left_out(deployed, report):
    gone = SuiteResult(
        "staging__stg_old__contact", "staging", "stg_old__contact", "run-1", "2024-01-01T00:00:00+00:00", ()
    )
    keep(deployed, Kept(gone, {}, {}))
    page = build_reports(deployed, "run-2", with_data_docs=False).pages["checks"]
    assert "stg_old" not in page.read_text(encoding="utf-8")


def test_a_home_that_cannot_be_written_is_refused_with_what_to_do(tmp_path, empty):
    (tmp_path / "file").write_text("", encoding="utf-8")
    settings = Settings(home=tmp_path / "file", catalog=empty.catalog)
    with pytest.raises(LakeError, match="cannot be written") as caught:
        build_reports(settings, "run-1", with_data_docs=False)
    assert "datadock report" in caught.value.action
