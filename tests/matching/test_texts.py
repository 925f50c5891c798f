"""What stands behind a word or a label in running text, and what does not."""

from __future__ import annotations

import pytest

from bounds.texts import TEXTS
from bounds.work import LINEAR, growth
from plainview import find

SIZE = 50_000  # characters; four times as many for the ratio


def said(text: str) -> set[tuple[str, str]]:
    return {(m.category, text[m.start : m.end].rstrip(".")) for m in find(text)}


@pytest.mark.parametrize(
    ("text", "category", "value"),
    [
        ("please call me at (555) 123-4567 tomorrow", "telephone_number", "(555) 123-4567"),
        ("Tfno. 956 013 059 y correo", "telephone_number", "956 013 059"),
        ("手機 0912345678 結束", "telephone_number", "0912345678"),
        ("ur. 7 marca 1985 r. w Krakowie", "birth_date", "7 marca 1985"),
        ("She was born on 3 May 1980 in Leeds", "birth_date", "3 May 1980"),
        ("We live at 1600 Amphitheatre Parkway, Mountain View", "postal_address", "1600 Amphitheatre Parkway"),
        ("zam. ul. Polna 3/5 w Toruniu", "postal_address", "ul. Polna 3/5"),
        ("my credit card number is 675984103431?", "payment_card", "675984103431"),
        ("NASS: 71 33043712 35.", "national_id", "71 33043712 35"),
    ],
)
def test_behind_a_word(text: str, category: str, value: str) -> None:
    assert (category, value) in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "(555) 123-4567",
        "part 956 013 059 is out of stock",
        "The museum opened on 3 May 1980",
        "order 0912345678 was sent",
        "Born in the USA sold 30000000 copies",
        "see chapter 12 of the Hauptwerk",
    ],
)
def test_without_a_word_it_stays_a_number(text: str) -> None:
    assert said(text) == set()


def test_a_label_speaks_of_its_own_field() -> None:
    text = '"address": "7557 Alder Lane, Fairview, GA 37257", "mrn": "MRN-1027257", "ward": "x"'
    assert said(text) >= {
        ("postal_address", "7557 Alder Lane, Fairview, GA 37257"),
        ("medical_record_number", "MRN-1027257"),
    }
    row = "Domicilio: Calle Mayor 3 | NHC: 739146"
    assert ("medical_record_number", "739146") in said(row)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("my credit card number is 346412338913585 ?", "payment_card"),
        ("the last transaction of card 374883521588522", "payment_card"),
        ("numéro de sécurité sociale 346412338913585", "national_id"),
    ],
)
def test_a_word_before_a_number_says_which_of_two_things_it_is(text: str, category: str) -> None:
    """Valid as a card of American Express and as a French social security number."""
    assert [match.category for match in find(text)] == [category]


def test_each_of_many_contested_numbers_is_found() -> None:
    text = "card 346412338913585, " * 5_000
    assert len(find(text)) == 5_000


@pytest.mark.parametrize("name", TEXTS)
def test_finding_takes_time_linear_in_the_text(name: str) -> None:
    find("ready")
    assert growth(find, lambda size: TEXTS[name](size).decode("utf-8", "replace"), SIZE) < LINEAR


def test_many_labels_are_found_at_their_places() -> None:
    """A label is found by its colon, and where several stand in a row each has its own value."""
    text = "ï iban: DE89370400440532013000; iban = DE89370400440532013000\n" * 50
    places = [(m.start, m.end) for m in find(text)]
    assert {text[start:end] for start, end in places} == {"DE89370400440532013000"}
    assert len(places) == 100


@pytest.mark.parametrize("value", [None, b"canary@example.org", ["canary@example.org"], 5])
def test_what_is_no_text_is_refused_without_its_text(value: object) -> None:
    with pytest.raises(TypeError, match=r"^find: text must be a str$"):
        find(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "category", "value"),
    [
        ("login failed for u1 password=Kw7!xq2Lp9 from host", "password", "Kw7!xq2Lp9"),
        ("$db_pass = 'toor';", "password", "toor"),
        ("Mot de passe : Br0uette!7", "password", "Br0uette!7"),
        ('{"clientSecret": "a5ac3d75bd54a27de74bf15e882b50ff"}', "secret", "a5ac3d75bd54a27de74bf15e882b50ff"),
        ("GET /reset?token=a3021d028c2de64af44c6cdc519a0244&x=1", "secret", "a3021d028c2de64af44c6cdc519a0244"),
        ("Authorization: Basic YW5uYS5rOkt3NyF4cTJMcA==", "secret", "YW5uYS5rOkt3NyF4cTJMcA=="),
        ("https://svc:pa-ss.w0rd@db.example.net/app", "secret", "https://svc:pa-ss.w0rd@db.example.net/app"),
        ("anna@example.org:hunter2", "password", "hunter2"),
        ("anna@example.org:hunter2", "email_address", "anna@example.org"),
        ("IBAN de88 1540 8750 7455 2317 04 bitte", "bank_account", "de88 1540 8750 7455 2317 04"),
        ("card 4111.1111.1111.1111.", "payment_card", "4111.1111.1111.1111"),
        ("mac:00:1b:44:11:3a:b7 up", "mac_address", "00:1b:44:11:3a:b7"),
        ("from 2a02:8108:e82a:3d89::ae9 port 14818", "ip_address", "2a02:8108:e82a:3d89::ae9"),
    ],
)
def test_values_behind_labels_and_in_other_forms(text: str, category: str, value: str) -> None:
    assert (category, value) in said(text)


@pytest.mark.parametrize(
    "text",
    [
        "icon@2x.png",
        "see report@final.docx",
        "Face::Add(x) and Dead::Beef::cafe()",
        "std::map<a::b, c::d>",
        "SHA1 Fingerprint=AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01",
        "        20:f8:75:fe:f5:6f:65:08:7d:e5:df:47:37:da:eb:",
        "firmware 1.4.60.2 installed",
        "Version: 61.2.3.4, Build 88.1.200.3",
        "Password: at least 12 letters.",
        "password=${DB_PASSWORD}",
        "API_KEY=<your-api-key>",
        "password = getpass()",
        "password: config.db.password",
    ],
)
def test_names_of_programs_digests_and_placeholders_are_nothing(text: str) -> None:
    assert said(text) == set()
