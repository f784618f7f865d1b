"""The rows of the documents table: one per message, pdf, image or other document of a batch."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa

from datadock.landing.tables import Origin

_TEXT = 100_000
"""Characters of a message's body that are kept beside it; the payload and the archive have all of it."""


class DocumentRows:
    """Collects the documents of one batch.

    Args:
        origin: The batch.
        format_name: Its format; only ``eml`` and ``document`` hold documents.
    """

    def __init__(self, origin: Origin, format_name: str) -> None:
        self._origin = origin
        self._format = format_name
        self.rows: list[dict[str, Any]] = []

    def add(self, files: pa.Array, payloads: pa.Array) -> None:
        """Note the documents that these records describe, each with the name of its file."""
        if self._format not in ("eml", "document"):
            return
        for file, payload in zip(files.to_pylist(), payloads.to_pylist(), strict=True):
            record = orjson.loads(payload)
            self.rows.append(_mail(record) if self._format == "eml" else _document(record))
            self.rows[-1] |= {
                "source": self._origin.source,
                "file": file,
                "received_at": self._origin.received_at,
                "batch_id": self._origin.batch_id,
            }


def _mail(record: dict[str, Any]) -> dict[str, Any]:
    noted = {name: record[name] for name in ("message_id", "from_name", "from_email", "to", "date", "attachments")}
    return {
        "sha256": record["sha256"],
        "media_type": "message/rfc822",
        "bytes": int(record["bytes"]),
        "title": record["subject"],
        "text": record["body"][:_TEXT],
        "metadata": orjson.dumps(noted).decode(),
    }


def _document(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "sha256": record["sha256"],
        "media_type": record["media_type"],
        "bytes": int(record["bytes"]),
        "title": record.get("title") or record["name"],
        "text": None,
        "metadata": orjson.dumps(record).decode(),
    }
