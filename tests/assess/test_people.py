"""Counting people: laws of the sketches, spellings, roles, and tables that share people."""

from __future__ import annotations

import datetime as dt
import itertools
import pickle
from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.assess.people import people_of, rounded
from plainview.assess.totals import Total, total_of
from plainview.classify.classify import classify
from plainview.codes import COUNTRY, FLAGS, NUMBERS, country_of, joined
from plainview.crowds import Crowd
from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.detectors.identifying import role_of
from plainview.detectors.persons import name_tags
from plainview.distinct import MOST, Distinct, Key, made
from plainview.matching.ages import ages
from plainview.matching.batches import TableProfiler
from plainview.matching.births import born
from plainview.matching.compiled import Matcher
from plainview.matching.countries import country
from plainview.matching.normal import normal
from plainview.profiles import Identifier, TableProfile
from plainview.report.model import People

FIRMS = "Stahl Eisen Holz Tief Hoch Gerüst Wege Brücken".split()
KEY = Key(b"a key of the tests")


@cache
def engine() -> tuple[Matcher, NameIndex]:
    loaded = load_detectors()
    return Matcher(loaded), NameIndex(loaded)


def profiled(frames: Iterable[pl.DataFrame], table: str = "t", key: Key = KEY) -> TableProfile:
    matcher, names = engine()
    profiler = TableProfiler(matcher, names, table, key=key)
    for frame in frames:
        profiler.add(frame)
    profiler.finish()
    return profiler.total


def counted(*frames: pl.DataFrame, table: str = "t", whole: bool = True) -> tuple[People | None, Crowd]:
    matcher, names = engine()
    profile = profiled(frames, table)
    return people_of(profile, classify(table, profile, matcher.detectors, names), whole=whole)


def people(*frames: pl.DataFrame, table: str = "t", whole: bool = True) -> People:
    found = counted(*frames, table=table, whole=whole)[0]
    assert found is not None
    return found


def emails(numbers: Iterable[int], domain: str = "firma.de") -> list[str]:
    return [f"nadia.muster{number}@{domain}" for number in numbers]


def numbers(found: People) -> tuple[int, int | None, int | None]:
    return found.low, found.estimate, found.high


# -- sketches are sums ---------------------------------------------------------------------------------

code = st.integers(0, FLAGS | (len(NUMBERS) << COUNTRY))
sketches = st.dictionaries(st.integers(0, (1 << 64) - 1), code, max_size=60).map(made)


@given(sketches, sketches, sketches)
def test_sketches_add_up_in_any_order(a: Distinct, b: Distinct, c: Distinct) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(a) == a == a.merge(Distinct()) == Distinct().merge(a)


@given(code, code, code)
def test_codes_add_up_in_any_order(a: int, b: int, c: int) -> None:
    assert joined(a, b) == joined(b, a)
    assert joined(a, joined(b, c)) == joined(joined(a, b), c)
    assert joined(a, a) == a


@given(sketches, sketches, st.integers(0, 50), st.booleans())
def test_identifiers_add_up(a: Distinct, b: Distinct, cells: int, lists: bool) -> None:
    one, other = Identifier("email", cells, 0, lists, a), Identifier("email", 3, 7, distinct=b)
    assert one.merge(other) == other.merge(one)
    assert one.merge(Identifier()) == one


def test_what_is_kept_is_bounded_and_the_estimate_good() -> None:
    found = profiled(pl.DataFrame({"email": emails(range(n, n + 50_000))}) for n in range(0, 300_000, 50_000))
    sketch = found.people["email"].distinct
    assert len(sketch) == MOST
    low, likely, high = sketch.bounds()
    assert low < 300_000 < high
    assert abs(likely - 300_000) < 0.025 * 300_000


def test_the_key_is_not_shown() -> None:
    assert "key of the tests" not in repr(KEY) + str(KEY)
    assert repr(made({1: 0})) == "Distinct(1 of about 1)"
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    assert Key().seed("email") != Key().seed("email") != KEY.seed("email") != KEY.seed("phone")


# -- rows of one table ---------------------------------------------------------------------------------

