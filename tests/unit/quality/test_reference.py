import gzip

import polars as pl
import pytest

from datadock.errors import DatadockError
from datadock.quality.reference import Reference, compare_references, load_ban, load_reference
from datadock.quality.reference.streets import BAN_COLUMNS

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
