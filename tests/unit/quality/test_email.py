"""E-mail addresses: corrections of two strengths, kinds of domains, and the laws that hold for any text."""

import polars as pl
import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from datadock.quality.email import _QUICK, EMAIL_SCHEMA, Email, normalise_email, normalise_emails
from datadock.quality.evidence import Evidence, Status

LOCALS = st.from_regex(r"[a-z0-9]([a-z0-9._+-]{0,12}[a-z0-9])?", fullmatch=True)
DOMAINS = st.one_of(
    st.sampled_from(
        ["gmail.com", "gmial.com", "orage.fr", "orange,fr", "hotmail", "société.fr", "aucun.fr", "www.free.fr"]
    ),
    st.from_regex(r"[a-z0-9-]{1,12}\.[a-z]{1,4}", fullmatch=True),
)
ADDRESSES = st.builds("{}@{}".format, LOCALS, DOMAINS)


def read(text):
    email = normalise_email(text)
    return email.value, email.type, email.status.value, email.codes


def test_all_is_said_of_a_suggestion():
    assert normalise_email("Jean.Dupont@Orage.fr") == Email(
        "jean.dupont@orange.fr", "Jean.Dupont@orage.fr", "gratuit", Status.A_CONFIRMER, ("DOMAINE_SUGGERE",),
        "orange.fr", "jean.dupont@orange.fr", (),
        (Evidence("DOMAINE_SUGGERE", "value", "Jean.Dupont@Orage.fr", "jean.dupont@orange.fr"),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("domain", "right"),
    [("gmal.com", "gmail.com"), ("gmial.con", "gmail.com"), ("hotmial.com", "hotmail.com"), ("wanado.fr", "wanadoo.fr"),
     ("lapost.net", "laposte.net"), ("yaho.com", "yahoo.com"), ("outlok.fr", "outlook.fr"), ("orange.frr", "orange.fr"),
     ("sfr.f", "sfr.fr"), ("icloud.cpm", "icloud.com"), ("orange..fr", "orange.fr"), ("orange,fr", "orange.fr"),
     ("@free.fr", "free.fr"), ("orangefr", "orange.fr"), (" free.fr", "free.fr")],
)  # fmt: skip
def test_a_slip_of_the_finger_is_corrected(domain, right):
    found = normalise_email(f"jean@{domain}")
    assert (found.value, found.type, found.status) == (f"jean@{right}", "gratuit", Status.CORRIGEE)


@pytest.mark.parametrize(
    ("domain", "right"),
    [("gmail.fr", "gmail.com"), ("oranges.fr", "orange.fr"), ("hotmails.fr", "hotmail.fr"), ("srf.fr", "sfr.fr"),
     ("wanadoo.com", "wanadoo.fr"), ("gmail.co", "gmail.com"), ("gmail", "gmail.com"),
     ("une-societe.con", "une-societe.com")],
)  # fmt: skip
def test_a_domain_that_somebody_may_own_is_only_suggested(domain, right):
    found = normalise_email(f"jean@{domain}")
    assert (found.value, found.status) == (f"jean@{right}", Status.A_CONFIRMER)


@pytest.mark.parametrize(
    "domain", ["mail.com", "tree.fr", "line.fr", "yahoo.co.uk", "hotmail.it", "laposte.fr", "gmx.net"]
)
def test_a_known_or_far_domain_is_left_alone(domain):
    assert read(f"jean@{domain}")[0] == f"jean@{domain}"
    assert read(f"jean@{domain}")[2] == "OK"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jean@yopmail.com", ("jean@yopmail.com", "jetable", "A_CONFIRMER", ("DOMAINE_JETABLE",))),
        ("compta@societe.fr", ("compta@societe.fr", "role", "A_CONFIRMER", ("ADRESSE_DE_FONCTION",))),
        ("sansmail@nomail.fr", (None, "", "A_CONFIRMER", ("VALEUR_BOUCHON",))),
        ("xxx@xxx.fr", (None, "", "A_CONFIRMER", ("VALEUR_BOUCHON",))),
        ("jean@société.fr", ("jean@xn--socit-esab.fr", "professionnel", "OK", ())),
        ("jean.free.fr", (None, "", "REJETEE", ("SANS_AROBASE",))),
        ("jean@dupont@free.fr", (None, "", "REJETEE", ("PLUSIEURS_AROBASES",))),
        ("jean@intranet", (None, "", "REJETEE", ("DOMAINE_SANS_POINT",))),
        ("jean@serveur.local", (None, "", "REJETEE", ("DOMAINE_RESERVE",))),
        ("jean dupont@free.fr", (None, "", "REJETEE", ("ESPACE_INTERNE",))),
        ("", (None, "", "VIDE", ())),
        ("a" * 10_000, (None, "", "REJETEE", ("TEXTE_TROP_LONG",))),
        ("<script>x</script>", (None, "", "REJETEE", ("SANS_AROBASE",))),
        ("Jean <jean@free.fr>", ("jean@free.fr", "gratuit", "OK", ())),
    ],
)
def test_each_kind_of_address_has_its_status_and_reason(text, expected):
    assert read(text) == expected


def test_two_addresses_in_a_cell_are_both_kept_and_to_be_confirmed():
    found = normalise_email("jean@free.fr ; paul@orange.fr")
    assert (found.value, found.others, found.status) == ("jean@free.fr", ("paul@orange.fr",), Status.A_CONFIRMER)


def test_the_key_forgets_tags_and_the_dots_of_gmail():
    assert normalise_email("je.an+achats@gmail.com").key == "jean@gmail.com"


@given(st.builds("{}@{}".format, LOCALS, st.from_regex(r"[a-z0-9.-]{1,20}\.[a-z]{2,8}", fullmatch=True)))
@settings(max_examples=80, deadline=None)
def test_what_the_quick_form_takes_the_whole_grammar_takes_too(address):
    if _QUICK.fullmatch(address) and address.rpartition(".")[2] not in (
        "test",
        "local",
        "localhost",
        "invalid",
        "onion",
        "arpa",
    ):
        assert validate_email(address, check_deliverability=False).normalized == address


@given(st.lists(st.one_of(st.none(), st.text(max_size=40), ADDRESSES), max_size=12))
@settings(max_examples=20, deadline=None)
def test_a_column_and_its_values_one_by_one_give_the_same(texts):
    bulk = normalise_emails(pl.Series(texts, dtype=pl.String))
    one = [normalise_email(text) for text in texts]
    for name in ("value", "typed", "type", "domain", "key"):
        assert bulk[name].to_list() == [getattr(email, name) for email in one]
    assert bulk["status"].to_list() == [email.status.value for email in one]
    assert bulk["codes"].to_list() == [list(email.codes) for email in one]
    assert [[e["after"] for e in items] for items in bulk["evidence"]] == [[e.after for e in m.evidence] for m in one]
    assert bulk.schema == pl.Schema(EMAIL_SCHEMA)


@given(st.one_of(ADDRESSES, st.text(alphabet="abc@.-é, ;'<>", max_size=20)))
@settings(max_examples=50, deadline=None)
def test_normalising_twice_changes_nothing(text):
    once = normalise_email(text)
    if once.value is not None:
        again = normalise_email(once.value)
        assert (again.value, again.type) == (once.value, once.type)
        assert again.status in (Status.OK, Status.A_CONFIRMER)
