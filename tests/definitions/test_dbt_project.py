"""What must hold of the dbt project as it stands: parsed once, nothing built."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from datadock.catalog import load_catalog
from datadock.catalog.fields import MODEL
from datadock.settings import PROJECT_ROOT, Settings
from datadock.warehouse.scaffold import missing_models, scaffold

PROJECT = PROJECT_ROOT / "dbt_project"
CATALOG = PROJECT_ROOT / "catalog"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    from datadock.warehouse.dbt import prepare_manifest

    settings = Settings(home=tmp_path_factory.mktemp("home"), catalog=CATALOG, dbt_project=PROJECT)
    return json.loads(prepare_manifest(settings).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def models(manifest):
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def layer(model):
    return model["config"]["schema"]


def test_every_model_is_described_and_its_description_ends_with_the_grain(models):
    wrong = [model["name"] for model in models if "One row per " not in model["description"].rsplit(". ", 1)[-1]]
    assert wrong == []


def test_every_column_of_every_model_is_typed_and_described(models):
    wrong = [
        f"{model['name']}.{name}"
        for model in models
        for name, column in model["columns"].items()
        if not (column["description"] and column["data_type"])
    ]
    assert wrong == []


def test_contracts_are_enforced_on_staging_and_marts(models):
    loose = [model["name"] for model in models if not model["config"]["contract"]["enforced"]]
    assert {name.split("_")[0] for name in loose} <= {"int"}


def test_every_model_has_its_group(models):
    groups = {"staging": "staging", "intermediate": "staging", "marts": "marts"}
    assert [model["name"] for model in models if model["config"]["group"] != groups[layer(model)]] == []


def test_staging_reads_only_the_raw_zone_and_marts_never_do(models):
    wrong = []
    for model in models:
        reads = [one for one in model["depends_on"]["nodes"] if one.startswith("source.")]
        raw = [one for one in reads if one.split(".")[2] == "raw"]
        if (layer(model) == "staging" and (raw != reads or not reads)) or (layer(model) != "staging" and raw):
            wrong.append(model["name"])
    assert wrong == []


def test_only_staging_and_intermediate_models_need_no_golden_table(models):
    """Golden assets are made between the two: what they read must not depend on them."""
    parents = {model["unique_id"]: model["depends_on"]["nodes"] for model in models}

    def needs_golden(unique_id):
        if unique_id.startswith("source."):
            return unique_id.split(".")[2] == "golden"
        return any(needs_golden(parent) for parent in parents[unique_id])

    early = {model["unique_id"] for model in models if layer(model) in ("staging", "intermediate")}
    assert [one for one in early if needs_golden(one)] == []


def test_every_model_has_one_yml_beside_it():
    wrong = [path.name for path in (PROJECT / "models").rglob("*.sql") if not path.with_suffix(".yml").exists()]
    assert wrong == []


def test_every_declared_entity_has_its_staging_model():
    assert missing_models(load_catalog(CATALOG), PROJECT) == []


def test_the_scaffolded_files_are_those_of_the_declarations(tmp_path):
    copy = tmp_path / "dbt_project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    written = [str(path.relative_to(copy)) for path in scaffold(load_catalog(CATALOG), copy)]
    assert written == [], "a declaration changed: run `datadock source add`"


@pytest.mark.parametrize("entity", sorted(set(MODEL) - {"contact"}))
def test_the_unions_document_the_columns_of_the_customer_model(entity):
    (model,) = yaml.safe_load((PROJECT / f"models/intermediate/int_{entity}.yml").read_text())["models"]
    assert set(MODEL[entity]) <= {column["name"] for column in model["columns"]}


def test_unit_tests_are_named_as_sentences(manifest):
    names = [test["name"] for test in manifest["unit_tests"].values()]
    assert len(names) >= 7
    assert [name for name in names if name.count("_") < 4] == []


def test_exposures_say_who_reads_the_marts(manifest):
    read = {
        one.rsplit(".", 1)[1] for exposure in manifest["exposures"].values() for one in exposure["depends_on"]["nodes"]
    }
    assert {"dim_contact", "fct_order", "dq_channel_state", "dq_duplicate_state", "suspect_pair"} <= read


def test_the_profile_holds_no_path_of_a_machine():
    profile = (PROJECT / "profiles.yml").read_text()
    assert "/" not in profile.replace("# ", "")
    assert "env_var" not in profile
    assert Path(yaml.safe_load(profile)["datadock"]["outputs"]["embedded"]["path"]).name == "warehouse.duckdb"
