"""Which comparisons a set of features allows, for people and for companies.

Levels stand from the strongest to the weakest; the first that holds counts. Column names end in
``_l`` and ``_r``. The shares among matches (``m``) are where training starts and what it falls
back to; nothing here knows a particular file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from datadock.identity import compare_contacts as contacts
from datadock.identity import compare_people as people
from datadock.identity.levels import Comparison, Level

LEGAL_UNIT = ("id_siret", "id_vat_number")
"""Numbers that tell a SIREN, and are compared by it: a company is the legal unit, its establishments do not part it."""

__all__ = ["Comparison", "Level", "comparisons_for"]


def comparisons_for(features: Collection[str], party: str) -> list[Comparison]:
    """Return the comparisons that a set of features allows for people or for companies."""
    found: list[Comparison] = []
    if party == "person":
        for needed, build in _PERSON:
            if needed in features:
                found.append(build(features))
    else:
        found.extend(build(features) for needed, build in _COMPANY if needed in features)
    for needed, build in _BOTH:
        if needed in features:
            found.append(build(features))
    if "street" in features:
        found.append(contacts.address(features))
    elif "postcode" in features or "city" in features:
        found.append(contacts.place(features))
    told = LEGAL_UNIT if "id_siren" in features else ()
    found.extend(contacts.identifier(name) for name in sorted(features) if name.startswith("id_") and name not in told)
    return found


_Build = Callable[[Collection[str]], Comparison]
_PERSON: tuple[tuple[str, _Build], ...] = (
    ("given", people.given),
    ("family", people.family),
    ("birth_date", people.birth_date),
    ("sex", people.sex),
    ("name_words", people.name_words),
    ("birth_place", people.birth_place),
    ("occupation", people.occupation),
    ("emails", contacts.email),
)
_COMPANY: tuple[tuple[str, _Build], ...] = (("organisation", contacts.organisation), ("emails", contacts.company_email))
_BOTH: tuple[tuple[str, _Build], ...] = (("phones", contacts.phone),)