PEOPLE = st.integers(0, 40)


@settings(max_examples=15, deadline=None)
@given(st.lists(PEOPLE, min_size=25, max_size=80), st.lists(PEOPLE, max_size=40), st.randoms())
def test_more_rows_never_count_fewer_people_and_duplicates_change_nothing(some, more, random) -> None:  # type: ignore[no-untyped-def]
    frame = pl.DataFrame({"email": emails(some)})
    first = people(frame)
    assert first.low <= (first.estimate or 0) <= (first.high or 0)
    assert numbers(first) == (len(set(some)),) * 3
    assert numbers(people(frame, frame)) == numbers(first)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=random.randrange(1000))
    assert numbers(people(shuffled)) == numbers(first)
    grown = people(frame, pl.DataFrame({"email": emails(more)}))
    assert grown.low >= first.low
    assert (grown.high or 0) >= (first.high or 0)


def test_spellings_of_one_address_are_one_person() -> None:
    written = emails(range(50)) + [f"Nadia.Muster{n}@FIRMA.de" for n in range(50)]
    written += [f" nadia.muster{n}+shop@firma.de" for n in range(50)]
    assert numbers(people(pl.DataFrame({"email": written}))) == (50, 50, 50)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("phone", ["+49 170 1234567", "0049 (170) 123-4567", "0170/1234567", "+491701234567", "491701234567"]),
        ("id", ["85 07 04-12345", "850704.12345", "85070412345", "850704/12345"]),
        ("id", ["ab 123456 c", "AB123456C"]),
        ("email", ["Anna.Muster@Firma.DE", "anna.muster+x@firma.de"]),
        ("name", ["Anna Muster", " ANNA MUSTER "]),
    ],
)
def test_one_identifier_has_one_spelling(form: str, written: list[str]) -> None:
    assert normal(pl.Series(written), form, "49").n_unique() == 1


def test_numbers_of_two_countries_stay_apart() -> None:
    assert normal(pl.Series(["+49 170 1234567", "+43 170 1234567"]), "phone", "49").n_unique() == 2


def test_two_people_of_one_row_are_two() -> None:
    frame = pl.DataFrame(
        {"sender_email": emails(range(60)), "recipient_email": emails(range(30, 90)), "sent": ["2024-01-01"] * 60}
    )
    assert numbers(people(frame)) == (90, 90, 90)


def test_members_of_a_list_are_people_each() -> None:
    frame = pl.DataFrame({"members": [[{"email": e} for e in emails(range(n, n + 3))] for n in range(40)]})
    assert numbers(people(frame)) == (42, 42, 42)


def test_a_second_address_is_no_second_person() -> None:
    frame = pl.DataFrame({"email": emails(range(80)), "backup_email": emails(range(200, 280))})
    assert numbers(people(frame)) == (80, 80, 80)


def test_names_alone_are_weak_and_with_dates_of_birth_they_are_not() -> None:
    names = [f"{given} {family}" for given in ("Anna", "Jürgen", "Maria") for family in ("Schmidt", "Nowak", "Rossi")]
    frame = pl.DataFrame({"full_name": names * 4})
    found = people(frame, table="people")
    assert (found.low, found.estimate, found.high) == (9, 9, 36)
    born = frame.with_columns(birth_date=pl.Series([f"19{50 + n}-05-17" for n in range(36)]))
    assert numbers(people(born, table="people")) == (36, 36, 36)


def test_rows_without_the_identifier_widen_the_bounds() -> None:
    found = people(
        pl.DataFrame({"email": emails(range(90)) + [""] * 10, "phone": [f"+49170{n:07}" for n in range(100)]})
    )
    assert (found.low, found.high) == (90, 100)
    assert found.estimate == 100


