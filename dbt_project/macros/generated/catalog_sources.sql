{#- Written by `datadock source add` from the catalog; edit the declarations instead. -#}
{% macro catalog_sources() -%}
{{ return({
    "contact": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "party_type": "varchar",
            "civility": "varchar",
            "given_name": "varchar",
            "family_name": "varchar",
            "birth_name": "varchar",
            "full_name": "varchar",
            "birth_date": "date",
            "sex": "varchar",
            "organisation_name": "varchar",
            "siren": "varchar",
            "siret": "varchar",
            "email": "varchar",
            "email_2": "varchar",
            "phone": "varchar",
            "mobile": "varchar",
            "address_line": "varchar",
            "address_extra": "varchar",
            "postcode": "varchar",
            "city": "varchar",
            "country": "varchar",
            "latitude": "double",
            "longitude": "double",
            "loyalty_card": "varchar",
            "store_code": "varchar",
            "social_handle": "varchar",
            "language": "varchar",
            "joined_at": "timestamp with time zone",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "call_notes",
                "name": "stg_call_notes__contact",
                "columns": [
                    "source",
                    "source_key",
                    "party_type",
                    "civility",
                    "full_name",
                    "birth_date",
                    "email",
                    "phone",
                    "postcode",
                    "city",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "crm_contacts",
                "name": "stg_crm_contacts__contact",
                "columns": [
                    "source",
                    "source_key",
                    "party_type",
                    "civility",
                    "given_name",
                    "family_name",
                    "birth_name",
                    "birth_date",
                    "organisation_name",
                    "siren",
                    "siret",
                    "email",
                    "email_2",
                    "phone",
                    "mobile",
                    "address_line",
                    "address_extra",
                    "postcode",
                    "city",
                    "country",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "eshop_customers",
                "name": "stg_eshop_customers__contact",
                "columns": [
                    "source",
                    "source_key",
                    "party_type",
                    "civility",
                    "given_name",
                    "family_name",
                    "birth_date",
                    "organisation_name",
                    "siren",
                    "siret",
                    "email",
                    "mobile",
                    "address_line",
                    "address_extra",
                    "postcode",
                    "city",
                    "country",
                    "social_handle",
                    "language",
                    "joined_at",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "loyalty_cards",
                "name": "stg_loyalty_cards__contact",
                "columns": [
                    "source",
                    "source_key",
                    "party_type",
                    "civility",
                    "given_name",
                    "family_name",
                    "birth_date",
                    "email",
                    "phone",
                    "mobile",
                    "address_line",
                    "postcode",
                    "city",
                    "loyalty_card",
                    "store_code",
                    "joined_at",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "newsletter",
                "name": "stg_newsletter__contact",
                "columns": [
                    "source",
                    "source_key",
                    "party_type",
                    "full_name",
                    "email",
                    "postcode",
                    "language",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "partner_prospects",
                "name": "stg_partner_prospects__contact",
                "columns": [
                    "source",
                    "source_key",
                    "party_type",
                    "civility",
                    "given_name",
                    "family_name",
                    "birth_date",
                    "organisation_name",
                    "siren",
                    "email",
                    "phone",
                    "address_line",
                    "address_extra",
                    "postcode",
                    "city",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            }
        ]
    },
    "contact_address": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "address_type": "varchar",
            "address_line": "varchar",
            "address_extra": "varchar",
            "postcode": "varchar",
            "city": "varchar",
            "country": "varchar",
            "valid_from": "date",
            "valid_to": "date",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "eshop_customers",
                "name": "stg_eshop_customers__contact_address",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "address_type",
                    "address_line",
                    "address_extra",
                    "postcode",
                    "city",
                    "country",
                    "valid_from",
                    "valid_to",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ],
                "enclosing": "stg_eshop_customers__contact"
            }
        ]
    },
    "contact_role": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "contract_id": "varchar",
            "role": "varchar",
            "company_key": "varchar",
            "company_siren": "varchar",
            "job_title": "varchar",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "crm_contacts",
                "name": "stg_crm_contacts__contact_role",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "contract_id",
                    "role",
                    "company_key",
                    "job_title",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "eshop_customers",
                "name": "stg_eshop_customers__contact_role",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "contract_id",
                    "role",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ],
                "enclosing": "stg_eshop_customers__contact"
            }
        ]
    },
    "move": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "moves_on": "date",
            "address_line": "varchar",
            "address_extra": "varchar",
            "postcode": "varchar",
            "city": "varchar",
            "country": "varchar",
            "old_address_line": "varchar",
            "old_address_extra": "varchar",
            "old_postcode": "varchar",
            "old_city": "varchar",
            "old_country": "varchar",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "moved_people",
                "name": "stg_moved_people__move",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "moves_on",
                    "address_line",
                    "address_extra",
                    "postcode",
                    "city",
                    "country",
                    "old_address_line",
                    "old_address_extra",
                    "old_postcode",
                    "old_city",
                    "old_country",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            }
        ]
    },
    "order": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "order_id": "varchar",
            "ordered_at": "timestamp with time zone",
            "channel": "varchar",
            "store_code": "varchar",
            "amount": "decimal(18,2)",
            "currency": "varchar",
            "status": "varchar",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "orders",
                "name": "stg_orders__order",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "order_id",
                    "ordered_at",
                    "channel",
                    "store_code",
                    "amount",
                    "currency",
                    "status",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            }
        ]
    },
    "order_line": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "order_id": "varchar",
            "line_no": "bigint",
            "product_code": "varchar",
            "product_label": "varchar",
            "quantity": "decimal(18,2)",
            "unit_price": "decimal(18,2)",
            "amount": "decimal(18,2)",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "orders",
                "name": "stg_orders__order_line",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "order_id",
                    "line_no",
                    "product_code",
                    "product_label",
                    "quantity",
                    "unit_price",
                    "amount",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ],
                "enclosing": "stg_orders__order"
            }
        ]
    },
    "event": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "event_type": "varchar",
            "happened_at": "timestamp with time zone",
            "channel": "varchar",
            "subject": "varchar",
            "detail": "varchar",
            "contact_point": "varchar",
            "mailing": "varchar",
            "address_line": "varchar",
            "address_extra": "varchar",
            "postcode": "varchar",
            "city": "varchar",
            "country": "varchar",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "call_notes",
                "name": "stg_call_notes__event",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "event_type",
                    "happened_at",
                    "channel",
                    "subject",
                    "detail",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "newsletter",
                "name": "stg_newsletter__event",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "event_type",
                    "happened_at",
                    "channel",
                    "subject",
                    "detail",
                    "contact_point",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            },
            {
                "source": "postal_returns",
                "name": "stg_postal_returns__event",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "event_type",
                    "happened_at",
                    "channel",
                    "subject",
                    "detail",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            }
        ]
    },
    "consent": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "contact_source": "varchar",
            "contact_key": "varchar",
            "contact_point": "varchar",
            "channel": "varchar",
            "purpose": "varchar",
            "status": "varchar",
            "decided_at": "timestamp with time zone",
            "proof": "varchar",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "newsletter",
                "name": "stg_newsletter__consent",
                "columns": [
                    "source",
                    "source_key",
                    "contact_source",
                    "contact_key",
                    "contact_point",
                    "channel",
                    "purpose",
                    "status",
                    "decided_at",
                    "proof",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            }
        ]
    },
    "store": {
        "columns": {
            "source": "varchar",
            "source_key": "varchar",
            "store_code": "varchar",
            "store_name": "varchar",
            "address_line": "varchar",
            "postcode": "varchar",
            "city": "varchar",
            "record_updated_at": "timestamp with time zone",
            "_batch_id": "varchar",
            "_file": "varchar",
            "_line": "bigint",
            "_received_at": "timestamp with time zone"
        },
        "models": [
            {
                "source": "loyalty_cards",
                "name": "stg_loyalty_cards__store",
                "columns": [
                    "source",
                    "source_key",
                    "store_code",
                    "store_name",
                    "postcode",
                    "city",
                    "record_updated_at",
                    "_batch_id",
                    "_file",
                    "_line",
                    "_received_at"
                ]
            }
        ]
    }
}) }}
{%- endmacro %}
