"""The feeds that know contacts by name: CRM, web shop, loyalty cards, call notes, newsletter, partner.

Each function returns one feed's records in the columns of its file; how files are written is ``files``'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from datadock.demo import alter
from datadock.demo.damage import Damage
from datadock.demo.feed import Feed, company_ids, household_ids, join, number_text, person_ids
from datadock.demo.plan import Roster
from datadock.demo.streams import Rng, chance
from datadock.demo.views import Look, seen, written_phone
from datadock.demo.world import I32, World

_ROLES = pl.Series(["Décideur", "Utilisateur", "Payeur"])
_JOBS = pl.Series(
    ["Gérant", "Responsable achats", "Comptable", "Assistante", "Directeur technique", "Chargé de clientèle"]
)


def days_text(days: I32, pattern: str) -> pl.Series:
    """Write days since 1970 by a strftime pattern."""
    return pl.Series(days).cast(pl.Date).dt.strftime(pattern)


def moments(days: I32, rng: Rng) -> pl.Series:
    """Return a time in opening hours of each day, to the second."""
    seconds = days.astype(np.int64) * 86_400 + rng.integers(8 * 3600, 20 * 3600, len(days))
    return pl.Series(seconds * 1_000_000).cast(pl.Datetime("us"))


def nulls(size: int, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Series:
    """Return a column of nothing."""
    return pl.Series([None], dtype=dtype).new_from_index(0, size)


def crm(world: World, rosters: Mapping[str, Roster], damage: Damage, rng: Rng) -> Feed:
    """Build the CRM export: private customers, companies, and the people known inside companies."""
    people, staff, firms = rosters["crm"], rosters["crm_staff"], rosters["crm_companies"]
    firm_keys = nulls(len(world.companies.siren))
    known = rosters.get("crm_companies_known", firms)
    # Of a company entered twice, people stand under the last number.
    firm_keys = firm_keys.scatter(known.who, number_text("E", known.number)) if len(known) else firm_keys
    parts = [
        _crm_people(world, people, "Particulier", "C", damage, rng),
        _crm_staff(world, staff, firm_keys, damage, rng),
        _crm_companies(world, firms, damage, rng),
    ]
    everything = join(parts)
    return everything.take(rng.permutation(len(everything)))


def _crm_people(world: World, roster: Roster, kind: str, prefix: str, damage: Damage, rng: Rng) -> Feed:
    view = seen(world, roster, Look(birth_date=0.75, email=0.7, mobile=0.75, phone=0.5), damage, rng)
    frame = view.select(
        number_text(prefix, roster.number).alias("N° contact"),
        pl.lit(kind).alias("Type"),
        pl.col("civility").alias("Civilité"),
        pl.col("family_name").alias("Nom"),
        pl.col("given_name").alias("Prénom"),
        pl.col("birth_name").alias("Nom de naissance"),
        pl.col("birth_date").alias("Date de naissance"),
        pl.lit(None, dtype=pl.String).alias("Société"),
        pl.lit(None, dtype=pl.String).alias("SIREN"),
        pl.lit(None, dtype=pl.String).alias("SIRET"),
        pl.lit(None, dtype=pl.String).alias("Fonction"),
        pl.lit(None, dtype=pl.String).alias("Rôle"),
        pl.lit(None, dtype=pl.String).alias("N° société"),
        pl.col("email").alias("E-mail"),
        pl.col("email_2").alias("E-mail 2"),
        pl.col("phone").alias("Téléphone"),
        pl.col("mobile").alias("Mobile"),
        pl.col("line").alias("Adresse"),
        pl.col("extra").alias("Complément"),
        pl.col("postcode").alias("Code postal"),
        pl.col("city").alias("Ville"),
        pl.lit("France").alias("Pays"),
        pl.Series("Modifié le", roster.when),
    )
    return Feed(frame, "N° contact", person_ids(world, roster.who), household_ids(world, roster.who))


def _crm_staff(world: World, roster: Roster, firm_keys: pl.Series, damage: Damage, rng: Rng) -> Feed:
    """People in companies: the firm's address and switchboard, an e-mail at work, mostly their own mobile."""
    feed = _crm_people(world, roster, "Interlocuteur", "I", damage, rng)
    firms, employer = world.companies, world.people.employer[roster.who]
    size = len(roster)
    given = world.reference.given.unaccented.gather(world.people.given[roster.who])
    surname = world.reference.surnames.unaccented.gather(world.people.family[roster.who])
    local = (given.str.slice(0, 1) + "." + surname).str.to_lowercase().str.replace_all(r"[^a-z.-]", "")
    work = (local + "@" + firms.domain.gather(employer)).set(pl.Series(~chance(rng, 0.8, size)), None)
    mobile = written_phone(world.people.mobile.gather(roster.who).set(pl.Series(~chance(rng, 0.92, size)), None), rng)
    frame = feed.frame.with_columns(
        firms.name.gather(employer).alias("Société"),
        _JOBS.gather(rng.integers(0, len(_JOBS), size)).alias("Fonction"),
        alter.blank(_ROLES.gather(rng.integers(0, len(_ROLES), size)), rng, 0.1).alias("Rôle"),
        firm_keys.gather(employer).alias("N° société"),
        work.alias("E-mail"),
        written_phone(firms.phone.gather(employer), rng).alias("Téléphone"),
        mobile.alias("Mobile"),
        firms.line.gather(employer).alias("Adresse"),
        pl.lit(None, dtype=pl.String).alias("Complément"),
        firms.postcode.gather(employer).alias("Code postal"),
        firms.city.gather(employer).alias("Ville"),
    )
    return Feed(frame, feed.key, feed.entity, feed.household)


