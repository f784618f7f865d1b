"""The mail reader: one record per message, with its labelled lines; and what is kept of it as a document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from datadock.landing.limits import Limits
from datadock.landing.records import Chunk, Member, Refusal, json_chunks, refuse

_LABELLED = re.compile(r"^[ \t>*-]*([^\W\d_][^:\n]{0,40}?)[ \t]*:[ \t]*(\S.*?)?[ \t\r]*$", re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")
_ERRORS = (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError)
"""What the standard library's parser lets through on malformed messages."""


def read_mail(member: Member, limits: Limits) -> Iterator[Chunk]:
    """Read one message.

    Args:
        member: The file.
        limits: Limits of the landing.
    """
    with member.open() as stream:
        data = stream.read(limits.max_record_bytes + 1)
    yield from json_chunks([_record(data, limits)] if data.strip() else [_empty()])


def _empty() -> Refusal:
    return refuse(0, "empty_file", b"", found="no byte", expected="a message")


def _record(data: bytes, limits: Limits) -> Any:
    if len(data) > limits.max_record_bytes:
        expected = f"at most {limits.max_record_bytes} bytes"
        return refuse(1, "record_too_long", data, found="a longer message", expected=expected)
    try:
        message = BytesParser().parsebytes(data)
        record = describe_mail(message)
    except _ERRORS as error:
        return refuse(1, "malformed_mail", data, found=f"{type(error).__name__}: {error}", expected="an e-mail message")
    if not message.keys():
        return refuse(1, "malformed_mail", data, found="no header line", expected="an e-mail message")
    return _clean(record) | {"bytes": str(len(data)), "sha256": hashlib.sha256(data).hexdigest()}


def describe_mail(message: Message) -> dict[str, Any]:
    """Return a message's record.

    Returns:
        message_id, from_name, from_email, to, date (ISO, UTC; as written where it cannot be read),
        subject, body (text), fields (the body's "Label: value" lines), attachments.
    """
    name, address = parseaddr(_folded(message, "From"))
    body = _body(message)
    fields: dict[str, str] = {}
    for label, value in _LABELLED.findall(body):
        fields.setdefault(label.strip(), value)
    return {
        "message_id": _header(message, "Message-ID").strip().strip("<>"),
        "from_name": _words(name),
        "from_email": address,
        "to": _header(message, "To"),
        "date": _date(_header(message, "Date")),
        "subject": _header(message, "Subject"),
        "body": body,
        "fields": fields,
        "attachments": [_attachment(part) for part in message.walk() if _is_attached(part)],
    }


def _folded(message: Message, name: str) -> str:
    """Return a header as it stands, its folded lines joined."""
    return re.sub(r"\r?\n[ \t]*", " ", str(message.get(name, "")))


def _header(message: Message, name: str) -> str:
    return _words(_folded(message, name))


def _words(text: str) -> str:
    """Decode the encoded words of a header; one that cannot be decoded stays as it stands."""
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, MessageError):
        return text


def _date(text: str) -> str:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return text
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_attached(part: Message) -> bool:
    if part.is_multipart():
        return False
    return part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text"


def _body(message: Message) -> str:
    """Return the message's text: plain where there is one, else HTML without its tags."""
    texts = {
        part.get_content_subtype(): part
        for part in reversed(list(message.walk()))
        if not part.is_multipart() and not _is_attached(part)
    }
    part = texts.get("plain") or texts.get("html")
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    text = _decoded(content if isinstance(content, bytes) else b"", part.get_content_charset())
    return text if part.get_content_subtype() == "plain" else _TAG.sub("", text)


def _decoded(content: bytes, charset: str | None) -> str:
    """Decode a body, line ends as newlines; without a charset of use it is UTF-8 or, failing that, cp1252."""
    for name in (charset or "utf-8", "cp1252"):
        try:
            return content.decode(name).replace("\r\n", "\n")
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1").replace("\r\n", "\n")


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
