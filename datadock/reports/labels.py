"""What the words of data quality mean to a steward: faults in French, as the normalisers tell them, and what to do.

Detail codes have their labels beside the code that gives them; here stand the reasons that come from elsewhere.
"""

from __future__ import annotations

from datadock.quality.address.model import DETAIL_CODES
from datadock.quality.contact_codes import CONTACT_CODES

REASONS = {
    "A_CONFIRMER": "la valeur est à confirmer",
    "REJETEE": "la valeur est inutilisable",
    "VIDE": "la valeur ne dit rien",
    "RETOURS": "plusieurs courriers sont revenus",
    "DECES": "un courrier est revenu avec la mention décédé",
    "REBOND_DUR": "la boîte n'existe plus : rebond définitif",
    "REBONDS": "rebonds temporaires répétés",
    "DEMENAGEMENT": "le contact a déménagé",
    "ANNONCEE": "la nouvelle adresse n'est pas encore en vigueur",
    "PERIODE_FINIE": "la période de l'adresse est finie",
    "REMPLACEE": "une autre valeur l'a remplacée",
    "RETIREE": "la source ne la donne plus",
}
"""Why a contact point may not be used, beside the codes of its value."""

ADVICE = {
    "RETOURS": "Ask for the new address by e-mail or phone; stop sending letters meanwhile.",
    "DECES": "Have somebody confirm it; then close every channel of the contact.",
    "REBOND_DUR": "Ask for another e-mail at the next order or call; stop sending.",
    "REBONDS": "Wait for a delivery; ask for another e-mail where none comes.",
    "DEMENAGEMENT": "Ask for the new address, or order the change-of-address file.",
    "ANNONCEE": "Nothing: it comes into force on its day.",
    "PERIODE_FINIE": "Ask whether the address still holds, and where the contact lives now.",
    "VOIE_ABSENTE": "Make the street a required field of the form, or order an enrichment.",
    "COMMUNE_AMBIGUE": "Ask for the town beside the postal code.",
    "COMMUNE_INCONNUE": "Let the form propose towns by postal code.",
    "CP_INCONNU": "Let the form propose towns by postal code.",
    "CP_COMMUNE_DISCORDANTS": "Let the form propose towns by postal code.",
    "NUMERO_ABSENT": "Ask for the house number in the form.",
    "VALEUR_BOUCHON": "Make the field optional: people type junk to get past it.",
    "SANS_CHIFFRE": "Make the field optional: people type junk to get past it.",
    "CHIFFRES_REPETES": "Make the field optional: people type junk to get past it.",
    "CHIFFRES_EN_SUITE": "Make the field optional: people type junk to get past it.",
    "LONGUEUR": "Check the number while it is typed.",
    "NUMERO_INVALIDE": "Check the number while it is typed.",
    "DEMARCHAGE_AUTOMATISE": "Take the number out: nobody answers it.",
    "DOMAINE_SUGGERE": "Propose the likely domain while it is typed.",
    "INVERSION_PROBABLE": "Look whether the columns of first and family name are swapped at the sender.",
    "ORDRE_AMBIGU": "Ask for first and family name in two fields.",
    "CIVILITE_PRENOM_DISCORDANTS": "Look at the records below.",
}
"""What usually helps, by code."""

CHANNELS = {
    "postal": ("Post", "courrier"),
    "email": ("E-mail", "courriel"),
    "mobile": ("Mobile", "mobile"),
    "phone": ("Phone", "téléphone"),
    "address": ("Address", "adresse"),
    "name": ("Name", "nom"),
}
"""Names of channels in English and French, in the order in which contacts are reached."""


def fault(code: str, channel: str) -> str:
    """Return the French label of a fault.

    Args:
        code: Detail code, or the reason why a contact point may not be used.
        channel: Where it stands; ``address`` and ``postal`` have codes of their own.
    """
    own = DETAIL_CODES if channel in ("address", "postal") else CONTACT_CODES
    return own.get(code) or REASONS.get(code) or CONTACT_CODES.get(code) or code.replace("_", " ").lower()
