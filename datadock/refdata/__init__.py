"""The reference data of one deployment: which tables and streets are in use, and which were.

A home uses the tables that were installed last (``<home>/reference/tables/<version>``), else the package's.
Versions that were used are kept, so that the next one can be compared with them.
"""

from datadock.refdata.contours import install_iris, loaded_iris
from datadock.refdata.ledger import UsedVersion, record_versions, used_versions
from datadock.refdata.publish import publish_reference
from datadock.refdata.store import current_reference, install, installed_versions, read_contacts_by, reference_at
from datadock.refdata.streets import current_streets, install_ban, loaded_ban

__all__ = [
    "UsedVersion",
    "current_reference",
    "current_streets",
    "install",
    "install_ban",
    "install_iris",
    "installed_versions",
    "loaded_ban",
    "loaded_iris",
    "publish_reference",
    "read_contacts_by",
    "record_versions",
    "reference_at",
    "used_versions",
]
