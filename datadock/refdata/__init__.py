"""The reference data of one deployment: which tables and streets are in use, and which were.

A home uses the tables that were installed last (``<home>/reference/tables/<version>``), else the package's.
Versions that were used are kept, so that the next one can be compared with them.
"""

from datadock.refdata.ledger import VERSIONS, UsedVersion, record_versions, used_versions
from datadock.refdata.publish import publish_reference
from datadock.refdata.store import current_reference, install, installed_versions, read_contacts_by, reference_at
from datadock.refdata.streets import current_streets, install_ban, loaded_ban

__all__ = [
    "VERSIONS",
    "UsedVersion",
    "current_reference",
    "current_streets",
    "install",
    "install_ban",
    "installed_versions",
    "loaded_ban",
    "publish_reference",
    "read_contacts_by",
    "record_versions",
    "reference_at",
    "used_versions",
]
