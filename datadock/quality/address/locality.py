"""Which commune a postal code and a city name mean: asked once per distinct pair.

The order is exact within the code, near within the code, one wrong digit, unique by name; two readings that
tie are left to a person. A CEDEX code is never turned into a geographic one: where a code could be a CEDEX
code whose word is missing, it is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from datadock.quality.address.distance import edits, jaro_winkler, may_be_near, one_digit_apart
from datadock.quality.evidence import Evidence
from datadock.quality.reference.tables import (
    CEDEX_CITY,
    CEDEX_TOWNS,
    DOMINANT,
    MAX_LABEL,
    Locality,
    Reference,
    name_key,
    neighbours,
    without_article,
)

NEAR = 0.86
TIE = 0.02
ONE_LETTER = 0.98
ONE_LETTER_LENGTH = 6
"""Letters from which a name may be one letter away while its code is one digit away."""
TWO_LETTERS_LENGTH = 12
"""Letters from which it may be two letters away."""

_CEDEX = re.compile(r"^(?P<office>.*?) ?\bCEDEX\b ?(?P<rest>.*)$")
_QUARTER = re.compile(
    r"^(?P<city>PARIS|LYON|MARSEILLE) (?:CEDEX )?0?(?P<n>\d{1,2}) ?(?:E|ER|EME|IEME)?(?: ?ARR[A-Z]*)?$"
)
_QUARTER_CODES = {"PARIS": ("750", 20), "LYON": ("690", 9), "MARSEILLE": ("130", 16)}
_TERRITORIES = (
    "LA REUNION", "REUNION", "GUADELOUPE", "MARTINIQUE", "GUYANE", "MAYOTTE", "NOUVELLE CALEDONIE",
    "POLYNESIE FRANCAISE", "CORSE", "FRANCE", "FRANCE METROPOLITAINE", "ILE DE LA REUNION",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What line 6 says, and what is known of it.

    Args:
        code_postal: Postal or CEDEX code as proposed.
        commune: Printed name, with CEDEX and its number.
        code_insee: INSEE code, empty when the place is not known for sure or not at all.
        former: Name of a former commune, for line 5.
        codes: Detail codes.
        evidence: What was changed.
        found: Whether the place is known (a doubt may remain).
        cedex: Whether this is a CEDEX address.
        printed: Whether line 6 may be written.
    """

    code_postal: str = ""
    commune: str = ""
    code_insee: str = ""
    former: str = ""
    codes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    found: bool = False
    cedex: bool = False
    printed: bool = True

    @property
    def line(self) -> str:
        """Line 6, empty when it would be invented."""
        return f"{self.code_postal} {self.commune}".strip() if self.printed else ""


