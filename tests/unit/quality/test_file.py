"""Whole files: the input's columns stay, the normal form's are added, and errors say what to do."""

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from datadock.cli import app
from datadock.errors import DatadockError
from datadock.quality.file import normalise_file

runner = CliRunner()
TEXT = "id;Nom;Prénom;tel;status\n1;DUPONT;élodie;0698123457;vu\n2;de la fontaine;Jean;6.12E+08;\n\n3;;;;\n"


@pytest.fixture
def contacts(tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_bytes(TEXT.encode("cp1252"))
    return path


def test_a_file_keeps_its_columns_and_gets_those_of_the_normal_form(contacts, tmp_path):
    summary = normalise_file(contacts, tmp_path / "out.csv", "phone", ["tel"])
    assert (summary.rows, summary.statuses) == (3, {"OK": 1, "REJETEE": 1, "VIDE": 1})
    found = pl.read_csv(tmp_path / "out.csv", infer_schema=False)
    assert found.columns == ["id", "Nom", "Prénom", "tel", "status", "value", "type", "status_2", "codes"]
    assert found["Prénom"].to_list() == ["élodie", "Jean", ""]
    assert found["value"].to_list() == ["+33698123457", None, None]
    assert found["codes"].to_list() == ["", "FORMAT_TABLEUR|CHIFFRES_PERDUS", ""]


def test_names_are_read_by_the_names_of_their_columns(contacts, tmp_path):
    normalise_file(contacts, tmp_path / "out.parquet", "name", ["Nom", "Prénom"])
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found["value"].to_list() == ["Élodie Dupont", "Jean de La Fontaine", None]
    assert found["codes"].to_list() == [[], [], []]


def test_parquet_goes_in_and_out_again(contacts, tmp_path):
    normalise_file(contacts, tmp_path / "once.parquet", "phone", ["tel"])
    normalise_file(tmp_path / "once.parquet", tmp_path / "twice.csv", "phone", ["value"])
    assert pl.read_csv(tmp_path / "twice.csv", infer_schema=False)["value_2"].to_list() == ["+33698123457", None, None]


def test_a_record_that_cannot_be_read_is_kept_apart_and_told(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("a,mail\n1,x@free.fr\n2,y@free.fr,9,9\n")
    summary = normalise_file(path, tmp_path / "out.csv", "email", ["mail"])
    assert (summary.rows, summary.refused) == (1, 1)
    assert "2,y@free.fr,9,9" in (tmp_path / "out.refused.csv").read_text()


@pytest.mark.parametrize(
    ("columns", "out", "found"),
    [(["nope"], "out.csv", "has no column nope"), (["tel"], "out.xlsx", "neither csv nor parquet"),
     ([], "out.csv", "no column named"), (["tel"], "contacts.csv", "is the input itself"),
     (["tel"], "missing/out.csv", "no folder")],
)  # fmt: skip
def test_a_wrong_request_says_what_to_do(contacts, tmp_path, columns, out, found):
    with pytest.raises(DatadockError, match=found) as error:
        normalise_file(contacts, tmp_path / out, "phone", columns)
    assert error.value.action
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contacts.csv"]


def test_the_commands_print_value_status_and_reasons():
    phone = runner.invoke(app, ["quality", "phone", "698123457"])
    assert phone.exit_code == 0
    assert "ZERO_PERDU: le zéro initial perdu a été rendu" in phone.output
    email = json.loads(runner.invoke(app, ["quality", "email", "jean@gmial.com", "--json"]).output)
    assert (email["value"], email["status"], email["evidence"][0]["rule"]) == (
        "jean@gmail.com",
        "CORRIGEE",
        "DOMAINE_CORRIGE",
    )
    name = json.loads(runner.invoke(app, ["quality", "name", "Monsieur|Nathalie", "--json"]).output)
    assert name["codes"] == ["CIVILITE_PRENOM_DISCORDANTS"]


def test_an_address_is_printed_in_six_lines():
    printed = runner.invoke(app, ["quality", "address", "12 bis r de la Republique 69002 lyon"]).output.splitlines()
    assert printed[3] == "4  12 B RUE DE LA REPUBLIQUE"
    assert printed[5] == "6  69002 LYON"


@pytest.mark.parametrize("command", ["address", "phone", "email", "name", "file"])
def test_every_command_has_an_example_in_its_help(command):
    assert f"Example: datadock quality {command}" in runner.invoke(app, ["quality", command, "--help"]).output