def _crm_companies(world: World, roster: Roster, damage: Damage, rng: Rng) -> Feed:
    firms, who, size = world.companies, roster.who, len(roster)
    frame = pl.DataFrame(
        {
            "N° contact": number_text("E", roster.number),
            "Type": pl.Series(["Société"]).new_from_index(0, size),
            "Société": company_names(world, who, damage, rng),
            "SIREN": alter.blank(firms.siren.gather(who), rng, 0.2),
            "SIRET": alter.blank(firms.siret.gather(who), rng, 0.3),
            "E-mail": alter.blank(firms.email.gather(who), rng, 0.3),
            "Téléphone": written_phone(alter.blank(firms.phone.gather(who), rng, 0.2), rng),
            "Adresse": alter.typo(firms.line.gather(who), rng, damage.typo),
            "Code postal": firms.postcode.gather(who),
            "Ville": firms.city.gather(who),
            "Pays": pl.Series(["France"]).new_from_index(0, size),
            "Modifié le": pl.Series(roster.when),
        }
    )
    return Feed(frame, "N° contact", company_ids(world, who), nulls(size))


def company_names(world: World, who: np.ndarray, damage: Damage, rng: Rng) -> pl.Series:
    """Write company names as feeds do: legal form before, after or left out; capitals; typos."""
    firms = world.companies
    name, form = alter.typo(firms.name.gather(who), rng, damage.typo), firms.form.gather(who)
    style = rng.integers(0, 3, len(who))
    before, after = np.flatnonzero(style == 1), np.flatnonzero(style == 2)
    name = alter.touch(name, before, lambda part: form.gather(before) + " " + part)
    name = alter.touch(name, after, lambda part: part + " " + form.gather(after))
    return alter.upper(name, chance(rng, damage.upper_case, len(who)))


