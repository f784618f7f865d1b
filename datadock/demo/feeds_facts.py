"""The feeds that know customers by number only: orders with their lines, and letters that came back.

Orders refer to accounts of the web shop or to loyalty cards; returns to CRM numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from datadock.demo.feed import number_text
from datadock.demo.feeds_contacts import days_text
from datadock.demo.plan import NUMBERS_PER_DELIVERY
from datadock.demo.streams import Ints, Rng, chance, some
from datadock.demo.world import I32

_PRODUCTS = 400
_NOUNS = (
    "Lampe",
    "Table",
    "Chaise",
    "Coussin",
    "Rideau",
    "Vase",
    "Tapis",
    "Miroir",
    "Étagère",
    "Plaid",
    "Bougie",
    "Cadre",
)
_STYLES = ("chêne", "lin", "laiton", "verre", "rotin", "marbre", "coton", "velours", "grès", "métal")
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Buyers:
    """Who may buy: their keys, and whose they are; ``store`` is the home store of a card, -1 for an account."""

    key: pl.Series
    entity: pl.Series
    store: Ints


@dataclass(frozen=True)
class Orders:
    """Orders as a frame for parquet, and who placed each in truth (bad rows have no one)."""

    table: pl.DataFrame
    truth: pl.DataFrame
    bad: int


def orders(
    accounts: Buyers, cards: Buyers, codes: pl.Series, day: int, span: int, each: tuple[float, float], rng: Rng,
    prefix: str, delivery: int, bad_rate: float,
) -> Orders:  # fmt: skip
    """Draw the orders of accounts (``each[0]`` on average) and cards (``each[1]``) within ``span`` days before ``day``.

    A card is used in its home store mostly, and in another one at times.
    """
    web = np.repeat(np.arange(len(accounts.key)), rng.poisson(each[0], len(accounts.key)))
    till = np.repeat(np.arange(len(cards.key)), rng.poisson(each[1], len(cards.key)))
    size = len(web) + len(till)
    store = np.concatenate([np.full(len(web), -1), cards.store[till]])
    elsewhere = (store >= 0) & chance(rng, 0.2, size)
    store = np.where(elsewhere, rng.integers(0, len(codes), size), store)
    none_web, none_till = _none(len(web)), _none(len(till))
    account = pl.concat([accounts.key.gather(web), none_till])
    card = pl.concat([none_web, cards.key.gather(till)])
    entity = pl.concat([accounts.entity.gather(web), cards.entity.gather(till)])
    number = number_text(prefix, (delivery - 1) * NUMBERS_PER_DELIVERY + 1 + np.arange(size))
    order = rng.permutation(size)
    moment = (day - 1 - rng.integers(0, span, size)) * _DAY + rng.integers(9 * 3600, 21 * 3600, size) * 1_000_000
    frame = pl.DataFrame(
        {
            "order_id": number,
            "source": pl.Series(np.where(store[order] < 0, "web", "store")),
            "store_code": codes.gather(pl.Series(store[order]).replace(-1, None)),
            "customer_id": account.gather(order),
            "loyalty_card": card.gather(order),
            "ordered_at": pl.Series(moment).cast(pl.Datetime("us", "UTC")),
            "currency": _one("EUR", size),
            "status": pl.Series(["paid", "paid", "shipped", "shipped", "shipped", "returned", "cancelled"]).gather(
                rng.integers(0, 7, size)
            ),
        }
    )
    bad = some(rng, bad_rate, size)
    if delivery == 1 and bad_rate > 0 and len(bad) < 3:
        bad = np.arange(min(3, size))
    # Bad orders are copies under numbers of their own, so that the good ones stay whole.
    extra = frame[pl.Series(bad)].with_columns(pl.concat_str(pl.lit("X"), "order_id").alias("order_id"))
    lines, totals = _lines(size + len(bad), rng)
    truth = pl.DataFrame({"order_id": number, "entity_id": entity.gather(order)})
    return Orders(_table(pl.concat([frame, extra]), lines, totals, size), truth, len(bad))


def _lines(size: int, rng: Rng) -> tuple[pl.Series, np.ndarray]:
    """Return each order's lines as a list of structs, and its total in cents."""
    catalogue = np.random.Generator(np.random.PCG64(1936))
    price = (np.exp(catalogue.normal(3.2, 0.8, _PRODUCTS)) * 100).astype(np.int64)
    label = (
        pl.Series(_NOUNS).gather(catalogue.integers(0, len(_NOUNS), _PRODUCTS))
        + " "
        + pl.Series(_STYLES).gather(catalogue.integers(0, len(_STYLES), _PRODUCTS))
    )
    code = number_text("SKU", np.arange(_PRODUCTS)).str.replace("SKU00000", "SKU", literal=True)
    count = np.minimum(rng.geometric(0.45, size), 8)
    ends = np.concatenate([[0], np.cumsum(count)])
    product = rng.integers(0, _PRODUCTS, int(ends[-1]))
    quantity = np.minimum(rng.geometric(0.75, len(product)), 9)
    amount = price[product] * quantity
    number = np.arange(len(product)) - np.repeat(ends[:-1], count) + 1
    structs = pl.DataFrame(
        {
            "line_no": number.astype(np.int32),
            "sku": code.gather(product),
            "label": label.gather(product),
            "quantity": quantity.astype(np.int32),
            "unit_price": _euros(price).gather(product),
            "amount": _euros(amount),
        }
    ).to_struct("lines")
    # Through Arrow: offsets make the lists without grouping anything.
    lists = pa.LargeListArray.from_arrays(pl.Series(ends).to_arrow(), structs.to_arrow())
    totals = np.add.reduceat(amount, ends[:-1]) if size else amount
    return pl.Series("lines", pl.from_arrow(lists)), totals


