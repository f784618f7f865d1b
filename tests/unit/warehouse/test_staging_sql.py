import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from datadock.errors import CatalogError
from datadock.warehouse.staging_sql import staging_columns

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def shown(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]


def test_a_record_is_named_typed_and_trimmed(declare, staged):
    source = declare(
        {
            "contact": {
                "key": "N° contact",
                "updated_at": "Modifié le",
                "fields": {
                    "family_name": "Nom",
                    "birth_date": "Né(e) le",
                    "civility": {"from": "Civ", "map": {"Monsieur": "M", "?": ""}},
                    "spent": {"from": 'CA "total" l\'an', "type": "decimal"},
                    "language": {"value": "fr"},
                },
            }
        }
    )
    rows = staged(
        source,
        "contact",
        [
            {
                "N° contact": "01",
                "Nom": " Durand ",
                "Né(e) le": "12/03/1980",
                "Civ": "Monsieur",
                'CA "total" l\'an': "1 234,56 €",
                "Modifié le": "2026-01-02",
            },
            {"N° contact": "2", "Nom": "", "Civ": "?"},
        ],
    )
    assert rows == [
        {
            "source": "crm",
            "source_key": "01",
            "party_type": "person",
            "civility": "M",
            "family_name": "Durand",
            "birth_date": date(1980, 3, 12),
            "language": "fr",
            "spent": Decimal("1234.56"),
            "record_updated_at": datetime(2026, 1, 2, tzinfo=UTC),
            "_batch_id": "b1",
            "_file": "f",
            "_line": 1,
            "_received_at": datetime(2026, 1, 1, tzinfo=UTC),
        },
        {
            "source": "crm",
            "source_key": "2",
            "party_type": "person",
            "civility": None,
            "family_name": None,
            "birth_date": None,
            "language": "fr",
            "spent": None,
            "record_updated_at": None,
            "_batch_id": "b1",
            "_file": "f",
            "_line": 2,
            "_received_at": datetime(2026, 1, 1, tzinfo=UTC),
        },
    ]
    assert list(rows[0]) == list(staging_columns(source, "contact"))


def test_the_first_place_that_holds_something_wins(declare, staged):
    source = declare({"contact": {"key": "id", "fields": {"email": ["mail", "$.contact.mail", "mail_2"]}}})
    records = [{"id": "1", "mail": " ", "contact": {"mail": "b@x.fr"}}, {"id": "2", "mail_2": "c@x.fr"}, {"id": "3"}]
    assert shown(staged(source, "contact", records), "email") == [("b@x.fr",), ("c@x.fr",), (None,)]


def test_names_with_dots_quotes_accents_and_braces_are_columns_like_any_other(declare, staged):
    names = ["a.b", 'a"b', "a'b", "é à", "{{ x }}", "{% if %}", "$price", "Nom", "nom", "NOM", "a\\b", "select"]
    fields = {f"field_{number}": name for number, name in enumerate(names)}
    source = declare({"contact": {"key": "id", "fields": fields}})
    (row,) = staged(source, "contact", [{"id": "1", **{name: f"value {n}" for n, name in enumerate(names)}}])
    assert [row[field] for field in fields] == [f"value {number}" for number in range(len(names))]


def test_a_place_may_be_a_value_here_and_a_record_there(declare, staged):
    source = declare({"contact": {"key": "$.id", "fields": {"full_name": "$.name", "family_name": "$.name.last"}}})
    rows = staged(source, "contact", [{"id": 1, "name": "Ana Roy"}, {"id": 2, "name": {"last": "Roy"}}])
    assert shown(rows, "source_key", "full_name", "family_name") == [
        ("1", "Ana Roy", None),
        ("2", '{"last":"Roy"}', "Roy"),
    ]


def test_each_gives_a_row_per_element_with_its_position_and_the_enclosing_record(declare, staged):
    source = declare(
        {
            "order": {
                "key": "$.id",
                "contact": [{"source": "crm", "key": "$.customer"}],
                "fields": {"order_id": "$.id"},
            },
            "order_line": {
                "key": ["^$.id", "#"],
                "each": "$.lines",
                "contact": [{"source": "crm", "key": "^$.customer"}],
                "fields": {"order_id": "^$.id", "line_no": "#", "product_code": "$.sku", "amount": "$.amount"},
            },
        },
        format_type="jsonl",
    )
    records = [
        {"id": "o1", "customer": "c1", "lines": [{"sku": "a", "amount": 1.5}, {"sku": "b", "amount": "2,50"}]},
        {"id": "o2", "customer": "c2", "lines": []},
        {"id": "o3", "lines": None},
    ]
    rows = staged(source, "order_line", records)
    assert shown(rows, "source_key", "contact_source", "contact_key", "line_no", "product_code", "amount") == [
        ("o1|1", "crm", "c1", 1, "a", Decimal("1.50")),
        ("o1|2", "crm", "c1", 2, "b", Decimal("2.50")),
    ]
    assert [row["order_id"] for row in staged(source, "order", [])] == ["o1", "o2", "o3"]