def loyalty(world: World, rosters: Mapping[str, Roster], damage: Damage, rng: Rng) -> Feed:
    """Build the loyalty cards of the tills: handwritten forms, the shop where the card was taken."""
    roster = rosters["loyalty"]
    view = seen(world, roster, Look(care=1.5, email=0.6, mobile=0.85, phone=0.25, birth_date=0.8), damage, rng)
    home = world.households.store[world.people.household[roster.who]]
    shop = np.where(chance(rng, 0.9, len(roster)), home, rng.integers(0, len(world.stores.code), len(roster)))
    joined = roster.when - rng.integers(0, 900, len(roster)).astype(np.int32)
    stores = world.stores
    frame = view.select(
        number_text("F", roster.number).alias("N° carte"),
        pl.col("civility").alias("Civilité"),
        pl.col("family_name").alias("Nom"),
        pl.col("given_name").alias("Prénom"),
        pl.col("birth_date").alias("Né(e) le"),
        pl.col("line").alias("Adresse"),
        pl.col("postcode").alias("Code postal"),
        pl.col("city").alias("Ville"),
        pl.col("phone").alias("Tél. fixe"),
        pl.col("mobile").alias("Portable"),
        pl.col("email").alias("Courriel"),
        stores.code.gather(shop).alias("Code magasin"),
        stores.name.gather(shop).alias("Magasin"),
        stores.postcode.gather(shop).alias("CP magasin"),
        stores.city.gather(shop).alias("Ville magasin"),
        days_text(joined, "%d/%m/%Y").alias("Date d'adhésion"),
        days_text(roster.when, "%d/%m/%Y").alias("Date de mise à jour"),
    )
    return Feed(frame, "N° carte", person_ids(world, roster.who), household_ids(world, roster.who))


_MOTIFS = (
    "Livraison en retard",
    "Changement d'adresse",
    "Demande de remboursement",
    "Question sur la carte",
    "Panne",
    "Devis",
)


def calls(world: World, rosters: Mapping[str, Roster], damage: Damage, rng: Rng) -> Feed:
    """Build the call notes: labelled lines and a sentence, one message a call."""
    roster = rosters["calls"]
    view = seen(world, roster, Look(care=2, birth_date=0.2, email=0.25, mobile=0.85, phone=0.6), damage, rng)
    number = number_text("A", roster.number)
    frame = view.select(
        number.alias("Dossier"),
        moments(roster.when, rng).dt.strftime("%a, %d %b %Y %H:%M:%S +0000").alias("date"),
        pl.col("civility").alias("Civilité"),
        pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True).alias("Nom"),
        pl.coalesce("mobile", "phone").alias("Téléphone"),
        pl.col("email").alias("Courriel"),
        pl.col("birth_date").alias("Naissance"),
        pl.col("postcode").alias("CP"),
        pl.col("city").alias("Ville"),
        pl.Series(_MOTIFS).gather(rng.integers(0, len(_MOTIFS), len(roster))).alias("Motif"),
    )
    return Feed(frame, "Dossier", person_ids(world, roster.who), household_ids(world, roster.who))


_PURPOSES = pl.Series(["newsletter", "offres", "partenaires"])
_PROOFS = pl.Series(["double opt-in", "formulaire magasin", "case cochée commande", "appel enregistré"])


