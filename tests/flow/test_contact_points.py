"""Moves, returned letters and bounces, declared as sources and run for real: what may be used follows them."""

import shutil

import pytest

from datadock.catalog import load_catalog
from datadock.contact_view import view_contact
from datadock.dock import open_dock
from datadock.run import run_platform
from datadock.settings import PROJECT_ROOT, Settings
from datadock.warehouse.publish import query_published
from datadock.warehouse.scaffold import scaffold

CLIENTS = """\
description: Clients.
owner: a@example.org
trust: 0.8
format: {type: csv}
entities:
  contact:
    key: id
    updated_at: modifie
    fields:
      {given_name: prenom, family_name: nom, email: mail, mobile: tel, address_line: rue, postcode: cp, city: ville}
"""
MOVES = """\
description: Announced moves and a file of moved people.
owner: a@example.org
format: {type: csv}
entities:
  move:
    key: no
    contact: [{source: clients, key: client}]
    fields: {moves_on: date, address_line: rue, postcode: cp, city: ville, old_postcode: ancien_cp}
"""
MAIL = """\
description: What became of letters and e-mails.
owner: a@example.org
format: {type: csv}
entities:
  event:
    key: no
    contact: [{source: clients, key: client}]
    fields: {event_type: genre, happened_at: date, subject: motif, mailing: envoi, contact_point: boite}
"""
FILES = {
    "clients": """\
id,prenom,nom,mail,tel,rue,cp,ville,modifie
1,Anne,Martin,anne.martin@free.fr,0612345687,12 rue de la République,69002,Lyon,2025-01-01
2,Paul,Durand,paul.durand@orange.fr,0698765431,5 rue de Paris,59000,Lille,2025-01-01
3,Zoé,Petit,zoe.petit@gmail.com,,8 rue Sainte-Catherine,33000,Bordeaux,2025-01-01
""",
    "moves": """\
no,client,date,rue,cp,ville,ancien_cp
d1,1,2026-02-01,3 place Bellecour,69002,Lyon,
d2,3,2999-01-01,1 rue Crébillon,44000,Nantes,
""",
    "mail": """\
no,client,genre,date,motif,envoi,boite
r1,2,postal_return,2026-01-05,NPAI,janvier,
r2,2,postal_return,2026-02-05,NPAI,fevrier,
r3,2,postal_return,2026-03-05,Destinataire inconnu à l'adresse,mars,
r4,3,postal_return,2026-03-05,REFUSE,mars,
b1,3,bounce,2026-03-06,hard,,ZOE.PETIT@gmail.com
""",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    base = tmp_path_factory.mktemp("points")
    (base / "catalog" / "sources").mkdir(parents=True)
    for name, text in (("clients", CLIENTS), ("moves", MOVES), ("mail", MAIL)):
        (base / "catalog" / "sources" / f"{name}.yml").write_text(text)
    left_out = shutil.ignore_patterns("target", "logs", "staging")
    shutil.copytree(PROJECT_ROOT / "dbt_project", base / "dbt_project", ignore=left_out)
    scaffold(load_catalog(base / "catalog"), base / "dbt_project")
    found = Settings(
        home=base / "home",
        catalog=base / "catalog",
        dbt_project=base / "dbt_project",
        modules_off="expectations,reports",
    )
    _deliver(found, FILES)
    assert run_platform(open_dock(found)).failures == ()
    return found


def _deliver(settings, files):
    for name, text in files.items():
        (settings.landing / name).mkdir(parents=True, exist_ok=True)
        (settings.landing / name / f"{name}-{len(text)}.csv").write_text(text)


def _rows(settings, query):
    return [tuple(row) for row in query_published(settings, query, limit=1000)[1]]


def test_what_may_be_used_follows_moves_returns_and_bounces(settings):
    found = _rows(
        settings,
        "select contact_key, field, normal_form, usable, reason, incidents from marts.dim_contact_point "
        "where kind <> 'phone' order by all",
    )
    assert found == [
        ("1", "address", "12 RUE DE LA REPUBLIQUE, 69002 LYON", False, "DEMENAGEMENT", 0),
        ("1", "address_move", "3 PLACE BELLECOUR, 69002 LYON", True, None, 0),
        ("1", "email", "anne.martin@free.fr", True, None, 0),
        ("2", "address", "5 RUE DE PARIS, 59000 LILLE", False, "RETOURS", 3),
        ("2", "email", "paul.durand@orange.fr", True, None, 0),
        ("3", "address", "8 RUE SAINTE CATHERINE, 33000 BORDEAUX", True, None, 0),
        ("3", "address_move", "1 RUE CREBILLON, 44000 NANTES", False, "ANNONCEE", 0),
        ("3", "email", "zoe.petit@gmail.com", False, "REBOND_DUR", 1),
    ]


def test_channels_say_by_what_a_contact_is_reached_or_why_not(settings):
    found = _rows(
        settings,
        "select contact_key, channel, addressable, normal_form, reason from marts.dim_contact_channel join "
        "(select golden_id, source_key as contact_key from marts.dim_contact_source where source = 'clients') "
        "using (golden_id) where channel in ('postal', 'email') order by all",
    )
    assert found == [
        ("1", "email", True, "anne.martin@free.fr", None),
        ("1", "postal", True, "3 PLACE BELLECOUR, 69002 LYON", None),
        ("2", "email", True, "paul.durand@orange.fr", None),
        ("2", "postal", False, None, "RETOURS"),
        ("3", "email", False, None, "REBOND_DUR"),
        ("3", "postal", True, "8 RUE SAINTE CATHERINE, 33000 BORDEAUX", None),
    ]


def test_the_golden_address_is_the_new_one_and_says_so(settings):
    (golden_id,) = _rows(settings, "select golden_id from marts.dim_contact_source where source_key = '1'")[0]
    view = view_contact(settings, golden_id)
    assert view["contact"]["address_line"] == "3 place Bellecour"
    origin = next(one for one in view["provenance"] if one["field"] == "address_line")
    assert (origin["source"], origin["source_key"]) == ("moves", "d1")
    assert [record["source_key"] for record in view["records"]] == ["1"]


def test_a_new_address_and_a_delivery_open_the_channels_again(settings):
    _deliver(
        settings,
        {
            "clients": "id,prenom,nom,mail,tel,rue,cp,ville,modifie\n"
            "2,Paul,Durand,paul.durand@orange.fr,0698765431,9 rue Nationale,59000,Lille,2026-04-01\n",
            "mail": "no,client,genre,date,motif,envoi,boite\nb2,3,delivery,2026-04-02,,,zoe.petit@gmail.com\n",
        },
    )
    assert run_platform(open_dock(settings)).failures == ()
    found = _rows(
        settings,
        "select contact_key, kind, change, reason from marts.fct_contact_point_change order by contact_key, change",
    )
    assert found == [("2", "address", "closed", "REMPLACEE"), ("3", "email", "restored", None)]
    assert run_platform(open_dock(settings)).status == "nothing_new"