def test_companies_are_not_people() -> None:
    frame = pl.DataFrame(
        {
            "company": [f"{a}{b}bau GmbH" for a in FIRMS for b in FIRMS],
            "email": [f"info@stahl{n}.de" for n in range(64)],
        }
    )
    assert counted(frame, table="suppliers")[0] is None  # shared mailboxes of firms: nothing in it is about a person
    others = frame.with_columns(email=pl.Series([f"stahl.{n}@bau-{n}.de" for n in range(64)]))
    found = counted(others, table="suppliers")[0]
    assert found is None or numbers(found) == (0, 0, 0)
    with_person = frame.with_columns(contact_name=pl.Series(["Anna Schmidt", "Jürgen Nowak"] * 32))
    assert people(with_person, table="suppliers").low > 0


@pytest.mark.parametrize("header", ["company", "company_name", "企业名称", "公司", "会社名", "회사명"])
def test_what_a_column_of_companies_is_called_makes_the_rows_companies(header: str) -> None:
    phones = [f"+4930{5_550_000 + 7 * n}" for n in range(64)]
    frame = pl.DataFrame({header: [f"AB-{n}" for n in range(64)], "phone": phones})
    assert numbers(counted(frame, table="t")[0] or People(high=0, estimate=0)) == (0, 0, 0)
    assert numbers(people(pl.DataFrame({"phone": phones, "total": range(64)}))) == (64, 64, 64)


def test_a_company_in_a_script_without_blanks_is_one() -> None:
    assert "company" in name_tags("海天贸易科技有限公司")
    assert "company" in name_tags("株式会社山田電機工業")
    assert "company" not in name_tags("王伟明")


def test_columns_that_share_their_numbers_are_people_each() -> None:
    frame = pl.DataFrame(
        {"zjhm": [f"+49170{n:07}" for n in range(60)], "bjhm": [f"+49170{n:07}" for n in range(30, 90)]}
    )
    found = people(frame, table="calls")
    assert numbers(found) == (90, 90, 90)
    assert any("share their numbers" in reason for reason in found.reasons)


def test_what_a_row_says_of_its_own_person_is_not_said_of_the_parent() -> None:
    child = {"email": emails(range(40)), "parent_email": emails(range(100, 140)), "birth_date": ["2020-05-17"] * 40}
    found = people(pl.DataFrame(child))
    assert numbers(found) == (80, 80, 80)
    assert {g.name: g.low for g in found.minors}["under 18"] == 40


@pytest.mark.parametrize("more", [0, 60])
def test_an_identifier_that_begins_late_is_no_hole(more: int) -> None:
    early = pl.DataFrame({"id": range(400), "email": [None] * 400}, schema={"id": pl.Int64, "email": pl.String})
    late = pl.DataFrame({"id": range(100), "email": emails(range(100))})
    rest = pl.DataFrame({"id": range(more), "email": emails(range(50, 50 + more))})
    assert numbers(people(early, late, rest)) == (max(100, 50 + more),) * 3


def test_two_columns_of_the_best_kind_leave_room_for_another_that_links() -> None:
    frame = pl.DataFrame(
        {
            "email": emails(range(60)), "parent_email": emails(range(60, 120)),
            "phone": [f"+49170{n:07}" for n in range(60)],
        }
    )  # fmt: skip
    crowds = [counted(frame)[1], table(range(60), "phone")]
    assert (total_of(crowds) or People()).estimate == 120


def test_reserved_addresses_are_counted_apart() -> None:
    found = people(pl.DataFrame({"email": emails(range(90)) + emails(range(10), "example.org")}))
    assert (*numbers(found), found.examples) == (90, 90, 90, 10)
    made_up = people(pl.DataFrame({"email": emails(range(90), "example.com")}))
    assert (made_up.estimate, made_up.examples) == (90, 90)
    assert any("made-up" in reason for reason in made_up.reasons)


def test_of_a_sample_no_number_is_extrapolated() -> None:
    found = people(pl.DataFrame({"email": emails(range(50))}), whole=False)
    assert numbers(found) == (50, None, None)