@dataclass(eq=False)
class LocalityResolver:
    """Resolves pairs of code and city against one reference, and remembers them."""

    reference: Reference
    cache: dict[tuple[str, str], Place] = field(default_factory=dict)
    cache_size: int = 200_000

    def resolve(self, code: str, city: str) -> Place:
        """Give the place that a postal code (digits, may be empty) and a folded city name mean."""
        pair = (code, city)
        place = self.cache.get(pair)
        if place is None:
            if len(self.cache) >= self.cache_size:
                self.cache.clear()
            place = self.cache[pair] = self._resolve(code, city)
        return place

    def knows(self, code: str, city: str) -> bool:
        """Whether a code has a commune of exactly this name, or the name exists where the code is empty."""
        index = self.reference.by_code.get(code, {}) if code else self.reference.by_name
        return name_key(city) in index

    def _resolve(self, code: str, city: str) -> Place:
        split = _CEDEX.match(_cedex_spelled(city))
        if split:
            return self._cedex(code, split["office"], split["rest"])
        code, name = _quarter(code, city)
        if not code:
            return self._without_code(name)
        if not name:
            return self._without_name(code)
        plain = name if self.knows(code, name) or self._named(name_key(name)) else _without_territory(name)
        return self._with_both(code, plain, city)

    def _with_both(self, code: str, name: str, city: str) -> Place:
        key = name_key(name)
        inside = self.reference.by_code.get(code, {})
        exact = inside.get(key) or inside.get(without_article(key))
        if exact:
            return self._exact(code, city, exact)
        near, distance = _nearest(key, inside)
        digit = self._one_digit(code, key) if near else []
        if digit and distance <= 1:
            return Place(code, name[:MAX_LABEL].strip(), codes=("COMMUNE_AMBIGUE",), found=True)
        if digit:
            near = []
        if near and len({entry.code_insee for entry in near}) > 1:
            return Place(code, name[:MAX_LABEL].strip(), codes=("COMMUNE_AMBIGUE",), found=True)
        if near:
            return self._exact(code, city, near, rule="COMMUNE_PROCHE")
        return self._elsewhere(code, name, key)

    def _exact(self, code: str, city: str, entries: Sequence[Locality], rule: str = "COMMUNE_EXACTE") -> Place:
        today = [entry for entry in entries if not entry.former] or list(entries)
        entry = today[0]
        insee = entry.code_insee if len({item.code_insee for item in today}) == 1 else ""
        codes, evidence = [], []
        if name_key(city) not in {entry.key, without_article(entry.key), name_key(entry.label)}:
            codes.append("COMMUNE_CORRIGEE")
            evidence.append(Evidence(rule, "commune", city, entry.label, self.reference.version))
        former = ""
        if entry.former and entry.key != name_key(entry.current_label):
            former = entry.label
            codes.append("ANCIENNE_COMMUNE")
            evidence.append(
                Evidence("ANCIENNE_COMMUNE", "commune", entry.label, entry.current_label, self.reference.version)
            )
        if not insee:
            codes.append("COMMUNE_AMBIGUE")
        return Place(code, entry.current_label, insee, former, tuple(codes), tuple(evidence), found=True)

    def _elsewhere(self, code: str, name: str, key: str) -> Place:
        known = self._named(key)
        wrong = self._one_digit(code, key)
        if not known and code not in self.reference.by_code:
            wrong = self._one_digit_and_letter(code, key)
        today = [pair for pair in wrong if not pair[0].former] or wrong
        if len(today) == 1 and not self._may_be_cedex(code, *today[0]):
            return self._recode(code, *today[0], key)
        printed = name[:MAX_LABEL].strip()
        if today:
            insee = today[0][0].code_insee if len({entry.code_insee for entry, _ in today}) == 1 else ""
            return Place(code, printed, insee, codes=("CP_INCONNU",), found=True)
        return self._contradiction(code, printed, known)

    def _named(self, key: str) -> Sequence[Locality]:
        """Give all communes of a name, with or without its article."""
        return self.reference.by_name.get(key) or self.reference.by_name.get(without_article(key)) or []

    def _one_digit(self, code: str, key: str) -> list[tuple[Locality, str]]:
        """Give the communes of exactly this name that have a code one digit away."""
        return [(entry, right) for entry in self._named(key) for right in entry.codes if one_digit_apart(code, right)]

    def _one_digit_and_letter(self, code: str, key: str) -> list[tuple[Locality, str]]:
        """Give the communes nearly of this name (one letter away, two in a long one) with a code one digit away."""
        if len(key) < ONE_LETTER_LENGTH:
            return []
        limit = 1 if len(key) < TWO_LETTERS_LENGTH else 2
        found = {}
        for right in neighbours(code):
            for name, entries in self.reference.by_code.get(right, {}).items():
                alike = name[:3] == key[:3] or name[-3:] == key[-3:]
                if alike and abs(len(name) - len(key)) <= limit and 0 < edits(name, key, limit) <= limit:
                    found.update({(entry.code_insee, right): (entry, right) for entry in entries})
        return list(found.values())

    def _may_be_cedex(self, code: str, entry: Locality, right: str) -> bool:
        """Whether an unknown code may be a CEDEX code of a town, written without the word.

        CEDEX codes count up from a code that ends in 0, of the largest commune that has it; the more inhabitants,
        the more of them.
        """
        if code in self.reference.by_code or code[:2] != right[:2]:
            return False
        place = one_digit_apart(code, right)
        if entry.population >= CEDEX_CITY and place >= 4:
            return True
        if place != 5 or right[4] != "0" or self.reference.chiefs.get(right) != entry.code_insee:
            return False
        return 1 <= int(code[4]) <= max((most for people, most in CEDEX_TOWNS if entry.population >= people), default=0)

    def _recode(self, code: str, entry: Locality, right: str, key: str) -> Place:
        evidence = Evidence("CP_UN_CHIFFRE", "code_postal", code, right, self.reference.version)
        inside = self.reference.by_code.get(right, {})
        near = key not in (entry.key, without_article(entry.key)) and key not in inside
        rule = "COMMUNE_PROCHE" if near else "COMMUNE_EXACTE"
        place = self._exact(right, key if near else entry.label, self._inside(right, entry), rule)
        return Place(
            right, place.commune, place.code_insee, place.former, ("CP_CORRIGE", *place.codes),
            (evidence, *place.evidence), found=True,
        )  # fmt: skip

    def _inside(self, code: str, entry: Locality) -> list[Locality]:
        return self.reference.by_code.get(code, {}).get(entry.key) or [entry]

    def _contradiction(self, code: str, name: str, known: Sequence[Locality]) -> Place:
        """Judge a code and a name that do not meet: both kept, the name's or the code's commune proposed."""
        near_home = [entry for entry in known if _same_department(entry, code)] or list(known)
        by_name = {entry.code_insee for entry in near_home if not entry.former} or {e.code_insee for e in near_home}
        inside = self.reference.by_code.get(code, {})
        by_code = {entry.code_insee for entries in inside.values() for entry in entries}
        if not by_code and not known:
            return Place(code, name, codes=("CP_INCONNU", "COMMUNE_INCONNUE"))
        candidates = by_name or by_code
        insee = next(iter(candidates)) if len(candidates) == 1 else ""
        doubt = "CP_COMMUNE_DISCORDANTS" if by_code else "CP_INCONNU"
        return Place(code, name, insee, codes=(doubt,), found=True)

    def _without_name(self, code: str) -> Place:
        inside = self.reference.by_code.get(code, {})
        today = {e.code_insee: e for entries in inside.values() for e in entries if not e.former}
        if not today:
            return Place(code, codes=("CP_INCONNU",), printed=bool(code))
        if len(today) > 1:
            return Place(code, codes=("COMMUNE_AMBIGUE",), found=True)
        entry = next(iter(today.values()))
        evidence = Evidence("CP_UNE_COMMUNE", "commune", "", entry.current_label, self.reference.version)
        main = self.reference.by_insee.get(entry.code_insee, entry)
        return Place(code, main.label, entry.code_insee, "", ("COMMUNE_CORRIGEE",), (evidence,), found=True)

    def _without_code(self, name: str) -> Place:
        key = name_key(name) if self._named(name_key(name)) else name_key(_without_territory(name))
        known = self._named(key)
        today = [entry for entry in known if not entry.former] or list(known)
        printed = name[:MAX_LABEL].strip()
        if not known:
            return Place("", printed, codes=("CP_INCONNU", "COMMUNE_INCONNUE"))
        chief = max(today, key=lambda entry: entry.population)
        dominant = len(today) > 1 and chief.population >= DOMINANT * sum(entry.population for entry in today)
        today = [chief] if dominant else today
        if len(today) > 1 or len(today[0].codes) != 1:
            codes = ("COMMUNE_AMBIGUE",) if len(today) > 1 else ("CP_INCONNU",)
            insee = today[0].code_insee if len(today) == 1 else ""
            return Place("", printed, insee, codes=codes, found=True, printed=False)
        entry = today[0]
        right = entry.codes[0]
        evidence = Evidence("COMMUNE_UNIQUE", "code_postal", "", right, self.reference.version)
        place = self._exact(right, name, [entry])
        doubt = ("COMMUNE_AMBIGUE",) if len({item.code_insee for item in known}) > 1 else ()
        return Place(
            right, place.commune, place.code_insee, place.former, ("CP_CORRIGE", *place.codes, *doubt),
            (evidence, *place.evidence), found=True,
        )  # fmt: skip

    def _cedex(self, code: str, office: str, rest: str) -> Place:
        number = re.match(r"(\d{1,2})(?= |$)", rest)
        suffix = f" CEDEX {number[1]}" if number else " CEDEX"
        quarter = _QUARTER.match(office)
        name = quarter["city"] if quarter else office
        insee, label = self._office(code, name, number[1] if number else "")
        codes = [] if label and code else ["CEDEX_INCONNU"]
        evidence = []
        if label and name_key(label) != name_key(name) and without_article(name_key(label)) != name_key(name):
            codes.append("COMMUNE_CORRIGEE")
            evidence.append(Evidence("BUREAU_CEDEX", "commune", name, label, self.reference.version))
        printed = ((label or name)[: MAX_LABEL - len(suffix)].strip() + suffix).strip()
        return Place(code, printed, insee, codes=tuple(codes), evidence=tuple(evidence), found=bool(code), cedex=True)

    def _office(self, code: str, name: str, number: str) -> tuple[str, str]:
        """Give INSEE code and label of a CEDEX office: a town of the code's department."""
        if code in self.reference.cedex:
            insee = self.reference.cedex[code]
            return insee, self.reference.by_insee[insee].label if insee in self.reference.by_insee else name
        key = name_key(name)
        inside = self.reference.by_code.get(code, {}).get(key)
        known = inside or self.reference.by_name.get(key) or self.reference.by_name.get(without_article(key)) or []
        home = [entry for entry in known if _same_department(entry, code)]
        today = [entry for entry in home if not entry.former] or home
        if today:
            entry = max(today, key=lambda item: item.population)
            return self._city_quarter(code, entry, number), entry.label
        return self._office_like(code, key)

    def _city_quarter(self, code: str, entry: Locality, number: str) -> str:
        prefix, last = _QUARTER_CODES.get(entry.label, ("", 0))
        if prefix and number and 1 <= int(number) <= last and code.startswith(prefix[:2]):
            quarter = self.reference.by_code.get(f"{prefix}{int(number):02d}", {}).get(entry.label)
            return quarter[0].code_insee if quarter else entry.code_insee
        return entry.code_insee

    def _office_like(self, code: str, key: str) -> tuple[str, str]:
        """Give the commune of the department whose name begins with the office's, or nearly equals it."""
        names = _department_names(self.reference, code[:2])
        begins = {entry.code_insee: entry for name, entry in names if name.startswith(key + " ")}
        if len(begins) == 1:
            entry = next(iter(begins.values()))
            return entry.code_insee, key
        close = {e.code_insee: e for name, e in names if abs(len(name) - len(key)) < 2 and edits(name, key, 1) == 1}
        if len(close) == 1 and len(key) > 4:
            entry = next(iter(close.values()))
            return entry.code_insee, entry.label
        return "", ""


