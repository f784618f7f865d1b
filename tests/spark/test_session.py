"""A session takes what it needs of the machine and leaves nothing behind."""

import psutil
import pytest

from datadock.errors import DatadockError
from datadock.identity.spark.session import Spark, open_session
from datadock.link import link


def _javas():
    return [child for child in psutil.Process().children(recursive=True) if "java" in child.name()]


def test_a_session_is_local_small_and_gone_afterwards_with_its_memory(tmp_path):
    before = len(_javas())
    with open_session(Spark(tmp_path, "600MB", 2)) as session:
        told = dict(session.sparkContext.getConf().getAll())
        wanted = {
            "spark.master": "local[2]",
            "spark.driver.memory": "600m",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.local.dir": str(tmp_path),
        }
        assert {name: told[name] for name in wanted} == wanted
        assert len(_javas()) == before + 1
        assert session.sql("select dd_jaro_winkler('martha', 'marhta'), dd_hamming('ab', 'ac')").collect() == [
            (pytest.approx(0.9611111), 1)
        ]
    assert len(_javas()) == before


def test_without_java_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(DatadockError) as caught, open_session(Spark(tmp_path)):
        pass
    assert str(caught.value).startswith(
        "engine: spark is declared, and Java did not start a session: [JAVA_GATEWAY_EXITED]"
    )
    assert "expected: Java 17, as `java` or in JAVA_HOME, and a cluster" in str(caught.value)


def test_link_obeys_the_engine_that_a_catalog_declares(tmp_path, monkeypatch):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "members.yml").write_text(
        "description: Members.\nowner: a@example.com\npattern: members.csv\nformat: {type: csv}\n"
        "entities:\n  contact:\n    key: no\n"
        "    fields: {given_name: first, family_name: last, birth_date: born, email: mail}\n",
        encoding="utf-8",
    )
    people = [("Anna", "Durand"), ("Bruno", "Petit"), ("Chloé", "Moreau"), ("David", "Garnier"), ("Elsa", "Vidal")]
    rows = [
        f"{n}{x},{first},{last},198{n}-0{n + 1}-11,{x}{n}@free.fr"
        for n, (first, last) in enumerate(people)
        for x in "ab"
    ]
    (tmp_path / "members.csv").write_text("\n".join(["no,first,last,born,mail", *rows]), encoding="utf-8")
    link(tmp_path, None, tmp_path / "duckdb.csv")
    (tmp_path / "identity.yml").write_text("engine: spark\n", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
        with pytest.raises(DatadockError, match="Java did not start"):
            link(tmp_path, None, tmp_path / "spark.csv")
    link(tmp_path, None, tmp_path / "spark.csv")
    assert (tmp_path / "spark.csv").read_text() == (tmp_path / "duckdb.csv").read_text()
