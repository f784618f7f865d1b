"""What a cell that should hold a phone number holds: digits to read, labels, extensions, several numbers, damage.

Nothing here knows a numbering plan; the result is text of digits with what was met around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from datadock.quality.cleaning import is_placeholder, without_markup
from datadock.quality.fold import fold

_SCIENTIFIC = re.compile(r"\+?(\d)(?:[.,](\d{0,15}))?[eE]\+?(\d{1,2})")
_FLOAT = re.compile(r"(\+?\d{4,15})[.,]0{1,2}")
_AS_TEXT = re.compile(r"=\s*[\"'](.*)[\"']|'(.*)|[\"'](.*)[\"']")
_URI = re.compile(r"^(?:tel|callto|sip|sms):", re.IGNORECASE)
_LABEL = re.compile(
    r"\b(?:t[ée]l[ée]?phone|t[ée]l(?:[ée]cop(?:ie|ieur)?)?|phone|mobile|portable|port|mob|fixe|fax|gsm|cell|num[ée]ro|"
    r"num|n°|no|dom(?:icile)?|bureau|bur|travail|pro|perso|whatsapp)\b\s*[.:°]*\s*",
    re.IGNORECASE,
)
_FAX = re.compile(r"\b(?:fax|t[ée]l[ée]cop)", re.IGNORECASE)
_EXTENSION = re.compile(
    r"[\s,;(\-]*(?:\b(?:poste|extension|ext|p|int(?:erne)?)\b\.?|\bx|;ext=|#)\s*:?\s*(\d{1,6})\s*\)?\s*$", re.IGNORECASE
)
_SEPARATOR = re.compile(r"[;/|\\,&]|\b(?:ou|et|or|and|puis)\b|\s-\s|\s{2,}", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\d+])(?:(?:\+|00)\s?33\s?(?:\(\s?0\s?\))?\s?0?[1-9](?:[\s.\-/]?\d{2}){4}"
    r"|0[1-9](?:[\s.\-/]?\d{2}){4}"
    r"|(?:\+|00)\s?[1-9](?:[\s.()\-/]{0,2}\d){6,14})(?!\d)"
)
_ONLY_NUMBER = re.compile(r"[\d\s+().\-/_:]+")
_TWO_ENDS = re.compile(r"(.*\d)\s*/\s*(\d{1,2})\s*$")
_DATE = re.compile(r"(?:[0-3]?\d[/.\- ][01]?\d[/.\- ](?:19|20)\d{2}|(?:19|20)\d{2}-[01]\d-[0-3]\d)(?:[ T]\d.*)?")
_LETTERS_FOR_DIGITS = str.maketrans("OoQIiLlSsBZ", "00011115582")
_WITH_LETTERS = re.compile(r"[\d\s+().\-/OoQIiLlSsBZ]+")
_ZERO_TRUNK = re.compile(r"\(\s*0\s*\)")


@dataclass(slots=True)
class Cell:
    """What was met in a cell.

    Attributes:
        whole: The cell as one number, where it holds nothing but digits and what stands between them.
        parts: Texts that may be a number each, in their order; read where ``whole`` is none.
        extension: Digits of an extension.
        codes: Detail codes of what was met or removed.
        corrected: Whether what was removed counts as a correction.
        refusal: Detail code of a cell that no number can be read from.
        guess: Digits that letters stand for; no certain reading.
    """

    whole: str = ""
    parts: list[str] = field(default_factory=list)
    extension: str | None = None
    codes: list[str] = field(default_factory=list)
    corrected: bool = False
    refusal: str = ""
    guess: str = ""


def read_cell(text: str) -> Cell:
    """Take a cell apart. ``text`` is visible and not empty."""
    cell = Cell()
    text = _URI.sub("", _as_written(text, cell))
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        return _from_spreadsheet(cell, scientific)
    if _FAX.search(text):
        cell.codes.append("TELECOPIE")
    if _DATE.fullmatch(text):
        cell.refusal = "DATE"
        return cell
    text = _without_extension(text, cell)
    if _ONLY_NUMBER.fullmatch(text):
        cell.whole, cell.parts = text, _parts(text)
        return cell
    if is_placeholder(fold(text)):
        cell.refusal = "VALEUR_BOUCHON"
        return cell
    return _among_words(text, cell)


def digits_of(piece: str) -> tuple[str, bool]:
    """Give the digits of a piece and whether it is written internationally, with a plus before them."""
    bare = _ZERO_TRUNK.sub("", piece).strip(" ().-/_:")
    return "".join(char for char in bare if char.isdigit()), bare.startswith("+")


def _as_written(text: str, cell: Cell) -> str:
    """Undo what spreadsheets and web pages wrap a number in."""
    text = without_markup(text)
    wrapped = _AS_TEXT.fullmatch(text)
    if wrapped:
        text = next(group for group in wrapped.groups() if group is not None).strip()
    decimal = _FLOAT.fullmatch(text)
    if decimal:
        cell.codes.append("FORMAT_TABLEUR")
        cell.corrected = True
        return decimal.group(1)
    return text


def _from_spreadsheet(cell: Cell, match: re.Match[str]) -> Cell:
    """Read a number in scientific notation: certain where no digit was lost."""
    whole, decimals, power = match.group(1), match.group(2) or "", int(match.group(3))
    if len(decimals) > power or power > 15:
        cell.refusal = "NOMBRE_TABLEUR"
        return cell
    digits = (whole + decimals).ljust(power + 1, "0")
    cell.codes.append("FORMAT_TABLEUR")
    if len(decimals) == power:
        cell.whole, cell.corrected = digits, True
    elif power - len(decimals) <= 1:
        cell.guess = digits
    else:
        cell.refusal = "CHIFFRES_PERDUS"
    return cell


def _without_extension(text: str, cell: Cell) -> str:
    found = _EXTENSION.search(text)
    if found and sum(char.isdigit() for char in text[: found.start()]) >= 6:
        cell.extension = found.group(1)
        cell.codes.append("POSTE")
        return text[: found.start()]
    return text


def _parts(text: str) -> list[str]:
    """Give the numbers that stand side by side in a text, in their order."""
    ends = _TWO_ENDS.fullmatch(text)
    if ends and len(digits_of(ends.group(1))[0]) >= 9:
        first, end = ends.group(1), ends.group(2)
        return [first, first[: -len(end)] + end]
    found = [match.group() for match in _NUMBER.finditer(text)]
    if len(found) > 1:
        return found
    parts = [part for part in _SEPARATOR.split(text) if sum(char.isdigit() for char in part) >= 6]
    return parts if len(parts) > 1 else found


def _among_words(text: str, cell: Cell) -> Cell:
    """Find numbers among words; letters in the place of digits are only guessed."""
    bare = _LABEL.sub(" ", text).strip(" :.,;-")
    if _ONLY_NUMBER.fullmatch(bare):
        cell.whole, cell.parts = bare, _parts(bare)
        return cell
    found = _parts(bare)
    if found:
        cell.parts = found
        around = bare
        for piece in found:
            around = around.replace(piece, " ")
        if fold(_SEPARATOR.sub(" ", around)):
            cell.codes.append("TEXTE_IGNORE")
            cell.corrected = True
        return cell
    if _WITH_LETTERS.fullmatch(bare) and sum(char.isdigit() for char in bare) >= 6:
        cell.guess = bare.translate(_LETTERS_FOR_DIGITS)
        cell.codes.append("LETTRE_POUR_CHIFFRE")
        return cell
    cell.refusal = _why_none(text)
    return cell


def _why_none(text: str) -> str:
    if "@" in text:
        return "EMAIL_DANS_TELEPHONE"
    return "TEXTE_SANS_NUMERO" if any(char.isdigit() for char in text) else "SANS_CHIFFRE"