@lru_cache(maxsize=512)
def _department_names(reference: Reference, department: str) -> list[tuple[str, Locality]]:
    found = [(name, entry) for name, entries in reference.by_name.items() for entry in entries]
    return [(name, entry) for name, entry in found if _same_department(entry, department)]


def _same_department(entry: Locality, code: str) -> bool:
    """Whether a commune lies in the department of a code (Corsica's two share the codes in 20)."""
    return entry.departement[:2] in (("2A", "2B") if code[:2] == "20" else (code[:2],))


def _cedex_spelled(city: str) -> str:
    """Give back CEDEX where its letters are mixed up at the end of a city."""
    words = city.split()
    for at in range(max(1, len(words) - 2), len(words)):
        mixed = sorted(words[at]) == sorted("CEDEX") or (words[at].startswith("CE") and 4 <= len(words[at]) <= 6)
        if mixed and edits(words[at], "CEDEX", 1) == 1:
            words[at] = "CEDEX"
    return " ".join(words)


def _quarter(code: str, city: str) -> tuple[str, str]:
    """Read ``PARIS 8E``, ``LYON 02``: the arrondissement gives a missing code, and leaves the name."""
    quarter = _QUARTER.match(city)
    if not quarter:
        return code, city
    prefix, last = _QUARTER_CODES[quarter["city"]]
    number = int(quarter["n"])
    if not code and 1 <= number <= last:
        code = f"{prefix}{number:02d}"
    return code, quarter["city"]


