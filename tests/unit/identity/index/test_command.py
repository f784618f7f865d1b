"""``datadock identity resolve``: fields or JSON in, words or JSON out; errors name what to do."""

import json

import pytest
from typer.testing import CliRunner

from datadock.cli import app
from datadock.errors import DatadockError

RUNNER = CliRunner()


def test_a_record_is_asked_about_committed_and_found_again(deployment, monkeypatch) -> None:
    monkeypatch.setenv("DATADOCK_HOME", str(deployment.settings.home))
    asked = ["identity", "resolve", "--source", "eshop_customers"]
    fields = ["--field", "given_name=Zoé", "--field", "family_name=Nouvelle", "--field", "email=zoe.nouvelle@free.fr"]
    assert RUNNER.invoke(app, [*asked, *fields]).stdout.startswith("new  no golden id yet  (not stored, ")
    told = json.dumps({"given_name": "Zoé", "family_name": "Nouvelle", "email": "zoe.nouvelle@free.fr"})
    committed = json.loads(RUNNER.invoke(app, [*asked, "--commit", "--key", "N1", "--json"], input=told).stdout)
    assert (committed["certainty"], committed["committed"]) == ("new", True)
    again = json.loads(RUNNER.invoke(app, [*asked, *fields, "--json"]).stdout)
    assert (again["certainty"], again["golden_id"]) == ("same", committed["golden_id"])
    assert [one["source_key"] for one in again["candidates"]] == ["N1"]


@pytest.mark.parametrize(
    ("words", "given", "found"),
    [(["--field", "nom"], None, "has no name and value"), ([], "[1]", "is no record"), ([], "{", "is no record"),
     (["--commit", "--field", "a=b"], None, "--commit without --key")],
)  # fmt: skip
def test_what_cannot_be_read_is_told(words, given, found) -> None:
    answer = RUNNER.invoke(app, ["identity", "resolve", "--source", "eshop_customers", *words], input=given)
    assert isinstance(answer.exception, DatadockError)
    assert found in str(answer.exception)
