"""One small delivery of the demo company, written once for all tests here."""

import pytest

from datadock.demo import generate


@pytest.fixture(scope="session")
def delivered(tmp_path_factory):
    """The home and the summary of a first delivery of 1,500 people with the common damage."""
    home = tmp_path_factory.mktemp("demo") / "home"
    return home, generate(1500, 7, home / "landing")
