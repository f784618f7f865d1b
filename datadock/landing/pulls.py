"""Pulls: records fetched from a database or a paged REST resource, landed like a dropped file.

What was fetched is landed as bytes: the same result has the same hash and adds nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin

import orjson

from datadock.catalog.model import Format, Pull, Source
from datadock.errors import PullError
from datadock.lake import Lake
from datadock.landing.land import Batch, land_bytes, land_stream
from datadock.landing.limits import Limits
from datadock.settings import Settings, environment

if TYPE_CHECKING:
    import httpx

_ROWS = 5_000
_ATTEMPTS = 5
_FIRST_PAUSE = 0.5
_PLACEHOLDER = re.compile(r"\{(home|env:([A-Za-z_][A-Za-z0-9_]*))\}")


def pull(
    lake: Lake,
    source: Source,
    settings: Settings,
    *,
    lookup: Callable[[str], str | None] = environment,
    pause: Callable[[float], None] = time.sleep,
) -> list[Batch]:
    """Fetch a source's records and land them; nothing changed at the origin adds nothing.

    Args:
        lake: Where to.
        source: The declaration, with ``pull``.
        settings: Home folder and limits.
        lookup: Gives the value of an environment variable that a URL or header names.
        pause: Waits between attempts.

    Returns:
        One batch per query result or page.

    Raises:
        PullError: When the origin cannot be read. Pages read before stay landed.
        LakeError: When the lake's storage refuses.
    """
    if source.pull is None:
        raise PullError(f"{source.name} declares no pull", expected="`pull` with type and url in its declaration")
    values = _Values(source.name, settings, lookup)
    limits = Limits.from_settings(settings)
    if source.pull.type == "sql":
        return [_pull_sql(lake, source, source.pull, values, limits)]
    return _pull_rest(lake, source, source.pull, values, limits, pause)


class _Values:
    """Fills the placeholders of a declaration: {home} and {env:NAME}."""

    def __init__(self, source: str, settings: Settings, lookup: Callable[[str], str | None]) -> None:
        self._source = source
        self._home = str(settings.home_path)
        self._lookup = lookup

    def fill(self, text: str) -> str:
        return _PLACEHOLDER.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        name = match.group(2)
        if name is None:
            return self._home
        value = self._lookup(name)
        if value is None:
            raise PullError(
                f"{self._source}: the environment variable {name} is not set",
                expected=f"a value for {{env:{name}}} in the source's declaration",
                action=f"set {name}, then run again",
            )
        return value


def _pull_sql(lake: Lake, source: Source, declared: Pull, values: _Values, limits: Limits) -> Batch:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    url = values.fill(declared.url)
    read_as = source.model_copy(update={"format": Format(type="jsonl")})
    with tempfile.TemporaryFile(prefix="datadock-") as rows:
        try:
            engine = create_engine(url)
            try:
                with engine.connect().execution_options(stream_results=True, yield_per=_ROWS) as connection:
                    _write_rows(connection.execute(text(values.fill(declared.query or ""))).mappings(), rows)
            finally:
                engine.dispose()
        except (SQLAlchemyError, ImportError) as error:
            raise PullError(
                f"{source.name}: the database cannot be read: {_first_line(error)}",
                expected=f"the query of {source.name}.yml answered by {_without_password(declared.url)}",
                action="mend the URL or the query, or wait for the database, then run again",
            ) from error
        rows.seek(0)
        return land_stream(lake, read_as, rows, f"{source.name}.pull.jsonl", limits)


def _write_rows(rows: Any, target: IO[bytes]) -> None:
    for row in rows:
        target.write(orjson.dumps({name: _as_text(value) for name, value in row.items()}))
        target.write(b"\n")


def _as_text(value: Any) -> str | None:
    """Give a database value as text; a missing one stays missing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]


def _without_password(url: str) -> str:
    return re.sub(r"(://[^:/@]+):[^@]*@", r"\1:***@", url)


def _pull_rest(
    lake: Lake, source: Source, declared: Pull, values: _Values, limits: Limits, pause: Callable[[float], None]
) -> list[Batch]:
    import httpx

    records = None if declared.records == "$" else declared.records
    read_as = Format(type="json", records=records)
    headers = {name: values.fill(value) for name, value in declared.headers.items()}
    batches = []
    with httpx.Client(headers=headers, timeout=30.0, follow_redirects=True) as client:
        for number, page in enumerate(_pages(client, source.name, declared, values.fill(declared.url), pause), 1):
            name = f"{source.name}.page_{number}.json"
            batches.append(land_bytes(lake, source, page, name, limits, written_as=read_as))
    return batches


def _pages(
    client: httpx.Client, source: str, declared: Pull, url: str | None, pause: Callable[[float], None]
) -> Iterator[bytes]:
    seen: set[str] = set()
    while url is not None:
        if url in seen or len(seen) >= declared.max_pages:
            raise PullError(
                f"{source}: page {len(seen) + 1} is {url}",
                expected=f"at most {declared.max_pages} pages, each only once",
                action="raise `max_pages`, or mend the origin's link to the next page",
            )
        seen.add(url)
        page = _get(client, source, url, pause)
        yield page
        following = _at(page, declared.next, source) if declared.next else None
        url = urljoin(url, following) if following else None


def _get(client: httpx.Client, source: str, url: str, pause: Callable[[float], None]) -> bytes:
    """Fetch one page; waits and tries again on server errors and timeouts."""
    import httpx

    found = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause(_FIRST_PAUSE * 2 ** (attempt - 1))
        try:
            response = client.get(url)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise PullError(f"{source}: {url!r} is no address: {error}", expected="an http(s) URL") from error
        except (httpx.TransportError, httpx.TooManyRedirects) as error:
            found = f"{type(error).__name__}: {error}"
            continue
        if response.is_success:
            return response.content
        found = f"status {response.status_code}"
        if response.status_code < 500 and response.status_code != 429:
            raise PullError(
                f"{source}: {url} answered {found}",
                expected="status 200",
                action="mend the URL or the headers (a token may have expired)",
            )
    raise PullError(
        f"{source}: {url} cannot be read after {_ATTEMPTS} attempts: {found}",
        expected="status 200",
        action="wait for the origin, then run again",
    )


def _at(page: bytes, path: str, source: str) -> str | None:
    """Return the address of the next page that a page names."""
    try:
        value: Any = orjson.loads(page)
    except orjson.JSONDecodeError as error:
        raise PullError(
            f"{source}: a page is no JSON: {error}", expected="JSON pages", action="look at the page in quarantine"
        ) from error
    for key in path.removeprefix("$").removeprefix(".").split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value) if value else None
