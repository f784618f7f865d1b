"""The customer model's vocabulary: entities, their fields, and the kind of each field.

A *kind* says what a value is to the linking model and to the normalisers. A field of the
model has its kind from here; a declaration states a kind only for a field of its own.
"""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "given_name",
    "family_name",
    "birth_name",
    "full_name",
    "birth_date",
    "sex",
    "civility",
    "email",
    "phone",
    "address_line",
    "street_number",
    "street_name",
    "address_extra",
    "postcode",
    "city",
    "region",
    "country",
    "birth_place",
    "occupation",
    "organisation_name",
    "identifier",
    "attribute",
]
KINDS: tuple[str, ...] = get_args(Kind)

JOIN_FROM = -1.0
"""Bits of match weight from which records join, where a deployment declares nothing else.

Below even odds on purpose: a level never seen by chance is weighed as if it had been, and matches that
blocking missed are left out of the prior, so that weights err on the low side. On every labelled set tried,
zero lost more true pairs than it kept false ones out; at -2 households began to merge.
"""

STORED_FROM = -4.0
"""Bits of match weight from which pairs are kept: none may join below, for nobody would know of it."""

Type = Literal["text", "date", "timestamp", "integer", "decimal", "number", "boolean"]

EntityName = Literal[
    "contact", "contact_address", "contact_role", "move", "order", "order_line", "event", "consent", "store"
]
ENTITIES: tuple[str, ...] = get_args(EntityName)

FACTS: tuple[str, ...] = ("contact_address", "contact_role", "move", "order", "order_line", "event", "consent")
"""Entities that attach to a contact's source record by ``(contact_source, contact_key)``."""

MODEL: dict[str, dict[str, tuple[Kind, Type]]] = {
    "contact": {
        "civility": ("civility", "text"),
        "given_name": ("given_name", "text"),
        "family_name": ("family_name", "text"),
        "birth_name": ("birth_name", "text"),
        "full_name": ("full_name", "text"),
        "birth_date": ("birth_date", "date"),
        "sex": ("sex", "text"),
        "organisation_name": ("organisation_name", "text"),
        "siren": ("identifier", "text"),
        "siret": ("identifier", "text"),
        "email": ("email", "text"),
        "email_2": ("email", "text"),
        "phone": ("phone", "text"),
        "mobile": ("phone", "text"),
        "address_line": ("address_line", "text"),
        "address_extra": ("address_extra", "text"),
        "postcode": ("postcode", "text"),
        "city": ("city", "text"),
        "country": ("country", "text"),
        "latitude": ("attribute", "number"),
        "longitude": ("attribute", "number"),
        "loyalty_card": ("identifier", "text"),
        "store_code": ("attribute", "text"),
        "social_handle": ("attribute", "text"),
        "language": ("attribute", "text"),
        "joined_at": ("attribute", "timestamp"),
    },
    "contact_address": {
        "address_type": ("attribute", "text"),
        "address_line": ("address_line", "text"),
        "address_extra": ("address_extra", "text"),
        "postcode": ("postcode", "text"),
        "city": ("city", "text"),
        "country": ("country", "text"),
        "valid_from": ("attribute", "date"),
        "valid_to": ("attribute", "date"),
    },
    "contact_role": {
        "contract_id": ("attribute", "text"),
        "role": ("attribute", "text"),
        "company_key": ("attribute", "text"),
        "company_siren": ("attribute", "text"),
        "job_title": ("attribute", "text"),
    },
    "move": {
        "moves_on": ("attribute", "date"),
        "address_line": ("address_line", "text"),
        "address_extra": ("address_extra", "text"),
        "postcode": ("postcode", "text"),
        "city": ("city", "text"),
        "country": ("country", "text"),
        "old_address_line": ("address_line", "text"),
        "old_address_extra": ("address_extra", "text"),
        "old_postcode": ("postcode", "text"),
        "old_city": ("city", "text"),
        "old_country": ("country", "text"),
    },
    "order": {
        "order_id": ("attribute", "text"),
        "ordered_at": ("attribute", "timestamp"),
        "channel": ("attribute", "text"),
        "store_code": ("attribute", "text"),
        "amount": ("attribute", "decimal"),
        "currency": ("attribute", "text"),
        "status": ("attribute", "text"),
    },
    "order_line": {
        "order_id": ("attribute", "text"),
        "line_no": ("attribute", "integer"),
        "product_code": ("attribute", "text"),
        "product_label": ("attribute", "text"),
        "quantity": ("attribute", "decimal"),
        "unit_price": ("attribute", "decimal"),
        "amount": ("attribute", "decimal"),
    },
    "event": {
        "event_type": ("attribute", "text"),
        "happened_at": ("attribute", "timestamp"),
        "channel": ("attribute", "text"),
        "subject": ("attribute", "text"),
        "detail": ("attribute", "text"),
        "contact_point": ("attribute", "text"),
        "mailing": ("attribute", "text"),
        "address_line": ("address_line", "text"),
        "address_extra": ("address_extra", "text"),
        "postcode": ("postcode", "text"),
        "city": ("city", "text"),
        "country": ("country", "text"),
    },
    "consent": {
        "contact_point": ("attribute", "text"),
        "channel": ("attribute", "text"),
        "purpose": ("attribute", "text"),
        "status": ("attribute", "text"),
        "decided_at": ("attribute", "timestamp"),
        "proof": ("attribute", "text"),
    },
    "store": {
        "store_code": ("attribute", "text"),
        "store_name": ("attribute", "text"),
        "address_line": ("address_line", "text"),
        "postcode": ("postcode", "text"),
        "city": ("city", "text"),
    },
}
"""Fields of each entity in the order of their columns, with kind and type."""

DATE_FORMATS: tuple[str, ...] = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%Y/%m/%d",
    "%d %m %Y",
)
"""Formats tried, in order, for a date that declares none; day before month, as written in France."""

TIMESTAMP_FORMATS: tuple[str, ...] = (
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%a, %d %b %Y %H:%M:%S %z",
    *DATE_FORMATS,
)
"""Formats tried, in order, for a time that declares none; without zone it is read as UTC."""
