"""The commands of treatments where nothing stands yet: help, options, and how they refuse."""

from functools import partial

import pytest

COMMANDS = {
    "rnvp": ("--where", "true", "--why", "x"),
    "moves": ("moved.csv", "--where", "true", "--why", "x"),
    "enrichment": ("--data-set", "school_zones", "--where", "true", "--why", "x"),
    "iris": ("--where", "true", "--why", "x"),
    "list": (),
    "show": ("rnvp-1",),
    "withdraw": ("rnvp-1", "--why", "x"),
}


@pytest.fixture
def datadock(typed):
    """Runs one command of the group on an empty home."""
    return partial(typed, "treat")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(datadock, command):
    code, out, _ = datadock(command, "--help")
    assert (code, f"Example: datadock treat {command}" in out) == (0, True)


@pytest.mark.parametrize("command", ["rnvp", "moves", "enrichment", "iris"])
def test_a_treatment_before_the_first_run_says_what_to_do(datadock, command):
    code, _, err = datadock(command, *COMMANDS[command])
    assert code == 1
    assert "nothing is published" in err
    assert "datadock run" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("iris", "--why", "x"), "no sets of contacts are named"),
        (("iris", "--why", "x", "--where", "true", "--set", "a.csv"), "2 sets of contacts are named"),
        (("iris", "--where", "true"), "a treatment without a reason"),
        (("moves", "m.csv", "--where", "true", "--columns", "x"), "--columns is no FIELD=COLUMN"),
        (("withdraw", "--why", "x"), "one of TREATMENT and --data-set is needed"),
        (("show", "rnvp-1"), "no treatments begin with 'rnvp-1'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(datadock, words, told):
    code, _, err = datadock(*words)
    assert (code, told in err) == (1, True)


def test_an_empty_ledger_says_so(datadock):
    assert datadock("list")[:2] == (0, "Nothing was treated yet.\n")
