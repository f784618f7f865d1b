"""Processes that stay up: the Dagster UI with the reports beside it, and the webhook receiver.

Dagster itself is started as its own process; nothing here imports it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

from datadock.dock import Dock
from datadock.errors import DatadockError
from datadock.instance import prepare_instance
from datadock.settings import PROJECT_ROOT, Settings, child_environment


def serve_ui(dock: Dock, host: str, port: int) -> int:
    """Run ``dagster dev`` on this deployment, and the reports over http one port up, until told to stop.

    Args:
        dock: The opened deployment.
        host: Address to listen on.
        port: Port of the Dagster UI; the reports are at ``port + 1``.

    Returns:
        The exit code of Dagster.
    """
    reports = _reports_server(dock.settings.reports, host, port + 1)
    threading.Thread(target=reports.serve_forever, daemon=True).start()
    sys.stderr.write(f"reports   http://{host}:{port + 1}/index.html\nDagster   http://{host}:{port}\n")
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-w", "workspace.yaml"]
    process = subprocess.Popen(
        [*command, "-h", host, "-p", str(port)],
        cwd=PROJECT_ROOT,
        env=_environment(dock.settings),
        process_group=0,
        preexec_fn=_heed_signals,
    )

    asked = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while process.poll() is None and not asked.wait(0.5):
        pass
    _end(process)
    reports.shutdown()
    return 0 if asked.is_set() else process.wait()


def serve_webhook(dock: Dock, host: str, port: int) -> None:
    """Receive records over HTTP until told to stop.

    Raises:
        DatadockError: When no token is set: an open door for anybody's records is no default.
    """
    if not dock.settings.webhook_token.get_secret_value():
        raise DatadockError(
            "DATADOCK_WEBHOOK_TOKEN is not set",
            expected="the bearer token that senders must show",
            action="set it, then start again",
        )
    import uvicorn

    from datadock.landing import webhook_app

    uvicorn.run(webhook_app(dock.lake, dock.catalog, dock.settings), host=host, port=port, log_level="warning")


def _heed_signals() -> None:
    """Let the child stop on SIGINT and SIGTERM even where a script's background job ignores them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End Dagster and every process that it started: politely, then by force."""
    for step, seconds in ((signal.SIGINT, 20), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, step)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            process.poll()
            if not _group_lives(process.pid):
                return
            time.sleep(0.2)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep requests out of the terminal."""


def _reports_server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer((host, port), partial(_Quiet, directory=str(folder)))
    except OSError as error:
        raise DatadockError(
            f"port {port} on {host} cannot be used for the reports: {error.strerror}",
            expected="two free ports in a row",
            action="choose another one: datadock ui --port 3100",
        ) from error


def _environment(settings: Settings) -> dict[str, str]:
    return child_environment(
        DAGSTER_HOME=str(prepare_instance(settings.dagster_home)),
        DATADOCK_HOME=str(settings.home_path),
        DATADOCK_CATALOG=str(settings.catalog.resolve()),
        DATADOCK_DBT_PROJECT=str(settings.dbt_project.resolve()),
    )
