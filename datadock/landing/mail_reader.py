"""The mail reader: one record per message, with its labelled lines; and what is kept of it as a document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from datadock.landing.limits import Limits
from datadock.landing.records import BrokenStreamError, Chunk, Member, Refusal, json_chunks, refuse, refused_only

_LABELLED = re.compile(r"^[ \t>*-]*([^\W\d_][^:\n]{0,40}?)[ \t]*:[ \t]*(\S.*?)?[ \t\r]*$", re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")
_ERRORS = (LookupError, ValueError, AttributeError, TypeError, IndexError, RecursionError)
"""What the standard library's parser lets through on malformed messages."""


def read_mail(member: Member, limits: Limits) -> Iterator[Chunk]:
    """Read one message.

    Args:
        member: The file.
        limits: Limits of the landing.
    """
    try:
        with member.open() as stream:
            data = stream.read(limits.max_record_bytes + 1)
    except BrokenStreamError as broken:
        yield refused_only(Refusal(0, (broken.reason,), b""))
        return
    yield from json_chunks([_record(data, limits)] if data.strip() else [_empty()])


def _empty() -> Refusal:
    return refuse(0, "empty_file", b"", found="no byte", expected="a message")


def _record(data: bytes, limits: Limits) -> Any:
    if len(data) > limits.max_record_bytes:
        expected = f"at most {limits.max_record_bytes} bytes"
        return refuse(1, "record_too_long", data, found="a longer message", expected=expected)
    try:
        message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(data)
        record = describe_mail(message)
    except _ERRORS as error:
        return refuse(1, "malformed_mail", data, found=f"{type(error).__name__}: {error}", expected="an e-mail message")
    if not list(message.keys()):
        return refuse(1, "malformed_mail", data, found="no header line", expected="an e-mail message")
    return _clean(record) | {"bytes": str(len(data)), "sha256": hashlib.sha256(data).hexdigest()}


def describe_mail(message: EmailMessage) -> dict[str, Any]:
    """Return a message's record.

    Returns:
        message_id, from_name, from_email, to, date (ISO, UTC; as written where it cannot be read),
        subject, body (text), fields (the body's "Label: value" lines), attachments.
    """
    name, address = parseaddr(_header(message, "From"))
    body = _body(message)
    fields: dict[str, str] = {}
    for label, value in _LABELLED.findall(body):
        fields.setdefault(label.strip(), value)
    return {
        "message_id": _header(message, "Message-ID").strip().strip("<>"),
        "from_name": name,
        "from_email": address,
        "to": _header(message, "To"),
        "date": _date(_header(message, "Date")),
        "subject": _header(message, "Subject"),
        "body": body,
        "fields": fields,
        "attachments": [_attachment(part) for part in message.iter_attachments()],
    }


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, "") or "")


def _date(text: str) -> str:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    text = str(part.get_content())
    return _TAG.sub("", text) if part.get_content_subtype() == "html" else text


def _attachment(part: Any) -> dict[str, Any]:
    content = part.get_payload(decode=True) or b""
    return {
        "name": part.get_filename() or "",
        "media_type": part.get_content_type(),
        "bytes": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _clean(value: Any) -> Any:
    """Remove what JSON cannot hold (lone surrogates of undecodable headers) and NUL characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
