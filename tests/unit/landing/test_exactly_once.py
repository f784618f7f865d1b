"""Landing twice, landing at the same time, landing killed anywhere: the same rows once."""

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from datadock.catalog.model import Format
from datadock.lake import Lake
from datadock.landing import Limits, land_bytes, land_drop_folder, land_file
from datadock.names import BATCHES, QUARANTINE

DATA = b"id,nom\n" + b"".join(b"%d,name\n" % n if n % 10 else b",no key\n" for n in range(1, 2001))
TABLES = ("raw/people", QUARANTINE, BATCHES)


def versions(lake):
    return {table: lake.version(table) for table in TABLES}


def test_the_same_bytes_twice_add_nothing_under_any_name(ground, source, tmp_path):
    people = source()
    first = ground.land(people, DATA, "a.csv")
    before = versions(ground.lake)
    (tmp_path / "again.csv").write_bytes(DATA)
    second = land_file(ground.lake, people, tmp_path / "again.csv")
    assert (first.known, second.known) == (False, True)
    assert (second.rows_in, second.rows_loaded, second.rows_quarantined) == (2000, 1800, 200)
    assert second.file == "a.csv"
    assert versions(ground.lake) == before


def test_the_bytes_stay_byte_identical_with_their_origin(ground, source):
    batch = ground.land(source(), DATA, "a.csv")
    kept = ground.lake.object_path(batch.batch_id)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == hashlib.sha256(DATA).hexdigest() == batch.batch_id
    note = json.loads(kept.with_suffix(".json").read_text())
    assert (note["source"], note["file"]) == ("people", "a.csv")
    row = ground.table("raw/people").row(0, named=True)
    assert (row["_source"], row["_entity"], row["_batch_id"]) == ("people", "contact", batch.batch_id)
    assert row["_received_at"] == batch.received_at


def test_two_sources_may_receive_the_same_bytes(ground, source):
    ground.land(source(), DATA)
    assert not ground.land(source(name="others"), DATA).known
    assert ground.balanced(source())
    assert ground.balanced(source(name="others"))


@pytest.mark.parametrize("broken_at", ["raw/people", QUARANTINE, BATCHES])
def test_a_landing_stopped_before_any_commit_is_finished_by_landing_again(ground, source, monkeypatch, broken_at):
    people = source()
    real = Lake.append_once

    def stops(self, table, *args, **kwargs):
        if table == broken_at:
            raise KeyboardInterrupt
        return real(self, table, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append_once", stops)
        with pytest.raises(KeyboardInterrupt):
            ground.land(people, DATA)
    batch = ground.land(people, DATA)
    assert (batch.rows_in, batch.rows_loaded, batch.rows_quarantined) == (2000, 1800, 200)
    assert len(ground.loaded(people)) == 1800
    assert ground.balanced(people)


def test_a_contract_that_changed_before_the_repair_keeps_the_balance(ground, source, monkeypatch):
    data = b"id,nom\n1,a\n2,\n3,c\n"
    real = Lake.append_once

    def stops(self, table, *args, **kwargs):
        if table == QUARANTINE:
            raise KeyboardInterrupt
        return real(self, table, *args, **kwargs)

    strict = source(fields="family_name: {from: nom, required: true}")
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append_once", stops)
        with pytest.raises(KeyboardInterrupt):
            ground.land(strict, data)
    batch = ground.land(source(), data)
    assert (batch.rows_in, batch.rows_loaded, batch.rows_quarantined) == (3, 2, 1)
    assert ground.refused() == [(2, "contract_changed", b'{"id":"2","nom":""}')]


def test_landings_at_the_same_time_add_each_batch_once(ground, source):
    people = source()
    files = [b"id,nom\n%d,x\n,y\n" % n for n in range(4)] * 3
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda data: land_bytes(ground.lake, people, data, "f.csv"), files))
    assert sorted(record["id"] for _, record in ground.loaded(people)) == ["0", "1", "2", "3"]
    assert len(ground.refused()) == 4
    assert len(ground.batches()) == 4


def test_a_drop_folder_is_emptied_of_what_landed_and_nothing_else(ground, source, tmp_path):
    people = source().model_copy(update={"pattern": "*.csv"})
    folder = tmp_path / "people"
    folder.mkdir()
    for name in ("a.csv", "b.csv.gz", "notes.txt", ".hidden.csv", "c.csv.part", "d.csv.tmp"):
        (folder / name).write_bytes(b"id\n1\n" + name.encode() + b"\n")
    dropped = land_drop_folder(ground.lake, people, folder)
    assert [batch.file for batch in dropped.batches] == ["a.csv", "b.csv.gz"]
    assert dropped.left_alone == ["notes.txt"]
    assert sorted(path.name for path in folder.iterdir()) == [".hidden.csv", "c.csv.part", "d.csv.tmp", "notes.txt"]
    assert land_drop_folder(ground.lake, people, folder).batches == []
    assert land_drop_folder(ground.lake, people, tmp_path / "missing").batches == []


def test_a_file_that_is_still_being_written_waits(ground, source, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id\n1\n")
    assert len(land_drop_folder(ground.lake, source(), tmp_path, min_age_seconds=60)) == 0
    os.utime(tmp_path / "a.csv", (time.time() - 61,) * 2)
    assert len(land_drop_folder(ground.lake, source(), tmp_path, min_age_seconds=60)) == 1


def test_a_file_written_again_while_it_landed_stays_for_the_next_time(ground, source, tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n1\n")
    real = Lake.store

    def overwritten(self, stream, facts):
        stored = real(self, stream, facts)
        path.write_bytes(b"id\n2\n3\n")
        return stored

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "store", overwritten)
        assert land_drop_folder(ground.lake, source(), tmp_path).changed == ["a.csv"]
    assert land_drop_folder(ground.lake, source(), tmp_path).changed == []
    assert [record["id"] for _, record in ground.loaded(source())] == ["1", "2", "3"] or ground.balanced(source())


def test_a_payload_may_be_written_otherwise_than_the_files(ground, source):
    people = source()
    batch = land_bytes(ground.lake, people, b'[{"id":1},{"nom":"x"}]', "hook", Limits(), written_as=Format(type="json"))
    assert (batch.format, batch.rows_loaded, batch.rows_quarantined) == ("json", 1, 1)
