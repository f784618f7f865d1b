"""One address in, its normal form out: the rules of NF Z10-011 against open references.

The same for one address and for a million (``columns`` calls this for every row that needs more than
columns can do). Nothing raises on bad text: what cannot be read has a status and a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from datadock.quality.address.assemble import Draft, draft_lines, in_places, print_lines
from datadock.quality.address.cut import Cell, Cut, completed_code, cut_place
from datadock.quality.address.foreign import country_guessed, country_named, country_of
from datadock.quality.address.locality import LocalityResolver, Place
from datadock.quality.address.model import LINE_LENGTH, Address, AddressInput, score_of, verdict
from datadock.quality.address.places import KnownPlaces
from datadock.quality.address.reading import Reading, read_input
from datadock.quality.address.street import Street
from datadock.quality.address.text import is_unreadable
from datadock.quality.evidence import Evidence, Status
from datadock.quality.fold import fold
from datadock.quality.reference.streets import StreetReference
from datadock.quality.reference.tables import Reference, load_reference


@dataclass(eq=False)
class AddressNormaliser:
    """Normalises addresses against one reference and, where they are loaded, one set of streets.

    Args:
        reference: Communes and postal codes.
        streets: Streets of the communes; without them no address is ``street_checked``.
        long_repetition: Print ``5 BIS`` in place of ``5 B``.
    """

    reference: Reference
    streets: StreetReference | None = None
    long_repetition: bool = False
    resolver: LocalityResolver = field(init=False)
    places: KnownPlaces = field(init=False)

    def __post_init__(self) -> None:
        """Make the resolver of the reference."""
        self.resolver = LocalityResolver(self.reference)
        self.places = KnownPlaces(self.resolver)

    def normalise(self, value: AddressInput | str) -> Address:
        """Give the normal form of one address; never raises on its content."""
        given = AddressInput((value,)) if isinstance(value, str) else in_places(value)
        reading = read_input(given)
        if not reading.cells and not reading.code and not reading.city:
            return _nothing(given, reading)
        country = self._country(given, reading)
        if country and country != "FRANCE":
            return _kept(given, _abroad(reading, country)) if given.settled else _abroad(reading, country)
        if is_unreadable(reading.raw):
            return Address(status=Status.REJETEE, codes=(*reading.codes, "TEXTE_ILLISIBLE"))
        cut = self._cut(reading)
        if given.settled:
            return _kept(given, self._french(reading, cut))
        if not reading.code and not self.resolver.knows(cut.code, cut.city):
            guess = country_guessed(" ".join(reading.cells[-1].words)) if reading.cells else ""
            if guess:
                return _abroad(reading, guess)
        return self._french(reading, cut)

    def _country(self, given: AddressInput, reading: Reading) -> str:
        if given.country.strip():
            folded = fold(given.country)
            country = country_of(folded) or country_named(folded)
            if not country:
                reading.codes.append("PAYS_INCONNU")
            return country or folded
        if len(reading.cells) > 1 and not reading.settled:
            country = country_named(" ".join(reading.cells[-1].words))
            if country:
                reading.cells.pop()
                if country == "FRANCE":
                    reading.codes.append("PAYS_RETIRE")
            return country
        return ""

    def _cut(self, reading: Reading) -> Cut:
        """Give code and city, from their columns or from the lines."""
        if reading.settled and not reading.code:
            return Cut("", reading.city, reading.cells)
        if not reading.code and not reading.city:
            return self._cut_lines(reading.cells)
        code, city = reading.code, reading.city
        cut = Cut(code, city, reading.cells)
        if len(code) == 4 and completed_code(code, city, self.resolver):
            cut.code, cut.typed = completed_code(code, city, self.resolver), code
            cut.codes.append("CP_CORRIGE")
        if not code and not reading.odd_code:
            again = cut_place([Cell([*city.split()], 99)], self.resolver)
            cut.code, cut.city = again.code, again.city or city
        cut.cells = [cell for cell in cut.cells if " ".join(cell.words) not in (f"{cut.code} {city}", cut.code)]
        return cut

    def _cut_lines(self, cells: list[Cell]) -> Cut:
        """Find code and city in free lines and in the street's; what other columns name is no city."""
        open_cells = [cell for cell in cells if cell.role in ("", "street")]
        cut = cut_place(open_cells, self.resolver)
        cut.cells = [*(cell for cell in cells if cell.role not in ("", "street")), *cut.cells]
        return cut

    def _french(self, reading: Reading, cut: Cut) -> Address:
        place = self.resolver.resolve(cut.code, cut.city)
        draft = draft_lines(cut.cells)
        lines = print_lines(draft, place.former, place.commune, self.reference, long_repetition=self.long_repetition)
        checked, unknown = self._check(place, draft.street)
        codes = [
            *reading.codes,
            *cut.codes,
            *place.codes,
            *draft.codes,
            *lines.codes,
            *unknown,
            *_missing(draft, place),
        ]
        ordered = tuple(dict.fromkeys(codes))
        status = _status(ordered, place)
        return Address(
            lines.first, lines.second, lines.third, lines.fourth, lines.fifth, place.line[:LINE_LENGTH].strip(), "",
            draft.street.number, draft.street.repetition, draft.street.kind, lines.label,
            " ".join(part for part in (draft.inside, draft.outside) if part), draft.locality, draft.box,
            place.code_postal, place.commune, place.code_insee, status, ordered, score_of(status, ordered), checked,
            _evidence(reading, cut, place, draft, lines.evidence),
        )  # fmt: skip

    def _check(self, place: Place, street: Street) -> tuple[bool, list[str]]:
        """Look the street up among those of its commune, where these are loaded."""
        if self.streets is None or not street.label or not self.streets.knows(place.code_insee):
            return False, []
        known = self.streets.find(place.code_insee, street.label)
        return bool(known), [] if known else ["VOIE_INCONNUE"]


