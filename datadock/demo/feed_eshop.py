"""The web shop's accounts as JSON lines: names typed by the customers, addresses with periods, roles in contracts.

The text of each line is put together column by column; no value that stands in it needs escaping but names of firms.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from datadock.demo import alter
from datadock.demo.damage import Damage
from datadock.demo.feed import Feed, company_ids, household_ids, join, number_text, person_ids
from datadock.demo.feeds_contacts import company_names, days_text, moments, nulls
from datadock.demo.plan import Roster
from datadock.demo.streams import Rng, chance
from datadock.demo.views import Look, address_at, seen, written_phone
from datadock.demo.world import World

LINE = "line"
KEY = "customer_id"


def text(column: pl.Expr | str) -> pl.Expr:
    """Return a column as JSON text: quoted, or null."""
    value = pl.col(column) if isinstance(column, str) else column
    safe = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return pl.concat_str(pl.lit('"'), safe, pl.lit('"')).fill_null("null")


def plain_text(column: str) -> pl.Expr:
    """Return a column as JSON text where no value holds a quote or a backslash: names of people and places never do."""
    return pl.concat_str(pl.lit('"'), pl.col(column), pl.lit('"')).fill_null("null")


def eshop(world: World, rosters: Mapping[str, Roster], damage: Damage, rng: Rng) -> Feed:
    """Build the accounts of people and of companies."""
    joined = join([_accounts(world, rosters["eshop"], damage, rng), _pros(world, rosters["eshop_pros"], damage, rng)])
    return joined.take(rng.permutation(len(joined)))


def _accounts(world: World, roster: Roster, damage: Damage, rng: Rng) -> Feed:
    look = Look(care=0.7, capitals=0.06, email=1.0, mobile=0.85, phone=0.0, birth_date=0.7, address=0.92,
                dates="%Y-%m-%d", titles=("mr", "mrs"))  # fmt: skip
    view = seen(world, roster, look, damage, rng)
    frame = view.with_columns(
        number_text("E", roster.number).alias(KEY),
        _handles(world, roster, rng).alias("handle"),
        pl.Series("language", ["fr", "fr", "fr", "fr", "en", "es"]).gather(rng.integers(0, 6, len(roster))),
        moments(roster.when - rng.integers(0, 700, len(roster)).astype(np.int32), rng)
        .dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("created_at"),
        moments(roster.when, rng).dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("updated_at"),
    )  # fmt: skip
    frame = frame.with_columns(
        _addresses(world, roster, view, rng).alias("addresses"), _contracts(world, roster, rng).alias("contracts")
    )
    line = pl.concat_str(
        pl.lit('{"customer_id":"'), pl.col(KEY), pl.lit('","account_type":"private","name":{"title":'),
        plain_text("civility"), pl.lit(',"first":'), plain_text("given_name"), pl.lit(',"last":'),
        plain_text("family_name"),
        pl.lit('},"company":null,"birth_date":'), plain_text("birth_date"), pl.lit(',"email":'), plain_text("email"),
        pl.lit(',"phone":'), plain_text("mobile"), pl.lit(',"main_address":{"line":'), plain_text("line"),
        pl.lit(',"extra":'), plain_text("extra"), pl.lit(',"postcode":'), plain_text("postcode"), pl.lit(',"city":'),
        plain_text("city"), pl.lit(',"country":"France"},"addresses":'), pl.col("addresses"), pl.lit(',"contracts":'),
        pl.col("contracts"), pl.lit(',"social":{"handle":'), plain_text("handle"), pl.lit('},"language":"'),
        pl.col("language"), pl.lit('","created_at":"'), pl.col("created_at"), pl.lit('","updated_at":"'),
        pl.col("updated_at"), pl.lit('"}'),
    ).alias(LINE)  # fmt: skip
    return Feed(frame.select(KEY, line), KEY, person_ids(world, roster.who), household_ids(world, roster.who))


def _handles(world: World, roster: Roster, rng: Rng) -> pl.Series:
    people = world.people
    given = world.reference.given.unaccented.gather(people.given[roster.who]).str.to_lowercase()
    # The figures are the person's own, so that no two people bear one handle.
    own = pl.Series(people.number[roster.who] % 9_973 * 10_007 % 99_991).cast(pl.String)
    unknown = pl.Series(~((people.number[roster.who] % 4 == 0) & chance(rng, 0.8, len(roster))))
    return ("@" + given.str.replace_all("-", "", literal=True) + own).set(unknown, None)


def _addresses(world: World, roster: Roster, view: pl.DataFrame, rng: Rng) -> pl.Series:
    """Return each account's addresses: the main one, the one before a move, one for deliveries."""
    size = len(roster)
    household = world.people.household[roster.who]
    home = world.households
    moved_on = home.moved_on[household]
    moved = (moved_on > 0) & (moved_on <= roster.when) & chance(rng, 0.6, size)
    nowhere = np.zeros(size, dtype=bool)
    before = address_at(world, household, moved_on - 1, nowhere, nowhere)
    neighbours = (household + 1) % len(home.dwelling)
    delivery = address_at(world, neighbours, roster.when, nowhere, nowhere)
    delivered = chance(rng, np.where(home.joint[household], 0.9, 0.2).astype(np.float64), size)
    frame = view.select("line", "extra", "postcode", "city").with_columns(
        since=days_text(np.maximum(moved_on, roster.when - 1500).astype(np.int32), "%Y-%m-%d"),
        until=days_text(moved_on, "%Y-%m-%d"),
        **{f"before_{name}": part for name, part in before.items()},
        **{f"delivery_{name}": part for name, part in delivery.items()},
        moved=pl.Series(moved),
        delivered=pl.Series(delivered),
    )
    main = _address("A1", "main", "", pl.concat_str(pl.lit('"'), "since", pl.lit('"')), pl.lit("null"))
    second = _address("A2", "former", "before_", pl.lit("null"), pl.concat_str(pl.lit('"'), "until", pl.lit('"')))
    third = _address("A3", "delivery", "delivery_", pl.concat_str(pl.lit('"'), "since", pl.lit('"')), pl.lit("null"))
    nothing = pl.lit("")
    whole = pl.concat_str(
        pl.lit("["),
        main,
        pl.when("moved").then(pl.concat_str(pl.lit(","), second)).otherwise(nothing),
        pl.when("delivered").then(pl.concat_str(pl.lit(","), third)).otherwise(nothing),
        pl.lit("]"),
    )
    return frame.select(pl.when(pl.col("line").is_null()).then(pl.lit("[]")).otherwise(whole)).to_series()


