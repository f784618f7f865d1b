"""Normal forms of names, dates, phones, e-mails and addresses, as DuckDB macros over whole columns.

Every macro takes text as declared and gives text to compare, or null for what says nothing
(placeholders, junk, unreadable). Each is idempotent. No row is handled in Python.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

PLACEHOLDERS = (
    *[
        "inconnu",
        "inconnue",
        "unknown",
        "test",
        "tests",
        "teste",
        "na",
        "nc",
        "nr",
        "none",
        "null",
        "nan",
        "nil",
        "aucun",
        "aucune",
        "neant",
        "sans",
        "anonyme",
    ],
    *[
        "anonymous",
        "anonymus",
        "client",
        "clients",
        "divers",
        "undefined",
        "tbd",
        "vide",
        "empty",
        "prenom",
        "nom",
        "firstname",
        "lastname",
        "surname",
    ],
    *(
        "n a",
        "n c",
        "n r",
        "non renseigne",
        "non communique",
        "non precise",
        "pas de nom",
        "not known",
        "not available",
    ),
    *("no name", "a completer", "a definir", "to be defined", "sans nom", "sans objet"),
)
"""Values that stand for a missing one: a mail-order base holds thousands of people called Inconnu."""

_JUNK_LOCALS = (
    "noreply no-reply nomail no-mail noemail pasdemail pas-de-mail pasdemail1 pasdadresse aucun aucune xxx xx x "
    "inconnu "
    "unknown na n-a test tests none null nomel sansmail sans-mail sans.mail pasdemel refuse client abc azerty qwerty"
)
_JUNK_DOMAINS = "test.fr test.com test.test aucun.fr aucun.com nomail.com nomail.fr"
_ROLES = (
    "contact info infos accueil commercial direction secretariat admin administration compta comptabilite sav service "
    "mail webmaster office sales support hello bonjour mairie magasin boutique agence facturation rh"
)
_PROVIDERS = (
    "example gmail googlemail hotmail outlook live msn yahoo ymail rocketmail icloud me mac aol orange wanadoo free "
    "sfr neuf "
    "cegetel "
    "club-internet bbox laposte numericable aliceadsl noos voila protonmail proton gmx mail web t-online bluewin "
    "btinternet virginmedia sky talktalk ntlworld tiscali blueyonder bigpond optusnet comcast verizon att sbcglobal"
)
_JUNK_DATES = "19000101 19010101 18991230 18991231 17530101 19700101 00010101 99991231 20000000 11111111"

_PARTICLES = (
    r"^((de la|de l|de las|de los|de|du|des|d|del|della|dela|di|da|dos|van der|van den|van de|van|von|of|the) )+"
)
_TITLES = (
    r"\b(mr|mrs|ms|miss|mme|mlle|melle|monsieur|madame|mademoiselle|m|dr|docteur|prof|professeur|sir|me|maitre)\b\.?"
)
_LEGAL_FORMS = (
    r"\b(et|and|sarl|sas|sasu|sa|eurl|sci|snc|scop|scm|scic|selarl|selas|sel|gie|ei|eirl|scea|gaec|earl|epic|ltd|limited|plc|llc|inc|gmbh|ag|bv|nv|co|"
    r"company|corp|corporation|ste|societe|ets|etablissements|association|asso|groupe|group|pty)\b"
)

STREET_WORDS = {
    "av": "avenue", "ave": "avenue", "aven": "avenue", "bd": "boulevard", "bld": "boulevard", "blvd": "boulevard",
    "boul": "boulevard", "bvd": "boulevard", "r": "rue", "pl": "place", "all": "allee", "allees": "allee",
    "che": "chemin", "chem": "chemin", "ch": "chemin", "imp": "impasse", "rte": "route", "sq": "square",
    "crs": "cours", "fg": "faubourg", "fbg": "faubourg", "res": "residence", "lot": "lotissement", "qu": "quai",
    "st": "saint", "ste": "sainte", "gal": "general", "gen": "general", "mal": "marechal", "pdt": "president",
    "dr": "docteur", "prof": "professeur", "cdt": "commandant", "rd": "road", "ln": "lane", "crt": "court",
    "ct": "court",
    "cres": "crescent", "cr": "crescent", "cl": "close", "hwy": "highway", "pde": "parade", "tce": "terrace",
    "terr": "terrace", "pkwy": "parkway", "cct": "circuit", "gr": "grove", "sqr": "square", "str": "street",
}  # fmt: skip
"""Abbreviations of street words. `st` is saint in both languages unless it ends the line (street)."""


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


_MACROS = rf"""
create or replace temp macro dd_blank(x) as
    nullif(trim(regexp_replace(x, '[\s\x{{00a0}}]+', ' ', 'g')), '');
