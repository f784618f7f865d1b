"""Commands on an empty home, as a person types them."""

import sys

import pytest

from datadock.cli import main


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Runs one command on an empty home; gives exit code, output and errors."""
    monkeypatch.setenv("DATADOCK_HOME", str(tmp_path / "home"))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["datadock", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run
