"""Messages, pdf, images: landed as bytes with metadata, and one record each."""

import hashlib
import io
import json
import struct
import zipfile

MESSAGE = """From: =?utf-8?q?Agent_Zo=C3=A9?= <zoe@example.org>
To: desk@example.org
Subject: =?utf-8?b?QXBwZWwgw6AgdHJhaXRlcg==?=
Date: Tue, 05 Mar 2024 10:15:00 +0100
Message-ID: <42@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=B

--B
Content-Type: text/plain; charset=utf-8

Nom : Müller
Téléphone: 06 12 34 56 78
Motif: Livraison: en retard

Le client rappellera.
--B
Content-Type: image/png; name=scan.png
Content-Disposition: attachment; filename=scan.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--B--
""".encode()


def test_a_message_is_a_record_with_its_labelled_lines(ground, source):
    people = source("eml", key="$.message_id")
    ground.land(people, MESSAGE, "a.eml")
    [(line, record)] = ground.loaded(people)
    assert line == 1
    assert record["body"].startswith("Nom : Müller\n")
    del record["body"]
    assert record == {
        "message_id": "42@example.org",
        "from_name": "Agent Zoé",
        "from_email": "zoe@example.org",
        "to": "desk@example.org",
        "date": "2024-03-05T09:15:00Z",
        "subject": "Appel à traiter",
        "fields": {"Nom": "Müller", "Téléphone": "06 12 34 56 78", "Motif": "Livraison: en retard"},
        "attachments": [
            {
                "name": "scan.png",
                "media_type": "image/png",
                "bytes": "8",
                "sha256": hashlib.sha256(b"\x89PNG\r\n\x1a\n").hexdigest(),
            }
        ],
        "bytes": str(len(MESSAGE)),
        "sha256": hashlib.sha256(MESSAGE).hexdigest(),
    }


def test_a_zip_of_messages_is_one_batch_and_every_message_a_document(ground, source):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("1.eml", MESSAGE)
        archive.writestr("2.eml", MESSAGE.replace(b"<42@", b"<43@"))
        archive.writestr("3.eml", b"")
        archive.writestr("4.eml", b"\x00\x01 nothing like a message")
    people = source("eml", key="$.message_id")
    batch = ground.land(people, data.getvalue(), "calls.zip")
    assert (batch.rows_in, batch.rows_loaded) == (4, 2)
    documents = ground.documents().sort("file").select("file", "media_type", "title", "bytes").rows()
    assert documents == [
        ("calls.zip!1.eml", "message/rfc822", "Appel à traiter", len(MESSAGE)),
        ("calls.zip!2.eml", "message/rfc822", "Appel à traiter", len(MESSAGE)),
    ]
    assert [code for _, code, _ in ground.refused()] == ["empty_file", "malformed_mail"]


def test_pdf_and_images_land_byte_identical_with_what_their_format_tells(ground, source):
    pdf = b"%PDF-1.7\n1 0 obj<</Type /Pages>>\n<</Type /Page>> <</Type/Page >>\n/Title (Contrat \\(2024\\))\n%%EOF"
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\x02\x00\x00\x00"
    papers = source("document", key="$.sha256", name="papers")
    for name, data in (("c.pdf", pdf), ("p.png", png)):
        batch = ground.land(papers, data, name)
        assert ground.lake.object_path(batch.batch_id).read_bytes() == data
        assert hashlib.sha256(data).hexdigest() == batch.batch_id
    described = [json.loads(text) for text in ground.documents().sort("file")["metadata"]]
    assert [(d["media_type"], d.get("title"), d.get("pages"), d.get("width"), d.get("height")) for d in described] == [
        ("application/pdf", "Contrat (2024)", "2", None, None),
        ("image/png", None, None, "640", "480"),
    ]


def test_an_empty_document_is_refused(ground, source):
    ground.land(source("document", key="$.sha256"), b"")
    assert [code for _, code, _ in ground.refused()] == ["empty_file"]


def test_documents_in_an_archive_are_found_by_their_own_digest(ground, source):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.pdf", b"%PDF-1.4 a")
        archive.writestr("b.txt", b"note")
    ground.land(source("document", key="$.sha256"), data.getvalue(), "papers.zip")
    rows = ground.documents().sort("file").select("file", "sha256").rows()
    assert [file for file, _ in rows] == ["papers.zip!a.pdf", "papers.zip!b.txt"]
    assert [ground.lake.object_path(sha256).read_bytes() for _, sha256 in rows] == [b"%PDF-1.4 a", b"note"]


def test_messages_as_they_come_are_read_leniently(ground, source):
    people = source("eml", key="$.subject")
    messages = [
        b"Subject: latin\nFrom: =?utf-8?q?Dupont=2C_Zo=C3=A9?= <z@example.org>\n\nNom: M\xfcller\n",
        b"Subject: html\nContent-Type: text/html; charset=utf-8\n\n<p>Nom: <b>A</b></p>",
        b"Subject: =?x-unknown?q?a?=\nDate: yesterday\nContent-Type: text/plain; charset=none\n\nfolded\n",
        b"Subject: two\n lines\nContent-Transfer-Encoding: base64\n\nTm9tOiBC\n",
    ]
    for message in messages:
        ground.land(people, message)
    records = {record["subject"]: record for _, record in ground.loaded(people)}
    assert records["latin"]["from_name"] == "Dupont, Zoé"
    assert records["latin"]["fields"] == {"Nom": "Müller"}
    assert records["html"]["body"] == "Nom: A"
    assert records["=?x-unknown?q?a?="]["date"] == "yesterday"
    assert records["two lines"]["fields"] == {"Nom": "B"}
