"""What is missing for Spark is told with what to do, before anything is started."""

import re
from datetime import UTC, datetime

import pytest

from datadock.catalog import Catalog
from datadock.catalog.model import IdentityRules
from datadock.errors import DatadockError
from datadock.identity.engines import open_engine
from datadock.identity.spark import session
from datadock.identity.spark.session import spark_memory
from datadock.identity.workspace import Workspace
from datadock.lake import Lake
from datadock.settings import PROJECT_ROOT


def test_without_pyspark_the_declared_engine_is_an_error_that_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    catalog = Catalog(tmp_path, {}, identity=IdentityRules(engine="spark"))
    workspace = Workspace(Lake(tmp_path / "lake"), catalog, tmp_path / "link.duckdb", "run", datetime.now(UTC))
    with pytest.raises(DatadockError) as caught, open_engine(workspace):
        pass
    assert str(caught.value).splitlines() == [
        "engine: spark is declared, and pyspark is not installed",
        "  expected: pyspark 4 and Java 17",
        "  to do:    pip install 'datadock[spark]' and Java 17, or declare engine: duckdb in identity.yml",
    ]


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_the_declared_engine_is_opened_and_leaves_no_folder(tmp_path, monkeypatch, engine):
    catalog = Catalog(tmp_path, {}, identity=IdentityRules(engine=engine))
    workspace = Workspace(Lake(tmp_path / "lake"), catalog, tmp_path / "link.duckdb", "run", datetime.now(UTC))
    monkeypatch.setattr(session, "find_spec", lambda name: object())
    with open_engine(workspace) as opened:
        assert opened.name == engine
        assert len(list(tmp_path.glob("spark-*"))) == (engine == "spark")
    assert list(tmp_path.glob("spark-*")) == []


@pytest.mark.parametrize(
    ("limit", "spark"),
    [("2GB", "2048m"), ("1.5GiB", "1536m"), ("512MB", "512m"), ("100MB", "512m"), ("1TB", "1048576m")],
)
def test_a_memory_limit_is_told_to_spark_in_its_own_notation(limit, spark):
    assert spark_memory(limit) == spark


def test_a_memory_limit_that_is_no_size_is_an_error():
    with pytest.raises(DatadockError, match="'80%' cannot be given to Spark"):
        spark_memory("80%")


def test_the_lock_of_spark_holds_what_the_platform_runs_on():
    def pinned(name):
        text = (PROJECT_ROOT / name).read_text(encoding="utf-8")
        return set(re.findall(r"^([a-z0-9._-]+==[^ ;\\]+)", text, re.MULTILINE))

    assert pinned("requirements.lock") < pinned("requirements-spark.lock")
