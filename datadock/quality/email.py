"""E-mail addresses: normal form, kind of domain, status and the evidence of each correction, all offline.

Two strengths: what only a slip can make is corrected; what somebody may own is suggested, with the address as
typed beside it. Syntax that the quick form does not settle is settled by ``email-validator``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import polars as pl
from email_validator import EmailNotValidError, validate_email

from datadock.quality import email_domains as known
from datadock.quality.cleaning import LONGEST, is_placeholder, visible, without_markup
from datadock.quality.columns import over_distinct
from datadock.quality.email_columns import read_plain_emails
from datadock.quality.evidence import CODES_DTYPE, EVIDENCE_DTYPE, STATUS_DTYPE, Evidence, Status
from datadock.quality.fold import fold

_QUICK = re.compile(
    r"([a-z0-9](?:[a-z0-9_+-]|\.(?!\.)){0,62}(?<!\.))@((?:[a-z0-9](?:[a-z0-9]|-(?!-)){0,40}(?<!-)\.){1,3}[a-z]{2,12})"
)
"""A form that any validator takes; what it leaves out goes through the whole grammar."""

_ANGLES = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_PREFIX = re.compile(r"^(?:mailto|e-?mail|mail|courriel|m[ée]l|adresse)\s*:+\s*", re.IGNORECASE)
_AT_WORD = re.compile(
    r"\s*[\[({]\s*(?:at|a|arobase|arrobase|chez)\s*[\])}]\s*|\s+(?:at|arobase|arrobase)\s+", re.IGNORECASE
)
_DOT_WORD = re.compile(r"\s*[\[({]\s*(?:dot|point)\s*[\])}]\s*|\s+(?:dot|point)\s+", re.IGNORECASE)
_SEPARATORS = re.compile(r"[;,/|\s]+(?:(?:ou|et|or|and)\s+)?")
_SPACES = re.compile(r"\s*([@.])\s*")
_EDGES = " .,;:<>()[]{}\"'`"
_CORRECTIONS = frozenset(
    ("AROBASE_DOUBLE", "AROBASE_EN_LETTRES", "VIRGULE_POUR_POINT", "POINT_DOUBLE", "ESPACE_RETIRE", "WWW_RETIRE",
     "DOMAINE_CORRIGE", "POINT_MANQUANT", "CARACTERE_RETIRE", "TEXTE_IGNORE"))  # fmt: skip
_SUGGESTIONS = frozenset(("DOMAINE_SUGGERE", "DOMAINE_INCOMPLET", "POINTS_EN_TROP"))


class Email(NamedTuple):
    """An e-mail address as it may be used.

    Attributes:
        value: Normal form, lower case, ASCII domain; the suggested one where the status is A_CONFIRMER for its
            domain; None where nothing usable was written (no address, placeholder).
        typed: The address as typed, cleaned but with its own domain and capitals; None where it is none.
        type: ``gratuit``, ``professionnel``, ``role``, ``jetable``, empty where unknown.
        status: What may be done with it.
        codes: What was met: corrections, doubts, reasons of refusal.
        domain: Domain of ``value``.
        key: Form to match by: no tag behind ``+``, no dots at gmail.com.
        others: Further addresses of the same cell.
        evidence: Each change with its rule.
    """

    value: str | None = None
    typed: str | None = None
    type: str = ""
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    domain: str | None = None
    key: str | None = None
    others: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


EMAIL_SCHEMA = {
    "value": pl.String, "typed": pl.String, "type": pl.String, "status": STATUS_DTYPE, "codes": CODES_DTYPE,
    "domain": pl.String, "key": pl.String, "others": CODES_DTYPE, "evidence": EVIDENCE_DTYPE,
}  # fmt: skip


def normalise_emails(values: pl.Series) -> pl.DataFrame:
    """Read a column of e-mail addresses.

    Args:
        values: Texts; null is empty.

    Returns:
        One row per value in the order of the column: ``EMAIL_SCHEMA``, the attributes of ``Email``.
    """
    return over_distinct(values, normalise_email, EMAIL_SCHEMA, read_plain_emails)


def normalise_email(text: str | None) -> Email:
    """Read one e-mail address; any text gives a result, never an exception."""
    if text is None:
        return Email()
    quick = _QUICK.fullmatch(text.strip().lower())
    if quick and not quick.group(2).startswith("www."):
        return _judged(text, text.strip(), [])
    if len(text.strip()) > LONGEST:
        return Email(status=Status.REJETEE, codes=("TEXTE_TROP_LONG",))
    shown = visible(text)
    if not shown:
        return Email()
    if is_placeholder(fold(shown)):
        return Email(status=Status.A_CONFIRMER, codes=("VALEUR_BOUCHON",))
    return _of_cell(text, shown)


def _of_cell(text: str, shown: str) -> Email:
    """Read a cell that may hold more than an address."""
    codes: list[str] = []
    angled = _ANGLES.search(shown)
    bare = angled.group(1) if angled else without_markup(shown)
    bare = _PREFIX.sub("", bare).strip(_EDGES)
    if "@" not in bare:
        spelt = _DOT_WORD.sub(".", _AT_WORD.sub("@", bare))
        if "@" not in spelt:
            return Email(status=Status.REJETEE, codes=("SANS_AROBASE",))
        bare, codes = spelt, ["AROBASE_EN_LETTRES"]
    parts = [part.strip(_EDGES) for part in _SEPARATORS.split(bare) if "@" in part.strip("@")]
    whole = [part for part in parts if _QUICK.fullmatch(part.lower())]
    if len(whole) > 1:
        return _several(text, list(dict.fromkeys(whole)), codes)
    if whole and bare.startswith(f"{whole[0]} ") and len(bare) > len(whole[0]) + 3:
        bare, codes = whole[0], [*codes, "TEXTE_IGNORE"]
    return _judged(text, _repaired(bare, codes), codes)


def _several(text: str, parts: list[str], codes: list[str]) -> Email:
    """Take the first of several addresses, to be confirmed, the others beside it."""
    read = [_judged(part, _repaired(part, made), made) for part in parts for made in [list[str]()]]
    first, *rest = sorted(read, key=lambda email: email.value is None)
    others = tuple(dict.fromkeys(email.value for email in rest if email.value not in (None, first.value)))
    if not others:
        return _judged(text, first.typed or parts[0], codes)
    evidence = (Evidence("PLUSIEURS_ADRESSES", "value", text, first.value or "", ""), *first.evidence)
    found = tuple(value for value in others if value is not None)
    return first._replace(
        status=Status.A_CONFIRMER, codes=(*first.codes, *codes, "PLUSIEURS_ADRESSES"), others=found, evidence=evidence
    )


def _repaired(bare: str, codes: list[str]) -> str:
    """Undo slips that no address can hold: doubled signs, commas for dots, spaces round signs, a leading www."""
    closed = _SPACES.sub(r"\1", bare)
    _note(codes, "ESPACE_RETIRE", bare, closed)
    single = re.sub(r"@{2,}", "@", closed)
    single = single.strip("@") if single.count("@") > 1 else single
    _note(codes, "AROBASE_DOUBLE", closed, single)
    local, at, domain = single.rpartition("@")
    dotted = re.sub(r"[,;]", ".", domain)
    _note(codes, "VIRGULE_POUR_POINT", domain, dotted)
    once = re.sub(r"\.{2,}", ".", dotted).strip(".")
    _note(codes, "POINT_DOUBLE", dotted.strip("."), once)
    short = re.sub(r"^www\.", "", once, flags=re.IGNORECASE)
    _note(codes, "WWW_RETIRE", once, short)
    clean = local.lstrip(_EDGES)
    _note(codes, "CARACTERE_RETIRE", local, clean)
    whole = known.provider_without_ending(short.lower()) if "." not in short else ""
    if whole and whole.replace(".", "") == short.lower():
        codes.append("POINT_MANQUANT")
        short = whole
    return f"{clean}{at}{short}"


def _note(codes: list[str], code: str, before: str, after: str) -> None:
    if before != after:
        codes.append(code)


def _judged(text: str, address: str, codes: list[str]) -> Email:
    """Check an address and say what may be done with it."""
    checked = _checked(address)
    if isinstance(checked, str):
        return _proposed(text, address, codes, checked)
    typed_local, domain = checked
    local = typed_local.lower() if typed_local.isascii() else unicodedata.normalize("NFC", typed_local.lower())
    about = known.domain_of(domain)
    if known.is_placeholder_address(local, domain) or known.is_placeholder_address(local, about.value):
        return Email(typed=f"{typed_local}@{domain}", status=Status.A_CONFIRMER, codes=(*codes, "VALEUR_BOUCHON"))
    doubts = _doubts(local, about)
    if about.strength == "correct":
        codes = [*codes, "DOMAINE_CORRIGE"]
    kind = known.ROLE if "ADRESSE_DE_FONCTION" in doubts and about.type != known.DISPOSABLE else about.type
    value = f"{local}@{about.value}"
    status = Status.A_CONFIRMER if doubts else Status.CORRIGEE if _CORRECTIONS.intersection(codes) else Status.OK
    return Email(value, f"{typed_local}@{domain}", kind, status, (*codes, *doubts), about.value,
                 _key(local, about.value), (), _evidence(text, value, [*codes, *doubts]))  # fmt: skip


def _doubts(local: str, about: known.Domain) -> list[str]:
    """List why an address that can be written to should be looked at first."""
    found = ["DOMAINE_SUGGERE"] if about.strength == "suggest" else []
    if about.type == known.DISPOSABLE:
        found.append("DOMAINE_JETABLE")
    if local in known.ROLES:
        found.append("ADRESSE_DE_FONCTION")
    if not local.isascii():
        found.append("LOCAL_NON_ASCII")
    if local.startswith("www."):
        found.append("WWW_DANS_ADRESSE")
    return found


def _checked(address: str) -> tuple[str, str] | str:
    """Give local part as typed and ASCII domain, or the detail code of what is wrong."""
    quick = _QUICK.fullmatch(address.lower())
    if quick:
        domain = quick.group(2)
        return "DOMAINE_RESERVE" if domain.rpartition(".")[2] in known.RESERVED else (address[: quick.end(1)], domain)
    local, _, domain = address.rpartition("@")
    fault = _fault(local, domain)
    if fault:
        return fault
    try:
        valid = validate_email(address, check_deliverability=False, allow_quoted_local=False)
    except (EmailNotValidError, UnicodeError):
        return "ADRESSE_INVALIDE"
    ending = valid.ascii_domain.rpartition(".")[2]
    return "DOMAINE_RESERVE" if ending in known.RESERVED else (valid.local_part, valid.ascii_domain.lower())


def _fault(local: str, domain: str) -> str:
    """Name the plain faults of an address that the quick form does not take, empty where there is none."""
    if not local:
        return "LOCAL_ABSENT"
    if "@" in local:
        return "PLUSIEURS_AROBASES"
    if " " in local or " " in domain:
        return "ESPACE_INTERNE"
    if "." not in domain:
        if domain.lower() in known.RESERVED or not known.provider_without_ending(domain.lower()):
            return "DOMAINE_SANS_POINT"
        return "DOMAINE_INCOMPLET"
    return "POINTS_EN_TROP" if ".." in local or local.endswith(".") else ""


def _proposed(text: str, address: str, codes: list[str], fault: str) -> Email:
    """Suggest what an address with one plain fault was, or refuse it."""
    local, _, domain = address.rpartition("@")
    if fault == "DOMAINE_INCOMPLET":
        meant = f"{local}@{known.provider_without_ending(domain.lower())}"
    elif fault == "POINTS_EN_TROP":
        meant = f"{re.sub(r'[.]{2,}', '.', local).strip('.')}@{domain}"
    else:
        return Email(status=Status.REJETEE, codes=(*codes, fault))
    found = _judged(text, meant, codes) if isinstance(_checked(meant), tuple) else None
    if found is None or found.value is None:
        return Email(status=Status.REJETEE, codes=(*codes, fault))
    return found._replace(
        status=Status.A_CONFIRMER,
        typed=None,
        codes=(*found.codes, fault),
        evidence=_evidence(text, found.value, [fault]),
    )


def _key(local: str, domain: str) -> str:
    bare = local.partition("+")[0] or local
    return (
        f"{bare.replace('.', '') or bare}@gmail.com"
        if domain in ("gmail.com", "googlemail.com")
        else f"{bare}@{domain}"
    )


def _evidence(text: str, value: str, codes: list[str]) -> tuple[Evidence, ...]:
    if value == text:
        return ()
    rules = [
        code
        for code in codes
        if code in _CORRECTIONS or code in ("DOMAINE_SUGGERE", "DOMAINE_INCOMPLET", "POINTS_EN_TROP")
    ]
    return tuple(Evidence(rule, "value", text, value, "") for rule in rules or ["FORME_NORMALE"])
