"""Phone numbers: international form, kind, region, operator, status and the evidence of each correction.

Numbers of the French plan, overseas included, are read by its rules; all others by ``phonenumbers``.
A number is proposed, never taken for certain, where a letter, a lost digit or a missing country code
leaves more than one reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import phonenumbers
import polars as pl

from datadock.quality import phone_plan as plan
from datadock.quality.cleaning import LONGEST, visible
from datadock.quality.columns import over_distinct
from datadock.quality.contact_tables import reference
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE, Evidence, Status
from datadock.quality.phone_columns import PLAIN, read_plain_phones
from datadock.quality.phone_text import Cell, digits_of, read_cell
from datadock.quality.reference.manifest import RANGES

_PLAIN = re.compile(PLAIN)
_BETWEEN = str.maketrans("", "", " .-")
_FRENCH = frozenset(plan.COUNTRY_CODES)
_CORRECTIONS = frozenset(
    (
        "ZERO_PERDU",
        "ZERO_EN_TROP",
        "PLUS_EN_TROP",
        "INDICATIF_SANS_PLUS",
        "INDICATIF_OUTRE_MER",
        "FORMAT_TABLEUR",
        "TEXTE_IGNORE",
    )
)
_DOUBTS = {plan.VERIFIED: "DEMARCHAGE_AUTOMATISE", plan.FREE_SERVICE: "NUMERO_DE_SERVICE",
           plan.PLAIN_SERVICE: "NUMERO_DE_SERVICE", plan.PAID_SERVICE: "NUMERO_DE_SERVICE",
           plan.SERVICE: "NUMERO_DE_SERVICE"}  # fmt: skip
_KINDS = {
    phonenumbers.PhoneNumberType.MOBILE: plan.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE: plan.FIXED,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: plan.FIXED_OR_MOBILE,
    phonenumbers.PhoneNumberType.VOIP: plan.VERSATILE,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: plan.VERSATILE,
    phonenumbers.PhoneNumberType.TOLL_FREE: plan.FREE_SERVICE,
    phonenumbers.PhoneNumberType.SHARED_COST: plan.PLAIN_SERVICE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE: plan.PAID_SERVICE,
}


class Phone(NamedTuple):
    """A phone number as it may be used.

    Attributes:
        value: International form (E.164), None where no reading is certain enough to be written down.
        proposal: A reading for a person to confirm, where ``value`` is None.
        type: ``mobile``, ``fixe``, ``polyvalent``, ``polyvalent_verifie``, ``service_gratuit``,
            ``service_banalise``, ``service_surtaxe``, ``service``, ``numero_court``, ``machine``,
            ``fixe_ou_mobile`` (abroad), empty where unknown.
        status: What may be done with it; a valid number abroad is OK with its region.
        codes: What was met: corrections, doubts, reasons of refusal.
        region: Country, or overseas region, of the number (``FR``, ``RE``, ``BE``).
        operator: Operator that the range was first given to (the number may have moved since).
        extension: Extension behind the number.
        others: Further numbers of the same cell.
        evidence: Each change with its rule.
    """

    value: str | None = None
    proposal: str | None = None
    type: str = ""
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    region: str | None = None
    operator: str | None = None
    extension: str | None = None
    others: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


PHONE_SCHEMA = {
    "value": pl.String, "proposal": pl.String, "type": pl.String, "status": STATUS_DTYPE, "codes": CODES_DTYPE,
    "region": pl.String, "operator": pl.String, "extension": pl.String, "others": CODES_DTYPE,
    "evidence": EVIDENCE_DTYPE,
}  # fmt: skip


def normalise_phones(values: pl.Series, region: str = "FR") -> pl.DataFrame:
    """Read a column of phone numbers.

    Args:
        values: Texts or numbers; null is empty.
        region: Country of numbers that are written without a country code.

    Returns:
        One row per value in the order of the column: ``PHONE_SCHEMA``, the attributes of ``Phone``.
    """
    one = partial(normalise_phone, region=region)
    plain = partial(read_plain_phones, one=one) if region in _FRENCH else None
    return over_distinct(values, one, PHONE_SCHEMA, plain)


def normalise_phone(text: str | None, region: str = "FR") -> Phone:
    """Read one phone number.

    Args:
        text: The number as it was met; any text.
        region: Country of numbers that are written without a country code.

    Returns:
        The number with its status; never an exception.
    """
    if text is None:
        return Phone()
    plain = _PLAIN.fullmatch(text) if region in _FRENCH else None
    if plain:
        national = plain.group(2).translate(_BETWEEN)
        return _finished(
            text, _french(national, ()) if plain.group(1) == "0" else _international("33" + national, "FR", ())
        )
    if len(text.strip()) > LONGEST:
        return Phone(status=Status.REJETEE, codes=("TEXTE_TROP_LONG",))
    shown = visible(text)
    if not shown:
        return Phone()
    return _finished(text, _of_cell(read_cell(shown), region))


def _of_cell(cell: Cell, region: str) -> Phone:
    """Read what a cell holds."""
    if cell.refusal:
        return Phone(status=Status.REJETEE, codes=(*cell.codes, cell.refusal))
    if cell.guess:
        return _guessed(cell, region)
    whole = _read(cell.whole, region) if cell.whole else None
    if whole is not None and (whole.value is not None or not cell.parts):
        return _gathered(cell, [whole])
    read = [_read(part, region) for part in cell.parts]
    return _gathered(cell, [phone for phone in read if phone.value is not None] or [whole or read[0]])


def _gathered(cell: Cell, phones: list[Phone]) -> Phone:
    """Make one result of the numbers in a cell: the first one, the others beside it."""
    first = phones[0]
    values = dict.fromkeys(phone.value for phone in phones if phone.value is not None)
    others = tuple(value for value in values if value != first.value)
    codes = [*first.codes, *cell.codes]
    status = first.status
    if others:
        codes.append("PLUSIEURS_NUMEROS")
        status = Status.A_CONFIRMER if status in (Status.OK, Status.CORRIGEE) else status
    elif cell.corrected and status is Status.OK:
        status = Status.CORRIGEE
    return first._replace(status=status, codes=tuple(codes), extension=cell.extension, others=others)


def _guessed(cell: Cell, region: str) -> Phone:
    """Propose the number that a damaged one probably was."""
    found = _read(cell.guess, region)
    if found.value is None:
        return Phone(status=Status.REJETEE, codes=(*cell.codes, *found.codes))
    return Phone(proposal=found.value, status=Status.A_CONFIRMER, codes=tuple(cell.codes), region=found.region)


def _read(piece: str, region: str) -> Phone:
    """Read one number."""
    digits, plus = digits_of(piece)
    if not digits.strip("0"):
        return _refused("NUMERO_INVALIDE" if digits else "SANS_CHIFFRE")
    if plus and not digits.startswith("0"):
        return _international(digits, region, ())
    if digits.startswith("00") and len(digits) > 10:
        abroad = _international(digits.lstrip("0"), region, ("PLUS_EN_TROP",) if plus else ())
        return abroad if abroad.value is not None else _doubled_zero(digits, abroad)
    if region not in _FRENCH:
        return _elsewhere(piece, digits, region)
    return _national(digits, ("PLUS_EN_TROP",) if plus else ())


def _doubled_zero(digits: str, abroad: Phone) -> Phone:
    """Propose the French number in eleven digits that begin with two zeros, where nothing abroad has them."""
    found = _french(digits[2:], ()) if len(digits) == 11 else abroad
    if found.value is None:
        return abroad
    return Phone(proposal=found.value, status=Status.A_CONFIRMER, codes=("ZERO_EN_TROP",), region=found.region)


def _national(digits: str, codes: tuple[str, ...]) -> Phone:
    """Read digits without an international prefix, as written in France."""
    if len(digits) == 10 and digits[0] == "0":
        return _french(digits[1:], codes)
    if plan.is_short(digits):
        return Phone(type=plan.SHORT, status=Status.REJETEE, codes=("NUMERO_COURT",), region="FR")
    if len(digits) == 9 and digits[0] != "0":
        found = _french(digits, (*codes, "ZERO_PERDU"))
        return found if found.value is not None else _without_plus(digits, found)
    if len(digits) in (11, 12) and digits.startswith("33"):
        return _international(digits, "FR", (*codes, "INDICATIF_SANS_PLUS"))
    if len(digits) in (12, 13) and digits[:3] in plan.OVERSEAS_CODES:
        return _international(digits, "FR", (*codes, "INDICATIF_SANS_PLUS"))
    return _without_plus(digits, _refused("LONGUEUR"))


def _without_plus(digits: str, otherwise: Phone) -> Phone:
    """Read digits as a number abroad whose plus is missing: a reading to confirm."""
    if digits[0] == "0" or len(digits) < 10:
        return otherwise
    abroad = _international(digits, "FR", ())
    if abroad.value is None:
        return otherwise
    return abroad._replace(status=Status.A_CONFIRMER, codes=(*abroad.codes, "INDICATIF_SANS_PLUS"))


def _international(digits: str, region: str, codes: tuple[str, ...]) -> Phone:
    """Read digits that begin with a country code."""
    code = "33" if digits.startswith("33") else digits[:3]
    national = digits[len(code) :]
    if code == "33" or code in plan.OVERSEAS_CODES:
        if national.startswith("0"):
            national, codes = national.lstrip("0"), (*codes, "ZERO_EN_TROP")
        if code == "508" and len(national) == 6:
            national = "508" + national
        if len(national) != 9:
            return _refused("LONGUEUR", codes)
        found = _french(national, codes)
        if found.value is not None and not found.value.startswith(f"+{code}"):
            found = found._replace(codes=(*found.codes, "INDICATIF_OUTRE_MER"))
        return found
    return _abroad("+" + digits, region, codes)


def _french(national: str, codes: tuple[str, ...]) -> Phone:
    """Read nine digits of the French plan."""
    if len(national) != 9 or national[0] == "0":
        return _refused("NUMERO_INVALIDE", codes)
    what = plan.plan_of(national)
    if not what.exists:
        return Phone(type=what.kind, status=Status.REJETEE, codes=(*codes, what.refusal))
    doubts = [code for code in (_DOUBTS.get(what.kind, ""), plan.doubt(national)) if code]
    known = () if what.operator else ("TRANCHE_NON_ATTRIBUEE",)
    return Phone(
        value=plan.e164(national, what.region),
        type=what.kind,
        status=Status.A_CONFIRMER if doubts else Status.OK,
        codes=(*codes, *doubts, *known),
        region=what.region,
        operator=what.operator,
    )


def _elsewhere(piece: str, digits: str, region: str) -> Phone:
    """Read a number without country code by the rules of a country other than France."""
    found = _abroad(piece, region, ())
    return found if found.value is not None else _without_plus(digits, found)


def _abroad(piece: str, region: str, codes: tuple[str, ...]) -> Phone:
    """Read a number by ``phonenumbers``."""
    number = _parsed(piece) if piece[0] == "+" and piece[1:].isdigit() else None
    try:
        number = number or phonenumbers.parse(piece, region, _check_region=False)
    except phonenumbers.NumberParseException:
        return _refused("NUMERO_INVALIDE", codes)
    kind = phonenumbers.number_type(number)
    homes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(number.country_code or 0, ())
    home = homes[0] if len(homes) == 1 else phonenumbers.region_code_for_number(number)
    if home is None or kind == phonenumbers.PhoneNumberType.UNKNOWN:
        return _refused("NUMERO_INVALIDE", codes)
    named = _KINDS.get(kind, plan.SERVICE)
    doubts = [_DOUBTS[named]] if named in _DOUBTS else []
    if len(set(str(number.national_number)[-7:])) == 1:
        doubts.append("CHIFFRES_REPETES")
    foreign = () if home == region else ("NUMERO_ETRANGER",)
    return Phone(
        value=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        type=named,
        status=Status.A_CONFIRMER if doubts else Status.OK,
        codes=(*codes, *doubts, *foreign),
        region=home,
    )


def _parsed(international: str) -> phonenumbers.PhoneNumber | None:
    """Read ``+`` and digits without the searching of ``phonenumbers.parse``; None where a trunk prefix may stand."""
    for length in (1, 2, 3):
        code = int(international[1 : length + 1])
        homes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)
        if homes is not None:
            break
    else:
        return None
    national = international[length + 1 :]
    about = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, homes[0])
    trunk = about.national_prefix_for_parsing if about is not None else None
    if not 5 <= len(national) <= 15 or national[0] == "0" or (trunk and re.match(trunk, national)):
        return None
    return phonenumbers.PhoneNumber(country_code=code, national_number=int(national))


def _refused(code: str, codes: Iterable[str] = ()) -> Phone:
    return Phone(status=Status.REJETEE, codes=(*codes, code))


def _version(phone: Phone) -> str:
    """Cite the table that decided an overseas region."""
    return reference(RANGES) if phone.region in _FRENCH and phone.region != "FR" else ""


def _finished(text: str, phone: Phone) -> Phone:
    """Add the evidence of what was changed; a correction makes an OK number a corrected one."""
    after = phone.value or phone.proposal
    if after is None or after == text:
        return phone
    if not phone.codes:
        return phone._replace(evidence=(Evidence("FORME_E164", "value", text, after, _version(phone)),))
    made = [code for code in phone.codes if code in _CORRECTIONS or code == "LETTRE_POUR_CHIFFRE"]
    status = Status.CORRIGEE if phone.status is Status.OK and made else phone.status
    version = _version(phone)
    evidence = tuple(
        Evidence(rule, "value" if phone.value else "proposal", text, after, version) for rule in made or ["FORME_E164"]
    )
    return phone._replace(status=status, evidence=evidence)
