"""Normalises a whole frame of addresses: columns first, the one-line path for what columns cannot decide.

Rows of the plain shape (number, type, name; code and city) are read by Polars expressions, their places are
resolved once per distinct pair of code and city and joined back. Every other row goes to the normaliser of
one address, once per distinct text. Both give the same result; a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl

from datadock.quality.address.assemble import settled_block
from datadock.quality.address.fast import read_plain
from datadock.quality.address.model import Address, AddressInput, AddressParts
from datadock.quality.address.normalise import AddressNormaliser
from datadock.quality.address.plain_result import RESULT_NAMES
from datadock.quality.columns import as_columns
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE
from datadock.quality.fold import fold
from datadock.quality.reference.streets import StreetReference
from datadock.quality.reference.tables import Reference, load_reference

WORKERS = 2
BATCH = 100_000
"""Rows that are in the making at a time, which bounds the memory."""
_OBJECTS = 5_000
"""Addresses that are objects at a time: few, so that the collector has little to walk through."""

TEXT_COLUMNS = RESULT_NAMES[:17]
RESULT_SCHEMA = pl.Schema(
    {
        **{name: pl.String() for name in TEXT_COLUMNS},
        "status": STATUS_DTYPE,
        "codes": CODES_DTYPE,
        "score": pl.Int32(),
        "street_checked": pl.Boolean(),
        "evidence": EVIDENCE_DTYPE,
    }
)

_NAMES = {
    "postal_code": "CODE POSTAL|CP|CODEPOSTAL|POSTAL CODE|POSTCODE|ZIP|ZIPCODE|ZIP CODE|CODE POSTALE|COD POSTAL|POSTAL",
    "city": "VILLE|COMMUNE|CITY|LOCALITE|TOWN|NOM COMMUNE|NOM VILLE|BUREAU DISTRIBUTEUR|ACHEMINEMENT",
    "country": "PAYS|COUNTRY|CODE PAYS|NATION|COUNTRY CODE",
    "street": "RUE|VOIE|STREET|NUMERO ET VOIE|LIBELLE VOIE|NUMERO VOIE|STREET ADDRESS|LINE 4",
    "name": "LINE 1",
    "locality": "LIEU DIT|LIEUDIT|LINE 5|BP",
}


@dataclass(frozen=True, slots=True)
class AddressColumns(AddressParts):
    """Which columns of a frame hold which part of an address; empty names are absent parts.

    Args:
        block: The columns of lines 1 to 6 of a file that is normalised already; nothing else is read then.
    """

    block: tuple[str, ...] = ()

    @property
    def used(self) -> list[str]:
        """The columns that are read, each once."""
        return list(dict.fromkeys([*self.block, *self.lines, *self.named]))

    def renamed(self, names: Mapping[str, str]) -> AddressColumns:
        """Give the same parts under other names of their columns."""
        own: Any = [
            names.get(part, "") if isinstance(part, str) else tuple(names[name] for name in part)
            for part in (*self.parts, self.block)
        ]
        return AddressColumns(*own)


def guess_columns(names: Sequence[str]) -> AddressColumns:
    """Guess from their names which columns hold code, city, country and street; the rest are free lines.

    The columns ``line_1`` to ``line_6`` of a normalised file are known by their places.
    """
    block = tuple(name for name in names if fold(name) in _BLOCK)
    if sorted(fold(name) for name in block) == _BLOCK:
        return AddressColumns(block=tuple(sorted(block)))
    known = {alias: part for part, aliases in _NAMES.items() for alias in aliases.split("|")}
    found: dict[str, Any] = {}
    lines = []
    for name in names:
        part = known.get(fold(name), "")
        if part and part not in found:
            found[part] = name
        else:
            lines.append(name)
    inside = [name for name in lines if fold(name) in ("LINE 2", "LINE 3")]
    if len(inside) == 2:
        lines = [name for name in lines if name not in inside]
    else:
        inside = []
    return AddressColumns(tuple(lines), complements=tuple(inside), **found)


_BLOCK = [f"LINE {n}" for n in range(1, 7)]


def normalise_addresses(
    frame: pl.DataFrame,
    columns: AddressColumns | Sequence[str],
    reference: Reference | None = None,
    streets: StreetReference | None = None,
    *,
    normaliser: AddressNormaliser | None = None,
) -> pl.DataFrame:
    """Give the normal form of every row of a frame, in its order.

    Args:
        frame: Rows with their addresses in any columns.
        columns: Which columns hold what; names alone are guessed by ``guess_columns``.
        reference: Communes and postal codes; the committed tables when none is given.
        streets: Loaded streets, for ``street_checked``.
        normaliser: In place of the two above, one that is already made.

    Returns:
        A frame of the columns of ``RESULT_SCHEMA``, as long as the input.
    """
    places = columns if isinstance(columns, AddressColumns) else guess_columns(columns)
    worker = normaliser or AddressNormaliser(reference or load_reference(), streets)
    own = {name: f"__{at}" for at, name in enumerate(places.used)}
    places = places.renamed(own)
    parts = list(frame.select(pl.col(name).alias(inner) for name, inner in own.items()).iter_slices(BATCH))
    if len(parts) < 2:
        return _batch(parts[0], places, worker) if parts else pl.DataFrame(schema=RESULT_SCHEMA)
    with ThreadPoolExecutor(WORKERS) as pool:
        return pl.concat(pool.map(lambda part: _batch(part, places, worker), parts))


def _batch(part: pl.DataFrame, columns: AddressColumns, worker: AddressNormaliser) -> pl.DataFrame:
    texts = part.select(pl.all().cast(pl.String).fill_null("")).with_row_index("row")
    plain = read_plain(texts, columns, worker) if not columns.block else pl.DataFrame(schema={"row": pl.UInt32})
    rest = texts.join(plain, on="row", how="anti")
    results = [plain.select("row", *RESULT_SCHEMA)] if plain.height else []
    if rest.height:
        results.append(_one_by_one(rest, columns, worker))
    if len(results) == 1 and results[0]["row"].is_sorted():
        return results[0].drop("row")
    return pl.concat(results).sort("row").drop("row")


def _one_by_one(rest: pl.DataFrame, columns: AddressColumns, worker: AddressNormaliser) -> pl.DataFrame:
    """Normalise the rows that columns could not decide, each distinct text once."""
    distinct = rest.drop("row").unique(maintain_order=True)
    read = _reader(distinct.columns, columns)
    blocks = [as_frame([worker.normalise(read(row)) for row in block.iter_rows()])
              for block in distinct.iter_slices(_OBJECTS)]  # fmt: skip
    results = pl.concat(blocks, rechunk=True)
    if distinct.height == rest.height:
        return pl.concat([rest.select("row"), results], how="horizontal")
    keyed = distinct.with_row_index("text")
    order = rest.join(keyed, on=distinct.columns, how="left", maintain_order="left")
    return pl.concat([rest.select("row"), results[order["text"]]], how="horizontal")


def _reader(names: Sequence[str], columns: AddressColumns) -> Callable[[tuple[str, ...]], AddressInput]:
    """Give the function that makes an input of one row, each column in its part; the last place is an empty text."""
    places = {name: at for at, name in enumerate(names)}
    block = [places[name] for name in columns.block]
    parts = [
        places.get(part, len(names)) if isinstance(part, str) else [places[name] for name in part]
        for part in columns.parts
    ]

    def read(row: tuple[str, ...]) -> AddressInput:
        cells = (*row, "")
        if block:
            return settled_block(tuple(cells[at] for at in block))
        texts: Any = [cells[at] if isinstance(at, int) else tuple([cells[each] for each in at]) for at in parts]
        return AddressInput(*texts)

    return read


def as_frame(addresses: Sequence[Address]) -> pl.DataFrame:
    """Give addresses as the frame that ``normalise_addresses`` returns."""
    return pl.DataFrame(as_columns(addresses, RESULT_SCHEMA))


__all__ = ["RESULT_SCHEMA", "AddressColumns", "as_frame", "guess_columns", "normalise_addresses"]
