from datadock.quality.address import CommuneChoice, complete_commune, complete_street
from datadock.quality.reference.streets import streets_of


def test_communes_are_found_by_name_saint_or_st_former_name_and_code():
    assert complete_commune("libour")[0] == CommuneChoice("33500", "LIBOURNE", "33243")
    assert complete_commune("st etienne du rouv")[0] == complete_commune("Saint-Étienne-du-Rouv")[0]
    assert complete_commune("havr")[0].commune == "LE HAVRE"
    assert complete_commune("33500")[0].commune == "LIBOURNE"
    assert complete_commune("arbigni")[0] == CommuneChoice("01300", "ARBOYS EN BUGEY", "01015", "ARBIGNIEU")
    assert complete_commune("paris 75008")[0] == CommuneChoice("75008", "PARIS", "75108")


def test_nothing_is_proposed_for_nothing():
    assert complete_commune("") == []
    assert complete_commune("   é́ءж"[:3]) == []
    assert complete_commune("zzzz") == []


def test_streets_are_found_by_any_of_their_words_behind_a_number():
    streets = streets_of([("33243", "Rue des Fleurs"), ("33243", "Rue de la Paix"), ("57463", "Rue des Fleurs")])
    assert complete_street("12 rue de", "33243", streets) == ["RUE DE LA PAIX", "RUE DES FLEURS"]
    assert complete_street("fle", "33243", streets) == ["RUE DES FLEURS"]
    assert complete_street("fle", "75056", streets) == []
