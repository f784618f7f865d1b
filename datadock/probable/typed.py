"""What somebody types of a contact, read by the normalisers that read what has landed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from datadock.errors import DatadockError
from datadock.quality.address import AddressInput, normalise_address
from datadock.quality.email import normalise_email
from datadock.quality.names import normalise_name
from datadock.quality.phone import normalise_phone


@dataclass(frozen=True)
class Typed:
    """What was typed, in its normal forms; empty where nothing was, or nothing that can be looked for."""

    emails: tuple[str, ...] = ()
    email_key: str = ""
    phones: tuple[str, ...] = ()
    address: str = ""
    postcodes: tuple[str, ...] = ()
    first_key: str = ""
    last_key: str = ""
    birth_date: date | None = None

    @property
    def is_findable(self) -> bool:
        """Whether there is enough to look for."""
        place = self.address or self.postcodes or self.birth_date
        return bool(self.emails or self.phones or (self.last_key and place))


def read_typed(
    *,
    given_name: str | None = None,
    family_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    address: str | None = None,
    postcode: str | None = None,
    city: str | None = None,
    birth_date: date | str | None = None,
) -> Typed:
    """Bring what was typed into normal forms; see ``find_probable`` for the fields.

    Raises:
        DatadockError: When the birth date is no date.
    """
    mail = normalise_email(email)
    number = normalise_phone(phone)
    name = normalise_name(given_name, family_name)
    form, found_code = _address(address, postcode, city)
    codes = {code for code in ((postcode or "").strip(), found_code) if code}
    return Typed(
        emails=tuple(sorted(_forms(mail.value, mail.typed))),
        email_key=mail.key or "",
        phones=tuple(sorted(_forms(number.value, number.proposal))),
        address=form,
        postcodes=tuple(sorted(codes)),
        first_key=name.first_key or "",
        last_key=name.last_key or "",
        birth_date=_date(birth_date),
    )


def _forms(*forms: str | None) -> set[str]:
    return {form for form in forms if form}


def _address(line: str | None, postcode: str | None, city: str | None) -> tuple[str, str]:
    """Return an address as contact points keep it, and its postal code; empty where it has no street."""
    if not (line or "").strip():
        return "", ""
    found = normalise_address(AddressInput((line or "",), postal_code=postcode or "", city=city or ""))
    if not (found.line_4 or found.line_5) or not found.line_6:
        return "", found.code_postal
    lines = (found.line_4, found.line_5, found.line_6, found.line_7)
    return ", ".join(text for text in lines if text), found.code_postal


def _date(value: date | str | None) -> date | None:
    """Read a date as programs or as French people write it."""
    if value is None or isinstance(value, date):
        return value
    text = value.strip()
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    if not text:
        return None
    raise DatadockError(
        f"{value!r} is not a date",
        expected="1984-03-12 or 12/03/1984",
        action="write the birth date so, or leave it out",
    )
