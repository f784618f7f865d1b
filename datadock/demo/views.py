"""A person as a feed sees them: the truth of a day, damaged at the feed's own rates.

One row per record of a roster, every value as text. The feeds choose among the columns and name them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from datadock.demo import alter
from datadock.demo.damage import Damage
from datadock.demo.plan import Roster
from datadock.demo.streams import Mask, Rng, chance
from datadock.demo.world import I32, World

DATE_FORMATS = ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%Y/%m/%d")


@dataclass(frozen=True)
class Look:
    """How a feed looks at people.

    Attributes:
        care: Multiplies the rates of misspelling: 1 is the common care, 0.5 a careful feed.
        capitals: Share of records in capitals; below 0 the damage rate.
        plain: Share of records without accents; below 0 the damage rate.
        dates: How the feed usually writes dates.
        fill: Share of records with birth date, e-mail, mobile, landline and address.
        titles: Civility of men and of women.
    """

    care: float = 1.0
    capitals: float = -1.0
    plain: float = -1.0
    dates: str = "%d/%m/%Y"
    birth_date: float = 0.7
    email: float = 0.7
    mobile: float = 0.7
    phone: float = 0.4
    address: float = 0.95
    titles: tuple[str, str] = ("M.", "Mme")


def seen(world: World, roster: Roster, look: Look, damage: Damage, rng: Rng) -> pl.DataFrame:
    """Return the records of a roster as the feed's ``look`` has them.

    Returns:
        ``civility, given_name, family_name, birth_name, birth_date, email, email_2, mobile, phone`` and the parts of
        the address ``line, extra, postcode, city``, all text, null where the feed knows nothing.
    """
    size = len(roster)
    capitals = chance(rng, damage.upper_case if look.capitals < 0 else look.capitals, size)
    plain = chance(rng, damage.accents_lost if look.plain < 0 else look.plain, size)
    columns = _names(world, roster, plain, look, damage, rng)
    columns |= _address(world, roster, plain, look, damage, rng)
    for name in ("given_name", "family_name", "birth_name", "line", "extra", "city"):
        columns[name] = alter.upper(columns[name], capitals)
    columns["family_name"] = alter.junk(columns["family_name"], rng, damage.junk_name, alter.JUNK_NAMES)
    columns |= _points(world, roster, look, damage, rng)
    born = pl.Series(world.people.born[roster.who]).cast(pl.Date)
    born = alter.shaken_birth_date(born, rng, damage.swapped_date * look.care, damage.wrong_date * look.care)
    born = _known(born, rng, look.birth_date)
    columns["birth_date"] = alter.written_date(born, rng, look.dates, damage.mixed_dates, DATE_FORMATS)
    return pl.DataFrame(columns)


def _names(world: World, roster: Roster, plain: Mask, look: Look, damage: Damage, rng: Rng) -> dict[str, pl.Series]:
    people, reference, who = world.people, world.reference, roster.who
    size = len(roster)
    given = reference.given.spelled(people.given[who], plain)
    given = alter.loosen_hyphen(given, rng, damage.hyphen)
    given = alter.nickname(given, rng, damage.nickname)
    given = alter.typo(given, rng, damage.typo * look.care)
    married = people.married_to[who]
    by_birth_name = chance(rng, damage.married_name, size) & (married >= 0)
    birth = reference.surnames.spelled(people.family[who], plain)
    used = reference.surnames.spelled(np.where((married >= 0) & ~by_birth_name, married, people.family[who]), plain)
    both = np.flatnonzero(people.double_name[who] & ~by_birth_name)
    used = alter.touch(used, both, lambda part: part + "-" + birth.gather(both))
    used = alter.typo(used, rng, damage.typo * look.care)
    inverted = np.flatnonzero(chance(rng, damage.inverted_names, size))
    swapped = given.gather(inverted)
    given = alter.touch(given, inverted, lambda _: used.gather(inverted))
    used = alter.touch(used, inverted, lambda _: swapped)
    female = people.female[who].astype(np.int8)
    known_birth = (married >= 0) & ~by_birth_name & chance(rng, 0.5, size)
    return {
        "civility": alter.blank(pl.Series(look.titles).gather(female), rng, damage.missing),
        "given_name": alter.blank(given, rng, damage.missing * 0.5),
        "family_name": used,
        "birth_name": birth.set(pl.Series(~known_birth), None),
    }


def _address(world: World, roster: Roster, plain: Mask, look: Look, damage: Damage, rng: Rng) -> dict[str, pl.Series]:
    household = world.people.household[roster.who]
    parts = address_at(world, household, roster.when, plain, chance(rng, damage.abbreviated_street, len(roster)))
    parts["line"] = alter.typo(parts["line"], rng, damage.typo * look.care)
    parts["city"] = alter.typo(parts["city"], rng, damage.typo * look.care * 0.5)
    unknown = pl.Series(~chance(rng, look.address, len(roster)))
    return {name: part.set(unknown, None) for name, part in parts.items()}


def address_at(world: World, household: np.ndarray, when: I32, plain: Mask, short: Mask) -> dict[str, pl.Series]:
    """Return line, extra, postcode and city of households on given days."""
    reference, at = world.reference, world.dwelling_at(household, when)
    home = world.dwellings
    line = pl.select(
        pl.concat_str(
            pl.Series(home.number[at]).cast(pl.String),
            reference.street_types.spelled(home.street_type[at], short),
            reference.streets.spelled(home.street[at], plain),
            separator=" ",
        )
    ).to_series()
    commune = home.commune[at]
    return {
        "line": line,
        "extra": world.households.extra.gather(household),
        "postcode": reference.communes.postcode.gather(commune),
        "city": reference.communes.city.spelled(commune, plain),
    }


def _points(world: World, roster: Roster, look: Look, damage: Damage, rng: Rng) -> dict[str, pl.Series]:
    people, who = world.people, roster.who
    email = alter.typo(people.email.gather(who), rng, damage.typo * look.care * 0.4)
    email = alter.junk(_known(email, rng, look.email), rng, damage.junk_email * (look.email > 0), alter.JUNK_EMAILS)
    mobile = written_phone(_known(people.mobile.gather(who), rng, look.mobile), rng)
    phone = written_phone(_known(world.households.landline.gather(people.household[who]), rng, look.phone), rng)
    return {
        "email": email,
        "email_2": _known(people.email_2.gather(who), rng, look.email),
        "mobile": alter.junk(mobile, rng, damage.junk_phone * (look.mobile > 0), alter.JUNK_PHONES),
        "phone": alter.junk(phone, rng, damage.junk_phone * 0.5 * (look.phone > 0), alter.JUNK_PHONES),
    }


def written_phone(number: pl.Series, rng: Rng) -> pl.Series:
    """Write national numbers of nine digits as people do."""
    written = "0" + number
    style = rng.integers(0, 10, len(number))
    written = alter.touch(written, np.flatnonzero((style >= 4) & (style < 8)), _in_pairs(" "))
    written = alter.touch(written, np.flatnonzero(style == 8), _in_pairs("."))
    return alter.touch(written, np.flatnonzero(style == 9), lambda part: "+33" + part.str.slice(1))


def _in_pairs(separator: str) -> Callable[[pl.Series], pl.Series]:
    pattern = separator.join(f"${{{group}}}" for group in range(1, 6))
    return lambda part: part.str.replace(r"(..)(..)(..)(..)(..)", pattern)


def _known(column: pl.Series, rng: Rng, share: float) -> pl.Series:
    return column.set(pl.Series(~chance(rng, share, len(column))), None)
