"""Landing: any file or payload into the raw zone, exactly once; refused records into quarantine.

``land`` is the way in for one file, ``drop`` for a drop folder, ``pulls`` for SQL and REST, ``webhook``
for HTTP; ``quarantine`` is the way back in. Readers, one per format, know nothing of the lake.
"""

from __future__ import annotations

from datadock.landing.land import Batch, land_bytes, land_file
from datadock.landing.limits import Limits

__all__ = ["Batch", "Limits", "land_bytes", "land_file"]
