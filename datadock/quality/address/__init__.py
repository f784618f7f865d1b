"""French addresses in their normal form (NF Z10-011), for one and for a million, and help while one is typed.

Formatted to the norm and validated against open references; this is no certification by a postal operator.
"""

from datadock.quality.address.model import DETAIL_CODES, Address, AddressInput
from datadock.quality.address.normalise import AddressNormaliser, normalise_address

__all__ = ["DETAIL_CODES", "Address", "AddressInput", "AddressNormaliser", "normalise_address"]
