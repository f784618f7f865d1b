"""How often each kind of damage strikes: the controllable rates of the demo company's feeds.

Only the rates and their reading from text stand here; what a damage does to a value is ``alter``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from datadock.errors import DatadockError


def _rate(default: float, meaning: str) -> float:
    value: float = field(default=default, metadata={"meaning": meaning})
    return value


@dataclass(frozen=True)
class Damage:
    """Rates of damage, each between 0 and 1; a careless source multiplies the rates of spelling."""

    typo: float = _rate(0.03, "a name, street or e-mail with one wrong, lost, doubled or swapped letter")
    swapped_date: float = _rate(0.015, "a birth date with day and month swapped")
    wrong_date: float = _rate(0.01, "a birth date that is off by a year or a digit")
    mixed_dates: float = _rate(0.1, "a date written in another format than its neighbours")
    married_name: float = _rate(0.35, "a married woman known under her birth name")
    hyphen: float = _rate(0.2, "a compound given name without its hyphen or its second part")
    inverted_names: float = _rate(0.01, "given and family name in each other's place")
    nickname: float = _rate(0.04, "a given name replaced by its short form")
    accents_lost: float = _rate(0.2, "a record typed without accents")
    upper_case: float = _rate(0.25, "a record typed in capitals")
    abbreviated_street: float = _rate(0.15, "a street type abbreviated")
    move: float = _rate(0.15, "a household that moved within the last years")
    shared_phone: float = _rate(0.08, "a member of a household on the head's mobile")
    shared_email: float = _rate(0.06, "a member of a household on the head's e-mail")
    junk_phone: float = _rate(0.01, "a phone such as 0600000000")
    junk_email: float = _rate(0.005, "an e-mail such as test@test.fr")
    junk_name: float = _rate(0.003, "a name such as inconnu or a full stop")
    missing: float = _rate(0.05, "a value left out although it is known")
    duplicate: float = _rate(0.04, "a person with a second record in the same source")
    homonym: float = _rate(0.01, "a person who bears the very name of somebody else")
    same_name_child: float = _rate(0.02, "a child who bears the given name of a parent at the same address")
    twin: float = _rate(0.03, "a second child born on the day of the first")
    bad_row: float = _rate(0.001, "an extra row that must end in quarantine")
    late: float = _rate(0.01, "a record sent again, late, in an older version and with a column missing")
    repeated: float = _rate(1.0, "whether small files are sent twice, byte for byte (above 0: yes)")

    def __post_init__(self) -> None:
        """Refuse a rate outside 0 to 1."""
        for name, rate in self.rates().items():
            if not 0 <= rate <= 1:
                raise DatadockError(
                    f"the damage rate {name} is {rate}",
                    expected="a number from 0 to 1",
                    action=f"use --damage {name}=0.05",
                )

    def rates(self) -> dict[str, float]:
        """Return every rate by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what each rate means, by name."""
        return {item.name: item.metadata["meaning"] for item in fields(cls)}

    @classmethod
    def none(cls) -> Damage:
        """Return rates of zero: every feed says the truth."""
        return cls(**dict.fromkeys(cls.meanings(), 0.0))

    @classmethod
    def from_options(cls, rates: Mapping[str, float], base: Damage | None = None) -> Damage:
        """Return the common rates (or ``base``) with those of ``rates`` in their place.

        Raises:
            DatadockError: For an unknown name or a rate outside 0 to 1.
        """
        for name in rates:
            if name not in cls.meanings():
                raise DatadockError(
                    f"no damage is called {name!r}",
                    expected=f"one of {', '.join(cls.meanings())}",
                    action="use --damage NAME=RATE, such as --damage typo=0.05",
                )
        return replace(base or cls(), **rates)
