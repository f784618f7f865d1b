"""The webhook receiver: POST /hooks/SOURCE with a bearer token lands the body as one batch.

The body is one JSON record, a list of them, or one a line. The answer names the batch; the same
body sent again names the same batch and adds nothing, so senders may repeat without fear.
"""

from __future__ import annotations

import hmac
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from datadock.catalog import Catalog
from datadock.catalog.model import Format
from datadock.errors import DatadockError
from datadock.lake import Lake
from datadock.landing.land import land_bytes
from datadock.landing.limits import Limits
from datadock.settings import Settings

_LINES = ("ndjson", "jsonl", "json-lines", "jsonlines")


def webhook_app(lake: Lake, catalog: Catalog, settings: Settings) -> Starlette:
    """Return the receiver as an ASGI application.

    Args:
        lake: Where to.
        catalog: The sources that may be sent to.
        settings: Token and limits; without a token every request is refused.
    """
    limits = Limits.from_settings(settings)
    token = settings.webhook_token.get_secret_value()

    async def receive(request: Request) -> JSONResponse:
        if not token or not _may_enter(request, token):
            return _error(401, "no valid token", "the header: Authorization: Bearer TOKEN")
        source = catalog.sources.get(request.path_params["source"])
        if source is None:
            return _error(404, f"no source is called {request.path_params['source']!r}", "a declared source")
        body = await _body(request, limits.max_record_bytes)
        if body is None:
            return _error(413, "a larger body", f"at most {limits.max_record_bytes} bytes")
        if not body.strip():
            return _error(400, "an empty body", "one JSON record, a list of them, or one a line")
        lines = any(name in request.headers.get("content-type", "") for name in _LINES)
        written_as = Format(type="jsonl" if lines else "json")
        try:
            batch = await run_in_threadpool(
                land_bytes, lake, source, body, f"{source.name}.hook.json", limits, written_as=written_as
            )
        except DatadockError as error:
            return _error(503, error.found, error.expected or "a working lake", error.action)
        facts = {"batch_id": batch.batch_id, "rows_in": batch.rows_in, "rows_loaded": batch.rows_loaded}
        return JSONResponse({**facts, "rows_quarantined": batch.rows_quarantined, "known": batch.known}, 202)

    return Starlette(routes=[Route("/hooks/{source}", receive, methods=["POST"])])


def _may_enter(request: Request, token: str) -> bool:
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


async def _body(request: Request, most: int) -> bytes | None:
    """Read the body; None where it is longer than allowed, without reading it to its end."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                return None
            parts.append(part)
    except ClientDisconnect:
        return b""
    return b"".join(parts)


def _error(status: int, found: str, expected: str, action: str = "") -> JSONResponse:
    content: dict[str, Any] = {"found": found, "expected": expected}
    if action:
        content["to do"] = action
    return JSONResponse(content, status)
