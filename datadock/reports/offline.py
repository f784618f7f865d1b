"""Finding what a folder of pages would load from outside: every address in HTML and CSS is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

_CSS_ADDRESS = re.compile(r"url\(\s*(['\"]?)(.*?)\1\s*\)|@import\s+(['\"])(.*?)\3", re.DOTALL)
_OUTSIDE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//|^\s*(?:https?|ftp|wss?):", re.IGNORECASE)
_ADDRESSES = frozenset(
    {"src", "href", "xlink:href", "poster", "data", "action", "formaction", "background", "cite", "manifest", "ping"}
)


@dataclass(frozen=True)
class Reference:
    """One address that leads outside.

    Attributes:
        file: The file that holds it.
        url: The address.
    """

    file: Path
    url: str


class _Addresses(HTMLParser):
    """Collects the addresses of a page: attributes, source sets, inline styles and style elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        for name, value in attrs:
            if not value:
                continue
            if name in _ADDRESSES:
                self.found.append(value)
            elif name == "srcset":
                self.found += [part.split()[0] for part in value.split(",") if part.strip()]
            elif name == "style":
                self.found += css_addresses(value)
            elif tag == "meta" and name == "content" and "url=" in value.lower():
                self.found.append(re.split("url=", value, flags=re.IGNORECASE)[1])

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found += css_addresses(data)


def css_addresses(text: str) -> list[str]:
    """Return the addresses of a style sheet, in order."""
    return [found.group(2) or found.group(4) or "" for found in _CSS_ADDRESS.finditer(text)]


def html_addresses(text: str) -> list[str]:
    """Return the addresses of a page, in order."""
    parser = _Addresses()
    parser.feed(text)
    return parser.found


def external_references(folder: Path) -> list[Reference]:
    """Return every address in a folder's pages and style sheets that leads outside of it."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".html", ".svg"):
            addresses = html_addresses(file.read_text(encoding="utf-8"))
        elif file.suffix == ".css":
            addresses = css_addresses(file.read_text(encoding="utf-8"))
        else:
            continue
        found += [Reference(file, address) for address in addresses if _OUTSIDE.match(address)]
    return found
