"""The one builder of the reference tables: what each is made from, what is taken over, and the one manifest."""

import gzip
import io
import json
import tarfile
import zipfile

import polars as pl
import pytest

from datadock.errors import DatadockError
from datadock.quality.contact_tables import first_name_spellings, number_blocks, read_tables_from, reference
from datadock.quality.first_names import births_of
from datadock.quality.reference.build import build_reference, label_rows, locality_rows
from datadock.quality.reference.manifest import (
    DATA,
    OWN,
    PUBLISHED,
    is_intact,
    read_manifest,
    read_rows,
    read_table,
    version_of,
)

DELTA = {"code": "98104", "nom": "Delta", "type": "commune-actuelle", "codesPostaux": ["01400"],
         "departement": "01", "anciensCodes": ["98109"], "population": 5}  # fmt: skip
ZETA = {"code": "98109", "nom": "Zeta", "type": "commune-actuelle", "departement": "01"}
RANGES = """range,num_debut,num_fin,operateur,zone
1056,105600000,105699999,FRTE,Métropole
5987,598700000,598799999,FRTE,Martinique
36,3600,3699,FRTE,Métropole
"""
NAT = "sexe;preusuel;annais;nombre\n1;JEAN;1900;14\n1;JEAN;1901;3\n2;JEAN;1900;1\n1;_PRENOMS_RARES;1900;9\n"


def communes(version, *records):
    """A package as ``npm pack`` gives it."""
    return npm("@etalab/decoupage-administratif", version, "data/communes.json", list(records))


def npm(name, version, member, document):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for path, content in (("package.json", {"name": name, "version": version}), (member, document)):
            text = json.dumps(content).encode()
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return made.getvalue()


def rows_of(folder, table):
    return [tuple(row.values()) for row in read_table(table, folder)]


def test_former_names_that_a_version_has_lost_come_back_from_an_older_one():
    assert locality_rows([DELTA], [[ZETA]]) == [
        ("98104", "Delta", "commune-actuelle", "98104", "01", "01400", "5"),
        ("98109", "Zeta", "ancien-nom", "98104", "01", "01400", ""),
    ]


def test_an_article_in_brackets_goes_before_the_label():
    row = {"codePostal": "14130", "codeCommune": "14426", "libelleAcheminement": "MESNIL-SUR-BLANGY (LE)"}
    assert label_rows([row]) == [("14130", "14426", "LE MESNIL SUR BLANGY")]


def test_every_published_file_becomes_its_table_from_archives_and_unpacked_alike(tmp_path):
    downloads = tmp_path / "downloads"
    (downloads / "unpacked" / "fr_phonenumbers-0.9.dist-info").mkdir(parents=True)
    (downloads / "unpacked" / "fr_phonenumbers" / "data").mkdir(parents=True)
    (downloads / "new.tgz").write_bytes(communes("99.1.0", DELTA))
    (downloads / "old.tgz").write_bytes(communes("99.0.0", ZETA))
    label = {"codePostal": "01400", "codeCommune": "98104", "libelleAcheminement": "DELTA"}
    (downloads / "labels.tgz").write_bytes(npm("codes-postaux", "9.0.0", "codes-postaux.json", [label]))
    (downloads / "unpacked" / "fr_phonenumbers-0.9.dist-info" / "METADATA").write_text("Version: 0.9\n")
    (downloads / "unpacked" / "fr_phonenumbers" / "data" / "num_ranges.csv").write_text(RANGES, encoding="utf-8")
    (downloads / "unpacked" / "fr_phonenumbers" / "data" / "operators.csv").write_text("code,operateur\nFRTE,Orange\n")
    with zipfile.ZipFile(downloads / "nat2031_csv.zip", "w") as archive:
        archive.writestr("nat2031.csv", NAT)
    pl.DataFrame({"iris": ["981040101"], "com": ["98104"], "typ_iris": ["H"], "pop": [5]}).write_parquet(
        downloads / "iris_2030.parquet"
    )
    built = build_reference(downloads, tmp_path / "out", day="2031-01-02")
    told = {name: (table.entry.version, table.entry.rows, bool(table.origin)) for name, table in built.items()}
    assert told == {
        "localities": ("99.1.0", 2, True), "delivery_labels": ("9.0.0", 1, True), "iris": ("2030", 1, True),
        "arcep_ranges": ("0.9", 2, True), "arcep_operators": ("0.9", 1, True),
        "first_name_spellings": ("2031", 1, True), "line_words": ("1", 106, False),
        "street_types": ("1", 117, False), "return_motives": ("2", 6, False),
    }  # fmt: skip
    out = tmp_path / "out"
    assert rows_of(out, "localities") == [
        ("98104", "Delta", "commune-actuelle", "98104", "01", "01400", "5"),
        ("98109", "Zeta", "ancien-nom", "98104", "01", "01400", ""),
    ]
    assert rows_of(out, "delivery_labels") == [("01400", "98104", "DELTA")]
    assert rows_of(out, "iris") == [("981040101", "98104", "H", "5")]
    assert rows_of(out, "arcep_ranges") == [("1056", "FRTE", "FR"), ("5987", "FRTE", "MQ")]
    assert rows_of(out, "first_name_spellings") == [("JEAN", "17", "1")]
    assert read_manifest(out)["localities"].built_on == "2031-01-02"
    assert all(is_intact(out, entry) for entry in read_manifest(out).values())