def newsletter(world: World, rosters: Mapping[str, Roster], damage: Damage, rng: Rng) -> Feed:
    """Build the consents: one or two decisions per e-mail; an address written wrongly bounces."""
    roster = rosters["newsletter"]
    view = seen(world, roster, Look(email=1.0), damage, rng)
    truly = world.people.email.gather(roster.who)
    second = chance(rng, 0.5, len(roster)) & world.people.email_2.gather(roster.who).is_not_null().to_numpy()
    repeat = pl.Series(~pl.Series(roster.who).is_first_distinct().to_numpy() & second)
    email = view["email"].zip_with(~repeat, world.people.email_2.gather(roster.who))
    good = email.str.contains("@", literal=True) & ~email.is_in(alter.JUNK_EMAILS) & email.is_first_distinct()
    rows = np.flatnonzero(good.fill_null(value=False).to_numpy())
    rows = np.sort(np.concatenate([rows, rows[chance(rng, 0.15, len(rows))]]))
    size = len(rows)
    again = np.concatenate([[False], rows[1:] == rows[:-1]])[:size]
    bounced = ((email != truly).to_numpy() & chance(rng, 0.7, len(roster)))[rows] | chance(rng, 0.02, size)
    hard = chance(rng, 0.6, size)
    decided = moments(roster.when[rows] + again * 3, rng)
    name = pl.select(pl.concat_str(view["given_name"], view["family_name"], separator=" ")).to_series()
    out = pl.Series(np.where(rng.random(size) < np.where(again, 0.5, 0.12), "opt-out", "opt-in"))
    frame = pl.DataFrame(
        {
            "email": email.gather(rows),
            "nom": alter.blank(name.gather(rows), rng, 0.2),
            "code_postal": alter.blank(view["postcode"].gather(rows), rng, 0.4),
            "langue": pl.Series(["fr", "fr", "fr", "en"]).gather(rng.integers(0, 4, size)),
            "finalite": _PURPOSES.gather(np.where(again, rng.integers(1, 3, size), 0)),
            "statut": out,
            "date_consentement": decided.dt.strftime("%Y-%m-%d %H:%M:%S"),
            "preuve": _PROOFS.gather(rng.integers(0, len(_PROOFS), size)),
            "rebond": pl.Series(np.where(hard, "hard", "soft")).set(pl.Series(~bounced), None),
            "motif_rebond": pl.Series(np.where(hard, "550 user unknown", "452 mailbox full")).set(
                pl.Series(~bounced), None
            ),
            "date_rebond": _later(decided, 2).set(pl.Series(~bounced), None),
        }
    )
    who = roster.who[rows]
    return Feed(frame, "email", person_ids(world, who), household_ids(world, who))


def _later(moment: pl.Series, days: int) -> pl.Series:
    return (moment.cast(pl.Int64) + days * 86_400_000_000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S")


def partner(world: World, rosters: Mapping[str, Roster], damage: Damage, rng: Rng) -> Feed:
    """Build the partner's prospects: capitals, no accents, dates without separators, people and small companies."""
    people, firms = rosters["partner"], rosters["partner_companies"]
    look = Look(
        capitals=1, plain=1, dates="%Y%m%d", email=0.6, mobile=0.75, phone=0.5, birth_date=0.6, titles=("MR", "MME")
    )
    view = seen(world, people, look, damage, rng)
    persons = view.select(
        number_text("Q", people.number).alias("prospect_id"),
        pl.lit("PP").alias("type_tiers"),
        pl.col("civility").alias("civilite"),
        pl.col("family_name").alias("nom"),
        pl.col("given_name").alias("prenom"),
        pl.lit(None, dtype=pl.String).alias("raison_sociale"),
        pl.lit(None, dtype=pl.String).alias("siren"),
        pl.col("birth_date").alias("date_naissance"),
        pl.col("line").alias("adresse"),
        pl.col("extra").alias("complement"),
        pl.col("postcode").alias("code_postal"),
        pl.col("city").alias("ville"),
        pl.coalesce("mobile", "phone").alias("tel"),
        pl.col("email").alias("courriel"),
        days_text(people.when, "%Y%m%d").alias("maj_le"),
    )
    who = firms.who
    companies = pl.DataFrame(
        {
            "prospect_id": number_text("R", firms.number),
            "type_tiers": pl.Series(["PM"]).new_from_index(0, len(firms)),
            "raison_sociale": company_names(world, who, damage, rng).str.to_uppercase(),
            "siren": alter.blank(world.companies.siren.gather(who), rng, 0.25),
            "adresse": world.companies.line.gather(who).str.to_uppercase(),
            "code_postal": world.companies.postcode.gather(who),
            "ville": world.companies.city.gather(who).str.to_uppercase(),
            "tel": written_phone(alter.blank(world.companies.phone.gather(who), rng, 0.3), rng),
            "courriel": alter.blank(world.companies.email.gather(who), rng, 0.4),
            "maj_le": days_text(firms.when, "%Y%m%d"),
        }
    )
    key = "prospect_id"
    return join(
        [
            Feed(persons, key, person_ids(world, people.who), household_ids(world, people.who)),
            Feed(companies, key, company_ids(world, who), nulls(len(firms))),
        ]
    )
