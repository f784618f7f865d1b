"""What is known of e-mail domains and local parts: providers, their usual typing errors, roles, placeholders.

Errors are of two strengths. A domain that nobody can own, or that only a slip of the finger makes, is
corrected; one that somebody may own is only suggested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from disposable_email_domains import blocklist
from phonenumbers import SUPPORTED_REGIONS

FREE, DISPOSABLE, ROLE, PROFESSIONAL = "gratuit", "jetable", "role", "professionnel"

COMMON = (
    "gmail.com", "orange.fr", "hotmail.fr", "wanadoo.fr", "free.fr", "hotmail.com", "yahoo.fr", "sfr.fr", "laposte.net",
    "outlook.fr", "live.fr", "icloud.com", "neuf.fr", "yahoo.com", "outlook.com", "bbox.fr", "aol.com", "msn.com",
    "club-internet.fr", "numericable.fr", "aliceadsl.fr", "cegetel.net", "voila.fr", "me.com", "gmx.fr", "ymail.com",
    "noos.fr", "live.com", "protonmail.com", "proton.me", "mac.com", "dbmail.com", "googlemail.com", "gmx.com",
    "9online.fr", "tele2.fr", "dartybox.com", "libertysurf.fr", "infonie.fr", "rocketmail.com", "hotmail.be", "live.be",
)  # fmt: skip
"""The commonest domains of private addresses in France, the most frequent first."""

_OTHER_FREE = (
    "mail.com", "email.com", "yandex.com", "yandex.ru", "mail.ru", "zoho.com", "hushmail.com", "fastmail.com",
    "fastmail.fm", "tutanota.com", "tuta.io", "pm.me", "protonmail.ch", "mailo.com", "netcourrier.com",
    "caramail.com", "caramail.fr", "worldonline.fr", "nordnet.fr", "netplus.ch", "bluewin.ch", "skynet.be",
    "telenet.be", "proximus.be", "scarlet.be", "web.de", "t-online.de", "gmx.de", "gmx.net", "gmx.at", "gmx.ch",
    "freenet.de", "libero.it", "virgilio.it", "alice.it", "tiscali.it", "tiscali.fr", "btinternet.com", "sky.com",
    "virginmedia.com", "comcast.net", "verizon.net", "att.net", "sympatico.ca", "videotron.ca", "orange.com",
    "laposte.fr", "sfr.com", "free.com", "orange.net", "freesbee.fr", "ifrance.com", "chello.fr", "evc.net",
    "mageos.com", "oreka.com", "mailfence.com", "qq.com", "163.com", "126.com", "naver.com", "sapo.pt", "wp.pl",
    "onet.pl", "o2.pl", "seznam.cz", "uol.com.br", "terra.com.br", "terra.es", "mediaserv.net", "wanadoo.re",
    "only.fr", "akeonet.com", "canl.nc", "lagoon.nc", "mail.pf", "wanadoo.nc", "izi.re",
)  # fmt: skip
_STAFF = frozenset(("orange.com", "laposte.fr", "sfr.com", "free.com", "orange.net"))
"""Domains of companies that look like a private provider's; never suggested away."""

_FREE = frozenset((*COMMON, *_OTHER_FREE)) - _STAFF
_COUNTRY_FORMS = re.compile(r"(?:yahoo|hotmail|live|outlook|msn|aol|gmx|yandex|orange|icloud)\.(?:com?\.)?[a-z]{2}")

_CORRECT = {
    "gmail.com": (
        "gmial gmai gmal gmil gmali gmaill gmaiil gmmail gamil gnail gmaol gmaik gmqil gmzil hmail ggmail "
        "gemail gimail g-mail gmaul gmsil gmaip gamail gmailc"
    ),
    "hotmail.com hotmail.fr": (
        "hotmial homail hotmil hotmai hotmal hotmaill hotamil hormail hitmail hotmali hoymail hotnail hotmaul "
        "hotmaol hootmail hotmmail hotmeil hotmaik hotmqil hptmail otmail hotail hotimail hot-mail"
    ),
    "yahoo.fr yahoo.com": "yaho yahooo yhaoo yhoo yahho yaoo yahou yahoi yaaho ayhoo uahoo tahoo yajoo",
    "outlook.fr outlook.com": (
        "oulook outloock outlok outloook outook outllook oultook otlook outlool outlouk outlock"
    ),
    "wanadoo.fr": (
        "wanado wanaddo wandoo wanadou wandaoo wannadoo wanadooo wanaoo wanadoi wanodoo wanadoa wanaado "
        "vanadoo wwanadoo wanado0 wana-doo"
    ),
    "orange.fr": "ornage oragne orangr ornge orang oorange orannge oranhe oranfe orqnge",
    "laposte.net": "lapost laposete lapsote lapostte lapotse laoste lposte laposre la-poste lapooste laposte.com",
    "icloud.com": "iclould icoud iclod icloude icluod icould iclou",
    "free.fr": "freee frree feee fre.e frer",
    "sfr.fr": "sffr sfrr ssfr",
    "live.fr live.com": "livve liive",
    "neuf.fr": "neuff neuuf",
    "protonmail.com": "protonmial protonmai protonmal protomail",
    "numericable.fr": "numericble numericabe numericale",
    "club-internet.fr": "clubinternet club-intenet club-internert club-intermet",
}  # fmt: skip
"""Providers to the misspelt names that are slips of the finger; a name with a dot is a whole domain."""

