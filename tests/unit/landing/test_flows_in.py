"""A dropped csv, a REST pull, a SQL pull and a webhook land through one contract into one table and ledger."""

import json
import sqlite3
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import uvicorn

from datadock.catalog.load import Catalog
from datadock.catalog.model import Pull
from datadock.errors import PullError
from datadock.landing import land_drop_folder, pull, webhook_app
from datadock.settings import Settings

FIELDS = "kind: {from: kind, one_of: [A, B]}"


@pytest.fixture
def people(source):
    return source(fields=FIELDS)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, webhook_token="secret", max_record_bytes=4096)


@contextmanager
def serving(pages):
    """Serve a list of answers per path: (status, body); the last one is repeated."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            answers = pages[self.path]
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def receiving(lake, sources, settings):
    catalog = Catalog(settings.home, {source.name: source for source in sources})
    config = uvicorn.Config(webhook_app(lake, catalog, settings), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer secret"}) as client:
        yield client
    server.should_exit = True
    thread.join()


def with_pull(source, **declared):
    return source.model_copy(update={"pull": Pull(**declared)})


def partner_database(path, *rows):
    with sqlite3.connect(path) as connection:
        connection.execute("create table if not exists p (id text, kind text, n integer, x real, b blob)")
        connection.executemany("insert into p values (?, ?, ?, ?, ?)", rows)
    connection.close()


def test_four_ways_in_give_one_table_and_one_ledger(ground, people, settings, tmp_path):
    folder = tmp_path / "landing"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"id,kind\n1,A\n2,?\n")
    land_drop_folder(ground.lake, people, folder)
    partner_database(tmp_path / "p.sqlite", ("3", "B", 7, 1.5, b"\x01"), ("4", "?", None, None, None))
    sql = with_pull(people, type="sql", url="sqlite:///{home}/p.sqlite", query="select * from p order by id")
    pull(ground.lake, sql, settings)
    page = json.dumps({"items": [{"id": "5", "kind": "A"}, {"id": "6", "kind": "?"}]}).encode()
    with serving({"/p": [(200, page)]}) as (url, _):
        pull(ground.lake, with_pull(people, type="rest", url=url + "/p", records="$.items"), settings)
    with receiving(ground.lake, [people], settings) as client:
        answer = client.post("/hooks/people", json=[{"id": "7", "kind": "B"}, {"id": "8", "kind": "?"}])
    assert answer.status_code == 202
    assert (answer.json()["rows_loaded"], answer.json()["rows_quarantined"]) == (1, 1)
    raw = ground.table("raw/people")
    assert sorted(json.loads(text)["id"] for text in raw["payload"]) == ["1", "3", "5", "7"]
    assert json.loads(raw.filter(raw["_file"] == "people.pull.jsonl")["payload"][0]) == {
        "id": "3",
        "kind": "B",
        "n": "7",
        "x": "1.5",
        "b": "01",
    }
    ledger = ground.batches().sort("format").select("source", "format", "rows_in", "rows_loaded", "rows_quarantined")
    assert ledger.rows() == [("people", name, 2, 1, 1) for name in ("csv", "json", "json", "jsonl")]
    assert {code for _, code, _ in ground.refused()} == {"not_in_list"}
    assert ground.balanced(people)


def test_a_pull_whose_result_is_the_same_adds_nothing(ground, people, settings, tmp_path):
    partner_database(tmp_path / "p.sqlite", ("1", "A", None, None, None))
    sql = with_pull(people, type="sql", url="sqlite:///{home}/p.sqlite", query="select id, kind from p order by id")
    assert [batch.known for batch in pull(ground.lake, sql, settings)] == [False]
    assert [batch.known for batch in pull(ground.lake, sql, settings)] == [True]
    partner_database(tmp_path / "p.sqlite", ("2", "A", None, None, None))
    assert [batch.rows_in for batch in pull(ground.lake, sql, settings)] == [2]


def test_pages_are_followed_and_server_errors_tried_again(ground, people, settings):
    first = b'{"items":[{"id":"1"}],"links":{"next":"/p?page=2"}}'
    pages = {"/p": [(503, b""), (500, b""), (200, first)], "/p?page=2": [(200, b'{"items":[{"id":"2"}]}')]}
    pauses = []
    with serving(pages) as (url, asked):
        source = with_pull(
            people,
            type="rest",
            url="{env:PARTNER_URL}/p",
            records="$.items",
            next="$.links.next",
            headers={"Authorization": "Bearer {env:PARTNER_TOKEN}"},
        )
        variables = {"PARTNER_URL": url, "PARTNER_TOKEN": "t"}
        batches = pull(ground.lake, source, settings, lookup=variables.get, pause=pauses.append)
    assert [batch.rows_loaded for batch in batches] == [1, 1]
    assert asked == [("/p", "Bearer t")] * 3 + [("/p?page=2", "Bearer t")]
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"/p": [(401, b"")]}, "answered status 401"),
        ({"/p": [(500, b"")]}, "after 5 attempts: status 500"),
        ({"/p": [(200, b'{"next":"/p"}')]}, "page 2 is"),
        ({"/p": [(200, b"<html>")]}, "is no JSON"),
    ],
)
def test_an_origin_that_cannot_be_read_is_a_clear_error(ground, people, settings, answers, message):
    with serving(answers) as (url, _):
        source = with_pull(people, type="rest", url=url + "/p", next="$.next")
        with pytest.raises(PullError, match=message):
            pull(ground.lake, source, settings, pause=lambda seconds: None)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "sql", "url": "sqlite:///{home}/none/p.sqlite", "query": "select 1"}, "cannot be read"),
        ({"type": "sql", "url": "sqlite:///{home}/p.sqlite", "query": "select * from missing"}, "no such table"),
        ({"type": "sql", "url": "nothing", "query": "select 1"}, "cannot be read"),
        ({"type": "sql", "url": "{env:DATADOCK_NOT_SET}", "query": "select 1"}, "DATADOCK_NOT_SET is not set"),
        ({"type": "rest", "url": "http://127.0.0.1:9/"}, "after 5 attempts"),
        ({"type": "rest", "url": "ftp://x/"}, "no address"),
    ],
)
def test_a_pull_that_is_declared_wrong_is_a_clear_error(ground, people, settings, declared, message):
    with pytest.raises(PullError, match=message):
        pull(ground.lake, with_pull(people, **declared), settings, pause=lambda seconds: None)


def test_the_webhook_takes_one_record_a_list_or_lines_and_says_what_came_of_them(ground, people, settings):
    with receiving(ground.lake, [people], settings) as client:
        one = client.post("/hooks/people", json={"id": "1"})
        lines = client.post("/hooks/people", content=b'{"id":"2"}\n{"id":\n{"id":"3"}\n')
        stated = client.post(
            "/hooks/people", content=b'{"id":\n{"id":"4"}\n', headers={"Content-Type": "application/x-ndjson"}
        )
        again = client.post("/hooks/people", json={"id": "1"})
    assert [answer.status_code for answer in (one, lines, stated, again)] == [202] * 4
    assert [answer.json()["rows_loaded"] for answer in (one, lines, stated)] == [1, 2, 1]
    assert again.json() == {**one.json(), "known": True}
    assert [record["id"] for _, record in ground.loaded(people)] != []
    assert ground.balanced(people)


def test_the_webhook_refuses_strangers_unknown_sources_and_oversized_bodies(ground, people, settings):
    with receiving(ground.lake, [people], settings) as client:
        answers = [
            client.post("/hooks/people", json={}, headers={"Authorization": "Bearer wrong"}),
            client.post("/hooks/people", json={}, headers={"Authorization": ""}),
            client.post("/hooks/nobody", json={}),
            client.post("/hooks/people", content=b" " * 5000),
            client.post("/hooks/people", content=b" "),
            client.get("/hooks/people"),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 404, 413, 400, 405]
    assert all({"found", "expected"} <= answer.json().keys() for answer in answers[:5])
    assert ground.batches().is_empty()


def test_without_a_token_the_webhook_is_closed(ground, people, tmp_path):
    with receiving(ground.lake, [people], Settings(home=tmp_path)) as client:
        assert client.post("/hooks/people", json={}, headers={"Authorization": "Bearer x"}).status_code == 401
