"""Files that wait: whole ones, of the pattern, with a key that does not change while they do not."""

import os

from datadock.events.arrivals import arrival, waiting


def _touch(folder, name, content="x", age=60):
    path = folder / name
    path.write_text(content)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def test_only_whole_files_of_the_pattern_wait(tmp_path):
    taken = [_touch(tmp_path, name) for name in ("a.csv", "b.csv.gz", "c.csv.zip")]
    for name in (".hidden.csv", "d.csv.part", "e.tmp", "other.json"):
        _touch(tmp_path, name)
    _touch(tmp_path, "young.csv", age=1)
    (tmp_path / "folder.csv").mkdir()
    assert waiting(tmp_path, "*.csv", settle_seconds=5, now=1_000_000) == taken
    assert waiting(tmp_path / "missing", "*.csv") == []


def test_the_key_follows_the_files(tmp_path):
    one = _touch(tmp_path, "a.csv")
    first = arrival("crm", [one])
    assert first == arrival("crm", [one])
    assert first.files == ("a.csv",)
    assert first.key != arrival("eshop", [one]).key
    _touch(tmp_path, "a.csv", content="longer")
    assert arrival("crm", [one]).key != first.key
    assert arrival("crm", []) is None
