"""What was refused, why, what an example looks like, and how to let it in."""

from __future__ import annotations

import json
from typing import Any

from datadock.reports.figures import age
from datadock.reports.mask import masked_payload
from datadock.reports.reading import Reading, Row

_RESEND = "The transfer was cut or the tool that wrote it failed: have it sent again."
_LIMIT = "A limit was passed that protects the dock: split the delivery, or raise the limit in the settings."

ADVICE = {
    "ragged_row": "The line has more or fewer cells than the header: look for a delimiter or a line break in a value.",
    "undecodable": "The bytes are not text in the declared encoding: ask for UTF-8, or declare `encoding`.",
    "nul_byte": "The text holds NUL bytes: mostly a file in UTF-16, or a transfer that failed. Declare `encoding`.",
    "malformed_json": "The line is no complete JSON object: the export was cut or two processes wrote at once.",
    "malformed_xml": "The document is not well formed: mostly an `&` or `<` that was not escaped at the sender.",
    "malformed_mail": "The message has no readable head: it was cut, or is no e-mail.",
    "not_an_object": "The record is a bare value or a list, not an object: look at `records` in the format.",
    "records_not_found": "The place of the records is not in the document: compare it with `records` in the format.",
    "nested_too_deep": "The record is nested deeper than any record should be: a faulty or hostile export.",
    "record_too_long": "One record is longer than the limit: mostly a quote that is never closed.",
    "missing_sheet": "The workbook has no sheet of the declared name: it was renamed; see `sheet` in the format.",
    "missing_key": "The record has no key, so nothing could ever update it: the sender must fill it.",
    "missing_column": "A column that the declaration needs is not in the file: it was renamed or left out.",
    "missing_value": "A required field is empty: the sender fills it, or the declaration no longer asks for it.",
    "not_in_list": "The value is none of those declared: a new code to declare under `one_of` or `map`, or a slip.",
    "out_of_range": "The number lies outside the declared bounds: a slip, or a bound that has become too narrow.",
    "bad_type": "The value could not be read as its type: a new format to declare under `formats`, or a slip.",
    "pattern": "The value does not look as declared: compare it with `pattern` in the declaration.",
    "empty_file": "The file holds nothing: the export failed at the sender.",
    "header_only": "The file holds a header and no record: the export failed at the sender, or nothing was to send.",
    "broken_archive": f"The archive cannot be unpacked. {_RESEND}",
    "encrypted_workbook": "The workbook is protected by a password: have it sent without one.",
    "broken_workbook": f"The workbook cannot be opened. {_RESEND}",
    "broken_parquet": f"The file is no complete parquet file. {_RESEND}",
    "archive_too_large": _LIMIT,
    "archive_too_deep": _LIMIT,
}
"""What to do about each reason; single words in back ticks are settings of the declaration."""

_OTHER = "Look at the record and its reasons, then mend the sender, the declaration or the record."

_GROUPS = """
    select
        _source as source,
        stage,
        reason,
        count(*) as records,
        count(distinct _batch_id) as batches,
        max(_received_at) as newest,
        arg_max(rejection_id, (_received_at, -_line)) as example
    from quarantine.rejected_records
    {unresolved}
    group by _source, stage, reason
    order by _source, records desc, reason
"""

_UNRESOLVED = "where rejection_id not in (select rejection_id from quarantine.resolutions)"

_EXAMPLES = """
    select rejection_id, _file as file, _line as line, reasons, payload
    from quarantine.rejected_records
    where list_contains($1, rejection_id)
"""


def gather(reading: Reading) -> dict[str, Any]:
    """Return what the quarantine page shows."""
    resolved = "quarantine.resolutions" in reading.there
    groups = reading.rows(_GROUPS.format(unresolved=_UNRESOLVED if resolved else ""), "quarantine.rejected_records")
    wanted = [group["example"] for group in groups]
    found = reading.rows(_EXAMPLES, "quarantine.rejected_records", values=[wanted]) if wanted else []
    examples = {row["rejection_id"]: row for row in found}
    sources: dict[str, list[Row]] = {}
    for group in groups:
        shown = {**group, **_example(reading, group, examples[group["example"]])}
        sources.setdefault(group["source"], []).append(shown)
    outcomes = reading.rows(
        "select outcome, count(distinct rejection_id) as records from quarantine.resolutions group by all order by 1",
        "quarantine.resolutions",
    )
    return {
        "sources": sources,
        "total": sum(group["records"] for group in groups),
        "resolved": outcomes,
    }


def _example(reading: Reading, group: Row, record: Row) -> Row:
    payload = record["payload"]
    return {
        "advice": ADVICE.get(group["reason"], _OTHER),
        "age": age(group["newest"], reading.now),
        "file": record["file"],
        "line": record["line"],
        "reasons": [{**reason, "found": reading.personal(reason.get("found"))} for reason in _reasons(record)],
        "payload": payload if reading.settings.report_personal_data else masked_payload(payload, _keys(reading, group)),
        "short_id": record["rejection_id"][:8],
    }


def _reasons(record: Row) -> list[Row]:
    """Return the reasons of a record; none where their text is not a list."""
    try:
        reasons = json.loads(record["reasons"] or "[]")
    except json.JSONDecodeError:
        return []
    return [reason for reason in reasons if isinstance(reason, dict)] if isinstance(reasons, list) else []


def _keys(reading: Reading, group: Row) -> frozenset[str]:
    """Return the names of the source's key places: they are shown, so that the record can be found at the sender."""
    source = reading.catalog.sources.get(group["source"])
    if source is None:
        return frozenset()
    return frozenset(place.lstrip("^").split(".")[-1] for place in source.entities[source.main_entity].key)
