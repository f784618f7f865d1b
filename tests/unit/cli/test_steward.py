"""The commands of stewards where nothing stands yet: help, options, and how they refuse."""

from functools import partial

import pytest

COMMANDS = {
    "explain": ("a:1", "b:2"),
    "merge": ("a:1", "b:2", "--reason", "x"),
    "split": ("a:1", "--reason", "x"),
    "refuse": ("a:1", "b:2", "--reason", "x"),
    "withdraw": ("2026", "--reason", "x"),
    "decisions": (),
    "queue": (),
    "review": (),
    "sample": ("--out", "sample.csv"),
    "changes": (),
    "history": ("a:1",),
}


@pytest.fixture
def datadock(typed):
    """Runs one command of the group on an empty home."""
    return partial(typed, "identity")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(datadock, command):
    code, told, _ = datadock(command, "--help")
    assert code == 0
    assert "Example: datadock identity " + command in told


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("changes", "history")])
def test_nothing_can_be_decided_before_the_first_run(datadock, command):
    code, told, errors = datadock(command, *COMMANDS[command])
    assert (code, told) == (1, "")
    assert "nothing is published" in errors
    assert "to do:    run: datadock run" in errors


def test_the_feed_of_ids_is_empty_before_the_first_run_and_nobody_has_a_history(datadock):
    assert datadock("changes") == (0, "Every id was kept.\n", "")
    assert datadock("changes", "--json") == (0, "[]\n", "")
    code, _, errors = datadock("history", "crm:1")
    assert (code, "there is no contact record '1' of 'crm'" in errors) == (1, True)
