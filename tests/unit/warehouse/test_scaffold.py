import shutil

import pytest
import yaml

from datadock.catalog import load_catalog
from datadock.errors import CatalogError, WarehouseError
from datadock.warehouse.scaffold import missing_models, scaffold

CRM = """
description: Export of the CRM.
owner: sales@example.org
format: {type: csv}
freshness: {warn_after_days: 1.5}
entities:
  contact:
    key: id
    fields: {family_name: Nom, position_held: Poste, member_no: {from: N°, kind: identifier}}
  order:
    key: order
    fields: {order_id: order, amount: total}
"""
SHOP = """
description: The shop.
owner: shop@example.org
format: {type: jsonl}
entities:
  contact: {key: $.id, fields: {email: $.mail}}
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "dbt_project"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: datadock\n")
    return folder


@pytest.fixture
def catalog(tmp_path):
    (tmp_path / "catalog" / "sources").mkdir(parents=True)
    (tmp_path / "catalog" / "sources" / "crm.yml").write_text(CRM)
    return lambda: load_catalog(tmp_path / "catalog")


def names(paths, project):
    return sorted(str(path.relative_to(project)) for path in paths)


def test_a_source_is_scaffolded_once_and_then_left_alone(catalog, project):
    assert names(scaffold(catalog(), project), project) == [
        "macros/generated/catalog_sources.sql",
        "macros/generated/read_values.sql",
        "models/staging/_raw.yml",
        "models/staging/crm/stg_crm__contact.sql",
        "models/staging/crm/stg_crm__contact.yml",
        "models/staging/crm/stg_crm__order.sql",
        "models/staging/crm/stg_crm__order.yml",
    ]
    assert scaffold(catalog(), project) == []


def test_a_model_that_an_analyst_changed_is_never_overwritten_unless_asked(catalog, project):
    scaffold(catalog(), project)
    model = project / "models/staging/crm/stg_crm__contact.sql"
    scaffolded = model.read_text()
    model.write_text("select 1")
    assert scaffold(catalog(), project) == []
    assert model.read_text() == "select 1"
    assert scaffold(catalog(), project, "crm", force=True) == [model]
    assert model.read_text() == scaffolded


def test_a_changed_declaration_reaches_the_models_that_nobody_changed(catalog, project, tmp_path):
    scaffold(catalog(), project)
    declaration = tmp_path / "catalog" / "sources" / "crm.yml"
    declaration.write_text(CRM.replace("family_name: Nom", "family_name: Name"))
    assert names(scaffold(catalog(), project), project) == [
        "models/staging/crm/stg_crm__contact.sql",
        "models/staging/crm/stg_crm__contact.yml",
    ]


def test_a_model_that_was_there_before_the_scaffold_belongs_to_the_analyst(catalog, project):
    model = project / "models/staging/crm/stg_crm__contact.sql"
    model.parent.mkdir(parents=True)
    model.write_text("select 1")
    scaffold(catalog(), project)
    assert model.read_text() == "select 1"


def test_a_new_source_joins_the_unions_without_an_edit(catalog, project, tmp_path):
    scaffold(catalog(), project)
    (tmp_path / "catalog" / "sources" / "shop.yml").write_text(SHOP)
    assert missing_models(catalog(), project) == ["stg_shop__contact"]
    assert names(scaffold(catalog(), project, "shop"), project) == [
        "macros/generated/catalog_sources.sql",
        "models/staging/_raw.yml",
        "models/staging/shop/stg_shop__contact.sql",
        "models/staging/shop/stg_shop__contact.yml",
    ]
    assert missing_models(catalog(), project) == []


def test_the_yml_states_grain_types_contract_tests_and_owner(catalog, project):
    scaffold(catalog(), project)
    (model,) = yaml.safe_load((project / "models/staging/crm/stg_crm__contact.yml").read_text())["models"]
    assert model["description"].endswith("One row per contact record of `crm`, in its latest version.")
    assert model["config"] == {
        "contract": {"enforced": True},
        "meta": {"dagster": {"group": "staging", "owners": ["sales@example.org"]}},
    }
    columns = {column["name"]: column for column in model["columns"]}
    assert columns["source_key"] == {
        "name": "source_key",
        "data_type": "varchar",
        "description": "Key of the record in its source; several parts are joined by `|`.",
        "constraints": [{"type": "not_null"}],
        "data_tests": ["unique"],
    }
    assert columns["position_held"]["description"] == "Position held, from `Poste`."


def test_facts_are_related_to_the_contacts_they_belong_to(catalog, project):
    scaffold(catalog(), project)
    (model,) = yaml.safe_load((project / "models/staging/crm/stg_crm__order.yml").read_text())["models"]
    (test,) = next(column for column in model["columns"] if column["name"] == "contact_key")["data_tests"]
    assert test["relationships"]["arguments"] == {"to": "ref('stg_crm__contact')", "field": "source_key"}
    assert test["relationships"]["config"] == {"severity": "warn", "where": "contact_source = 'crm'"}


def test_raw_tables_carry_their_freshness(catalog, project):
    scaffold(catalog(), project)
    (raw,) = yaml.safe_load((project / "models/staging/_raw.yml").read_text())["sources"]
    assert raw["tables"][0]["config"]["freshness"] == {"warn_after": {"count": 36, "period": "hour"}}


def test_a_field_of_a_linking_kind_joins_the_contact_model_and_an_attribute_does_not(catalog, project):
    scaffold(catalog(), project)
    macro = (project / "macros/generated/catalog_sources.sql").read_text()
    assert '"member_no": "varchar"' in macro
    assert "position_held" not in macro


def test_what_is_not_there_is_named(catalog, project):
    with pytest.raises(CatalogError, match="no source is called 'other'"):
        scaffold(catalog(), project, "other")
    shutil.rmtree(project)
    with pytest.raises(WarehouseError, match="no dbt project"):
        scaffold(catalog(), project)
