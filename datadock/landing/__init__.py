"""Landing: any file or payload into the raw zone, exactly once; refused records into quarantine.

``land`` is the way in for one file, ``drop`` for a drop folder, ``pulls`` for SQL and REST, ``webhook``
for HTTP; ``quarantine`` is the way back in. Readers, one per format, know nothing of the lake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datadock.landing.balance import Balance, balance_of
from datadock.landing.drop import Dropped, land_drop_folder
from datadock.landing.land import Batch, land_bytes, land_file
from datadock.landing.limits import Limits
from datadock.landing.pulls import pull
from datadock.landing.quarantine import Quarantine

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from datadock.catalog import Catalog
    from datadock.lake import Lake
    from datadock.settings import Settings

__all__ = [
    "Balance",
    "Batch",
    "Dropped",
    "Limits",
    "Quarantine",
    "balance_of",
    "land_bytes",
    "land_drop_folder",
    "land_file",
    "pull",
    "webhook_app",
]


def webhook_app(lake: Lake, catalog: Catalog, settings: Settings) -> Starlette:
    """Return the webhook receiver; see ``datadock.landing.webhook``, which is loaded only here."""
    from datadock.landing import webhook

    return webhook.webhook_app(lake, catalog, settings)
