"""One part of a name at a time: first names, family names; their display form, key, status and evidence."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from datadock.quality.civility import WORDS
from datadock.quality.cleaning import LONGEST, is_placeholder, visible, without_markup
from datadock.quality.contact_tables import forgets, reference
from datadock.quality.evidence import Evidence, Status
from datadock.quality.first_names import accented, hyphenated, sex_of
from datadock.quality.fold import fold
from datadock.quality.name_case import cased, display_family, display_first, family_key
from datadock.quality.reference.manifest import FIRST_NAMES

_BIRTH = re.compile(r"^(.*?)[\s,(]*\b(n[ée]e?|n[ée]{2}|naissance)\b\s*:?\s+([^()]+?)\s*\)?$", re.IGNORECASE)
_MARRIED = re.compile(
    r"^(.*?)[\s,(]*\b([ée]pouse|[ée]poux|[ée]pse|[ée]p|epx|veuve|vve|veuf|divorc[ée]e?|div)\b\s*\.?\s*:?\s+"
    r"([^()]+?)\s*\)?$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"^([^()]*?)\s*\(([^()]*)\)\s*$")
_LOST_APOSTROPHE = re.compile(r"\b([DOL])\s+(?=[AEIOUYHB][^\W\d_]{2})", re.IGNORECASE)
_INITIALS = re.compile(r"[^\W\d_]\.?|(?:[^\W\d_](?:\.[\s-]?|[\s-])){1,3}[^\W\d_]?\.?")
_SEPARATORS = re.compile(r"\s*[,;/]\s*")
_COMPANY = re.compile(r"\b(?:SARL|SASU?|EURL|SCI|SNC|SELARL|GAEC|EARL|SOCIETE|ASSOCIATION|ETABLISSEMENTS|ETS)\b")
_DOUBTS = frozenset(
    ("TRAIT_UNION_SUGGERE", "CHIFFRE_DANS_NOM", "ECRITURE_NON_LATINE", "APOSTROPHE_SUGGEREE", "PERSONNE_MORALE",
     "PARENTHESES", "EMAIL_DANS_NOM", "DEUX_PRENOMS", "DEUX_NOMS"))  # fmt: skip
_SURE = frozenset(("M", "MR", "DR", "PR"))
_SILENT = frozenset(("CHIFFRE_DANS_NOM", "ECRITURE_NON_LATINE", "PERSONNE_MORALE", "INITIALE"))
_BY_BIRTHS = frozenset(("TRAIT_UNION_SUGGERE", "ACCENT_RESTITUE"))
_CORRECTIONS = frozenset(("CARACTERE_RETIRE", "CIVILITE_RETIREE"))
_LETTERS = "A-Za-zÀ-ÖØ-öø-ÿŒœ"
_PLAIN = re.compile(f"[{_LETTERS}]{{2,}}(?:-[{_LETTERS}]{{2,}})?")
"""One word, or two with a hyphen: nothing to take off, and one pass settles it."""

_COMMON = re.compile(rf"[{_LETTERS}0-9 '.,;/()\-]*")
"""Only what may stand in a name, and Latin."""
_WORD = re.compile(r"[^\s-]+")
_COMMAS = re.compile(r"\s*[,;:]\s*")
_HYPHENS, _SPACED_HYPHENS = re.compile(r"-{2,}"), re.compile(r"\s*-\s*")

_PASSES = 4
_ORDER = (Status.REJETEE, Status.A_CONFIRMER, Status.CORRIGEE, Status.OK, Status.VIDE)


class FirstName(NamedTuple):
    """First names: display form, key, and the sex that births tell."""

    value: str | None = None
    key: str | None = None
    sex: str = ""
    certainty: float = 0.0
    civility: str | None = None
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class FamilyName(NamedTuple):
    """A family name: display form, key without particles, name before marriage."""

    value: str | None = None
    key: str | None = None
    birth_name: str | None = None
    civility: str | None = None
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class _Cleaned(NamedTuple):
    text: str
    civility: str | None
    codes: list[str]
    refusal: tuple[Status, str] | None


@lru_cache(maxsize=65_536)
def normalise_first_name(text: str | None) -> FirstName:
    """Read first names; any text gives a result."""
    found = settled = _first_name(text)
    if text is None or _PLAIN.fullmatch(text):
        return found
    for _ in range(_PASSES):
        again = _first_name(settled.value) if settled.value not in (None, text) else settled
        if again.value == settled.value:
            return settled._replace(codes=found.codes, status=found.status, evidence=found.evidence,
                                    civility=found.civility)  # fmt: skip
        settled, found = again, found._replace(
            codes=_merged(found.codes, again.codes), status=_worse(found.status, again.status),
            evidence=(*found.evidence, *again.evidence), civility=found.civility or again.civility,
        )  # fmt: skip
    return FirstName(civility=found.civility, status=Status.REJETEE, codes=(*found.codes, "TEXTE_ILLISIBLE"))


def _merged(codes: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*codes, *more)))


def _worse(one: Status, other: Status) -> Status:
    return min(one, other, key=_ORDER.index)


def _plain_first_name(text: str) -> FirstName:
    """Read a first name of one word."""
    shown = cased(text)
    usual = cased(accented(shown))
    codes = [] if usual.upper() == shown.upper() else ["ACCENT_RESTITUE"]
    shown = usual if codes else shown
    sex = sex_of(shown)
    return FirstName(shown, fold(shown) or None, sex.sex, sex.certainty, None, Status.OK, tuple(codes),
                     _evidence("first_name", text, shown, codes))  # fmt: skip


def _first_name(text: str | None) -> FirstName:
    """Read first names once; what that leaves may have more to take off."""
    if text is None:
        return FirstName()
    clean = _clean(text)
    if clean.refusal:
        return FirstName(None, None, "", 0.0, clean.civility, *_refused(clean))
    if not clean.text:
        return FirstName(civility=clean.civility)
    if clean.text is text and "-" not in text and _PLAIN.fullmatch(text):
        return _plain_first_name(text)
    codes = list(clean.codes)
    shown = display_first(_SEPARATORS.sub(" ", clean.text))
    if _SEPARATORS.search(clean.text):
        codes.append("DEUX_PRENOMS" if "/" in clean.text else "PLUSIEURS_PRENOMS")
    words = shown.split(" ")
    if len(words) == 2 and "-" not in shown and len(codes) == len(clean.codes) and hyphenated(words):
        codes.append("TRAIT_UNION_SUGGERE")
        shown = "-".join(words)
    if _INITIALS.fullmatch(shown):
        codes.append("INITIALE")
    usual = _WORD.sub(lambda match: display_first(accented(match.group())), shown)
    if usual.upper() != shown.upper():
        codes.append("ACCENT_RESTITUE")
        shown = usual
    sex = sex_of("" if "INITIALE" in codes else shown)
    return FirstName(shown, "".join(fold(shown).split()) or None, sex.sex, sex.certainty, clean.civility,
                     _status(codes), tuple(codes), _evidence("first_name", text, shown, codes))  # fmt: skip


@lru_cache(maxsize=65_536)
def normalise_family_name(text: str | None) -> FamilyName:
    """Read a family name; any text gives a result."""
    if text is None:
        return FamilyName()
    if _PLAIN.fullmatch(text) and len(text) < LONGEST:
        return _plain_family_name(text)
    found = settled = _family_name(text)
    for _ in range(_PASSES):
        again = _family_name(settled.value) if settled.value not in (None, text) else settled
        if again.value == settled.value:
            return found._replace(value=settled.value, key=settled.key)
        settled, found = again, found._replace(
            codes=_merged(found.codes, again.codes), status=_worse(found.status, again.status),
            evidence=(*found.evidence, *again.evidence), civility=found.civility or again.civility,
            birth_name=found.birth_name or again.birth_name,
        )  # fmt: skip
    return FamilyName(civility=found.civility, status=Status.REJETEE, codes=(*found.codes, "TEXTE_ILLISIBLE"))


def _plain_family_name(text: str) -> FamilyName:
    """Read a family name of one word, or of two with a hyphen."""
    folded = fold(text)
    if is_placeholder(folded):
        return FamilyName(None, None, None, None, Status.A_CONFIRMER, ("VALEUR_BOUCHON",))
    if "-" in text:
        shown = display_family(text)
        key = family_key(shown) or None
    else:
        shown, key = cased(text), folded or None
    codes = ("PERSONNE_MORALE",) if _COMPANY.search(folded) else ()
    status = Status.A_CONFIRMER if codes else Status.OK
    evidence = () if shown == text else (Evidence("FORME_D_AFFICHAGE", "last_name", text, shown, ""),)
    return FamilyName(shown, key, None, None, status, codes, evidence)


def _family_name(text: str | None) -> FamilyName:
    """Read a family name once; what that leaves may have more to take off."""
    if text is None:
        return FamilyName()
    clean = _clean(text)
    if clean.refusal:
        return FamilyName(None, None, None, clean.civility, *_refused(clean))
    if not clean.text:
        return FamilyName(civility=clean.civility)
    codes = list(clean.codes)
    used, birth = _split_birth(_COMMAS.sub(" ", clean.text), codes)
    if _COMPANY.search(fold(used)):
        codes.append("PERSONNE_MORALE")
    joined = _LOST_APOSTROPHE.sub(r"\1'", used)
    if joined != used:
        codes.append("APOSTROPHE_SUGGEREE")
    if "/" in joined:
        codes.append("DEUX_NOMS")
    shown = display_family(joined)
    return FamilyName(shown, family_key(shown) or None, display_family(birth) if birth else None, clean.civility,
                      _status(codes), tuple(codes), _evidence("last_name", text, shown, codes))  # fmt: skip


def _split_birth(text: str, codes: list[str]) -> tuple[str, str]:
    """Give the name in use and the name before marriage."""
    found = _BIRTH.match(text)
    if found:
        codes.append("NOM_DE_NAISSANCE")
        used = found.group(1).strip(" ,-") or found.group(3)
        return _split_birth(used, codes)[0] if found.group(1).strip(" ,-") else used, found.group(3)
    found = _MARRIED.match(text)
    if found:
        codes.append("NOM_MARITAL")
        return found.group(3), found.group(1).strip(" ,-")
    found = _BRACKETS.match(text)
    if found and found.group(1) and found.group(2).strip():
        codes.append("PARENTHESES")
        return found.group(1), found.group(2).strip()
    return text, ""


def _clean(text: str) -> _Cleaned:
    """Take off what is no part of a name, and say why where nothing is left."""
    if _PLAIN.fullmatch(text) and len(text) < LONGEST:
        return _Cleaned(text, None, [], (Status.A_CONFIRMER, "VALEUR_BOUCHON") if is_placeholder(fold(text)) else None)
    if len(text.strip()) > LONGEST:
        return _Cleaned("", None, [], (Status.REJETEE, "TEXTE_TROP_LONG"))
    shown = visible(text)
    if not shown:
        return _Cleaned("", None, [], None)
    codes: list[str] = []
    if "@" in shown or "://" in shown:
        return _Cleaned("", None, codes, (Status.REJETEE, "EMAIL_DANS_NOM"))
    kept = _kept(shown, codes)
    civility, kept = _without_civility(kept)
    if civility:
        codes.append("CIVILITE_RETIREE")
    if not any(char.isalpha() for char in kept):
        return _Cleaned("", civility, codes, None if civility and not kept else (Status.REJETEE, "SANS_LETTRE"))
    if is_placeholder(fold(kept)):
        return _Cleaned("", civility, codes, (Status.A_CONFIRMER, "VALEUR_BOUCHON"))
    if any(char.isdigit() for char in kept):
        codes.append("CHIFFRE_DANS_NOM")
    common = _COMMON.fullmatch(kept)
    if not fold(kept) or (
        not common and not all("LATIN" in unicodedata.name(char, "") for char in kept if char.isalpha())
    ):
        codes.append("ECRITURE_NON_LATINE")
    return _Cleaned(kept, civility, codes, None)


def _is_latin(text: str) -> bool:
    return all("LATIN" in unicodedata.name(char, "") for char in text if char.isalpha())


def _kept(shown: str, codes: list[str]) -> str:
    """Give what may stand in a name: no mark-up, no signs, hyphens closed; a last dot stays behind an initial."""
    plain = without_markup(shown)
    common = _COMMON.fullmatch(plain) is not None
    if plain != shown or not (common or all(map(_belongs, plain))):
        codes.append("CARACTERE_RETIRE")
    cleared = plain if common else "".join(char if _belongs(char) else " " for char in plain)
    kept = visible(cleared).strip(" -,;/:_.'")
    if "-" in kept:
        kept = _HYPHENS.sub("-", _SPACED_HYPHENS.sub("-", kept))
    return kept + "." if plain.endswith(".") and _INITIALS.fullmatch(kept) else kept


def _belongs(char: str) -> bool:
    """Tell whether a character may stand in a name."""
    return char in " -'.,;/()" or char.isalnum() or unicodedata.category(char)[0] == "M"


def _without_civility(text: str) -> tuple[str | None, str]:
    """Take leading civilities off, as in a first name of ``Mme Julie``; a lone word stays."""
    words = text.split(" ")
    count = 0
    while count < len(words) - 1 and _is_civility(words[count]):
        count += 1
    return (" ".join(words[:count]), " ".join(words[count:])) if count else (None, text)


def _is_civility(word: str) -> bool:
    """Tell whether a word is a civility; ``me`` or ``ms`` in small letters without a dot may be a name."""
    return fold(word) in WORDS and (len(word.strip(".")) > 2 or "." in word or word.isupper() or fold(word) in _SURE)


def _refused(clean: _Cleaned) -> tuple[Status, tuple[str, ...], tuple[Evidence, ...]]:
    status, code = clean.refusal or (Status.VIDE, "")
    return status, (*clean.codes, code), ()


def _status(codes: list[str]) -> Status:
    if _DOUBTS.intersection(codes):
        return Status.A_CONFIRMER
    return Status.CORRIGEE if _CORRECTIONS.intersection(codes) else Status.OK


def _evidence(field: str, text: str, shown: str, codes: list[str]) -> tuple[Evidence, ...]:
    """Say what changed the text: the codes that rewrite it, or its form alone."""
    if shown == text:
        return ()
    if not codes:
        return (Evidence("FORME_D_AFFICHAGE", field, text, shown, ""),)
    rules = [code for code in codes if code not in _SILENT] or ["FORME_D_AFFICHAGE"]
    return tuple(
        Evidence(rule, field, text, shown, reference(FIRST_NAMES) if rule in _BY_BIRTHS else "") for rule in rules
    )


for _told in (normalise_first_name, normalise_family_name):
    forgets(_told.cache_clear)
