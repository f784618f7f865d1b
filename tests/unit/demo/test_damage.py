import pytest

from datadock.demo import Damage
from datadock.errors import DatadockError


def test_options_replace_only_the_rates_they_name():
    damage = Damage.from_options({"typo": 0.5, "late": 0.0})
    assert (damage.typo, damage.late, damage.nickname) == (0.5, 0.0, Damage().nickname)


def test_an_unknown_damage_is_refused_with_the_names_that_exist():
    with pytest.raises(DatadockError, match="no damage is called 'typos'") as caught:
        Damage.from_options({"typos": 0.1})
    assert "swapped_date" in caught.value.expected


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_outside_0_to_1_is_refused(rate):
    with pytest.raises(DatadockError, match="the damage rate typo is"):
        Damage(typo=rate)


def test_every_damage_says_what_it_means():
    assert all(Damage.meanings().values())
    assert Damage.meanings().keys() == Damage().rates().keys()


def test_no_damage_has_every_rate_at_zero():
    assert set(Damage.none().rates().values()) == {0.0}
