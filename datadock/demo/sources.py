"""The eight feeds as files: who builds each, how it is written, which faults are strewn in, what comes late.

One entry per source of the demo catalog, but for the facts (orders, postal returns), which ``parts`` adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from datadock.demo import files
from datadock.demo.feed import Builder, Spoiler, break_line, put
from datadock.demo.feed_eshop import KEY, LINE, eshop
from datadock.demo.feeds_contacts import calls, crm, loyalty, newsletter, partner

Writer = Callable[[Path, pl.DataFrame], None]


@dataclass(frozen=True)
class SourceFiles:
    """How one source's feed becomes files.

    Attributes:
        name: The source's name in the catalog.
        rosters: The rosters its records come from.
        build: Makes the records.
        write: Writes one file of them.
        suffix: End of the files' names.
        faults: What the bad rows suffer, in turn.
        rows: Most records a file may hold.
        late_without: Column that the late file lacks; empty means that this source has no late file.
    """

    name: str
    rosters: tuple[str, ...]
    build: Builder
    write: Writer
    suffix: str
    faults: tuple[Spoiler, ...]
    rows: int = 1_000_000
    late_without: str = ""


def _without_customer_id(rows: pl.DataFrame, _: int) -> pl.DataFrame:
    return rows.with_columns(pl.col(LINE).str.replace(r'"customer_id":"[^"]*"', '"customer_id":null'))


CRM = SourceFiles(
    name="crm_contacts",
    rosters=("crm", "crm_staff", "crm_companies"),
    build=crm,
    write=lambda path, frame: files.write_xlsx(path, frame, "Contacts", "Modifié le"),
    suffix=".xlsx",
    faults=(put("N° contact", None), put("Type", "#REF!")),
    rows=files.ROWS_PER_SHEET,
    late_without="E-mail 2",
)
ESHOP = SourceFiles(
    name="eshop_customers",
    rosters=("eshop", "eshop_pros"),
    build=eshop,
    write=lambda path, frame: files.write_jsonl(path, frame, LINE),
    suffix=".jsonl",
    faults=(break_line(KEY, "E-"), _without_customer_id),
)
LOYALTY = SourceFiles(
    name="loyalty_cards",
    rosters=("loyalty",),
    build=loyalty,
    write=lambda path, frame: files.write_csv(path, frame, ";", "latin-1"),
    suffix=".csv",
    faults=(
        break_line("N° carte", "F-"),
        put("N° carte", None),
        put("N° carte", "ILLISIBLE"),
        put("Code magasin", None),
    ),
    late_without="Portable",
)
CALLS = SourceFiles(
    name="call_notes",
    rosters=("calls",),
    build=calls,
    write=files.write_messages,
    suffix=".zip",
    faults=(put("Dossier", None),),
    rows=files.MESSAGES_PER_ARCHIVE,
)
NEWSLETTER = SourceFiles(
    name="newsletter",
    rosters=("newsletter",),
    build=newsletter,
    write=lambda path, frame: files.write_csv(path, frame, ",", "utf-8"),
    suffix=".csv",
    faults=(
        put("email", None),
        put("statut", "peut-être"),
        break_line("email", "ligne"),
        put("date_consentement", "hier"),
    ),
)
PARTNER = SourceFiles(
    name="partner_prospects",
    rosters=("partner", "partner_companies"),
    build=partner,
    write=lambda path, frame: files.write_sqlite(path, frame, "prospects"),
    suffix=".sqlite",
    faults=(put("prospect_id", None),),
    rows=2**40,
)

CONTACT_SOURCES = (ESHOP, CRM, LOYALTY, NEWSLETTER, PARTNER, CALLS)
"""The costliest first, so that two at a time end together."""
