"""The words by which the parts of an address are told apart, and the street types of the reference.

Everything here is read in folded form (A-Z, 0-9). A word that can also be part of a street's name only
counts where the words around it allow it; those rules are in ``pieces``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from datadock.quality.reference.manifest import LINE_WORDS, STREET_TYPES, read_table


def word_set(text: str) -> frozenset[str]:
    """Give the words of a text as a set."""
    return frozenset(text.split())


REPETITIONS = {"BIS": "B", "TER": "T", "QUATER": "Q", "QUINQUIES": "C"}
PREPOSITIONS = word_set("DE DU DES D LA LE LES L A AU AUX EN ET SUR SOUS LES PAR POUR VERS CHEZ")
QUALIFIERS = word_set(
    "HAUT HAUTE HAUTS HAUTES BAS BASSE GRAND GRANDE GRANDS GRANDES PETIT PETITE PETITS PETITES VIEUX VIEIL "
    "VIEILLE BEAU BELLE ANCIEN ANCIENNE ANCIENS NOUVEAU NOUVELLE BON BONNE PREMIER PREMIERE GROS GROSSE ROUGE "
    "BLANCHE DEUX TROIS QUATRE CINQ SIX SEPT HUIT NEUF DIX CENT MA MON SA SON NOTRE MARIE SAINT ST SAINTE STE"
)
"""Words that make the next word part of a name (``RUE HAUTE TOUR``)."""

INSIDE = word_set(
    "APT APPT APP APPART APPARTEMENT APPARTEMENTS APPTS LOGT LOGEMENT LGT LGMT ETAGE ETAGES ETG ETGE ESC "
    "ESCALIER ESCAL STUDIO RDC BAL INTERPHONE DIGICODE PALIER COULOIR CHEZ RDJ MEZZANINE DUPLEX"
)
"""Words that open a part inside the building (line 2) wherever they stand, but after an article."""

INSIDE_WITH_MARK = word_set(
    "PORTE PTE CHAMBRE CHBRE CH BUREAU BUR NIVEAU NIV BOITE BTE CASIER LOT LOCAL PLATEAU CODE ESCALIERS"
)
"""The same, but only before a mark (``3``, ``B``, ``GAUCHE``)."""

OUTSIDE = word_set(
    "BAT BATIMENT BATIMENTS BATS BLDG IMM IMMEUBLE IMMEUBLES RES RESIDENCE RESIDENCES RESID RESI PAVILLON PAV "
    "LOTISSEMENT LOTISS FOYER CAMPING EHPAD"
)
"""Words that open a part outside the building (line 3)."""

OUTSIDE_WITH_MARK = word_set("ENTREE ENT HALL BLOC CAGE AILE BT TOUR ILOT ALLEE PORTAIL MONTEE QUAI")
OUTSIDE_WITH_NAME = word_set("TOUR VILLA ZI ZA ZAC ZAE ZONE DOMAINE PARC CENTRE CCAL CC TECHNOPOLE ESPACE")
OUTSIDE_PAIRS = frozenset(
    {
        ("CENTRE", "COMMERCIAL"), ("CTRE", "COMMERCIAL"), ("CTRE", "CIAL"), ("CENTRE", "CIAL"),
        ("ZONE", "INDUSTRIELLE"), ("ZONE", "ARTISANALE"), ("ZONE", "COMMERCIALE"), ("ZONE", "D"),
        ("PARC", "D"), ("CENTRE", "D"), ("CENTRE", "ADMINISTRATIF"), ("POLE", "D"), ("ZONE", "ACTIVITES"),
        ("ZONE", "ACTIVITE"), ("MAISON", "MEDICALE"), ("PARC", "RESIDENTIEL"), ("PARC", "TECHNOLOGIQUE"),
        ("CITE", "ADMINISTRATIVE"), ("CITE", "SCOLAIRE"),
    }
)  # fmt: skip
MARK_WORDS = word_set("GAUCHE DROITE DROIT FACE HAUT BAS NORD SUD EST OUEST MILIEU CENTRE FOND G D")
ORDINAL_WORDS = word_set("PREMIER DEUXIEME SECOND TROISIEME QUATRIEME CINQUIEME DERNIER DEMI ENTRE")

PLACE_WORDS = word_set(
    "LIEUDIT BOURG HAMEAU VILLAGE FERME QUARTIER CHEF LIEUDITS MAIRIE CHATEAU MOULIN MAISON CENTRE ECART AU "
    "AUX LE LA LES L EN VILLE CROIX HABITATION SECTEUR PK TRIBU"
)
"""First words of a lieu-dit that no street type introduces."""

PERSON_WORDS = word_set(
    "M MR MME MLLE MM MMES MONSIEUR MADAME MADEMOISELLE MELLE FAMILLE DR DOCTEUR ME MAITRE PROFESSEUR "
    "CONSORTS SARL SA SAS SASU EURL SCI SNC SCP SCOP SELARL EARL GAEC ASSOCIATION ASSO STE SOCIETE ETS "
    "ETABLISSEMENTS ENTREPRISE CABINET CLINIQUE PHARMACIE GARAGE LYCEE COLLEGE ECOLE UNIVERSITE CAISSE "
    "SYNDICAT COMITE CLUB GROUPE COMPAGNIE CIE BANQUE HOTEL RESTAURANT BOULANGERIE TABAC MUTUELLE MINISTERE "
    "PREFECTURE"
)
SERVICE_WORDS = word_set("SERVICE SCE DIRECTION DIR DEPARTEMENT DEPT ATTN ATTENTION SECRETARIAT POLE BUREAU")
RETURN_MARKS = frozenset({"NPAI", "PND", "N P A I", "PLUS A CETTE ADRESSE", "INCONNU A CETTE ADRESSE"})

STRONG_TYPES = word_set(
    "RUE AVENUE BOULEVARD CHEMIN ROUTE IMPASSE ALLEE ALLEES PLACE SQUARE QUAI COURS PASSAGE RUELLE SENTIER "
    "SENTE MONTEE FAUBOURG ESPLANADE PROMENADE CARREFOUR CHAUSSEE TRAVERSE VENELLE VOIE PLACETTE ROCADE MAIL "
    "PARVIS CORNICHE TRABOULE RUES BOULEVARDS"
) | {"GRANDE RUE", "GRAND RUE", "GRAND PLACE", "GRANDE PLACE", "ROND POINT", "PETITE RUE", "ANCIENNE ROUTE"} | {
    "VIEILLE ROUTE", "VIEUX CHEMIN", "ANCIEN CHEMIN", "PETIT CHEMIN", "CHEMIN RURAL", "ROUTE DEPARTEMENTALE",
    "ROUTE NATIONALE", "PETITE ROUTE", "PETITE PLACE", "PETITE AVENUE", "VOIE COMMUNALE", "CHEMIN VICINAL",
}  # fmt: skip
"""Types that begin a street even without a number before them."""

SELF_NAMED = frozenset({"GRANDE RUE", "GRAND RUE", "GRANDES RUES", "GRAND PLACE", "GRANDE PLACE", "PETITE RUE"})
"""Types that are a whole street name by themselves."""

NOT_A_PLACE = frozenset({"RESIDENCE", "RESIDENCES", "CENTRE", "CENTRE COMMERCIAL", "VILLA", "PARC", "DOMAINE"}) | {
    "ESPACE", "PORTE", "PAVILLON", "GALERIE", "JARDIN", "ESCALIERS", "ILOT", "PLATEAU", "LOTISSEMENT",
    "ZONE ACTIVITE", "ZONE ACTIVITES", "ZONE ARTISANALE", "ZONE COMMERCIALE", "ZONE D ACTIVITE", "ZONE D ACTIVITES",
    "ZONE D AMENAGEMENT CONCERTE", "ZONE D AMENAGEMENT DIFFERE", "ZONE INDUSTRIELLE", "ZONE PORTUAIRE", "HALLE",
}  # fmt: skip
"""Types that name a place outside a building (line 3) unless a number stands before them."""

LOCALITY_TYPES = frozenset({"LIEU DIT", "HAMEAU", "VILLAGE", "QUARTIER", "ECART"})
"""Types of a line 5 unless a number stands before them."""


@dataclass(frozen=True, slots=True)
class StreetType:
    """A street type as it is met: its full word, its abbreviation, whether it may be cut first."""

    word: str
    short: str
    front: bool
    words: int
    exact: bool


@lru_cache(maxsize=1)
def street_types() -> dict[str, StreetType]:
    """Give every way of writing a street type."""
    found: dict[str, StreetType] = {}
    for row in read_table(STREET_TYPES):
        word, short, front = row["word"], row["short"], row["front"] == "1"
        for variant in filter(None, row["variants"].split("|")):
            found[variant] = StreetType(word, short, front, variant.count(" ") + 1, exact=False)
    for row in read_table(STREET_TYPES):
        word, short, front = row["word"], row["short"], row["front"] == "1"
        found[word] = StreetType(word, short, front, word.count(" ") + 1, exact=True)
    return found


@lru_cache(maxsize=1)
def type_starts() -> dict[str, tuple[tuple[tuple[str, ...], StreetType], ...]]:
    """Give street types by their first word, longest first."""
    found: dict[str, list[tuple[tuple[str, ...], StreetType]]] = {}
    for variant, kind in street_types().items():
        words = tuple(variant.split())
        found.setdefault(words[0], []).append((words, kind))
    return {word: tuple(sorted(kinds, key=lambda item: -len(item[0]))) for word, kinds in found.items()}


def type_at(words: list[str], at: int) -> StreetType | None:
    """Give the street type that begins at a word, the longest one."""
    if at >= len(words):
        return None
    for spelling, kind in type_starts().get(words[at], ()):
        if len(spelling) == 1 or tuple(words[at : at + len(spelling)]) == spelling:
            return kind
    return None


_GLUED = re.compile(r"(\d{1,4}|\d{5})([A-Z]{3,})$")


def unglued(folded: str) -> list[str]:
    """Give the words of a folded text, ``12RUE`` and ``64530LABATMALE`` taken apart."""
    words = folded.split()
    if not any(len(word) > 3 and word[0].isdigit() and not word.isdigit() for word in words):
        return words
    found: list[str] = []
    for word in words:
        match = _GLUED.match(word)
        apart = match and (len(match[1]) == 5 or (match[2] in type_starts() and match[2] not in ("TER", "BIS")))
        found += [match[1], match[2]] if match and apart else [word]
    return found


@lru_cache(maxsize=4)
def line_words(step: str) -> dict[str, str]:
    """Give the abbreviations of one step (``titre`` or ``mot``)."""
    return {row["word"]: row["short"] for row in read_table(LINE_WORDS) if row["step"] == step}
