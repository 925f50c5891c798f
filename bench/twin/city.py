"""The people of an invented city: who there is, and what is true of them. Nothing here is real.

All is a function of seed, scale and day. Identity numbers have valid check digits in a county that does not exist
(119900), telephone numbers stand behind a prefix that is given out no more (1349), positions lie in the sea.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

COUNTY, ELSEWHERE = "119900", "139900"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 韩 冯 邓 曹".split()
GIVEN = [*"伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文志海春梅晓东云飞雪宁"]
FOREIGN = "Anna Boris Carla David Elena Fatima Georg Hana Ivan Julia Karim Lena Marco Nadia Omar Petra Rosa".split()
FAMILY = "Muster Petrov Rossi Novak Silva Meyer Hansen Haddad Tanaka Okafor Nguyen Lopez Dubois Singh Berg".split()
COUNTRIES = dict(
    pair.split("=")
    for pair in (
        "KAZ=Kazakhstan DEU=Germany FRA=France ITA=Italy ESP=Spain PRT=Portugal POL=Poland CZE=Czechia HUN=Hungary "
        "NLD=Netherlands BEL=Belgium AUT=Austria CHE=Switzerland SWE=Sweden NOR=Norway FIN=Finland DNK=Denmark "
        "IRL=Ireland CAN=Canada MEX=Mexico BRA=Brazil ARG=Argentina CHL=Chile AUS=Australia JPN=Japan IND=India "
        "PAK=Pakistan THA=Thailand VNM=Vietnam IDN=Indonesia MYS=Malaysia PHL=Philippines TUR=Turkey EGY=Egypt "
        "RUS=Russia PER=Peru COL=Colombia KEN=Kenya MAR=Morocco GRC=Greece"
    ).split()
)
THE_COUNTRY = ("KAZ", "KZ")  # of which the number is known
MANY = 0.12  # share of the visitors who are of the one country


@dataclass(slots=True)
class Person:
    """Somebody invented. `id` is an identity number, or that of a passport; `country` the code of three letters."""

    name: str
    id: str
    born: dt.date
    female: bool
    phone: str = ""
    guardian: str = ""
    country: str = "CHN"


class City:
    """Everybody, and the numbers that a scan is held against. `today`: the day on which children are counted."""

    def __init__(self, scale: float = 1.0, seed: int = 26, today: dt.date | None = None) -> None:
        self.scale = scale
        self.today = today or dt.datetime.now(dt.UTC).date()
        self.random = random.Random(seed).random
        self._taken: set[str] = set()
        adults, children = self.of(20_000), self.of(5_000)
        self.residents = [self._citizen(n, COUNTY, self._day(19, 85)) for n in range(adults)]
        for n in range(children):
            child = self._citizen(adults + n, COUNTY, self._day(0, 17))
            child.phone, child.guardian = "", self.residents[self.below(adults)].id
            self.residents.append(child)
        self.commuters = [self._citizen(100_000 + n, ELSEWHERE, self._day(19, 62)) for n in range(self.of(3_000))]
        self.outside = [f"1349{9_000_000 + n * 7:07}" for n in range(self.of(2_000))]
        self.visitors = [self._visitor(n) for n in range(self.of(5_000))]

    def of(self, number: int) -> int:
        """Return a number at this scale."""
        return max(1, round(number * self.scale))

    def below(self, number: int) -> int:
        """Return a random number below another; quicker than randrange."""
        return int(self.random() * number)

    def one(self, things):
        """Return one of several things."""
        return things[int(self.random() * len(things))]

    @property
    def adults(self) -> list[Person]:
        """The residents who have a telephone."""
        return self.residents[: self.of(20_000)]

    @property
    def truth(self) -> dict[str, int]:
        """What a scan should find: numbers of people."""
        return {
            "people": len(self.residents) + len(self.visitors) + len(self.commuters) + len(self.outside),
            "children": self.of(5_000),
            "foreigners": len(self.visitors),
            "of the one country": sum(person.country == THE_COUNTRY[0] for person in self.visitors),
        }

    def _day(self, youngest: int, oldest: int) -> dt.date:
        """Return a date of birth; nobody's 18th birthday is near, so the day of the scan changes nothing."""
        first, last = youngest * 365 + youngest // 4 + 40, (oldest + 1) * 365 + oldest // 4 - 40
        return self.today - dt.timedelta(first + self.below(last - first))

    def _citizen(self, number: int, county: str, born: dt.date) -> Person:
        female = self.random() < 0.5
        while (digits := f"{county}{born:%Y%m%d}{self.below(500) * 2 + (not female):03}") in self._taken:
            pass
        self._taken.add(digits)
        check = "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, digits, strict=True)) % 11]
        name = self.one(SURNAMES) + self.one(GIVEN) + (self.one(GIVEN) if self.random() < 0.8 else "")
        return Person(name, digits + check, born, female, phone=f"1349{number * 37:07}")

    def _visitor(self, number: int) -> Person:
        country = THE_COUNTRY[0] if number < self.of(5_000) * MANY else [*COUNTRIES][1 + number % (len(COUNTRIES) - 1)]
        name = f"{self.one(FOREIGN)} {self.one(FAMILY)}"
        passport = f"{'QXZ'[number % 3]}{3_000_000 + number * 613:08}"
        return Person(name, passport, self._day(19, 70), self.random() < 0.5, country=country)


__all__ = ["COUNTRIES", "THE_COUNTRY", "City", "Person"]
