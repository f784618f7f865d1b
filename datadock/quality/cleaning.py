"""What every reader of a contact value does first: the text without what nobody typed.

Control characters, invisible characters and mark-up go, compatibility forms (full-width digits, no-break
spaces) become plain ones. What is left may still be anything.
"""

from __future__ import annotations

import html
import re
import unicodedata

LONGEST = 300
"""Characters of a contact value; what is longer is a text, not a value."""

PLACEHOLDER_WORDS = frozenset((
    "INCONNU", "INCONNUE", "UNKNOWN", "TEST", "TESTS", "TESTE", "TESTING", "ESSAI", "NA", "NC", "NR", "ND", "NONE",
    "NULL", "NAN", "NIL", "RIEN", "AUCUN", "AUCUNE", "NEANT", "SANS", "ANONYME", "ANONYMOUS", "ANONYMUS", "CLIENT",
    "CLIENTE", "CLIENTS", "DIVERS", "UNDEFINED", "TBD", "VIDE", "EMPTY", "PRENOM", "NOM", "FIRSTNAME", "LASTNAME",
    "SURNAME", "AZERTY", "QWERTY", "ASDF", "ABC", "ABCD", "TOTO", "TATA", "TITI", "FOO", "BAR", "NPAI", "NSP", "DEMO",
    "EXEMPLE", "EXAMPLE", "SPECIMEN", "BIDON", "FICTIF", "FAKE", "CONFIDENTIEL", "REFUS", "REFUSE",
    "N A", "N C", "N R", "N D", "NON RENSEIGNE", "NON RENSEIGNEE", "NON COMMUNIQUE", "NON COMMUNIQUEE", "NON CONNU",
    "NON PRECISE", "PAS DE NOM", "PAS DE PRENOM", "PAS RENSEIGNE", "NE SAIT PAS", "NOT KNOWN", "NOT AVAILABLE",
    "NO NAME", "A COMPLETER", "A DEFINIR", "A RENSEIGNER", "A VOIR", "TO BE DEFINED", "SANS NOM", "SANS PRENOM",
    "SANS OBJET", "NOM INCONNU", "PRENOM INCONNU", "NOM PRENOM", "PRENOM NOM", "TEST TEST", "JOHN DOE", "JANE DOE",
    "PAS DE TEL", "PAS DE TELEPHONE", "PAS DE PORTABLE", "LISTE ROUGE", "AUCUN TELEPHONE", "SANS TELEPHONE",
))  # fmt: skip
"""Folded texts that stand for a missing value."""

_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]{0,200}>|<!--.{0,200}?-->", re.DOTALL)
_BLANKS = re.compile(r"\s+")
_PLAIN = re.compile(r"[ !-~À-ÖØ-öø-ÿŒœ]*")
"""What no form of Unicode writes otherwise: ASCII that is seen, and French letters."""


def visible(text: str) -> str:
    """Give a text without control and invisible characters, in compatibility form, with single spaces."""
    if not _PLAIN.fullmatch(text):
        text = unicodedata.normalize("NFKC", text)
        text = "".join(_shown(char) for char in text)
        text = unicodedata.normalize("NFC", text)
    return _BLANKS.sub(" ", text).strip()


def _shown(char: str) -> str:
    """Give a character as it may stand in a value: a space for control ones, nothing for invisible ones."""
    if char.isascii() and char.isprintable():
        return char
    category = unicodedata.category(char)
    if category in ("Cf", "Cs", "Co", "Cn") or "\ufe00" <= char <= "\ufe0f":
        return ""
    if category[0] in "ZC":
        return " "
    if category == "Pd" or char == "\u2212":
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(char))
    return "'" if char in "\u2018\u2019\u201b\u02bc\u00b4\u2032" else char


def without_markup(text: str) -> str:
    """Give a text without HTML tags, its character references resolved."""
    if "<" in text:
        text = _TAG.sub(" ", text)
    return visible(html.unescape(text)) if "&" in text else text.strip()


def is_placeholder(folded: str) -> bool:
    """Tell whether a folded text stands for a missing value: a known word, or one letter three times or more."""
    joined = folded.replace(" ", "")
    repeated = len(joined) > 2 and joined == joined[0] * len(joined) and joined.isalpha()
    return folded in PLACEHOLDER_WORDS or repeated or joined in ("X", "XX", "ZZ")
