"""The real Dagster UI on a built home: assets in their groups, checks, sensors, schedules; nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

DATADOCK = Path(sys.executable).with_name("datadock")
QUERY = """
{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError {
    __typename
    ... on PythonError { message }
    ... on RepositoryLocation { repositories {
        assetNodes { assetKey { path } groupName description isMaterializable owners { __typename }
                     assetChecksOrError { ... on AssetChecks { checks { name } } } }
        sensors { name sensorState { status } }
        schedules { name scheduleState { status } }
        jobs { name } } } } } } } }
"""


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ask(port, query):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


@pytest.fixture(scope="module")
def ui(built_home):
    port = _free_port()
    process = subprocess.Popen(
        [str(DATADOCK), "ui", "--port", str(port)],
        env={**os.environ, "DATADOCK_HOME": str(built_home.folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            _ask(port, "{ version }")
            break
        except OSError:
            time.sleep(1)
    else:
        process.kill()
        pytest.fail("the UI did not answer within two minutes")
    children = psutil.Process(process.pid).children(recursive=True)
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


def test_the_ui_shows_the_flow(ui):
    entry = _ask(ui, QUERY)["workspaceOrError"]["locationEntries"][0]["locationOrLoadError"]
    assert entry["__typename"] == "RepositoryLocation", entry.get("message")
    repository = entry["repositories"][0]
    nodes = repository["assetNodes"]
    assert {node["groupName"] for node in nodes} == {"raw", "staging", "quality", "golden", "marts"}
    assert [node["assetKey"]["path"] for node in nodes if not (node["description"] and node["owners"])] == []
    assert [node["assetKey"]["path"] for node in nodes if not node["isMaterializable"]] == []
    checked = {"/".join(n["assetKey"]["path"]) for n in nodes if n["assetChecksOrError"].get("checks")}
    assert {"raw/crm_contacts", "golden/memberships", "marts/dim_contact"} <= checked
    sensors = {sensor["name"]: sensor["sensorState"]["status"] for sensor in repository["sensors"]}
    assert sensors == {"landing_files": "RUNNING", "raw_moved": "RUNNING", "run_failed": "RUNNING"}
    assert [(s["name"], s["scheduleState"]["status"]) for s in repository["schedules"]] == [
        ("daily_refresh", "RUNNING")
    ]
    assert {"platform", "land", "refresh"} <= {job["name"] for job in repository["jobs"]}


def test_the_reports_stand_beside_it(ui):
    with urllib.request.urlopen(f"http://127.0.0.1:{ui + 1}/index.html", timeout=30) as page:
        assert b"datadock" in page.read().lower()