_SUGGEST = {
    "gmail.com": "gmail.fr gmail.co gmail.cm gmail.net gmail.org gmail.eu gmail.be gmail.om gmail.cam",
    "orange.fr": "orage.fr range.fr",
    "laposte.net": "laposte.com laposte.org laposte.ne",
    "wanadoo.fr": "wanadoo.com wanadoo.net",
    "icloud.com": "icloud.fr icloud.co",
    "hotmail.com": "hotmail.co hotmail.cm hotmail.om",
    "yahoo.com": "yahoo.co yahoo.cm",
    "free.fr": "freefr.fr",
    "proton.me": "proton.fr proton.com",
}
_FIXED_TLD = {"gmail": "gmail.com", "orange": "orange.fr", "wanadoo": "wanadoo.fr", "laposte": "laposte.net",
              "icloud": "icloud.com", "free": "free.fr", "sfr": "sfr.fr", "neuf": "neuf.fr", "bbox": "bbox.fr",
              "numericable": "numericable.fr", "protonmail": "protonmail.com", "googlemail": "googlemail.com",
              "aliceadsl": "aliceadsl.fr", "club-internet": "club-internet.fr"}  # fmt: skip
"""Providers with one ending: what a name without an ending stands for."""

_BROKEN = {
    "com": "con cmo ocm vom xom cpm cim coom comm ccom coml clm cok cop col vcom c0m conm comn cpom cmm cvom ckm",
    "fr": "frr f ffr rf ft fe fre dr fr1 fra frf fc vr gfr frd ftr frfr",
    "net": "nte ent nett nnet met neet ner nrt nt ney net1",
}
_REAL_TLDS = frozenset(("met", "ne", "om", "cm", "bet", "eu", "uk", "su"))
"""Endings that exist although they look like a slip."""

_BROKEN_TLDS = {
    wrong: right
    for right, wrongs in _BROKEN.items()
    for wrong in wrongs.split()
    if wrong not in _REAL_TLDS and wrong.upper() not in SUPPORTED_REGIONS
}

RESERVED = frozenset(
    ("test", "local", "localhost", "invalid", "onion", "arpa", "example", "internal", "lan", "localdomain")
)
"""Endings that no public domain has."""

ROLES = frozenset(
    ("abuse", "accueil", "achat", "achats", "admin", "administrateur", "administration", "adv", "agence", "bonjour",
     "boutique", "bureau", "cabinet", "candidature", "candidatures", "commande", "commandes", "commercial",
     "communication", "compta", "comptabilite", "contact", "contacts", "contact-us", "courrier", "devis", "direction",
     "do-not-reply", "donotreply", "dpo", "emploi", "equipe", "export", "facturation", "factures", "formation",
     "hello", "help", "hostmaster", "hr", "info", "information", "informations", "infos", "job", "jobs", "juridique",
     "livraison", "logistique", "magasin", "mailer-daemon", "mairie", "marketing", "ne-pas-repondre", "nepasrepondre",
     "newsletter", "no-reply", "no.reply", "no_reply", "noreply", "notification", "notifications", "office",
     "partenariat", "paie", "pharmacie", "postmaster", "presse", "production", "qualite", "reception", "recrutement",
     "reply", "reservation", "reservations", "restaurant", "rgpd", "rh", "root", "sales", "sav", "secretariat",
     "secretaire", "security", "service", "service-client", "serviceclient", "services", "standard", "support",
     "syndic", "technique", "vente", "ventes", "web", "webmaster",))  # fmt: skip
"""Local parts that a function holds, not a person."""

REPEATED = r"([a-z0-9])\1{2,}"
"""One character three times or more."""

PLACEHOLDER_LOCAL = (
    r"(?:(?:pas|sans|no|non|aucun|aucune|nul|sin|kein)[-_.]?(?:de|d|d')?[-_.]?(?:e?-?mails?|mel|adresse|address|courriel)"
    r"|inconnue?s?|unknown|tests?|teste|test[-_.]?\d+|essai|n[-_.]?[acr]|none|null|nil|nan|refus[ée]?|neant|aucune?|rien|vide"
    r"|azerty|qwerty|azertyuiop|qwertyuiop|anonyme|anonymous|nomail|nomel|noemail|fake|faux|bidon|toto|tata|titi"
    r"|exemple|example|votre[-_.]?(?:e?mail|adresse|nom)|your[-_.]?(?:e?mail|name)|(?:pre)?nom\.(?:pre)?nom|nsp|npai"
    rf"|abcd?|asdf|123\d*|{REPEATED}|client|sansadresse|pas(?:de)?)\d{{0,3}}"
)
"""Local parts that only fill a mandatory field."""

