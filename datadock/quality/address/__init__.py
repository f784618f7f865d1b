"""French addresses in their normal form (NF Z10-011), for one and for a million, and help while one is typed.

Formatted to the norm and validated against open references; this is no certification by a postal operator.
"""

from datadock.quality.address.columns import RESULT_SCHEMA, AddressColumns, guess_columns, normalise_addresses
from datadock.quality.address.complete import CommuneChoice, complete_commune, complete_street
from datadock.quality.address.model import DETAIL_CODES, Address, AddressInput
from datadock.quality.address.normalise import AddressNormaliser, normalise_address

__all__ = [
    "DETAIL_CODES",
    "RESULT_SCHEMA",
    "Address",
    "AddressColumns",
    "AddressInput",
    "AddressNormaliser",
    "CommuneChoice",
    "complete_commune",
    "complete_street",
    "guess_columns",
    "normalise_address",
    "normalise_addresses",
]
