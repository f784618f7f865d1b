"""One landed file as a stream of chunks: its layers opened, each file inside given to its format's reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from datadock.catalog.model import Source
from datadock.landing.archives import Budget, members
from datadock.landing.limits import Limits
from datadock.landing.records import BrokenStreamError, Chunk, Member, Refusal, refused_only

_OFFICE_FORMATS = frozenset({"xlsx", "document"})


def read_file(member: Member, source: Source, limits: Limits) -> Iterator[tuple[Member, Chunk]]:
    """Read a landed file.

    Args:
        member: The file.
        source: Its declaration.
        limits: Limits of the landing.

    Yields:
        Chunks with the member they came from; every record of the file is in one of them.
    """
    read = _reader(source)
    whole = source.format.type in _OFFICE_FORMATS
    for inner in members(member, Budget(limits), whole=whole):
        if isinstance(inner, Member):
            for chunk in _to_its_end(read(inner, source, limits)):
                yield inner, chunk
        else:
            name, reason = inner
            yield Member(name, member.open), refused_only(Refusal(0, (reason,), b""))


def _to_its_end(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Give a reader's chunks; a stream that broke where the reader could not tell at which record is refused."""
    try:
        yield from chunks
    except BrokenStreamError as broken:
        yield refused_only(Refusal(0, (broken.reason,), b""))


def _known_columns(source: Source) -> set[str]:
    """Return the top-level names that a declaration mentions."""
    places = [place for entity in source.entities.values() for place in entity.key]
    places += [
        place for entity in source.entities.values() for field in entity.fields.values() for place in field.from_
    ]
    return {place.removeprefix("^").removeprefix("$.") for place in places}


def _reader(source: Source) -> Callable[[Member, Source, Limits], Iterator[Chunk]]:
    """Return the reader of a source's format; each is imported when it is first needed."""
    return _READERS[source.format.type]


def _csv(member: Member, source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.csv_reader import read_csv

    return read_csv(member, source.format, _known_columns(source), limits)


def _jsonl(member: Member, source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.json_lines import read_json_lines

    return read_json_lines(member, source.format, limits)


def _json(member: Member, source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.json_document import read_json

    return read_json(member, source.format, limits)


def _parquet(member: Member, _source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.parquet_reader import read_parquet

    return read_parquet(member, limits)


def _xlsx(member: Member, source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.xlsx_reader import read_xlsx

    return read_xlsx(member, source.format, limits)


def _xml(member: Member, source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.xml_reader import read_xml

    return read_xml(member, source, limits)


def _mail(member: Member, _source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.mail_reader import read_mail

    return read_mail(member, limits)


def _document(member: Member, _source: Source, limits: Limits) -> Iterator[Chunk]:
    from datadock.landing.document_reader import read_document

    return read_document(member, limits)


_READERS: dict[str, Callable[[Member, Source, Limits], Iterator[Chunk]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "json": _json,
    "parquet": _parquet,
    "xlsx": _xlsx,
    "xml": _xml,
    "eml": _mail,
    "document": _document,
}