_PLACEHOLDER_LOCAL = re.compile(PLACEHOLDER_LOCAL)
PLACEHOLDER_DOMAINS = frozenset(
    ("aucun.fr", "aucun.com", "test.fr", "test.com", "test.net", "nomail.com", "nomail.fr", "noemail.com",
     "nomail.net", "example.com", "example.org", "example.net", "example.fr", "exemple.fr", "exemple.com",
     "inconnu.fr", "inconnu.com", "sansmail.fr", "sansmail.com", "pasdemail.fr", "pasdemail.com", "pas.fr",
     "domain.com", "domaine.com", "domaine.fr", "email.fr", "mail.fr", "adresse.fr", "nc.fr", "na.fr", "nr.fr",
     "neant.fr", "rien.fr", "vide.fr", "fake.com", "xxx.fr", "xxx.com", "xx.fr", "xx.xx", "toto.fr", "toto.com",
     "azerty.fr", "azerty.com",))  # fmt: skip


class Domain(NamedTuple):
    """What is known of a domain.

    Attributes:
        value: The domain to use: itself, corrected, or suggested.
        strength: ``correct``, ``suggest``, or empty where nothing is to change.
        type: ``gratuit``, ``jetable`` or ``professionnel``, of ``value``.
    """

    value: str
    strength: str
    type: str


@lru_cache(maxsize=65_536)
def domain_of(domain: str) -> Domain:
    """Judge a domain in lower-case ASCII form."""
    value, strength = _mended(domain)
    return Domain(value, strength, _type(value))


def is_placeholder_address(local: str, domain: str) -> bool:
    """Tell whether an address only fills a mandatory field."""
    name = domain.rpartition(".")[0]
    same = local == name and (len(set(local)) == 1 or len(local) <= 3)
    return domain in PLACEHOLDER_DOMAINS or same or _PLACEHOLDER_LOCAL.fullmatch(local) is not None


def provider_without_ending(name: str) -> str:
    """Give the provider's domain that a name without its ending or its dot stands for, else an empty text."""
    glued = next((domain for domain in COMMON if domain.replace(".", "") == name), "")
    return glued or _FIXED_TLD.get(name, "")


def _type(domain: str) -> str:
    if any(parent in blocklist for parent in _with_parents(domain)):
        return DISPOSABLE
    private = domain in _FREE or (_COUNTRY_FORMS.fullmatch(domain) is not None and domain not in _STAFF)
    return FREE if private else PROFESSIONAL


def _with_parents(domain: str) -> Iterator[str]:
    while "." in domain:
        yield domain
        domain = domain.partition(".")[2]


def _mended(domain: str) -> tuple[str, str]:
    """Give the domain that was meant, and how sure that is."""
    if domain in _FREE or domain in _STAFF or (_COUNTRY_FORMS.fullmatch(domain) and domain not in _SUGGESTED):
        return domain, ""
    known = _CORRECTED.get(domain)
    if known:
        return known, "correct"
    if domain in _SUGGESTED:
        return _SUGGESTED[domain], "suggest"
    name, _, ending = domain.rpartition(".")
    right = _BROKEN_TLDS.get(ending)
    if right is not None:
        whole = f"{name}.{right}"
        meant = _FIXED_TLD.get(name, whole)
        found = _mended(meant)[0]
        return found, "correct" if found in _FREE else "suggest"
    near = _near(domain)
    return (near, "suggest") if near else (domain, "")


def _near(domain: str) -> str:
    """Give the common domain at distance one: any slip in long names, a doubled or swapped letter in short ones."""
    name, _, ending = domain.rpartition(".")
    for common in COMMON:
        long_name, _, long_ending = common.rpartition(".")
        if ending != long_ending or abs(len(name) - len(long_name)) > 1:
            continue
        kind = _slip(name, long_name)
        if kind and (len(long_name) >= 5 or (len(long_name) >= 3 and kind in ("swapped", "doubled"))):
            return common
    return ""


def _slip(typed: str, meant: str) -> str:
    """Name the one slip between two names: ``swapped``, ``doubled``, ``other``; empty where there are more or none."""
    if typed == meant:
        return ""
    start = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant)))
    rest_typed, rest_meant = typed[start:], meant[start:]
    if rest_typed[2:] == rest_meant[2:] and rest_typed[:2] == rest_meant[:2][::-1] and len(rest_meant) >= 2:
        return "swapped"
    if rest_typed[1:] == rest_meant:
        return "doubled" if start and typed[start] == typed[start - 1] else "other"
    return "other" if rest_typed in (rest_meant[1:],) or rest_typed[1:] == rest_meant[1:] else ""


def _corrected() -> dict[str, str]:
    pairs: dict[str, str] = {}
    for rights, wrongs in _CORRECT.items():
        for right in rights.split():
            ending = right.rpartition(".")[2]
            for wrong in wrongs.split():
                pairs[wrong if "." in wrong else f"{wrong}.{ending}"] = right
    return {wrong: right for wrong, right in pairs.items() if wrong not in _FREE}


_SUGGESTED = {wrong: right for right, wrongs in _SUGGEST.items() for wrong in wrongs.split()}
_CORRECTED = {wrong: right for wrong, right in _corrected().items() if wrong not in _SUGGESTED}