create or replace temp macro dd_plain(x) as
    nullif(trim(regexp_replace(
        replace(replace(replace(replace(lower(strip_accents(x)), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), 'ø', 'o'),
        '[^\p{{L}}\p{{N}}]+', ' ', 'g')), '');
create or replace temp macro dd_known(x) as list_filter([x], lambda v:
    v not in ({_words(PLACEHOLDERS)}) and not (length(v) > 1 and replace(v, v[1], '') = ''))[1];
create or replace temp macro dd_is_told(x) as
    coalesce(length(trim(x)) > 1 and lower(trim(x)) not in ({_words(PLACEHOLDERS)}, 'n/a', '--', '...'), false);
create or replace temp macro dd_join(x) as replace(x, ' ', '');
create or replace temp macro dd_text(x) as dd_known(dd_plain(x));
create or replace temp macro dd_letters(x) as
    dd_known(dd_blank(regexp_replace(dd_plain(replace(x, '''', '')), '[0-9]+', ' ', 'g')));
create or replace temp macro dd_given(x) as
    list_transform([dd_letters(x)], lambda v: coalesce(dd_blank(regexp_replace(v, '{_TITLES}', ' ', 'g')), v))[1];
create or replace temp macro dd_family(x) as list_transform([dd_letters(x)], lambda v: coalesce(nullif(trim(
    regexp_replace(regexp_replace(v, '\b(nee|ne|veuve|epouse|epx) .*$', ''), '{_PARTICLES}', '')), ''), v))[1];
create or replace temp macro dd_birth(x) as nullif(regexp_extract(dd_letters(x), '\bnee? (.+)$', 1), '');
create or replace temp macro dd_sound(x) as
    nullif(rtrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(dd_join(x),
        'ph', 'f', 'g'), 'sch|sh|ch|[zcs]+', 's', 'g'), 'qu|[qkg]+|sk', 'k', 'g'), '[hw]', '', 'g'),
        '[aeiouy]+', 'a', 'g'), 'l+', 'l', 'g'), '[mn]+', 'n', 'g'), 'p+', 'p', 'g'), 't+|d+', 't', 'g'),
        'r+', 'r', 'g'), 'f+|v', 'f', 'g'), 'b+', 'b', 'g'), 'atsx'), '');
create or replace temp macro dd_sex(x) as list_transform([dd_plain(x)], lambda v: case
    when v in ('m', 'mr', 'monsieur', 'male', 'homme', 'masculin', 'h', 'man', 'sir', '1') then 'm'
    when v in ('f', 'mme', 'mlle', 'melle', 'madame', 'mademoiselle', 'mrs', 'ms', 'miss', 'female', 'femme',
               'feminin', 'woman', 'w', '2') then 'f' end)[1];
create or replace temp macro dd_day(x) as strftime(coalesce(
    try_cast(x as date),
    try_strptime(cast(x as varchar), ['%Y-%m-%d', '%d/%m/%Y', '%d-%m-%Y', '%d.%m.%Y', '%Y%m%d', '%Y/%m/%d', '%d %m %Y',
                      '%Y-%m-%d %H:%M:%S', '%d/%m/%y'])::date), '%Y%m%d');
create or replace temp macro dd_date(x) as list_filter([dd_day(x)], lambda d:
    d not in ({_words(_JUNK_DATES.split())}) and d <= strftime(current_date, '%Y%m%d') and d >= '10000101')[1];
create or replace temp macro dd_email(x) as list_transform(list_filter([
    regexp_replace(regexp_replace(lower(trim(x)), '^mailto:|[\s<>,;]+', '', 'g'), '\.+$', '')], lambda e:
    regexp_full_match(e, '[^@\s]+@[^@\s]+\.[a-z0-9-]{{2,}}')
    and split_part(e, '@', 1) not in ({_words(_JUNK_LOCALS.split())})
    and split_part(e, '@', 2) not in ({_words(_JUNK_DOMAINS.split())})),
    lambda e: regexp_replace(e, '\+[^@]*@', '@'))[1];
create or replace temp macro dd_mail_name(x) as list_filter(
    [regexp_replace(split_part(x, '@', 1), '[^a-z0-9]+', '', 'g')],
    lambda v: length(v) > 2 and v not in ({_words(_ROLES.split())}))[1];
create or replace temp macro dd_mail_domain(x) as list_filter([split_part(x, '@', 2)], lambda v:
    v <> '' and split_part(v, '.', 1) not in ({_words(_PROVIDERS.split())}))[1];
create or replace temp macro dd_digits(x) as
    regexp_replace(regexp_replace(replace(trim(x), '(0)', ''), '^\+', '00'), '[^0-9]', '', 'g');
create or replace temp macro dd_phone(x) as list_filter(list_transform([dd_digits(x)], lambda d: case
    when d like '0033%' and length(ltrim(d[5:], '0')) = 9 then '+33' || ltrim(d[5:], '0')
    when d like '33%' and length(d) = 11 then '+' || d
    when d like '00%' and length(d) between 9 and 17 then '+' || d[3:]
    when d similar to '0[1-9][0-9]{{8}}' then '+33' || d[2:]
    when d similar to '[1-9][0-9]{{8}}' then '+33' || d
    when length(d) between 7 and 15 and d[1] <> '0' then '+' || d
    when length(d) between 10 and 12 and d[1] = '0' then '+' || d end), lambda p:
    replace(right(p, 7), right(p, 1), '') <> '' and p not in ('+33123456789', '+33102030405', '+33601020304'))[1];
create or replace temp macro dd_postcode(x) as list_filter([dd_join(dd_plain(x))], lambda v:
    not regexp_full_match(v, '0+|9{{4,}}|x+'))[1];
create or replace temp macro dd_city(x) as dd_known(dd_join(dd_blank(regexp_replace(regexp_replace(
    regexp_replace(dd_plain(x), '\bcedex.*$|\b[0-9]+ ?e?r?(me|eme)?( arrondissement)?\b', ' ', 'g'),
    '\bste\b', 'sainte', 'g'), '\bst\b', 'saint', 'g'))));
create or replace temp macro dd_number(x) as
    nullif(trim(regexp_extract(dd_plain(x), '^([0-9]+ ?((bis|ter|quater|[a-z])\b)?)', 1)), '');
create or replace temp macro dd_street(x) as list_transform([dd_plain(x)], lambda v:
    dd_blank(dd_expand(trim(regexp_replace(v, '^[0-9]+ ?((bis|ter|quater|[abcd])\b)?', '')))))[1];
create or replace temp macro dd_organisation(x) as list_transform(
    [dd_text(regexp_replace(strip_accents(x), '\b([A-Za-z])\.', '\1', 'g'))], lambda v:
    coalesce(dd_known(dd_blank(regexp_replace(v, '{_LEGAL_FORMS}', ' ', 'g'))), v))[1];
create or replace temp macro dd_identifier(x) as list_filter([dd_join(dd_plain(x))], lambda v:
    v not in ({_words(PLACEHOLDERS)}) and not regexp_full_match(v, '0+')
    and not (length(v) > 4 and replace(v, v[1], '') = ''))[1];
create or replace temp macro dd_luhn(x) as list_sum(list_transform(generate_series(1, length(x)), lambda i:
    case when i % 2 = 1 then try_cast(reverse(x)[i] as int)
    else (try_cast(reverse(x)[i] as int) * 2) // 10 + (try_cast(reverse(x)[i] as int) * 2) % 10 end)) % 10 = 0;
create or replace temp macro dd_siren(x) as list_transform([upper(dd_identifier(x))], lambda v: case
    when regexp_full_match(v, '[0-9]{{9}}') then v
    when regexp_full_match(v, '[0-9]{{14}}') then left(v, 9)
    when regexp_full_match(v, 'FR[0-9A-Z]{{2}}[0-9]{{9}}') then right(v, 9) end)[1];
create or replace temp macro dd_sound_siren(x) as list_filter([dd_siren(x)], lambda v: dd_luhn(v))[1];
create or replace temp macro dd_untitled(x) as
    trim(regexp_replace(x, '(?i){_TITLES}[\s.]+', ' ', 'g'));
create or replace temp macro dd_upper_words(x, yes) as array_to_string(list_filter(string_split_regex(dd_untitled(x),
    '\s+'), lambda w: (length(w) > 1 and upper(w) = w) = yes), ' ');
create or replace temp macro dd_full_family(x) as case
    when regexp_full_match(x, '[^,]+,\s*[^,\s]+(\s[^,\s]+)?') then split_part(x, ',', 1)
    when upper(x) <> x and dd_upper_words(x, true) <> '' then dd_upper_words(x, true)
    else regexp_extract(dd_untitled(x), '(\S+)\s*$', 1) end;
create or replace temp macro dd_full_given(x) as case
    when regexp_full_match(x, '[^,]+,\s*[^,\s]+(\s[^,\s]+)?') then split_part(x, ',', 2)
    when upper(x) <> x and dd_upper_words(x, true) <> '' then dd_upper_words(x, false)
    else nullif(trim(regexp_replace(dd_untitled(x), '\S+\s*$', '')), '') end;
create or replace temp macro dd_tokens(x) as array_to_string(list_sort(list_distinct(list_filter(
    string_split(dd_letters(x), ' '), lambda w: length(w) > 2))), ' ');
"""


def install_macros(con: duckdb.DuckDBPyConnection) -> None:
    """Create the normalising macros (``dd_*``) on a connection, for its own session."""
    for name, (parameters, body) in macros().items():
        con.execute(f"create or replace temp macro {name}({', '.join(parameters)}) as {body}")


def macros() -> dict[str, tuple[tuple[str, ...], str]]:
    """Return the macros: name to parameters and expression, each after those that it calls."""
    found: dict[str, tuple[tuple[str, ...], str]] = {"dd_expand": (("x",), _street_words())}
    for statement in _MACROS.split(";\n"):
        if statement.strip():
            head, _, body = statement.strip().removeprefix("create or replace temp macro ").partition(" as")
            name, _, parameters = head.partition("(")
            found[name] = (tuple(part.strip() for part in parameters.rstrip(")").split(",")), body.strip())
    return found


def _street_words() -> str:
    pairs = ", ".join(f"'{short}': '{long}'" for short, long in STREET_WORDS.items() if short != "st")
    expanded = f"list_transform(string_split(x, ' '), lambda w: coalesce(map {{{pairs}}}[w], w))"
    whole = f"array_to_string({expanded}, ' ')"
    return f"regexp_replace(regexp_replace({whole}, '(.) st$', '\\1 street'), '\\bst\\b', 'saint', 'g')"
