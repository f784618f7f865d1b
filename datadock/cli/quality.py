"""``datadock quality``: normal form, status and reasons of one value, or of a whole file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datadock.cli import show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datadock.quality.address import AddressNormaliser
    from datadock.quality.evidence import Evidence

app = typer.Typer(
    help="Quality of contact data: normal form, status and reasons of a value or a file.\n\n"
    'Example: datadock quality address "12 bis r de la Republique 69002 lyon"',
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Kind(StrEnum):
    """Kinds of values that a file may hold."""

    address = "address"
    phone = "phone"
    email = "email"
    name = "name"


@app.command()
def address(
    text: Annotated[str, typer.Argument(help="The address; lines are parted by line ends, commas or |.")],
    json: Json = False,
) -> None:
    r"""Print the six lines of a French address, its status and the evidence of each correction.

    Example: datadock quality address "12 bis r de la Republique 69002 lyon"
    """
    from dataclasses import asdict

    from datadock.quality.address.model import DETAIL_CODES, AddressInput

    lines = tuple(text.split("|")) if "|" in text else text
    found = _normaliser().normalise(AddressInput(lines) if isinstance(lines, tuple) else lines)
    if json:
        show.as_json(asdict(found))
        return
    for place, line in enumerate(found.block, 1):
        if line or place < 7:
            typer.echo(f"{place}  {line}".rstrip())
    told = {"numero": found.numero, "repetition": found.repetition, "voie": found.voie,
            "code_postal": found.code_postal, "commune": found.commune, "code_insee": found.code_insee,
            "score": found.score, "street_checked": found.street_checked}  # fmt: skip
    _tell(told, str(found.status), found.codes, found.evidence, DETAIL_CODES)


@app.command()
def phone(
    text: Annotated[str, typer.Argument(help="The number as written.")],
    region: Annotated[str, typer.Option(help="Country of a number without a country code.")] = "FR",
    json: Json = False,
) -> None:
    """Print a phone number's international form, kind, region, operator, status and reasons.

    Example: datadock quality phone "06.12.34.56.78"
    """
    from datadock.quality.phone import normalise_phone

    _normaliser()
    _print(normalise_phone(text, region.upper())._asdict(), json)


@app.command()
def email(text: Annotated[str, typer.Argument(help="The address as written.")], json: Json = False) -> None:
    """Print an e-mail address's normal form, kind of domain, status and reasons.

    Example: datadock quality email "Jean.Dupont@gmial.com"
    """
    from datadock.quality.email import normalise_email

    _print(normalise_email(text)._asdict(), json)


@app.command()
def name(
    text: Annotated[str, typer.Argument(help="The whole name, or civility|first name|family name.")],
    json: Json = False,
) -> None:
    """Print a name's display form, parts, sex of the first name, civility, status and reasons.

    Example: datadock quality name "Mlle ELODIE de la fontaine"
    """
    from datadock.quality.full_name import normalise_full_name

    _normaliser()
    _print(normalise_full_name(text)._asdict(), json)


@app.command()
def file(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Text with delimiters (any encoding), or parquet.")],
    kind: Annotated[Kind, typer.Option(help="What the columns hold.")],
    columns: Annotated[str, typer.Option(help="Columns to read, parted by commas, in their order.")],
    out: Annotated[Path, typer.Option(help="Result: .csv or .parquet; the input's columns and the new ones.")],
    region: Annotated[str, typer.Option(help="Country of phone numbers without a country code.")] = "FR",
    json: Json = False,
) -> None:
    """Write a file with the normal forms of some columns beside its own; memory does not grow with the file.

    Example: datadock quality file contacts.csv --kind phone --columns telephone --out contacts_phone.csv
    """
    from datadock.quality.file import normalise_file

    named = [column.strip() for column in columns.split(",") if column.strip()]
    summary = normalise_file(source, out, kind.value, named, region.upper(), _normaliser())
    if json:
        show.as_json(vars(summary))
    else:
        typer.echo(str(summary))


@app.command()
def exists(
    given_name: Annotated[str | None, typer.Option(help="First name.")] = None,
    family_name: Annotated[str | None, typer.Option(help="Family name.")] = None,
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    phone: Annotated[str | None, typer.Option(help="Phone number.")] = None,
    address: Annotated[str | None, typer.Option(help="Street line.")] = None,
    postcode: Annotated[str | None, typer.Option(help="Postal code.")] = None,
    city: Annotated[str | None, typer.Option(help="Town.")] = None,
    birth_date: Annotated[str | None, typer.Option(help="1984-03-12 or 12/03/1984.")] = None,
    json: Json = False,
) -> None:
    """Say whether a contact probably exists already, before it is saved: who, how surely, and what agrees.

    Example: datadock quality exists --given-name Albert --family-name Hervé --email albert.herve@orange.fr
    """
    from dataclasses import asdict

    from datadock.probable import find_probable
    from datadock.settings import Settings

    found = find_probable(
        Settings(), given_name=given_name, family_name=family_name, email=email, phone=phone, address=address,
        postcode=postcode, city=city, birth_date=birth_date,
    )  # fmt: skip
    if json:
        show.as_json([asdict(one) for one in found])
        return
    if not found:
        typer.echo("No such contact is known.")
    for one in found:
        typer.echo(f"{one.golden_id}  {one.certainty}")
        typer.echo(f"  agrees: {', '.join(f'{reason.field} {reason.value}' for reason in one.reasons)}")
        if one.differs:
            typer.echo(f"  differs: {', '.join(one.differs)}")
        typer.echo(f"  {', '.join(f'{name} {value}' for name, value in one.values.items())}")


def _normaliser() -> AddressNormaliser:
    """Return the reader of addresses by what the deployment uses; from here on phones and names are read so, too."""
    from datadock.quality.address import AddressNormaliser
    from datadock.refdata import current_reference, current_streets, read_contacts_by
    from datadock.settings import Settings

    settings = Settings()
    read_contacts_by(settings)
    return AddressNormaliser(current_reference(settings), current_streets(settings))


def _print(found: dict[str, Any], json: bool) -> None:
    from datadock.quality.contact_codes import CONTACT_CODES

    evidence = found.pop("evidence")
    if json:
        show.as_json({**found, "evidence": [_as_row(item) for item in evidence]})
        return
    status, codes = str(found.pop("status")), found.pop("codes")
    _tell({"value": found.pop("value"), **found}, status, codes, evidence, CONTACT_CODES)


def _tell(
    fields: Mapping[str, Any],
    status: str,
    codes: Sequence[str],
    evidence: Sequence[Evidence],
    labels: Mapping[str, str],
) -> None:
    """Print fields that say something, then the status, the reasons, and what changed."""
    for field, value in fields.items():
        text = ", ".join(value) if isinstance(value, tuple) else value
        if text not in (None, ""):
            typer.echo(f"{field:18}{text}")
    typer.echo(f"{'status':18}{status}")
    for code in codes:
        typer.echo(f"  {code}: {labels.get(code, '')}".rstrip(": "))
    for item in evidence:
        cited = f"  [{item.reference}]" if item.reference else ""
        typer.echo(f"  {item.rule}: {item.field} {item.before!r} -> {item.after!r}{cited}")


def _as_row(item: Evidence) -> dict[str, str]:
    from dataclasses import asdict

    return asdict(item)