def _address(number: str, kind: str, prefix: str, since: pl.Expr, until: pl.Expr) -> pl.Expr:
    return pl.concat_str(
        pl.lit(f'{{"id":"{number}","type":"{kind}","line":'), plain_text(prefix + "line"), pl.lit(',"extra":'),
        plain_text(prefix + "extra"), pl.lit(',"postcode":'), plain_text(prefix + "postcode"), pl.lit(',"city":'),
        plain_text(prefix + "city"), pl.lit(',"country":"France","from":'), since, pl.lit(',"to":'), until, pl.lit("}"),
    )  # fmt: skip


def _contracts(world: World, roster: Roster, rng: Rng) -> pl.Series:
    """Return each account's roles: a couple's joint contract has two subscribers and one payer, children benefit."""
    people, who = world.people, roster.who
    household, place = people.household[who], people.place[who]
    joint, couple = world.households.joint[household], people.couple[who]
    own = chance(rng, 0.25, len(roster))
    frame = pl.DataFrame(
        {
            "shared": number_text("K", int(people.number[0]) + household),
            "own": number_text("L", people.number[who]),
            "since": days_text(roster.when - 400, "%Y-%m-%d"),
        }
    )
    shared, single = pl.col("shared"), pl.col("own")
    holder, partner = joint & couple & (place == 0), joint & couple & (place == 1)
    child = joint & couple & (place > 1)
    return frame.select(
        pl.when(pl.Series(holder))
        .then(pl.concat_str(pl.lit("["), _role(shared, "subscriber"), pl.lit(","), _role(shared, "payer"), pl.lit("]")))
        .when(pl.Series(partner))
        .then(pl.concat_str(pl.lit("["), _role(shared, "subscriber"), pl.lit("]")))
        .when(pl.Series(child))
        .then(pl.concat_str(pl.lit("["), _role(shared, "beneficiary"), pl.lit("]")))
        .when(pl.Series(own))
        .then(pl.concat_str(pl.lit("["), _role(single, "subscriber"), pl.lit(","), _role(single, "payer"), pl.lit("]")))
        .otherwise(pl.lit("[]"))
    ).to_series()


def _role(contract: pl.Expr, role: str) -> pl.Expr:
    return pl.concat_str(
        pl.lit('{"contract_id":"'), contract, pl.lit(f'","role":"{role}","since":"'), pl.col("since"), pl.lit('"}')
    )


def _pros(world: World, roster: Roster, damage: Damage, rng: Rng) -> Feed:
    firms, who = world.companies, roster.who
    frame = pl.DataFrame(
        {
            KEY: number_text("B", roster.number),
            "name": company_names(world, who, damage, rng),
            "siren": alter.blank(firms.siren.gather(who), rng, 0.1),
            "siret": alter.blank(firms.siret.gather(who), rng, 0.1),
            "email": firms.email.gather(who),
            "phone": written_phone(firms.phone.gather(who), rng),
            "street": firms.line.gather(who),
            "postcode": firms.postcode.gather(who),
            "city": firms.city.gather(who),
            "updated_at": moments(roster.when, rng).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    )
    line = pl.concat_str(
        pl.lit('{"customer_id":"'), pl.col(KEY), pl.lit('","account_type":"pro","name":null,"company":{"name":'),
        text("name"), pl.lit(',"siren":'), plain_text("siren"), pl.lit(',"siret":'), plain_text("siret"),
        pl.lit('},"email":'), text("email"), pl.lit(',"phone":'), plain_text("phone"),
        pl.lit(',"main_address":{"line":'), text("street"), pl.lit(',"extra":null,"postcode":'), plain_text("postcode"),
        pl.lit(',"city":'), text("city"), pl.lit(',"country":"France"},"addresses":[],"contracts":[],"language":"fr"'),
        pl.lit(',"updated_at":"'), pl.col("updated_at"), pl.lit('"}'),
    ).alias(LINE)  # fmt: skip
    return Feed(frame.select(KEY, line), KEY, company_ids(world, who), nulls(len(roster)))
