"""The commands of the reference data: what they print, and how they refuse."""

import gzip
import io
import json
import tarfile

import pytest

from datadock.quality.reference.streets import BAN_COLUMNS


@pytest.fixture
def datadock(typed, tmp_path, monkeypatch):
    """Runs one command on a home of its own, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return typed


def package(folder, *communes, version="9.0.0"):
    folder.mkdir(exist_ok=True)
    known = {"type": "commune-actuelle", "departement": "98", "population": 5}
    records = [{**known, "code": code, "nom": name, "codesPostaux": [postal]} for code, name, postal in communes]
    with tarfile.open(folder / f"communes-{version}.tgz", "w:gz") as tar:
        for path, content in (
            ("package.json", {"name": "@etalab/decoupage-administratif", "version": version}),
            ("data/communes.json", records),
        ):
            entry = tarfile.TarInfo(f"package/{path}")
            text = json.dumps(content).encode()
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))


def test_tables_are_built_used_compared_and_left_again(datadock, tmp_path):
    package(tmp_path / "downloads", ("98101", "Alpha", "98110"), ("98102", "Beta", "98120"))
    code, told, _ = datadock("refdata", "build", "--from", "downloads", "--out", "one", "--json")
    assert code == 0
    one = json.loads(told)
    assert {row["table"]: row["made_from"] for row in one["tables"] if row["made_from"]} == {
        "localities": "communes-9.0.0.tgz/package/data/communes.json"
    }
    package(tmp_path / "later", ("98101", "Alpha-sur-Mer", "98110"), ("98102", "Beta", "98120"), version="9.1.0")
    assert datadock("refdata", "use", "one")[:1] == (0,)
    code, told, _ = datadock("refdata", "build", "--from", "later", "--out", "two")
    assert code == 0
    assert "to use it: datadock refdata use" in told
    code, told, _ = datadock("refdata", "diff", "current", "two")
    assert code == 0
    lines = told.splitlines()
    assert lines[0].startswith("communes 9.0.0 (")
    assert lines[1:] == [
        "renamed   1",
        "  98101  Alpha  Alpha-sur-Mer",
        "recoded   0",
        "moved     0",
        "added     0",
        "removed   0",
        "touched   1 communes, 1 postal codes, 2 names",
    ]
    code, told, _ = datadock("refdata", "diff", "one", "two", "--json")
    assert json.loads(told)["touched"]["names"] == ["ALPHA", "ALPHA SUR MER"]
    code, told, _ = datadock("refdata", "use", "two", "--json")
    assert (code, json.loads(told)["changed"]) == (0, ["localities"])
    assert "in use already" in datadock("refdata", "use", "two")[1]
    assert datadock("refdata", "use", "packaged")[0] == 0
    code, told, _ = datadock("refdata", "status", "--json")
    status = json.loads(told)
    assert (code, status["version"], status["broken"]) == (0, status["packaged"], [])
    assert len(status["installed"]) == 3
    assert {row["table"]: row["rows"] for row in status["tables"]}["return_motives"] == 6


def test_streets_are_loaded_and_shown(datadock, tmp_path):
    row = dict.fromkeys(BAN_COLUMNS, "") | {"numero": "12", "nom_voie": "Rue de l'Église", "code_insee": "33243"}
    text = ";".join(BAN_COLUMNS) + "\n" + ";".join(row.values()) + "\n"
    (tmp_path / "adresses-33.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert "no BAN file is loaded" in datadock("refdata", "status")[1]
    said = "adresses-33.csv.gz: 1 streets, 1 addresses in 1 communes of 33"
    assert datadock("refdata", "load-ban", "adresses-33.csv.gz") == (0, said + "\n", "")
    assert datadock("refdata", "load-ban", ".") == (0, said + "; loaded before, nothing changed\n", "")
    assert "adresses-33.csv.gz  33" in datadock("refdata", "status")[1]


def test_contours_are_loaded_with_what_is_refused_and_shown(datadock, tmp_path):
    ring = [[2.3, 48.8], [2.4, 48.8], [2.4, 48.9], [2.3, 48.8]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    made = [
        {"type": "Feature", "properties": {"code_iris": code, "nom_iris": "X"}, "geometry": shape}
        for code in ("751010101", "75101")
    ]
    (tmp_path / "iris.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": made}))
    assert "no contours are loaded" in datadock("refdata", "status")[1]
    load = ("refdata", "load-iris", "iris.geojson", "--version", "2024")
    said = "iris.geojson: 1 contours of 1 communes, version 2024, read as EPSG:4326"
    refused = "  refused iris.geojson feature 2 75101: code_iris is no IRIS code of nine characters\n"
    assert datadock(*load) == (0, f"{said}\n1 new, 0 changed, 0 removed\n", refused)
    again = f"{said}; loaded before, nothing changed\n0 new, 0 changed, 0 removed\n"
    assert datadock(*load) == (0, again, "")
    code, told, _ = datadock(*load[:-1], "2024-01-01", "--licence", "LO", "--json")
    loaded = json.loads(told)
    assert (code, loaded["change"]) == (0, {"added": 0, "changed": 1, "removed": 0})
    assert loaded["files"][0]["licence"] == "LO"
    shown = datadock("refdata", "status")[1].splitlines()[-1].split()
    assert shown[:-1] == ["iris.geojson", "2024-01-01", "1", "1", "1", "EPSG:4326", "LO"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("use", "nothing"), "neither a folder of tables nor an installed version: nothing"),
        (("diff", "nothing", "current"), "no reference tables: nothing"),
        (("build", "--from", "nothing"), "no folder nothing"),
        (("load-ban", "nothing.csv.gz"), "no BAN file: nothing.csv.gz"),
        (("load-iris", "nothing.gpkg", "--version", "1"), "no file of contours: nothing.gpkg"),
    ],
)
def test_what_is_not_there_is_an_error_on_standard_error(datadock, words, message):
    code, told, errors = datadock("refdata", *words)
    assert (code, told) == (1, "")
    assert errors.startswith(f"datadock: {message}")
    assert "to do:" in errors


@pytest.mark.parametrize("command", ["status", "build", "use", "load-ban", "load-iris", "diff"])
def test_every_command_has_an_example(datadock, command):
    code, told, _ = datadock("refdata", command, "--help")
    assert code == 0
    assert "Example: " in told