def test_nobody_is_counted_where_nothing_identifies() -> None:
    frame = pl.DataFrame({"religion": ["katholisch", "evangelisch", "muslim"] * 20, "gender": ["m", "f", "f"] * 20})
    found, _ = counted(frame, table="people")
    if found is not None:
        assert (found.low, found.estimate, found.high) == (1, None, 60)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("sender_email", "sender"),
        ("to.email", "recipient"),
        ("email", ""),
        ("发件人.email", "sender"),
        ("监护人身份证号", "parent"),
        ("被叫号码", "recipient"),
        ("身份证号", ""),
    ],
)
def test_roles_by_name(path: str, role: str) -> None:
    assert role_of(path) == role


# -- tables together -----------------------------------------------------------------------------------


def table(members: Sequence[int], *kinds: str) -> Crowd:
    columns = {
        "email": emails(members),
        "phone": [f"+49170{n:07}" for n in members],
        "full_name": [f"Anna {'abcdefghij'[n % 10].upper()}muster" for n in members],
    }
    return counted(pl.DataFrame({kind: columns[kind] for kind in kinds}), table="people")[1]


def test_tables_that_share_an_identifier_count_each_person_once() -> None:
    crowds = [table(range(100), "email"), table(range(60, 160), "email"), table(range(150, 200), "email")]
    for order in itertools.permutations(crowds):
        assert numbers(total_of(order) or People()) == (200, 200, 200)


def test_a_table_with_two_kinds_brings_others_together() -> None:
    crowds = [table(range(100), "email"), table(range(50, 150), "email", "phone"), table(range(120, 180), "phone")]
    for order in itertools.permutations(crowds):
        found = total_of(order) or People()
        assert found.low <= 180 <= (found.high or 0)
        assert found.estimate == 180


def test_tables_are_never_linked_by_name() -> None:
    crowds = [table(range(40), "full_name"), table(range(40), "full_name")]
    found = total_of(crowds) or People()
    assert found.low == 10
    assert (found.high or 0) >= 20


@settings(max_examples=20, deadline=None)
@given(st.lists(st.frozensets(st.integers(0, 30), min_size=1), min_size=1, max_size=6), st.data())
def test_the_total_is_the_same_in_any_order(sets: list[frozenset[int]], data: st.DataObject) -> None:
    crowds = []
    for members in sets:
        kinds = {
            kind: made({hash((kind, member)) & (1 << 64) - 1: 0 for member in members})
            for kind in data.draw(
                st.sets(st.sampled_from(["email_address", "telephone_number", "national_id"]), min_size=1)
            )
        }
        crowds.append(Crowd(len(members), len(members), len(members), min(kinds), kinds))
    first = total_of(crowds)
    assert first == total_of(data.draw(st.permutations(crowds)))
    assert first is not None
    everybody = len(frozenset().union(*sets))
    assert first.low <= everybody <= (first.high or 0), "the truth lies between the bounds"
    assert first.low <= (first.estimate or 0) <= (first.high or 0)
    assert numbers(total_of([*crowds, *crowds]) or People())[0] == first.low


def test_a_table_that_does_not_say_whose_its_rows_are_adds_nobody_to_the_estimate() -> None:
    crowds = [table(range(50), "email"), Crowd(1, 0, 4000)]
    for order in itertools.permutations(crowds):
        found = total_of(order) or People()
        assert numbers(found) == (50, 50, 4050)
        assert any("whose" in reason for reason in found.reasons)
    assert numbers(total_of(crowds[1:]) or People()) == (1, None, 4000)


def test_groups_of_a_total_are_those_of_every_kind_without_anybody_twice() -> None:
    def sketch(first: int, many: int, code: int, kind: int) -> Distinct:
        return made({(kind << 50) + n * 977: code for n in range(first, first + many)})

    child, spanish = 2 | 4 | 8, NUMBERS["ES"] << COUNTRY
    ids, phones = sketch(0, 30, child, 1), sketch(0, 30, child, 2)
    crowds = [
        Crowd(30, 30, 30, "national_id", {"national_id": ids, "telephone_number": phones}),
        Crowd(50, 50, 50, "telephone_number", {"telephone_number": sketch(0, 50, 0, 2)}),
        Crowd(20, 20, 20, "passport_number", {"passport_number": sketch(0, 20, spanish | 2, 3)}),
    ]
    for order in itertools.permutations(crowds):
        found = total_of(order) or People()
        assert found.estimate == 70
        minors = {g.name: (g.low, g.estimate, g.high) for g in found.minors}
        assert minors["under 18"] == (30, 30, 30)
        assert minors["age unknown"] == (20, 20, 20)
        assert {g.name: g.estimate for g in found.by_country} == {"ES": 20, "unknown": 50}


