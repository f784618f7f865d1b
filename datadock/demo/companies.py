"""Companies and stores of the demo world: names, legal identifiers with their check digits, places.

The people known inside a company are the world's; the feeds write them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from datadock.demo.reference import Reference
from datadock.demo.streams import Ints, Rng, spread

_TRADES = (
    "Boulangerie", "Garage", "Transports", "Menuiserie", "Plomberie", "Cabinet", "Imprimerie", "Pharmacie",
    "Ambulances", "Maçonnerie", "Électricité", "Fleurs", "Optique", "Charpentes", "Jardins", "Ateliers",
    "Établissements", "Taxis", "Auto-école", "Restaurant", "Hôtel", "Traiteur", "Caves", "Informatique", "Conseil",
    "Immobilier", "Assurances",
)  # fmt: skip
_ENDINGS = ("", "", "", " & Fils", " Frères", " et Associés", " Services", " France", " Distribution")
_FORMS = ("SARL", "SAS", "EURL", "SA", "SASU", "SCI", "SNC")
_FORM_SHARES = np.cumsum([0.4, 0.3, 0.1, 0.06, 0.1, 0.03, 0.01])


@dataclass(frozen=True)
class Companies:
    """Companies: name without legal form, form, identifiers, switchboard, e-mail, address."""

    number: Ints
    name: pl.Series
    form: pl.Series
    siren: pl.Series
    siret: pl.Series
    phone: pl.Series
    email: pl.Series
    domain: pl.Series
    line: pl.Series
    postcode: pl.Series
    city: pl.Series


@dataclass(frozen=True)
class Stores:
    """Stores: code, name and place."""

    code: pl.Series
    name: pl.Series
    city: pl.Series
    postcode: pl.Series


def luhn_digit(digits: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the check digit that makes ``digits`` (of ``count`` figures) followed by it pass Luhn's test.

    Source: ISO/IEC 7812-1, annex B; SIREN and SIRET use it.
    """
    total = np.zeros_like(digits)
    rest = digits.copy()
    for position in range(count):
        figure = rest % 10
        rest //= 10
        doubled = figure * 2 if position % 2 == 0 else figure
        total += np.where(doubled > 9, doubled - 9, doubled)
    return (10 - total % 10) % 10


def build_companies(count: int, reference: Reference, rng: Rng, first: int) -> Companies:
    """Draw companies; SIREN are distinct and pass Luhn, as do the SIRET of their seats."""
    base = 30_000_000 + spread(first + np.arange(count), 59_999_999, 7_919_113, int(rng.integers(59_999_999)))
    siren = base * 10 + luhn_digit(base, 8)
    seat = siren * 10_000 + rng.integers(1, 9, count)
    siret = seat * 10 + luhn_digit(seat, 13)
    surname = reference.surnames.draw(rng, count)
    owner = reference.surnames.accented.gather(surname)
    trade = pl.Series(_TRADES).gather(rng.integers(0, len(_TRADES), count))
    ending = pl.Series(_ENDINGS).gather(rng.integers(0, len(_ENDINGS), count))
    slug = reference.surnames.unaccented.gather(surname).str.to_lowercase().str.replace_all(r"[^a-z]", "")
    # The SIREN's last figures keep two firms of one owner's name apart.
    domain = slug + "-" + pl.Series(base % 100_000).cast(pl.String) + ".fr"
    commune = reference.communes.city.draw(rng, count)
    street_type = reference.street_types.accented.gather(reference.street_types.draw(rng, count))
    street = reference.streets.accented.gather(reference.streets.draw(rng, count))
    number = pl.Series(rng.integers(1, 180, count)).cast(pl.String)
    return Companies(
        number=first + np.arange(count),
        name=trade + " " + owner + ending,
        form=pl.Series(_FORMS).gather(np.searchsorted(_FORM_SHARES, rng.random(count)).clip(0, len(_FORMS) - 1)),
        siren=pl.Series(siren).cast(pl.String),
        siret=pl.Series(siret).cast(pl.String),
        phone="9" + pl.Series(70_000_000 + spread(first + np.arange(count), 9_999_991, 31_337, 17)).cast(pl.String),
        email="contact@" + domain,
        domain=domain,
        line=number + " " + street_type + " " + street,
        postcode=reference.communes.postcode.gather(commune),
        city=reference.communes.city.accented.gather(commune),
    )


def build_stores(count: int, reference: Reference, rng: Rng) -> Stores:
    """Draw stores, each in a town."""
    commune = reference.communes.city.draw(rng, count)
    city = reference.communes.city.accented.gather(commune)
    quarter = pl.Series([" Centre", " Gare", " Nord", " Les Halles", " Zone commerciale", " Vieux Port"])
    return Stores(
        code=pl.Series([f"M{number:03d}" for number in range(1, count + 1)]),
        name="Maison Démo " + city + quarter.gather(rng.integers(0, len(quarter), count)),
        city=city,
        postcode=reference.communes.postcode.gather(commune),
    )
