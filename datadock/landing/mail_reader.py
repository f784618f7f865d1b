"""The mail reader: one record per message, with its labelled lines; and what is kept of it as a document.

A message of one plain text under well-formed header lines is taken apart by ``simple_mail``; every other one by the
standard library. Both give the same record.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from functools import lru_cache
from typing import Any

import orjson
import pyarrow as pa

from datadock.landing.limits import Limits
from datadock.landing.records import Chunk, Member, Refusal, refuse, refused_only

_LABELLED = re.compile(r"^[ \t>*-]*([^\W\d_][^:\n]{0,40}?)[ \t]*:[ \t]*(\S.*?)?[ \t\r]*$", re.MULTILINE)
_TAG = re.compile(r"<[^>]+>")
_ERRORS = (MessageError, LookupError, ValueError, AttributeError, TypeError, RecursionError)
"""What the standard library's parser lets through on malformed messages."""

_FIRST = pa.array([1], pa.int64())
_HEADERS = re.compile(rb"(?:[!-9;-~]+:[\t -~]*\n)+\n")
_PLAIN = re.compile(r"text/plain[ ]*(?:;[ ]*charset=(?:\"([A-Za-z0-9-]+)\"|([A-Za-z0-9-]+)))?", re.IGNORECASE)
_PLAIN_CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})
_AS_IS = frozenset({"", "7bit", "8bit", "binary"})
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_WRITTEN_DATE = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?([0-9]{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"((?:19|20)[0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([01][0-9])([0-5][0-9])"
)


def read_mail(member: Member, limits: Limits) -> Iterator[Chunk]:
    """Read one message.

    Args:
        member: The file.
        limits: Limits of the landing.
    """
    with member.open() as stream:
        data = stream.read(limits.max_record_bytes + 1)
    record = _record(data, limits) if data.strip() else _empty()
    if isinstance(record, Refusal):
        yield refused_only(record)
    else:
        yield Chunk(_FIRST, payload=pa.array([orjson.dumps(record).decode()], pa.string()))


def _empty() -> Refusal:
    return refuse(0, "empty_file", b"", found="no byte", expected="a message")


def _record(data: bytes, limits: Limits) -> Any:
    if len(data) > limits.max_record_bytes:
        expected = f"at most {limits.max_record_bytes} bytes"
        return refuse(1, "record_too_long", data, found="a longer message", expected=expected)
    simple = simple_mail(data)
    if simple is not None:
        return simple | _digested(data)
    try:
        message = BytesParser().parsebytes(data)
        record = describe_mail(message)
    except _ERRORS as error:
        return refuse(1, "malformed_mail", data, found=f"{type(error).__name__}: {error}", expected="an e-mail message")
    if not message.keys():
        return refuse(1, "malformed_mail", data, found="no header line", expected="an e-mail message")
    return _clean(record) | _digested(data)


def _digested(data: bytes) -> dict[str, str]:
    return {"bytes": str(len(data)), "sha256": hashlib.sha256(data).hexdigest()}


def simple_mail(data: bytes) -> dict[str, Any] | None:
    """Return the record of a message that is one plain text under well-formed header lines; None for any other."""
    text = data.replace(b"\r\n", b"\n") if b"\r" in data else data
    found = _HEADERS.match(text)
    if found is None or b"\r" in text or b"\0" in text:
        return None
    headers: dict[str, str] = {}
    for line in found.group()[:-2].decode("ascii").split("\n"):
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), value.lstrip(" \t"))
    plain = _PLAIN.fullmatch(headers.get("content-type", "text/plain"))
    charset = (plain[1] or plain[2] or "utf-8").lower() if plain else ""
    as_is = headers.get("content-transfer-encoding", "").lower() in _AS_IS and "content-disposition" not in headers
    if not as_is or charset not in _PLAIN_CHARSETS:
        return None
    record = _mail_record(headers, _decoded(text[found.end() :], charset), [])
    return _clean(record) if b"=?" in found.group() else record


def describe_mail(message: Message) -> dict[str, Any]:
    """Return a message's record.

    Returns:
        message_id, from_name, from_email, to, date (ISO, UTC; as written where it cannot be read),
        subject, body (text), fields (the body's "Label: value" lines), attachments.
    """
    headers = {name: _folded(message, name) for name in ("from", "message-id", "to", "date", "subject")}
    attachments = [_attachment(part) for part in message.walk() if _is_attached(part)]
    return _mail_record(headers, _body(message), attachments)


def _mail_record(headers: Mapping[str, str], body: str, attachments: list[dict[str, Any]]) -> dict[str, Any]:
    name, address = _address(headers.get("from", ""))
    fields: dict[str, str] = {}
    for label, value in _LABELLED.findall(body):
        fields.setdefault(label.strip(), value)
    return {
        "message_id": _words(headers.get("message-id", "")).strip().strip("<>"),
        "from_name": _words(name),
        "from_email": address,
        "to": _words(headers.get("to", "")),
        "date": _date(_words(headers.get("date", ""))),
        "subject": _words(headers.get("subject", "")),
        "body": body,
        "fields": fields,
        "attachments": attachments,
    }


@lru_cache(maxsize=4096)
def _address(text: str) -> tuple[str, str]:
    """Return name and address of a sender; a mailbox holds many messages of few senders."""
    return parseaddr(text)


def _folded(message: Message, name: str) -> str:
    """Return a header as it stands, its folded lines joined."""
    return re.sub(r"\r?\n[ \t]*", " ", str(message.get(name, "")))


def _words(text: str) -> str:
    """Decode the encoded words of a header; one that cannot be decoded stays as it stands."""
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (LookupError, ValueError, MessageError):
        return text


def _date(text: str) -> str:
    written = _WRITTEN_DATE.fullmatch(text)
    if written is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = written.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
        try:
            clock = (int(hour), int(minute), int(second))
            moment = datetime(int(year), _MONTHS.index(month) // 3 + 1, int(day), *clock, tzinfo=timezone(offset))
        except ValueError:
            return text
        return moment.astimezone(UTC).isoformat()[:19] + "Z"
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