def test_what_means_a_person_in_one_store_alone_links_no_other() -> None:
    sketch = made(dict.fromkeys(range(20), 0))
    crowd = Crowd(20, 20, 20, "employee_id", {"employee_id": sketch}, here=frozenset({"employee_id"}))
    total = Total()
    total.add(crowd, "one")
    total.add(crowd, "one")
    assert numbers(total.people() or People()) == (20, 20, 20)
    total.add(crowd, "other")
    assert numbers(total.people() or People()) == (20, 40, 40)


# -- ages and countries --------------------------------------------------------------------------------

TODAY = dt.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("born", "surely", "perhaps"),
    [
        ("2008-12-01", False, False),  # 18 today
        ("2008-12-02", True, True),
        ("02.12.2008", False, True),  # 2 December, or 12 February
        ("13.12.2008", True, True),
        ("12/13/2008", True, True),
        ("2008", False, True),
        ("2009", True, True),
        ("20081202", True, True),
        ("1387-09-11", False, False),  # another calendar
        ("2551-09-11", False, False),
        ("1890-01-01", False, False),
        ("2030-01-01", False, False),
        ("unknown", False, False),
        ("2008-12-02 10:00:00", True, True),
    ],
)
def test_minors_by_date_of_birth(born: str, surely: bool, perhaps: bool) -> None:
    (found,) = ages(pl.Series([born]), TODAY).tolist()
    assert (bool(found & 8), bool(found & 4)) == (surely, perhaps)


@pytest.mark.parametrize(
    ("country", "number", "surely", "aged"),
    [  # made up: none has to pass a check digit here
        ("CN", "11010520150517002X", True, True), ("CN", "110105194912310021", False, True),
        ("KR", "1505173000000", True, True), ("KR", "8505171000000", False, True),
        ("EE", "51505170000", True, True), ("LT", "38505170000", False, True),
        ("RO", "5150517000000", True, True), ("PL", "15251700000", True, True), ("PL", "85051700000", False, True),
        ("BG", "1545170000", True, True), ("FI", "170515A000A", True, True), ("FI", "170585000A", False, True),
        ("EG", "31505170000000", True, True), ("KZ", "150517500000", True, True), ("SE", "201505170000", True, True),
        ("MX", "XXXX150517HXXXXXA0", True, True), ("MX", "XXXX850517HXXXXX00", False, True),
        ("PL", "15991700000", False, False), ("CN", "nothing", False, False), ("DE", "L01X00T471", False, False),
    ],
)  # fmt: skip
def test_minors_by_national_number(country: str, number: str, surely: bool, aged: bool) -> None:
    (found,) = born(pl.Series([number]), country, TODAY).tolist()
    assert (bool(found & 8), bool(found & 2)) == (surely, aged)
    assert country_of(found) == country


def test_children_are_counted_without_a_column_of_births() -> None:
    def cnp(year: int, serial: int) -> str:
        first = f"{5 if year >= 2000 else 1}{year % 100:02}051740{serial:03}"
        check = sum(int(a) * int(b) for a, b in zip(first, "279146358279", strict=True)) % 11
        return first + str(1 if check == 10 else check)

    frame = pl.DataFrame({"cnp": [cnp(2015, n) for n in range(20)] + [cnp(1980, n) for n in range(60)]})
    found = people(frame, table="persoane")
    groups = {group.name: group.low for group in found.minors}
    assert (found.estimate, groups["under 18"], groups["under 13"]) == (80, 20, 20)
    assert [(group.name, group.low) for group in found.by_country] == [("RO", 80)]


def test_born_on_the_29th_of_february() -> None:
    born = pl.Series(["2008-02-29"])
    assert ages(born, dt.date(2026, 2, 28))[0] & 8
    assert not ages(born, dt.date(2026, 3, 1))[0] & 8


