"""A run that looks only at what something came of says what a run that looks at everything says."""

import random
from collections.abc import Iterator

import pytest

STREETS = ["1 RUE DU BAC", "2 RUE DU BAC", "3 PLACE BELLECOUR"]
MAILBOXES = ["x@free.fr", "y@free.fr", "z@orange.fr"]
CONTACTS = [str(number) for number in range(8)]
COLUMNS = ("source_key", "contact_key", "field", "value", "op", "usable", "reason", "incidents", "status", "until")


def history(chance: random.Random) -> Iterator[tuple[str, tuple, dict]]:
    """Give what happens on one day: calls of the deployment."""
    for _ in range(chance.randint(1, 3)):
        contact = chance.choice(CONTACTS)
        address = {"address_line": chance.choice(STREETS), "postcode": "69002", "city": "LYON"}
        mailbox = chance.choice(MAILBOXES)
        day = f"2026-0{chance.randint(1, 3)}-1{chance.randint(0, 9)}"
        yield chance.choice(
            [
                ("contact", (contact,), {"email": mailbox, **address, "record_updated_at": day}),
                ("contact", (contact,), {"email": mailbox, "email_2": chance.choice(MAILBOXES)}),
                (
                    "listed",
                    (f"l{chance.randint(1, 3)}", contact),
                    {"address_type": "other", "valid_to": day, **address},
                ),
                ("listed", (f"l{chance.randint(1, 3)}", contact), {"valid_from": day, **address}),
                ("move", (f"m{chance.randint(1, 2)}", contact), {"moves_on": day, **address}),
                ("event", ("postal_return", day, contact, "NPAI"), {"mailing": day}),
                ("event", ("postal_return", day, contact, "DCD"), address),
                ("event", ("bounce", day, contact, "hard"), {"contact_point": mailbox}),
                ("event", ("bounce", day, contact, "hard"), {}),
                ("event", ("delivery", day, contact), {"contact_point": mailbox}),
            ]
        )


@pytest.mark.parametrize("seed", range(2))
def test_looking_at_some_says_what_looking_at_all_says(two_docks, seed):
    chance = random.Random(seed)
    some, all_ = two_docks
    looked = 0
    for key in CONTACTS:
        for dock in two_docks:
            dock.contact(key, email=MAILBOXES[0], address_line=STREETS[0], postcode="69002", city="LYON")
    for place in range(6):
        for name, given, fields in history(chance):
            for dock in two_docks:
                getattr(dock, name)(*given, **fields)
        day = f"2026-03-{10 + 2 * place}"
        _, report = some.run(day)
        _, whole = all_.run(day)
        looked += report.looked_at < whole.looked_at
        assert (report.points, report.changes, report.usable) == (whole.points, whole.changes, whole.usable)
        assert some.state(*COLUMNS, op=None) == all_.state(*COLUMNS, op=None)
    assert looked > 0
