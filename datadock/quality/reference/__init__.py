"""Open reference data behind the normal forms: communes, postal codes, labels, IRIS, street types.

The tables are committed beside the code with a manifest (source, version, licence, SHA-256, date) and are
made anew by ``build_reference``. Nothing is fetched when they are read. Streets (BAN) and CEDEX codes are
pluggable: a user's own files, never shipped.
"""

from datadock.quality.reference.compare import ReferenceDifference, compare_references
from datadock.quality.reference.manifest import read_manifest
from datadock.quality.reference.streets import StreetReference, load_ban
from datadock.quality.reference.tables import Locality, Reference, load_reference

__all__ = [
    "Locality",
    "Reference",
    "ReferenceDifference",
    "StreetReference",
    "compare_references",
    "load_ban",
    "load_reference",
    "read_manifest",
]