@pytest.mark.parametrize(
    ("country", "last", "first"),
    [  # 31 December 1999 and 1 January 2000
        ("PL", "99123100000", "00210100000"), ("RO", "1991231000000", "5000101000000"),
        ("KR", "9912311000000", "0001013000000"), ("FI", "311299000A", "010100A000A"),
        ("EE", "39912310000", "50001010000"), ("BG", "9912310000", "0041010000"),
        ("CN", "110105199912310021", "110105200001010021"), ("EG", "29912310000000", "30001010000000"),
    ],
)  # fmt: skip
def test_numbers_at_the_border_of_a_century(country: str, last: str, first: str) -> None:
    def minor(number: str, today: dt.date) -> bool:
        return bool(born(pl.Series([number]), country, today)[0] & 8)

    eve, day = dt.date(2017, 12, 31), dt.date(2018, 1, 1)  # the 18th birthdays
    assert [minor(last, eve - dt.timedelta(1)), minor(last, eve), minor(last, day)] == [True, False, False]
    assert [minor(first, eve), minor(first, day)] == [True, False]


@pytest.mark.parametrize(("country", "number"), [("CN", "110105200802290021"), ("PL", "08222900000")])
def test_numbers_of_those_born_on_the_29th_of_february(country: str, number: str) -> None:
    codes = [born(pl.Series([number]), country, dt.date(2026, month, day))[0] for month, day in ((2, 28), (3, 1))]
    assert [bool(code & 8) for code in codes] == [True, False]


def test_children_are_counted_and_few_of_them_not_told() -> None:
    def table_with(children: int) -> People:
        born = ["2015-05-17"] * children + ["1980-05-17"] * (100 - children)
        return people(pl.DataFrame({"email": emails(range(100)), "birth_date": born}), table="people")

    groups = {group.name: group for group in table_with(12).minors}
    assert (groups["under 18"].low, groups["under 18"].high, groups["under 13"].low) == (12, 12, 12)
    few = {group.name: group for group in table_with(3).minors}["under 18"]
    assert (few.few, few.low, few.estimate, few.high) == (True, 0, None, 4)


def test_people_by_country() -> None:
    phones = [f"+49170{n:07}" for n in range(60)] + [f"+33612{n:06}" for n in range(40)]
    groups = {group.name: group.estimate for group in people(pl.DataFrame({"phone": phones})).by_country}
    assert groups == {"DE": 60, "FR": 40}
    columns = pl.DataFrame({"email": emails(range(90)), "country": ["Germany", "法国", "pt"] * 30})
    groups = {group.name: group.estimate for group in people(columns, table="customers").by_country}
    assert groups == {"DE": 30, "FR": 30, "PT": 30}


@pytest.mark.parametrize(
    ("name", "code"), [("Deutschland", "DE"), ("usa", "US"), ("FRA", "FR"), ("中国", "CN"), ("x", "")]
)
def test_countries_by_name(name: str, code: str) -> None:
    assert country(name) == code


def test_numbers_are_rounded_to_what_the_error_allows() -> None:
    assert [rounded(n) for n in (999, 12_345, 1_234_567)] == [999, 12_300, 1_230_000]
    assert (rounded(12_345, down=True), rounded(12_345, down=False)) == (12_300, 12_400)


@pytest.mark.parametrize(("real", "reserved"), [(40, 10), (30, 0), (20, 60), (2, 60)])
def test_groups_are_of_those_who_are_counted(real: int, reserved: int) -> None:
    mails = [f"p{n}@firma-{n}.de" for n in range(real)] + [f"p{n}@example.org" for n in range(reserved)]
    frame = pl.DataFrame({"email": mails, "country": ["DE", "FR"] * (len(mails) // 2)})
    answer, crowd = counted(frame)
    for found in (answer, total_of([crowd])):
        assert found is not None
        assert found.examples == reserved
        told = [group.estimate for group in found.by_country]
        assert all(number is not None for number in told)
        assert sum(number or 0 for number in told) == found.estimate