def _without_territory(name: str) -> str:
    for territory in _TERRITORIES:
        if name.endswith(" " + territory) and name.split()[-territory.count(" ") - 2] not in (
            "EN",
            "DE",
            "LA",
            "L",
            "D",
        ):
            return name[: -len(territory) - 1]
    return re.sub(r" \d{1,3}$", "", name)


def _spelled(key: str) -> str:
    """Give a name with SAINT in full, so that a letter swapped in it is one error and not four."""
    return " ".join([{"ST": "SAINT", "STE": "SAINTE"}.get(word, word) for word in key.split()])


def _nearness(left: str, right: str) -> float:
    """Give the similarity of two names, 0 when it is below ``NEAR`` or they are only alike in their beginnings."""
    left, right = _spelled(left), _spelled(right)
    distance = edits(left, right, 4)
    if distance <= 1 and (len(left) > 3 or sorted(left) == sorted(right)):
        return ONE_LETTER
    if (left + " ").startswith(right + " ") or (right + " ").startswith(left + " "):
        return 0.9
    if not may_be_near(left, right, NEAR):
        return 0.0
    score = jaro_winkler(left, right)
    mine, theirs = set(left.split()), set(right.split())
    shared = mine <= theirs or theirs <= mine
    return score if shared or distance <= max(1, min(len(left), len(right)) // 5) or score >= 0.94 else 0.0


def _nearest(key: str, inside: dict[str, list[Locality]]) -> tuple[list[Locality], int]:
    """Give the names of a code that are nearest to a key, more than one when they tie, and how many letters differ."""
    plain = without_article(key)
    scored: dict[str, tuple[float, Locality]] = {}
    for name, entries in inside.items():
        form = plain if without_article(name) == name else key
        score = _nearness(form, name)
        if score < NEAR:
            continue
        for entry in entries:
            best = scored.get(entry.code_insee)
            if not best or best[0] < score or (best[0] == score and best[1].former):
                scored[entry.code_insee] = (score, entry)
    if not scored:
        return [], 0
    top = max(score for score, _ in scored.values())
    return [entry for score, entry in scored.values() if score > top - TIE], 1 if top >= ONE_LETTER else 2
