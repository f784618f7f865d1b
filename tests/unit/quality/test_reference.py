import csv
import gzip
import io
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from datadock.errors import DatadockError
from datadock.quality.address import AddressColumns, normalise_addresses
from datadock.quality.reference import Reference, compare_references, load_ban, load_reference
from datadock.quality.reference.manifest import digest, read_manifest, read_table, write_manifest
from datadock.quality.reference.streets import BAN_COLUMNS

HERE = Path(__file__).parent
COLUMNS = ("code_insee", "nom", "type", "code_actuel", "departement", "codes_postaux", "population")


def planted(*rows):
    return Reference([dict(zip(COLUMNS, row, strict=True)) for row in rows])


def commune(code, name, *, codes, people=100):
    return (code, name, "commune-actuelle", code, code[:2], codes, str(people))


OLD = planted(
    commune("01001", "Alpha", codes="01100"),
    commune("01002", "Beta", codes="01200"),
    commune("01003", "Gamma", codes="01300"),
    commune("01004", "Delta", codes="01400"),
    ("01005", "Epsilon", "commune-deleguee", "01004", "01", "01400", ""),
)
NEW = planted(
    commune("01001", "Alpha-sur-Ain", codes="01100"),
    commune("01002", "Beta", codes="01200|01210"),
    commune("01004", "Delta", codes="01400"),
    ("01003", "Gamma", "commune-deleguee", "01004", "01", "01400", ""),
)


def test_the_difference_of_two_versions_names_what_changed():
    found = compare_references(OLD, NEW)
    assert found.renamed == [("01001", "Alpha", "Alpha-sur-Ain")]
    assert found.recoded == [("01002", "01200", "01200|01210")]
    assert found.moved == [("01003", "01004", "GAMMA")]
    assert found.removed == [("01004", "Epsilon")]
    assert found.added == []
    assert found.touched_insee == {"01001", "01002", "01003", "01004"}
    assert found.touched.names == {"ALPHA", "ALPHA SUR AIN", "BETA", "GAMMA", "EPSILON"}
    assert found.touched_postal == {"01100", "01200", "01210", "01300", "01400"}


def test_a_version_does_not_differ_from_itself_and_touches_nothing():
    found = compare_references(OLD, OLD)
    rows = pl.DataFrame({"code_postal": ["01100", None], "code_insee": ["01001", "01002"]})
    assert found.empty
    assert rows.filter(found.touches("code_postal", "code_insee")).height == 0


def test_only_addresses_of_touched_places_are_selected():
    rows = pl.DataFrame({"code_postal": ["01200", "57000", None], "code_insee": ["01002", "57463", "01004"]})
    touched = rows.filter(compare_references(OLD, NEW).touches("code_postal", "code_insee"))
    assert touched["code_insee"].to_list() == ["01002", "01004"]


def test_an_address_is_marked_by_what_it_depends_on_and_by_nothing_else():
    found = compare_references(OLD, NEW)
    rows = pl.DataFrame(
        [
            ("2 rue Haute, 01400 Delta", "01400", "01004", []),
            ("2 rue Haute, 01400 Epsilon", "01400", "01004", ["ANCIENNE_COMMUNE"]),
            ("2 rue Haute, 01200 Beta", "01200", "01002", []),
            ("2 rue de Gamma, 57000 Metz", "57000", "57463", []),
            ("2 rue Haute, Gamma", "", "", ["CP_INCONNU"]),
            ("2 rue Haute, 57000 Mtez", "57000", "57463", ["COMMUNE_CORRIGEE"]),
            ("2 rue Haute, 01 300 Mtez", "57000", "57463", ["CP_CORRIGE"]),
            ("2 rue Haute, 01199 Alpha Cedex", "01199", "01004", []),
        ],
        schema=["text", "code_postal", "code_insee", "codes"],
        orient="row",
    )
    marked = rows.select(
        found.touches("code_postal", "code_insee", "codes", ("text",)).alias("all"),
        found.touches("code_postal", "code_insee", "codes").alias("no text"),
        found.touches("code_postal", "code_insee").alias("places"),
    )
    assert marked.rows() == [
        (True, True, True),
        (True, True, True),
        (True, True, True),
        (False, False, False),
        (True, True, True),
        (False, True, False),
        (True, True, False),
        (True, True, True),
    ]


def test_a_change_of_the_street_types_touches_every_address_and_one_of_first_names_the_streets_that_hold_them():
    words = replace(OLD, hashes={"street_types": "other"})
    assert compare_references(OLD, words).touched.everything
    names = replace(OLD, hashes={"first_name_spellings": "other"})
    object.__setattr__(names, "first_names", OLD.first_names ^ {"MARCEL", "ZORGLUB"})
    found = compare_references(OLD, names)
    rows = pl.DataFrame({"text": ["1 rue Marcel Aymé 57000 Metz", "1 rue Haute 57000 Metz"],
                         "code_postal": "57000", "code_insee": "57463", "codes": [[], []]})  # fmt: skip
    assert found.touched.first_names == {"MARCEL", "ZORGLUB"}
    assert rows.select(found.touches("code_postal", "code_insee", "codes", ("text",))).to_series().to_list() == [
        True, False]  # fmt: skip


