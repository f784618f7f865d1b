"""The versions of the reference that a home uses, keeps and notes; the streets that it loads."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.quality.address import normalise_address
from datadock.quality.names import normalise_name
from datadock.quality.reference import compare_references, load_reference
from datadock.quality.reference.manifest import DATA, digest, read_manifest, version_of, write_manifest
from datadock.quality.reference.streets import BAN_COLUMNS
from datadock.refdata import (
    current_reference,
    current_streets,
    install,
    install_ban,
    installed_versions,
    loaded_ban,
    read_contacts_by,
    record_versions,
    reference_at,
    used_versions,
)
from datadock.refdata.status import reference_status
from datadock.refdata.store import use_installed
from datadock.settings import Settings

HEADER = "code_insee,nom,type,code_actuel,departement,codes_postaux,population\n"
ROWS = HEADER + "01001,Alpha,commune-actuelle,01001,01,01100,5\n"


def tables(folder, text=ROWS, name="localities", version="9.0.0"):
    """A folder as the builder writes it, with one table."""
    folder.mkdir(exist_ok=True)
    entry = replace(read_manifest()[name], version=version, sha256=digest(text.encode()), rows=1)
    content = gzip.compress(text.encode()) if entry.file.endswith(".gz") else text.encode()
    (folder / entry.file).write_bytes(content)
    write_manifest(folder, {name: entry})
    return folder


def ban(folder, *streets, name="adresses-33.csv.gz"):
    rows = [dict.fromkeys(BAN_COLUMNS, "") | {"numero": "12", "nom_voie": street, "code_insee": code}
            for code, street in streets]  # fmt: skip
    text = "\n".join([";".join(BAN_COLUMNS), *(";".join(row.values()) for row in rows)]) + "\n"
    (folder / name).write_bytes(gzip.compress(text.encode(), mtime=0))
    return folder / name


@pytest.fixture
def home(tmp_path):
    return Settings(home=tmp_path / "home")


def test_a_home_uses_the_packaged_tables_until_others_are_installed(home, tmp_path):
    assert current_reference(home) is load_reference()
    version = install(home, tables(tmp_path / "new"))
    reference = current_reference(home)
    assert reference.version == version
    assert version.startswith("communes 9.0.0 (")
    assert normalise_address("1 rue Haute, 01100 Alhpa", reference).evidence[0].reference == version
    assert installed_versions(home) == {version: home.home_path / "reference" / "tables" / reference.folder.name}
    assert use_installed(home, "packaged") == load_reference().version
    assert current_reference(home) is load_reference()
    assert use_installed(home, reference.folder.name) == version
    assert current_reference(home) is reference


def test_the_version_changes_exactly_when_a_table_that_decides_for_addresses_does(tmp_path):
    operators = tables(tmp_path / "a", "code,name\nX,Y\n", "arcep_operators")
    births = tables(tmp_path / "b", "first_name,male,female\nZOE,0,90\n", "first_name_spellings")
    packaged = version_of(DATA)
    assert [version_of(folder) == packaged for folder in (operators, births, tables(tmp_path / "c"))] == [
        True, False, False]  # fmt: skip
    assert load_reference(births).first_names == {"ZOE"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "holds no reference tables"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "is no manifest"),
        (lambda folder: (folder / "localities.csv.gz").write_bytes(gzip.compress(b"x")), "not the one that was built"),
        (lambda folder: tables(folder, "a,b\n1,2\n"), "has the columns a,b"),
        (lambda folder: tables(folder, "word\n", "street_types"), "holds street_types"),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_whole_set_of_tables_is_refused_and_nothing_changes(home, tmp_path, spoil, message):
    folder = tables(tmp_path / "new")
    spoil(folder)
    with pytest.raises(DatadockError, match=message):
        install(home, folder)
    assert current_reference(home) is load_reference()
    assert installed_versions(home) == {}


def test_the_tables_in_use_that_are_gone_are_an_error_that_says_the_way_back(home, tmp_path):
    install(home, tables(tmp_path / "new"))
    (current_reference(home).folder / "manifest.json").unlink()
    with pytest.raises(DatadockError, match="the tables in use are gone") as told:
        current_reference(home)
    assert "refdata use packaged" in told.value.action


def test_each_version_of_each_table_is_noted_once_and_can_be_compared_with_later(home, tmp_path):
    lake, first = Lake(home.lake_root), datetime(2026, 1, 1, tzinfo=UTC)
    assert len(record_versions(home, current_reference(home), now=first)) == 9
    assert record_versions(home, current_reference(home)) == []
    install(home, tables(tmp_path / "new"))
    added = record_versions(home, current_reference(home), now=datetime(2026, 2, 1, tzinfo=UTC))
    assert [(row.table, row.version, row.step, row.reference) for row in added] == [
        ("localities", "9.0.0", 1, current_reference(home).version)]  # fmt: skip
    use_installed(home, "packaged")
    again = record_versions(home, current_reference(home), now=datetime(2026, 3, 1, tzinfo=UTC))
    assert [(row.table, row.version, row.step) for row in again] == [("localities", "6.0.0", 2)]
    noted = used_versions(lake)
    assert noted[-1] == again[0]
    assert (len(noted), noted[0].loaded_at) == (11, first)
    old = reference_at(home, added[0].reference)
    assert old is not None
    assert [len(old.localities), compare_references(old, load_reference()).touched.everything] == [2, False]
    assert reference_at(home, "communes 1.0 (x)") is None


def test_a_version_of_which_the_package_had_other_street_types_touches_everything(home, monkeypatch):
    from datadock.quality.reference import manifest

    record_versions(home, current_reference(home))
    before = current_reference(home).version
    entries = read_manifest()
    entries["street_types"] = replace(entries["street_types"], sha256="other")
    monkeypatch.setattr(manifest, "_entries", lambda folder, _: entries if folder == DATA else read_manifest(folder))
    now = current_reference(home)
    assert now.version != before
    old = reference_at(home, before)
    assert old is not None
    assert old.version == before
    assert compare_references(old, now).touched.everything


def test_streets_are_loaded_once_and_a_newer_file_takes_the_place_of_the_older(home, tmp_path):
    assert current_streets(home) is None
    path = ban(tmp_path, ("33243", "Rue des Fleurs"), ("33243", "Rue des Fleurs"), ("2A004", "Cours Fesch"))
    ((item, new),) = install_ban(home, [path])
    assert new
    assert (item.file, item.departements, item.communes, item.streets, item.addresses) == (
        "adresses-33.csv.gz", ("2A", "33"), 2, 2, 3)  # fmt: skip
    streets = current_streets(home)
    assert streets.find("33243", "RUE FLEURS") == "RUE DES FLEURS"
    assert normalise_address("1 rue des Fleurs 33500 Libourne", current_reference(home), streets).street_checked
    assert install_ban(home, [path]) == [(item, False)]
    assert current_streets(home) is streets
    install_ban(home, [ban(tmp_path, ("97105", "Rue Haute"))])
    assert [(one.departements, one.streets) for one in loaded_ban(home)] == [(("971",), 1)]
    assert not current_streets(home).knows("33243")
    rows = record_versions(home, current_reference(home), current_streets(home))
    assert [row.table for row in rows if row.source.startswith("BAN")] == ["adresses-33.csv.gz"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a;b\n1;2\n", "lacks the columns numero"), (b"\x1f\x8bbroken", "cannot be read"), (b"", "cannot be read"),
     (";".join(BAN_COLUMNS).encode() + b"\n", "holds no street")],
)  # fmt: skip
def test_a_wrong_file_is_refused_and_no_other_of_the_same_call_is_loaded(home, tmp_path, content, message):
    good, bad = ban(tmp_path, ("33243", "Rue des Fleurs")), tmp_path / "bad.csv.gz"
    bad.write_bytes(content)
    with pytest.raises(DatadockError, match=message):
        install_ban(home, [good, bad])
    with pytest.raises(DatadockError, match="no BAN file"):
        install_ban(home, [tmp_path / "none.csv.gz"])
    assert loaded_ban(home) == []


def test_names_are_read_by_the_tables_of_the_home_once_it_is_named(home, tmp_path):
    folder = tables(tmp_path / "new")
    births = tables(tmp_path / "births", "first_name,male,female\nZORGLUB,90,0\n", "first_name_spellings", "2031")
    (folder / "first_name_spellings.csv.gz").write_bytes((births / "first_name_spellings.csv.gz").read_bytes())
    write_manifest(folder, read_manifest(folder) | read_manifest(births))
    install(home, folder)
    read_contacts_by(home)
    try:
        assert normalise_name("zorglub").type == "M"
    finally:
        use_installed(home, "packaged")
        read_contacts_by(home)
    assert normalise_name("zorglub").type == ""


def test_the_status_says_what_is_used_and_what_is_broken(home, tmp_path):
    install(home, tables(tmp_path / "new", version="5.0.0"))
    told = reference_status(home)
    assert told.behind
    assert (told.version, told.packaged, told.broken) == (current_reference(home).version, version_of(DATA), [])
    assert {table.table: table.held for table in told.tables}["localities"] == "home"
    (told.folder / "localities.csv.gz").write_bytes(gzip.compress(b"other"))
    assert reference_status(home).broken == ["localities"]
