"""xml files: records as JSON of texts; nothing expanded, nothing loaded from outside."""

import pytest


def test_elements_attributes_and_repeated_children_become_a_record(ground, source):
    data = """<?xml version="1.0" encoding="ISO-8859-1"?><x:retours xmlns:x="urn:x"><x:retour id="7">
      <id>01000</id><nom lang="fr">Zoé &amp; <![CDATA[<Léa>]]></nom><tel>1</tel><tel>2</tel><vide/>
      <adresse><ville>Lyon</ville></adresse></x:retour></x:retours>"""
    people = source("xml", records="retour")
    ground.land(people, data.encode("latin-1"))
    assert ground.loaded(people) == [
        (
            1,
            {
                "@id": "7",
                "id": "01000",
                "nom": {"@lang": "fr", "#text": "Zoé & <Léa>"},
                "tel": ["1", "2"],
                "vide": "",
                "adresse": {"ville": "Lyon"},
            },
        )
    ]


def test_without_a_name_the_children_of_the_root_are_the_records(ground, source):
    people = source("xml")
    ground.land(people, "<a><r><id>1</id></r><s><id>2</id></s></a>")
    assert [record for _, record in ground.loaded(people)] == [{"id": "1"}, {"id": "2"}]


def test_entities_are_neither_expanded_nor_loaded(ground, source, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    data = f"""<!DOCTYPE a [<!ENTITY x "y"><!ENTITY f SYSTEM "file://{secret}">]>
    <a><r><id>1</id><n>&f;</n></r><r><id>2</id><n>&x;</n></r><r><id>3</id></r></a>"""
    people = source("xml", records="r")
    ground.land(people, data)
    assert ground.loaded(people) == [(3, {"id": "3"})]
    assert [(line, code) for line, code, _ in ground.refused()] == [(1, "entity_reference"), (2, "entity_reference")]
    assert b"secret" not in b"".join(raw for _, _, raw in ground.refused())


def test_a_billion_laughs_are_refused(ground, source):
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    data = f'<!DOCTYPE a [<!ENTITY l0 "lol">{entities}]><a><r><id>&l11;</id></r></a>'
    people = source("xml", records="r")
    batch = ground.land(people, data)
    assert (batch.rows_in, batch.rows_loaded) == (1, 0)


@pytest.mark.parametrize(
    ("data", "loaded", "refused"),
    [
        (b"", 0, [(0, "empty_file")]),
        (b"not xml", 0, [(0, "malformed_xml")]),
        (b"<a/>", 0, [(0, "empty_file")]),
        (b"<a><r><id>1</id></r><r><id>2</r></a>", 1, [(2, "malformed_xml")]),
        (b"<a><r><id>1</id></r>", 1, [(2, "malformed_xml")]),
        (b"<a>" + b"<b>" * 100_000, 0, [(1, "nested_too_deep")]),
    ],
)
def test_broken_files_load_what_stands_before_the_break(ground, source, data, loaded, refused):
    people = source("xml", records="r")
    batch = ground.land(people, data)
    assert batch.rows_loaded == loaded
    assert [(line, code) for line, code, _ in ground.refused()] == refused
