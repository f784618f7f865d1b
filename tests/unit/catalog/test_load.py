"""Reading a catalog: a right one gives typed declarations, a wrong one every problem with its file and place."""

import pytest

from datadock.catalog import load_catalog
from datadock.catalog.model import IdentityRules
from datadock.errors import CatalogError
from datadock.settings import PROJECT_ROOT

GOOD = """
description: Cards.
owner: stores@example.com
format: {type: csv, delimiter: ";"}
entities:
  contact:
    key: [Card, "Shop no."]
    party: {from: Type, company: [PRO]}
    fields:
      given_name: First
      mobile: [Mobile, Phone]
      birth_date: {from: Born, formats: ["%d/%m/%Y"]}
      card: {from: Card, kind: identifier, pattern: 'F\\d+'}
  order_line:
    each: $.lines
    key: [^Card, "#"]
    fields: {amount: {from: $.amount, min: 0}}
"""


def _catalog(tmp_path, **files):
    (tmp_path / "sources").mkdir()
    for name, text in files.items():
        (tmp_path / "sources" / f"{name}.yml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_declaration_gives_typed_fields_in_their_short_and_long_forms(tmp_path):
    source = load_catalog(_catalog(tmp_path, cards=GOOD)).source("cards")
    contact = source.entities["contact"]
    assert (source.main_entity, contact.key, contact.fields["mobile"].from_) == (
        "contact",
        ["Card", "Shop no."],
        ["Mobile", "Phone"],
    )
    kinds = {name: (source.kind("contact", name), source.type("contact", name)) for name in contact.fields}
    assert kinds == {
        "given_name": ("given_name", "text"),
        "mobile": ("phone", "text"),
        "birth_date": ("birth_date", "date"),
        "card": ("identifier", "text"),
    }
    assert [name for name, field in contact.fields.items() if field.has_rules] == ["card"]


def test_every_problem_of_every_file_is_named_at_once(tmp_path):
    wrong = GOOD.replace("type: csv", "type: cvs").replace("given_name: First", "given_name: {}")
    orphan = GOOD.replace("contact:", "store:").replace("each: $.lines", "contact: [{source: nobody, key: X}]")
    folder = _catalog(
        tmp_path, a=wrong, b="- a list", c="x: [", d=orphan.replace("    party: {from: Type, company: [PRO]}\n", "")
    )
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    text = str(caught.value)
    for part in (
        "a.yml: format.type",
        "(found 'cvs')",
        "a.yml: entities.contact.fields.given_name: a field needs exactly one of `from` and `value`",
        "b.yml: found list, expected a mapping",
        "c.yml: cannot be read as YAML",
        "d.yml: entities.order_line.contact: 'nobody' is not a declared source with contacts",
    ):
        assert part in text
    assert caught.value.exit_code == 2


def test_a_file_name_that_cannot_name_a_source_is_refused(tmp_path):
    with pytest.raises(CatalogError, match=r"Bad-Name\.yml: a source's file name"):
        load_catalog(_catalog(tmp_path, **{"Bad-Name": GOOD}))


def test_an_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(CatalogError, match="no declaration"):
        load_catalog(tmp_path)


def test_an_unknown_source_names_the_known_ones(tmp_path):
    catalog = load_catalog(_catalog(tmp_path, cards=GOOD))
    with pytest.raises(CatalogError, match="cards"):
        catalog.source("card")


def test_the_digest_follows_every_byte(tmp_path):
    folder = _catalog(tmp_path, cards=GOOD)
    first = load_catalog(folder).digest
    assert load_catalog(folder).digest == first
    (folder / "survivorship.yml").write_text("default: {by: [trust]}\n")
    assert load_catalog(folder).digest != first


def test_a_model_field_keeps_its_kind(tmp_path):
    with pytest.raises(CatalogError, match="its kind is `given_name`"):
        load_catalog(_catalog(tmp_path, cards=GOOD.replace("given_name: First", "given_name: {from: F, kind: email}")))


def test_the_demo_companys_catalog_and_every_example_are_valid():
    folders = [
        PROJECT_ROOT / "catalog",
        *sorted(path for path in (PROJECT_ROOT / "examples").iterdir() if path.is_dir()),
    ]
    assert all(load_catalog(folder).sources for folder in folders)


def test_a_column_may_be_called_like_a_yaml_word_or_number(tmp_path):
    text = GOOD.replace("given_name: First", "given_name: no").replace('key: [Card, "Shop no."]', "key: 1")
    contact = load_catalog(_catalog(tmp_path, cards=text)).source("cards").entities["contact"]
    assert (contact.key, contact.fields["given_name"].from_) == (["1"], ["no"])


def test_the_rules_of_linking_are_typed_and_the_demo_companys_are_the_defaults(tmp_path):
    folder = _catalog(tmp_path, cards=GOOD)
    assert load_catalog(folder).identity == load_catalog(PROJECT_ROOT / "catalog").identity == IdentityRules()
    (folder / "identity.yml").write_text("threshold: 2.5\nlimits: {id_churn: 0.05}\nengine: spark\n", encoding="utf-8")
    declared = load_catalog(folder)
    assert declared.identity.engine == "spark"
    assert declared.identity.threshold.model_dump() == {"person": 2.5, "company": 2.5}
    assert (declared.identity.limits.id_churn, declared.identity.limits.cluster_records) == (0.05, 200)
    assert declared.digest != load_catalog(PROJECT_ROOT / "catalog").digest
    (folder / "reviewed.csv").write_text("source,source_key,entity_id\n", encoding="utf-8")
    assert load_catalog(folder).digest != declared.digest


def test_a_wrong_rule_of_linking_is_named_with_its_place(tmp_path):
    folder = _catalog(tmp_path, cards=GOOD)
    (folder / "identity.yml").write_text(
        "engine: sparc\nthreshold: {person: -9}\nlimits: {id_churn: 3, cap: 1}\nreviewed: {on_failure: shout}\n",
        encoding="utf-8",
    )
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    told = str(caught.value)
    for line in (
        "identity.yml: engine: Input should be 'duckdb' or 'spark' (found 'sparc')",
        "identity.yml: threshold.person: Input should be greater than or equal to -4 (found -9)",
        "identity.yml: limits.id_churn: Input should be less than or equal to 1 (found 3)",
        "identity.yml: limits.cap: Extra inputs are not permitted (found 1)",
        "identity.yml: reviewed.on_failure: Input should be 'warn' or 'block' (found 'shout')",
    ):
        assert line in told
