"""How probable it is that a known contact is the typed one: what agrees, what differs, and one of three words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from datadock.probable.typed import Typed
from datadock.quality.email import normalise_email

Certainty = Literal["very likely", "likely", "possible"]
CERTAINTIES: tuple[Certainty, ...] = ("very likely", "likely", "possible")
"""Words for how probable it is, strongest first."""

_WEIGHTS = {
    **{"email": 4.0, "phone": 3.0, "birth_date": 3.0, "address": 2.0},
    **{"family_name": 2.0, "given_name": 1.5, "postcode": 1.0},
}


@dataclass(frozen=True)
class Reason:
    """One thing in which what was typed and a contact agree.

    Attributes:
        field: ``email``, ``phone``, ``address``, ``family_name``, ``given_name``, ``birth_date`` or ``postcode``.
        value: The normal form that both have.
    """

    field: str
    value: str


@dataclass(frozen=True)
class Probable:
    """A contact that is probably the one that is being typed.

    Attributes:
        golden_id: Its id.
        certainty: ``very likely``, ``likely`` or ``possible``.
        reasons: What agrees, the weightiest first.
        differs: Fields that both tell, and tell otherwise.
        values: Golden values to show.
    """

    golden_id: str
    certainty: Certainty
    reasons: tuple[Reason, ...]
    differs: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Known:
    """What the records of one contact say, in normal forms."""

    points: set[tuple[str, str]] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    birth_dates: set[date] = field(default_factory=set)
    postcodes: set[str] = field(default_factory=set)


def judge(golden_id: str, wanted: Typed, known: Known, values: dict[str, Any]) -> Probable | None:
    """Say how probable it is that a contact is the typed one; None where it is another."""
    agree = _agreements(wanted, known)
    differs = _differences(wanted, known, agree)
    certainty = _certainty(set(agree), differs)
    if certainty is None:
        return None
    ordered = sorted(agree, key=lambda name: (-_WEIGHTS[name], name))
    return Probable(golden_id, certainty, tuple(Reason(name, agree[name]) for name in ordered), differs, values)


def _agreements(wanted: Typed, known: Known) -> dict[str, str]:
    forms: dict[str, set[str]] = {}
    for kind, form in known.points:
        forms.setdefault(kind, set()).add(form)
    agree = {
        "email": _same_mailbox(wanted, forms.get("email", set())),
        "phone": next((form for form in wanted.phones if form in forms.get("phone", set())), ""),
        "address": wanted.address if wanted.address in forms.get("address", set()) else "",
        "birth_date": str(wanted.birth_date) if wanted.birth_date in known.birth_dates else "",
        "postcode": next((code for code in wanted.postcodes if code in known.postcodes), ""),
    }
    typed = (wanted.first_key, wanted.last_key)
    if all(typed) and {typed, typed[::-1]} & known.names:
        agree |= {"given_name": wanted.first_key, "family_name": wanted.last_key}
    elif wanted.last_key and wanted.last_key in {last for _, last in known.names}:
        agree["family_name"] = wanted.last_key
    elif wanted.first_key and wanted.first_key in {first for first, _ in known.names}:
        agree["given_name"] = wanted.first_key
    return {name: value for name, value in agree.items() if value}


def _same_mailbox(wanted: Typed, forms: set[str]) -> str:
    """Return the form of the typed mailbox; providers that ignore dots and what follows a plus give equal keys."""
    if exact := next((form for form in wanted.emails if form in forms), ""):
        return exact
    same = (form for form in sorted(forms) if wanted.email_key and normalise_email(form).key == wanted.email_key)
    return next(same, "")


def _differences(wanted: Typed, known: Known, agree: dict[str, str]) -> tuple[str, ...]:
    """Return what both tell and tell otherwise; an initial does not differ from a name that it begins."""
    firsts = {first for first, _ in known.names if first}
    lasts = {last for _, last in known.names if last}
    told = {
        "birth_date": bool(wanted.birth_date and known.birth_dates),
        "family_name": bool(wanted.last_key and lasts),
        "given_name": bool(wanted.first_key and firsts)
        and not any(_begins(wanted.first_key, first) for first in firsts),
    }
    return tuple(name for name, both in told.items() if both and name not in agree)


def _begins(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) == 1 and long.startswith(short)


def _certainty(agree: set[str], differs: tuple[str, ...]) -> Certainty | None:
    """Return how probable it is; a difference costs a degree, and alone among names all but a mailbox.

    People of one household share a phone, an address and a family name, and a father and a son a whole name.
    """
    named = {"family_name", "given_name"} <= agree
    contact = agree & {"email", "phone"}
    if differs:
        if named and (contact or "address" in agree):
            return "possible"
        if "email" in agree and len(differs) == 1:
            return "possible"
        return "possible" if agree >= {"phone", "family_name"} or agree >= {"phone", "given_name"} else None
    if named and (contact or {"birth_date", "postcode"} <= agree or {"birth_date", "address"} <= agree):
        return "very likely"
    if "email" in agree or {"phone", "family_name"} <= agree or (named and agree & {"birth_date", "address"}):
        return "likely"
    if contact or (named and "postcode" in agree) or {"family_name", "address"} <= agree:
        return "possible"
    return "possible" if {"family_name", "birth_date"} <= agree else None


def weight(probable: Probable) -> float:
    """Return what agrees, weighed, less what differs: contacts of one certainty are ordered by it."""
    return sum(_WEIGHTS[reason.field] for reason in probable.reasons) - 2 * len(probable.differs)
