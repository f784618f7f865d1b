"""The postal reference and the streets that values are read with, and what a change of them touches."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from datadock.quality.address import AddressNormaliser
from datadock.quality.reference import Reference, StreetReference, compare_references
from datadock.refdata import current_reference, current_streets, read_contacts_by, record_versions, reference_at
from datadock.settings import Settings

_NO_STREETS = "no streets"


@dataclass(frozen=True, eq=False)
class References:
    """What addresses are read with.

    Attributes:
        reference: Communes, postal codes and delivery labels.
        streets: Loaded streets, where there are some.
        older: Gives an older reference by its version; None where it is gone.
    """

    reference: Reference
    streets: StreetReference | None = None
    older: Callable[[str], Reference | None] = lambda _version: None

    @property
    def version(self) -> str:
        """One text that changes with anything that can change an address."""
        return f"{self.reference.version}; {self.streets.version if self.streets else _NO_STREETS}"

    @functools.cached_property
    def normaliser(self) -> AddressNormaliser:
        """The reader of addresses, made once."""
        return AddressNormaliser(self.reference, self.streets)

    def touches(self, before: str, text: Sequence[str]) -> pl.Expr:
        """Give what is true of the addresses that may be read otherwise than under an earlier version.

        Args:
            before: ``version`` of what they were read with.
            text: Columns of the declared texts; code_postal, code_insee, codes and street_checked stand beside them.
        """
        reference, _, streets = before.partition("; ")
        touched = pl.lit(value=False)
        if reference != self.reference.version:
            old = self.older(reference)
            if old is None:
                return pl.lit(value=True)  # nobody knows what the older one said
            difference = compare_references(old, self.reference)
            touched = difference.touches("code_postal", "code_insee", "codes", tuple(text))
        if streets != (self.streets.version if self.streets else _NO_STREETS):
            known = sorted(self.streets.streets) if self.streets else []
            touched = touched | pl.col("street_checked") | pl.col("code_insee").is_in(known)
        return touched


def references_in_use(settings: Settings) -> References:
    """Return what a deployment uses now, and note its versions in the ledger.

    Raises:
        DatadockError: When the tables that the home names are gone.
    """
    read_contacts_by(settings)
    reference, streets = current_reference(settings), current_streets(settings)
    record_versions(settings, reference, streets)
    return References(reference, streets, functools.partial(reference_at, settings))
