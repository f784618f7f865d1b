"""The xml reader: one record per element of the declared name, as JSON of texts.

An attribute ``id`` becomes ``@id``, an element that is repeated a list, the text beside elements
``#text``; namespaces are left off. Entities are never expanded and nothing outside is loaded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

from datadock.catalog.model import Source
from datadock.landing.archives import local_file
from datadock.landing.limits import MAX_DEPTH, Limits
from datadock.landing.records import Chunk, Member, Refusal, json_chunks, refuse, refused_only


def read_xml(member: Member, source: Source, limits: Limits) -> Iterator[Chunk]:
    """Read an xml file.

    Args:
        member: The file.
        source: ``format.records`` names the record's element; by default the root's children.
        limits: Limits of the landing.
    """
    lists = frozenset(
        tuple(entity.each.removeprefix("$.").split(".")) for entity in source.entities.values() if entity.each
    )
    empty = True
    with local_file(member) as path:
        for chunk in json_chunks(_records(str(path), source.format.records, lists, limits)):
            empty = False
            yield chunk
    if empty:
        expected = f"elements called {source.format.records or '(children of the root)'}"
        yield refused_only(refuse(0, "empty_file", b"", found="no record", expected=expected))


def _records(path: str, name: str | None, lists: frozenset[tuple[str, ...]], limits: Limits) -> Iterator[Any]:
    """Give records as dictionaries, and refusals."""
    line = 0
    depth = 0
    try:
        events = etree.iterparse(path, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False)
        for event, element in events:
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                yield _broken(line + 1, f"more than {MAX_DEPTH} levels", "nested_too_deep")
                return
            if event == "end" and _is_record(element, name, depth):
                line += 1
                yield _record(element, line, lists, limits)
                _forget(element)
    except etree.XMLSyntaxError as error:
        yield _broken(line + 1 if line else 0, str(error))


def _broken(line: int, found: str, code: str = "malformed_xml") -> Refusal:
    return refuse(line, code, b"", found=found[:500], expected="well-formed xml to the end of the file")


def _is_record(element: Any, name: str | None, depth: int) -> bool:
    if not isinstance(element.tag, str):
        return False
    return depth == 1 if name is None else etree.QName(element).localname == name.rsplit("}", 1)[-1]


def _forget(element: Any) -> None:
    """Free an element that was read, and what stands before it."""
    element.clear(keep_tail=False)
    while element.getprevious() is not None:
        del element.getparent()[0]


def _record(element: Any, line: int, lists: frozenset[tuple[str, ...]], limits: Limits) -> Any:
    if next(element.iter(etree.Entity), None) is not None:
        raw = etree.tostring(element, with_tail=False)
        return refuse(line, "entity_reference", raw, found="a reference to an entity", expected="plain text")
    value = _value(element, (), lists)
    record = value if isinstance(value, dict) else {"#text": value}
    raw_size = len(str(record))
    if raw_size > limits.max_record_bytes:
        raw = etree.tostring(element, with_tail=False)
        return refuse(
            line, "record_too_long", raw, found=f"{raw_size} characters", expected=f"at most {limits.max_record_bytes}"
        )
    return record


def _value(element: Any, place: tuple[str, ...], lists: frozenset[tuple[str, ...]]) -> Any:
    """Give an element's content: its text, or a dictionary of its attributes and children."""
    children = [child for child in element if isinstance(child.tag, str)]
    content: dict[str, Any] = {f"@{etree.QName(name).localname}": value for name, value in element.attrib.items()}
    names = [etree.QName(child).localname for child in children]
    counts = Counter(names)
    for name, child in zip(names, children, strict=True):
        below = (*place, name)
        value = _value(child, below, lists)
        if counts[name] > 1 or below in lists:
            content.setdefault(name, []).append(value)
        else:
            content[name] = value
    text = _text(element, bool(children))
    if not content:
        return text
    if text.strip():
        content["#text"] = text
    return content


_BLANK = re.compile(r"\s+")


def _text(element: Any, mixed: bool) -> str:
    pieces = [element.text or ""] + [child.tail or "" for child in element]
    text = "".join(pieces)
    return _BLANK.sub(" ", text).strip() if mixed else text