def _nothing(given: AddressInput, reading: Reading) -> Address:
    if "NPAI" in reading.codes:
        return Address(status=Status.REJETEE, codes=tuple(reading.codes))
    if is_unreadable(reading.raw):
        return Address(status=Status.REJETEE, codes=(*reading.codes, "TEXTE_ILLISIBLE"))
    told = any(char.isalnum() for char in "".join((*given.lines, given.street, given.postal_code, given.city)))
    if told or reading.codes:
        return Address(status=Status.REJETEE, codes=(*reading.codes, "VOIE_ABSENTE"))
    return Address(status=Status.VIDE)


def _kept(given: AddressInput, address: Address) -> Address:
    """Give the facts of an address with the lines of the normal form that it came from."""
    last = f"{given.postal_code} {given.city}".strip()
    return replace(
        address, line_1=given.name, line_2=given.complements[0], line_3=given.complements[1], line_4=given.street,
        line_5=given.locality, line_6=last, line_7=given.country,
    )  # fmt: skip


def _abroad(reading: Reading, country: str) -> Address:
    """Print an address abroad: its lines in their order, the country last."""
    texts: dict[int, str] = {}
    single = len({cell.line for cell in reading.cells}) == 1
    for place, cell in enumerate(reading.cells):
        if single:
            texts[place] = " ".join(cell.words)
            continue
        texts[cell.line] = f"{texts.get(cell.line, '')} {' '.join(cell.words)}".strip()
    rows = [text for _, text in sorted(texts.items())]
    if reading.code or reading.city:
        rows.append(f"{reading.code} {reading.city}".strip())
    codes = list(reading.codes)
    if any(len(row) > LINE_LENGTH for row in rows):
        rows = [part for row in rows for part in _wrapped(row)]
    if len(rows) > 6:
        codes.append("L6_TRONQUEE")
        rows = [*rows[:5], rows[-1]]
    lines = [""] * 6
    if rows:
        lines[5] = rows[-1]
    if len(rows) > 1:
        lines[3] = rows[-2]
    for slot, row in zip((0, 1, 2, 4) if len(rows) > 5 else (0, 1, 2), rows[:-2], strict=False):
        lines[slot] = row
    first, second, third, fourth, fifth, last = lines
    printed = country[:LINE_LENGTH].strip()
    told = tuple(dict.fromkeys(codes))
    return Address(
        first, second, third, fourth, fifth, last, printed, status=Status.ETRANGERE, codes=told, score=50
    )  # fmt: skip


def _wrapped(text: str) -> list[str]:
    rows: list[str] = []
    for word in text.split():
        if rows and len(rows[-1]) + 1 + len(word) <= LINE_LENGTH:
            rows[-1] += " " + word
        else:
            rows += [word[start : start + LINE_LENGTH] for start in range(0, len(word), LINE_LENGTH)]
    return rows


def _missing(draft: Draft, place: Place) -> list[str]:
    """Say what an address lacks to be delivered; a box or a CEDEX code needs no number."""
    if draft.box or place.cedex:
        return []
    if not draft.street.label and not draft.locality:
        return ["VOIE_ABSENTE"]
    absent = not draft.street.number and "NUMERO_HORS_BORNES" not in draft.codes
    return ["NUMERO_ABSENT"] if absent else []


def _status(codes: tuple[str, ...], place: Place) -> Status:
    if "NPAI" in codes or not place.found:
        return Status.REJETEE
    return verdict(codes)


def _evidence(
    reading: Reading, cut: Cut, place: Place, draft: Draft, printed: tuple[Evidence, ...]
) -> tuple[Evidence, ...]:
    found = [*draft.evidence, *printed, *place.evidence]
    street = draft.street
    if "VOIE_CORRIGEE" in street.codes:
        found.append(Evidence("TYPE_DEVELOPPE", "voie", street.typed, street.label))
    if "NUMERO_CORRIGE" in street.codes or "NUMERO_DEPLACE" in street.codes:
        found.append(Evidence("NUMERO", "numero", street.typed, f"{street.number} {street.repetition}".strip()))
    if "CP_CORRIGE" in cut.codes:
        found.append(Evidence("CP_RECONSTITUE", "code_postal", cut.typed, cut.code))
    if "HTML_RETIRE" in reading.codes or "TELEPHONE_DANS_ADRESSE" in reading.codes:
        found.append(Evidence("TEXTE_RETIRE", "lignes", reading.raw[:200], ""))
    return tuple(found)


@lru_cache(maxsize=4)
def _default(reference: Reference | None, streets: StreetReference | None) -> AddressNormaliser:
    return AddressNormaliser(reference or load_reference(), streets)


def normalise_address(
    value: AddressInput | str, reference: Reference | None = None, streets: StreetReference | None = None
) -> Address:
    """Give the normal form of one address.

    Args:
        value: Its parts, or its text with line ends or commas between the parts.
        reference: Communes and postal codes; the committed tables when none is given.
        streets: Loaded streets, for ``street_checked``.
    """
    return _default(reference, streets).normalise(value)