def test_each_reads_lists_of_plain_values_and_of_both(declare, staged):
    plain = declare(
        {
            "event": {
                "key": ["^id", "#"],
                "each": "$.tags",
                "contact": [{"source": "crm", "key": "^id"}],
                "fields": {"subject": "$"},
            }
        }
    )
    assert shown(staged(plain, "event", [{"id": "1", "tags": ["x", "y"]}]), "source_key", "subject") == [
        ("1|1", "x"),
        ("1|2", "y"),
    ]
    both = declare(
        {
            "event": {
                "key": ["^id", "#"],
                "each": "$.tags",
                "contact": [{"source": "crm", "key": "^id"}],
                "fields": {"subject": "$", "detail": "$.name", "channel": "$.NAME"},
            }
        }
    )
    rows = staged(both, "event", [{"id": "2", "tags": ["x", {"name": "y", "NAME": "z"}]}])
    assert shown(rows, "source_key", "subject", "detail", "channel")[2:] == [
        ("2|1", "x", None, None),
        ("2|2", '{"name":"y","NAME":"z"}', "y", "z"),
    ]


def test_a_company_is_told_from_a_person_by_the_declared_values(declare, staged):
    source = declare(
        {"contact": {"key": "id", "party": {"from": "Type", "company": ["PM", "Asso"]}, "fields": {"email": "m"}}}
    )
    rows = staged(source, "contact", [{"id": "1", "Type": "PM "}, {"id": "2", "Type": "PP"}, {"id": "3"}])
    assert shown(rows, "party_type") == [("company",), ("person",), ("person",)]


def test_only_keeps_the_records_that_hold_one_of_the_values(declare, staged):
    source = declare(
        {
            "contact": {"key": "id", "fields": {"email": "m"}},
            "event": {"key": "id", "only": {"bounce": ["hard", "soft"]}, "fields": {"event_type": {"value": "bounce"}}},
        }
    )
    records = [{"id": "1", "bounce": "hard"}, {"id": "2", "bounce": ""}, {"id": "3"}, {"id": "4", "bounce": "soft"}]
    assert shown(staged(source, "event", records), "source_key", "event_type", "contact_source", "contact_key") == [
        ("1", "bounce", "crm", "1"),
        ("4", "bounce", "crm", "4"),
    ]


def test_a_fact_belongs_to_the_first_contact_whose_key_is_given(declare, staged):
    source = declare(
        {
            "order": {
                "key": "id",
                "contact": [{"source": "web", "key": "customer"}, {"source": "cards", "key": ["shop", "card"]}],
                "fields": {"order_id": "id"},
            }
        }
    )
    records = [
        {"id": "1", "customer": "c", "shop": "s", "card": "k"},
        {"id": "2", "customer": "", "shop": "s", "card": "k"},
        {"id": "3", "shop": "s"},
    ]
    assert shown(staged(source, "order", records), "contact_source", "contact_key") == [
        ("web", "c"),
        ("cards", "s|k"),
        (None, None),
    ]


def test_a_fact_beside_one_of_several_contacts_must_say_which(declare, staged):
    source = declare(
        {
            "contact": {"key": "$.id", "each": "$.people", "fields": {"email": "$.m"}},
            "event": {"key": "$.id", "fields": {"subject": "$.s"}},
        }
    )
    with pytest.raises(CatalogError, match="one of several"):
        staged(source, "event", [])


def test_a_record_without_its_key_is_no_row(declare, staged):
    source = declare({"contact": {"key": ["a", "b"], "fields": {"email": "m"}}})
    assert shown(staged(source, "contact", [{"a": "1"}, {"a": "1", "b": "2"}]), "source_key") == [("1|2",)]


def test_the_latest_version_wins_in_whatever_order_versions_arrive(declare, staged):
    source = declare({"contact": {"key": "id", "updated_at": "at", "fields": {"city": "city"}}})
    versions = [
        ({"id": "1", "city": "old", "at": "2026-01-01"}, MAY),
        ({"id": "1", "city": "new", "at": "2026-04-01"}, MAY),
        ({"id": "1", "city": "late", "at": "2026-02-01"}, JUNE),
    ]
    for number, order in enumerate(itertools.permutations(versions)):
        key = f"{number}"
        rows = []
        for record, received in order:
            rows = staged(source, "contact", [{**record, "id": key}], batch=record["city"], received_at=received)
        assert [row["city"] for row in rows if row["source_key"] == key] == ["new"]


def test_of_two_versions_without_a_date_the_one_received_last_wins(declare, staged):
    source = declare({"contact": {"key": "id", "fields": {"city": "city"}}})
    staged(source, "contact", [{"id": "1", "city": "june"}], received_at=JUNE)
    assert shown(staged(source, "contact", [{"id": "1", "city": "may"}], batch="b0", received_at=MAY), "city") == [
        ("june",)
    ]


def test_numbers_and_nested_values_of_json_are_kept_as_text(declare, staged):
    source = declare({"contact": {"key": "$.id", "fields": {"siret": "$.siret", "note": "$.more", "flag": "$.ok"}}})
    (row,) = staged(source, "contact", ['{"id": 7, "siret": 12345678901234, "more": {"a": [1]}, "ok": true}'])
    assert (row["source_key"], row["siret"], row["note"], row["flag"]) == ("7", "12345678901234", '{"a":[1]}', "true")