def test_what_the_downloads_lack_is_taken_over_and_the_version_changes_with_what_decides(tmp_path):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "nat2031.csv").write_text(NAT, encoding="utf-8")
    built = build_reference(downloads, tmp_path / "names")
    assert [name for name, table in built.items() if table.origin] == ["first_name_spellings"]
    kept, stood = read_manifest(tmp_path / "names"), read_manifest()
    assert [name for name in stood if kept[name] != stood[name]] == ["first_name_spellings"]
    assert version_of(tmp_path / "names") != version_of()
    (downloads / "nat2031.csv").unlink()
    (downloads / "operators.csv").write_text("code,operateur\nFRTE,Orange\n")
    build_reference(downloads, tmp_path / "operators")
    assert version_of(tmp_path / "operators") == version_of()


def test_building_again_from_the_same_files_changes_no_byte(tmp_path):
    downloads, out = tmp_path / "downloads", tmp_path / "out"
    downloads.mkdir()
    (downloads / "new.tgz").write_bytes(communes("99.1.0", DELTA))
    build_reference(downloads, out, day="2031-01-02")
    first = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.glob("*.csv*")}
    manifest = (out / "manifest.json").read_bytes()
    build_reference(downloads, out, base=out, day="2031-05-06")
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.glob("*.csv*")} == first
    assert (out / "manifest.json").read_bytes() == manifest


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"none", "none of the published files"),
        ("new.tgz", b"no archive", "new.tgz is no archive"),
        ("communes.tgz", communes("9.0.0", {"wrong": 1}), "not laid out as published: KeyError 'type'"),
        ("num_ranges.csv", b"a,b\n1,2\n", "not laid out as published: KeyError 'range'"),
        ("nat2020.csv", b"sexe;preusuel;annais;nombre\n", "gives no row"),
        ("iris_2021.parquet", b"PAR1", "iris_2021.parquet is not laid out as published"),
    ],
)
def test_a_wrong_download_is_refused_with_its_name_and_what_to_do(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatadockError, match=message) as refused:
        build_reference(tmp_path, tmp_path / "out")
    assert "fetch" in refused.value.action
    assert not (tmp_path / "out").exists()


def test_the_committed_tables_stand_in_one_manifest_intact_and_under_eight_megabytes():
    entries = read_manifest()
    assert sorted(entries) == sorted([*PUBLISHED, *OWN])
    assert sorted(path.name for path in DATA.iterdir()) == sorted(
        [*(entry.file for entry in entries.values()), "manifest.json"]
    )
    for entry in entries.values():
        assert is_intact(DATA, entry), entry.file
        assert len(read_rows(DATA / entry.file)) == entry.rows
        assert all((entry.source, entry.version, entry.licence, entry.built_on))
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 8_000_000


def test_the_committed_contact_tables_are_made_anew_from_the_published_files(published_data, tmp_path):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for file in ("lists/arcep_num_ranges.csv", "lists/arcep_operators.csv", "insee-prenoms/prenoms_2019_agg.csv",
                 "iris-insee/iris_2021.parquet"):  # fmt: skip
        source = published_data / "fr" / file
        if not source.is_file():
            pytest.skip(f"no {file}")
        (downloads / source.name).symlink_to(source)
    build_reference(downloads, tmp_path / "out")
    assert read_manifest(tmp_path / "out") == read_manifest()


def test_returned_mail_counts_against_the_address_and_not_against_the_person():
    assert {row["code"]: row["compte"] for row in read_table("return_motives")} == {
        "NPAI": "1", "ACCES": "1", "INCOMPLET": "1", "REFUSE": "0", "NON_RECLAME": "0", "DCD": "0",
    }  # fmt: skip


def test_names_and_phones_are_read_by_the_tables_of_another_folder_once_it_is_named(tmp_path):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "nat2031.csv").write_text(NAT, encoding="utf-8")
    build_reference(downloads, tmp_path / "out")
    before, blocks = births_of("Jean"), len(number_blocks())
    read_tables_from(tmp_path / "out")
    try:
        assert (births_of("Jean"), reference("first_name_spellings")) == (18, "first_name_spellings 2031")
        assert (len(first_name_spellings()), len(number_blocks())) == (1, blocks)
    finally:
        read_tables_from()
    assert births_of("Jean") == before


def test_a_broken_table_is_not_intact(tmp_path):
    entry = read_manifest()["street_types"]
    assert not is_intact(tmp_path, entry)
    (tmp_path / entry.file).write_bytes(b"word\n")
    assert not is_intact(tmp_path, entry)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"word\n")[:-3])
    with pytest.raises(DatadockError, match=r"x\.csv\.gz cannot be read"):
        read_rows(tmp_path / "x.csv.gz")
