"""What goes into the normaliser of addresses and what comes out of it.

The input is never changed: the result stands beside it, with a status, detail codes, a score and the
evidence of each correction.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from datadock.quality.evidence import Evidence, Status

LINE_LENGTH = 38
STREET_LENGTH = 32

DETAIL_CODES = {
    "CP_INCONNU": "le code postal n'existe pas",
    "CP_COMMUNE_DISCORDANTS": "le code postal et la commune ne vont pas ensemble",
    "CP_CORRIGE": "le code postal a été corrigé ou ajouté",
    "COMMUNE_CORRIGEE": "le nom de la commune a été corrigé",
    "COMMUNE_AMBIGUE": "plusieurs communes sont possibles",
    "COMMUNE_INCONNUE": "la commune n'existe pas",
    "ANCIENNE_COMMUNE": "l'ancienne commune est passée en ligne 5",
    "CEDEX_INCONNU": "le bureau CEDEX n'est pas connu",
    "NUMERO_ABSENT": "la voie n'a pas de numéro",
    "NUMERO_HORS_BORNES": "le numéro n'est pas entre 1 et 9999",
    "NUMERO_CORRIGE": "le numéro ou sa répétition a été réécrit",
    "NUMERO_DEPLACE": "le numéro suivait la voie",
    "VOIE_ABSENTE": "aucune voie, aucun lieu-dit, aucune boîte postale",
    "VOIE_INCONNUE": "la voie n'est pas dans le référentiel des voies de la commune",
    "VOIE_CORRIGEE": "le type de voie a été développé",
    "L4_ABREGEE": "la ligne 4 a été abrégée",
    "COMPLEMENT_DEPLACE": "un complément a quitté la ligne de la voie",
    "BP_CORRIGEE": "la boîte postale a été réécrite ou déplacée",
    "ORDRE_CORRIGE": "les lignes ont été remises dans l'ordre",
    "DEUX_ADRESSES": "deux adresses dans un même champ",
    "TELEPHONE_DANS_ADRESSE": "un téléphone ou un e-mail a été retiré de l'adresse",
    "HTML_RETIRE": "des balises ont été retirées",
    "PAYS_RETIRE": "le pays ou son préfixe a été retiré",
    "NPAI": "une marque de retour est saisie dans l'adresse",
    "TEXTE_ILLISIBLE": "le texte n'est pas en caractères latins",
    "TEXTE_TRONQUE": "le texte dépasse la longueur lue",
    "PAYS_INCONNU": "le pays n'est pas reconnu",
    **{f"L{line}_TRONQUEE": f"la ligne {line} a été tronquée" for line in range(1, 8)},
}
"""Detail codes with the label that a steward reads."""

DOUBTS = frozenset(
    {"CP_COMMUNE_DISCORDANTS", "COMMUNE_AMBIGUE", "COMMUNE_INCONNUE", "CP_INCONNU", "NUMERO_ABSENT", "VOIE_ABSENTE"}
    | {"NUMERO_HORS_BORNES", "VOIE_INCONNUE", "DEUX_ADRESSES", "NUMERO_DEPLACE", "TEXTE_TRONQUE", "CEDEX_INCONNU"}
    | {f"L{line}_TRONQUEE" for line in range(1, 8)}
)
"""Codes that leave a question open: the address is to be confirmed."""

PENALTIES = {"NUMERO_ABSENT": 10, "VOIE_INCONNUE": 25, "CP_CORRIGE": 10, "COMMUNE_CORRIGEE": 5, "VOIE_ABSENTE": 30}
"""What a code takes from the score of 100; a doubt takes 20, any other correction 3."""


@dataclass(frozen=True, slots=True)
class AddressParts:
    """The parts that an address may be declared in: their texts (``AddressInput``), or the columns that hold them.

    Free text goes into ``lines``, in the order of an envelope; what a source holds in columns of their own
    goes into the named parts. All may be filled at once.

    Args:
        lines: Lines or cells without a known role; a cell may hold several lines.
        name: Person or company (line 1).
        complements: Inside and outside the building; two of them are lines 2 and 3.
        street: Number and street.
        locality: Lieu-dit, former commune or post-office box.
        postal_code: Postal or CEDEX code.
        city: Commune or CEDEX office.
        country: Country; empty means France unless the lines say otherwise.
    """

    lines: tuple[str, ...] = ()
    name: str = ""
    complements: tuple[str, ...] = ()
    street: str = ""
    locality: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""

    @property
    def parts(self) -> tuple[str | tuple[str, ...], ...]:
        """The parts above, in their order."""
        return tuple(getattr(self, field.name) for field in fields(AddressParts))

    @property
    def named(self) -> tuple[str, ...]:
        """What stands in the named parts, those with text."""
        texts = (*self.complements, *(part for part in self.parts if isinstance(part, str)))
        return tuple(text for text in texts if text)


@dataclass(frozen=True, slots=True)
class AddressInput(AddressParts):
    """One address as it was declared.

    Args:
        settled: Whether the parts are a normal form already: its lines are kept, its facts are read anew.
    """

    settled: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """The normal form of one address: at most six lines (seven abroad), their parts, and what was made of them."""

    line_1: str = ""
    line_2: str = ""
    line_3: str = ""
    line_4: str = ""
    line_5: str = ""
    line_6: str = ""
    line_7: str = ""
    numero: str = ""
    repetition: str = ""
    type_voie: str = ""
    voie: str = ""
    complement: str = ""
    lieu_dit: str = ""
    bp: str = ""
    code_postal: str = ""
    commune: str = ""
    code_insee: str = ""
    status: Status = Status.VIDE
    codes: tuple[str, ...] = ()
    score: int = 0
    street_checked: bool = False
    evidence: tuple[Evidence, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that are printed: empty ones dropped."""
        return tuple(line for line in self.block if line)

    @property
    def block(self) -> tuple[str, ...]:
        """The seven lines in their places."""
        return (self.line_1, self.line_2, self.line_3, self.line_4, self.line_5, self.line_6, self.line_7)

    def as_input(self) -> AddressInput:
        """Give the normal form as an input: normalising it again changes nothing."""
        code, _, city = self.line_6.partition(" ")
        if len(code) != 5 or not code.isdigit():
            code, city = "", self.line_6
        sides = (self.line_2, self.line_3)
        return AddressInput((), self.line_1, sides, self.line_4, self.line_5, code, city, self.line_7, settled=True)


def verdict(codes: tuple[str, ...]) -> Status:
    """Give the status that a set of codes means for an address that has a place to go to."""
    if any(code in DOUBTS for code in codes):
        return Status.A_CONFIRMER
    return Status.CORRIGEE if codes else Status.OK


def score_of(status: Status, codes: tuple[str, ...]) -> int:
    """Give the score of 0 to 100 that a status and its codes mean."""
    if status in (Status.VIDE, Status.REJETEE):
        return 0
    loss = sum(PENALTIES.get(code, 20 if code in DOUBTS else 3) for code in codes)
    return max(10, 100 - loss)