def _euros(cents: np.ndarray) -> pl.Series:
    # Exact: a double holds every count of cents that the twelve figures of the decimal have room for.
    return (pl.Series("amount", cents) / 100).cast(pl.Decimal(12, 2))


def _table(frame: pl.DataFrame, lines: pl.Series, totals: np.ndarray, good: int) -> pl.DataFrame:
    """Put orders and lines together; of the rows from ``good`` on, thirds are absurd, negative and without key."""
    row = np.arange(len(frame))
    third = (row - good) % 3
    totals = np.where(
        (row >= good) & (third == 0), 999_999_900, np.where((row >= good) & (third == 1), -totals, totals)
    )
    keyless = pl.Series((row >= good) & (third == 2))
    return frame.select(
        frame["order_id"].set(keyless, None),
        *frame.columns[1:6],
        _euros(totals),
        *frame.columns[6:],
        pl.col("ordered_at").alias("updated_at"),
        lines,
    )


def _one(value: str, size: int) -> pl.Series:
    return pl.Series([value]).new_from_index(0, size)


def _none(size: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


_CODES = pl.Series(["NPAI", "NPAI", "NPAI", "DCD", "REFUSE", "INCOMPLET", "NON_RECLAME"])
_LABELS = {
    "NPAI": "N'habite pas à l'adresse indiquée",
    "DCD": "Destinataire décédé",
    "REFUSE": "Pli refusé",
    "INCOMPLET": "Défaut d'accès ou d'adressage",
    "NON_RECLAME": "Pli avisé et non réclamé",
}


def postal_returns(clients: pl.Series, when: I32, rng: Rng, rate: float, delivery: int) -> pl.DataFrame:
    """Draw the letters that came back from a share of the CRM's addresses."""
    rows = some(rng, rate, len(clients))
    code = _CODES.gather(rng.integers(0, len(_CODES), len(rows)))
    number = (delivery - 1) * NUMBERS_PER_DELIVERY + 1 + np.arange(len(rows))
    return pl.DataFrame(
        {
            "id": number_text("RP", number),
            "client": clients.gather(rows),
            "date": days_text(when[rows] + rng.integers(1, 7, len(rows)).astype(np.int32), "%Y-%m-%d"),
            "code": code,
            "libelle": code.replace_strict(_LABELS, return_dtype=pl.String),
        }
    )
