"""Nothing that a page loads may come from outside, and the assets are those that were vendored."""

import hashlib
import json

import pytest

from datadock.reports.data_docs import ASSETS, rewritten
from datadock.reports.offline import Reference, external_references

GENERATED = """<!DOCTYPE html>
<html>
<head><title>Data Docs</title><title></title>
<link rel="stylesheet" href="https://maxcdn.bootstrapcdn.com/bootstrap/4.3.1/css/bootstrap.min.css"/>
<script src="https://cdn.jsdelivr.net/npm/vega@5"></script>
<script src="https://code.jquery.com/jquery-3.7.1.min.js" integrity="sha384-x" crossorigin="anonymous"></script>
<style>.logo { background: url('https://assets.example/logo.png') 0 0 no-repeat; color: red }</style>
</head>
<body>
<img
  class="NO-CACHE" src="https://assets.example/logo-long.png?d=1" alt="logo"/>
<a href="https://tool.example">The tool</a><a href="index.html">Home</a>
<footer><p>Newsletter <a href="https://tool.example/newsletter">Subscribe</a></p></footer>
</body>
</html>"""


@pytest.mark.parametrize(
    ("name", "text", "url"),
    [
        ("a.html", '<img src="https://x.example/a.png">', "https://x.example/a.png"),
        ("a.html", '<link href="//x.example/a.css">', "//x.example/a.css"),
        ("a.html", '<img srcset="a.png 1x, https://x.example/b.png 2x">', "https://x.example/b.png"),
        ("a.html", '<p style="background: url(http://x.example/c)">', "http://x.example/c"),
        ("a.html", "<style>@import 'https://x.example/d.css';</style>", "https://x.example/d.css"),
        ("a.html", '<meta http-equiv="refresh" content="0; url=https://x.example/">', "https://x.example/"),
        ("a.css", 'a { background: url("HTTPS://x.example/e") }', "HTTPS://x.example/e"),
    ],
)
def test_an_address_that_leads_outside_is_found(tmp_path, name, text, url):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    assert external_references(tmp_path) == [Reference(file, url)]


def test_addresses_inside_are_left_in_peace(tmp_path):
    page = '<a href="b.html#x"></a><img src="data:image/svg+xml,%3csvg xmlns=\'http://www.w3.org/2000/svg\'/%3e">'
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    assert external_references(tmp_path) == []


def test_a_generated_page_is_pointed_at_its_own_assets_and_loses_what_reports_home(tmp_path):
    (tmp_path / "a.html").write_text(rewritten(GENERATED, "../"), encoding="utf-8")
    assert external_references(tmp_path) == []
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert '<link rel="stylesheet" href="../assets/bootstrap.min.css">' in page
    assert '<script src="../assets/jquery.min.js"></script>' in page
    assert "color: red" in page
    assert "The tool" in page
    assert '<html lang="en">' in page
    for gone in ("vega", "footer", "logo-long", "integrity"):
        assert gone not in page


def test_every_vendored_file_is_named_with_its_licence_and_has_the_recorded_digest():
    packages = json.loads((ASSETS / "assets.json").read_text(encoding="utf-8"))
    recorded = {name: file["sha256"] for package in packages for name, file in package["files"].items()}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in ASSETS.iterdir()
        if path.suffix in (".css", ".js")
    }
    assert found == recorded
    assert all(package["licence"] and package["version"] and package["package_sha256"] for package in packages)
    licences = [package["licence_file"] for package in packages if package["licence_file"]]
    assert all((ASSETS / licence).exists() for licence in licences)


def test_the_vendored_style_sheets_load_nothing_either():
    assert external_references(ASSETS) == []