@pytest.fixture(scope="module")
def of_last_year(tmp_path_factory):
    """The tables of npm version 5.3.0, put together from those of 6.0.0 and the rows in which they differ."""
    folder = tmp_path_factory.mktemp("5.3.0")
    with (HERE / "data" / "localities_5.3.0_to_6.0.0.csv").open(encoding="utf-8", newline="") as stream:
        changes = [(row.pop("change"), tuple(row.values())) for row in csv.DictReader(stream)]
    rows = {tuple(row.values()) for row in read_table("localities")} - {row for sign, row in changes if sign == "added"}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *sorted(rows | {row for sign, row in changes if sign == "removed"})])
    entries = read_manifest()
    (folder / "localities.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
    sha256 = digest(text.getvalue().encode())
    write_manifest(folder, {"localities": replace(entries["localities"], version="5.3.0", sha256=sha256)})
    return load_reference(folder)


def test_the_version_of_last_year_is_the_one_built_from_its_package(of_last_year):
    assert of_last_year.hashes["localities"] == "a5adde0a1a459e4b77e7a0096299b8671f814153cdd6e19c8d8d0f2170452aa5"
    assert of_last_year.version.startswith("communes 5.3.0 (")


def test_the_difference_of_two_years_is_small_and_named(of_last_year):
    found = compare_references(of_last_year, load_reference())
    assert len(found.renamed) == 19
    assert ("12083", "Cransac", "Cransac-les-Thermes") in found.renamed
    assert found.recoded == [("49126", "49530", "49270|49530")]
    assert (len(found.touched_insee), len(found.touched_postal), len(found.touched.names)) == (20, 22, 64)


def test_untouched_addresses_come_out_the_same_with_both_years_and_touched_ones_are_few(of_last_year, published_data):
    with (published_data / "fr" / "mairies" / "mairies.csv").open(encoding="utf-8", newline="") as stream:
        halls = [row for row in csv.DictReader(stream) if row["line1"] and row["line2"][:5].isdigit()]
    found = compare_references(of_last_year, load_reference())
    near = [row for row in halls if row["line2"][:5] in found.touched_postal]
    texts = []
    for row in [*halls[::16], *near]:
        code, city = row["line2"][:5], row["line2"][6:]
        texts += [
            f"{row['line1']}, {code} {city}",
            f"{row['line1']} {city}",
            f"{row['line1']} {code[:3]}9{code[4]} {city}",
        ]
        texts += [
            f"{row['line1']} {code} {city[:1]}{city[2:3]}{city[1:2]}{city[3:]}",
            f"{row['line1']} {code} {city} CEDEX",
        ]
    frame = pl.DataFrame({"text": texts})
    old, new = (
        normalise_addresses(frame, AddressColumns(("text",)), reference).with_columns(
            pl.col("evidence").list.eval(pl.element().struct.with_fields(pl.lit("").alias("reference")))
        )
        for reference in (of_last_year, load_reference())
    )
    differs = pl.Series([one != other for one, other in zip(old.rows(), new.rows(), strict=True)])
    touched = old.hstack(frame).select(found.touches("code_postal", "code_insee", "codes", ("text",))).to_series()
    assert frame.filter(differs & ~touched)["text"].to_list() == []
    assert differs.sum() >= 30
    well_written = pl.Series([place % 5 == 0 for place in range(len(texts))])
    assert (touched & well_written).sum() < 2 * (differs & well_written).sum()
    assert touched.sum() < len(texts) / 8


def test_a_commune_is_known_by_each_code_and_arrondissements_by_theirs():
    reference = load_reference()
    assert [entry.code_insee for entry in reference.by_code["75008"]["PARIS"]] == ["75108"]
    assert [entry.code_insee for entry in reference.by_name["PARIS"]] == ["75056"]
    assert reference.by_code["01300"]["ARBIGNIEU"][0].current_label == "ARBOYS EN BUGEY"
    assert len(reference.iris["01001"]) == 1


def test_ban_files_are_read_by_their_public_layout(tmp_path):
    row = dict.fromkeys(BAN_COLUMNS, "") | {"numero": "12", "nom_voie": "Rue de l'Église", "code_insee": "33243"}
    text = ";".join(BAN_COLUMNS) + "\n" + ";".join(row.values()) + "\n"
    (tmp_path / "adresses-33.csv.gz").write_bytes(gzip.compress(text.encode()))
    streets = load_ban(tmp_path)
    assert streets.find("33243", "RUE DE L EGLISE") == "RUE DE L EGLISE"
    assert streets.find("33243", "RUE EGLISE") == "RUE DE L EGLISE"
    assert streets.find("33243", "RUE HAUTE") == ""
    assert not streets.knows("57463")
    assert streets.version == "BAN adresses-33.csv.gz"


def test_a_file_of_another_layout_is_refused_with_what_it_lacks(tmp_path):
    (tmp_path / "x.csv").write_text("a;b\n1;2\n")
    with pytest.raises(DatadockError, match="nom_voie"):
        load_ban(tmp_path / "x.csv")
    with pytest.raises(DatadockError, match="no BAN file"):
        load_ban(tmp_path / "none.csv")
