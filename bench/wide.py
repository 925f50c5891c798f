"""How much of special and behavioural data is found, by kind, in 20 languages, under telling and under opaque names.

    python bench/wide.py [--show] [--json FILE]

The tables are made here, the same each time, from the field names and words of `wide.txt`: short lists that were
written for this alone and that the detectors do not share. Each language has tables of 120 people with columns of
40 kinds, and harmless columns beside them; each table is judged twice, with its field names and with c1, c2, ….
Under opaque names only those kinds are asked for that the values themselves can tell.
"""

from __future__ import annotations

import argparse
import base64
import collections
import json
import pathlib
import random
from collections.abc import Iterator

import polars as pl

from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

LANGUAGES = "en de fr es pt it nl pl cs ro hu tr sv fi ru uk ar zh ja ko".split()
ROWS = 120
RIGHT = {  # kind -> categories that are a right answer
    "health": "health", "medication": "prescription health", "disability": "disability health", "religion": "religion",
    "politics": "political_opinion", "union": "trade_union", "orientation": "sexual",
    "ethnicity": "ethnic_origin race nationality", "crime": "criminal criminal_charge", "marital": "marital_status",
    "residence": "immigration_status", "education": "education", "job": "job_title employment",
    "nationality": "nationality country", "family": "family", "income": "income salary", "salary": "salary income",
    "credit": "credit_score", "location": "location_gps location_history", "caller": "call_log telephone_number",
    "browsing": "browsing", "purchases": "purchases", "fingerprint": "fingerprint", "face": "face_template",
    "genetic": "genetic", "children": "family", "device": "device_identifier cookie_or_uid",
    "consumption": "service_consumption", "voice": "voice_recording", "message": "message_content",
    "name": "person_name", "email": "email_address", "phone": "telephone_number", "birth": "birth_date",
    "address": "postal_address", "passport": "passport_number", "iban": "bank_account", "card": "payment_card",
    "ip": "ip_address",
}  # fmt: skip
IDENTIFIERS = frozenset("name email phone birth address passport iban card ip".split())
# What nobody can tell without a field name: numbers, codes, texts about anything
BY_NAME_ONLY = frozenset(
    "income salary credit purchases genetic children device consumption voice message passport browsing caller".split()
)
PLANS = {  # country code and digits of a mobile number
    "en": "+44 7", "de": "+49 15", "fr": "+33 6", "es": "+34 6", "pt": "+351 9", "it": "+39 34", "nl": "+31 6",
    "pl": "+48 5", "cs": "+420 6", "ro": "+40 7", "hu": "+36 20", "tr": "+90 53", "sv": "+46 7", "fi": "+358 40",
    "ru": "+7 91", "uk": "+380 50", "ar": "+20 10", "zh": "+86 13", "ja": "+81 90", "ko": "+82 10",
}  # fmt: skip
LENGTHS = {"+44 7": 10, "+49 15": 11, "+351 9": 9, "+420 6": 9, "+358 40": 9, "+380 50": 9, "+82 10": 10, "+81 90": 10}


class Words:
    """What `wide.txt` says: field names, values, names of people by language."""

    def __init__(self, path: pathlib.Path) -> None:
        self.names: dict[tuple[str, str], str] = {}
        self.values: dict[tuple[str, str], list[str]] = {}
        self.people: dict[str, list[list[str]]] = {}
        self.harmless: list[str] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            kind, language, *rest = line.split("|")
            if kind == "people":
                self.people[language] = [part.split(";") for part in rest]
            elif language in LANGUAGES:
                self.names[kind, language], self.values[kind, language] = rest[0], rest[1].split(";")
            else:
                self._all(kind, rest)

    def _all(self, kind: str, rest: list[str]) -> None:
        for language, name in zip(LANGUAGES, rest[0].split(";"), strict=True):
            self.names[kind, language] = name
        if len(rest) > 1:
            self.harmless.append(kind)
            for language, values in zip(LANGUAGES, rest[1].split(";"), strict=True):
                self.values[kind, language] = values.split("/")


def luhn(digits: str) -> str:
    """Return the digits with their check digit."""
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def iban(rng: random.Random) -> str:
    """Return an account of a made-up German bank."""
    account = f"{rng.randrange(10**17, 10**18)}"
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def person(words: Words, language: str, rng: random.Random) -> str:
    """Return a name as its language writes it."""
    first, last, _ = words.people[language]
    return f"{rng.choice(first)}{'' if language in ('zh', 'ja', 'ko') else ' '}{rng.choice(last)}"


def made(kind: str, words: Words, language: str, rng: random.Random) -> str:
    """Return one value of a kind."""
    if (kind, language) in words.values:
        return rng.choice(words.values[kind, language])
    if kind == "name":
        return person(words, language, rng)
    if kind == "address":
        return rng.choice(words.people[language][2]) % rng.randrange(1, 180)
    if kind in ("phone", "caller"):
        plan = PLANS[language]
        country, start = plan.split()
        rest = LENGTHS.get(plan, 10 if language not in ("fr", "es", "nl", "pl", "ro", "hu", "sv") else 9) - len(start)
        return f"{country}{start}{rng.randrange(10 ** (rest - 1), 10**rest)}"
    if kind == "face":
        vector = [rng.gauss(0, 1) for _ in range(128)]
        length = sum(x * x for x in vector) ** 0.5
        return json.dumps([round(x / length, 5) for x in vector])
    if kind == "fingerprint":
        return base64.b64encode(b"FMR\0 20\0" + rng.randbytes(90)).decode()
    rules = {
        "income": lambda: str(rng.randrange(9_000, 190_000)),
        "salary": lambda: f"{rng.randrange(900, 9_000)}.00",
        "credit": lambda: str(rng.randrange(300, 850)),
        "location": lambda: f"{rng.uniform(30, 60):.6f},{rng.uniform(-9, 40):.6f}",
        "browsing": lambda: f"https://www.shop{rng.randrange(9)}.example/p/{rng.randrange(9999)}",
        "purchases": lambda: ", ".join(rng.choices(words.values["product", language], k=2)),
        "genetic": lambda: rng.choice("ACGT") + rng.choice("ACGT"),
        "children": lambda: str(rng.choice((0, 0, 1, 1, 2, 2, 3, 4))),
        "device": lambda: "-".join(f"{rng.getrandbits(4 * n):0{n}x}" for n in (8, 4, 4, 4, 12)),
        "consumption": lambda: f"{rng.uniform(2, 30):.2f}",
        "voice": lambda: f"/media/{rng.getrandbits(32):08x}.wav",
        "message": lambda: " ".join(rng.choice(words.values[k, language]) for k in words.harmless * 2),
        "email": lambda: f"{rng.choice('abcdefgh')}{rng.randrange(10**6)}@mail{rng.randrange(9)}.example.com",
        "birth": lambda: f"{rng.randrange(1938, 2006)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        "passport": lambda: f"{rng.choice('CFGHJK')}{rng.randrange(10**7, 10**8)}",
        "iban": lambda: iban(rng),
        "card": lambda: luhn(f"4{rng.randrange(10**13, 10**14)}"),
        "ip": lambda: f"{rng.randrange(61, 200)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    }  # fmt: skip
    return rules[kind]()


def harmless(words: Words, language: str, rng: random.Random) -> dict[str, tuple[str, list[str]]]:
    """Return columns about nobody: field name -> (kind, values)."""
    out = {
        words.names[kind, language]: (kind, [rng.choice(words.values[kind, language]) for _ in range(ROWS)])
        for kind in words.harmless
    }
    out["updated_at"] = (
        "time",
        [f"2024-0{rng.randrange(1, 9)}-1{rng.randrange(9)} 1{rng.randrange(9)}:00:00" for _ in range(ROWS)],
    )
    out["sku"] = (
        "code",
        [f"{rng.choice('KLM')}-{rng.randrange(1000, 9999)}-{rng.randrange(10, 99)}" for _ in range(ROWS)],
    )
    out["amount"] = ("number", [f"{rng.uniform(1, 900):.2f}" for _ in range(ROWS)])
    out["row_version"] = ("number", [str(rng.randrange(1, 40)) for _ in range(ROWS)])
    return out


def tables(words: Words) -> Iterator[tuple[str, dict[str, tuple[str, list[str]]]]]:
    """Yield (language, columns: field name -> (kind, values)); the kind of a harmless column is in none of RIGHT."""
    special = [kind for kind in RIGHT if kind not in IDENTIFIERS]
    for language in LANGUAGES:
        rng = random.Random(f"wide {language}")
        for part in range(5):
            kinds = ["name", *sorted(IDENTIFIERS - {"name"})[part * 2 : part * 2 + 2], *special[part::5]]
            columns = {
                words.names[k, language]: (k, [made(k, words, language, rng) for _ in range(ROWS)]) for k in kinds
            }
            yield language, columns | harmless(words, language, rng)
        yield language, harmless(words, language, rng)


def judge(
    scanner: Scanner, columns: dict[str, list[str]], table: str = "export.csv"
) -> dict[str, list[tuple[str, float]]]:
    """Return what is found, by field name: (category, confidence)."""
    profiler = TableProfiler(scanner.engine.matcher, scanner.engine.names, table)
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    out: dict[str, list[tuple[str, float]]] = {}
    for column in scanner.table_report(Table(table, "csv"), profiler.total)[0].columns:
        out.setdefault(column.path.replace("[]", ""), []).append((column.category, column.confidence))
    return out


class Tally:
    """Right and all, by what is counted."""

    def __init__(self) -> None:
        self.right: collections.Counter[str] = collections.Counter()
        self.all: collections.Counter[str] = collections.Counter()
        self.misses: list[str] = []
        self.sure: list[tuple[float, bool]] = []  # confidence of a finding, and whether it is right

    def table(
        self, scanner: Scanner, language: str, columns: dict[str, tuple[str, list[str]]], *, opaque: bool
    ) -> None:
        """Judge one table and count."""
        called = {f"c{at}" if opaque else name: entry for at, (name, entry) in enumerate(columns.items(), 1)}
        got = judge(scanner, {name: values for name, (_, values) in called.items()})
        how = "opaque" if opaque else "telling"
        for name, (kind, _) in called.items():
            said = got.get(name, [])
            wanted = RIGHT.get(kind, "").split()
            self.sure += [(confidence, category in wanted) for category, confidence in said]
            if not wanted:
                self._add(f"harmless {how}", not said, f"{language} {how} {kind} {name}: {said}")
            elif not (opaque and kind in BY_NAME_ONLY):
                right = any(category in wanted for category, _ in said)
                self._add(f"{kind} {how}", right, f"{language} {how} {kind} {name}: {said}")
                self.all[f"all {how}"] += 1
                self.right[f"all {how}"] += right

    def _add(self, what: str, right: bool, note: str) -> None:
        self.all[what] += 1
        self.right[what] += right
        if not right:
            self.misses.append(note)

    def share(self, what: str) -> str:
        """Return a share as text."""
        return f"{self.right[what] / self.all[what]:.2f}" if self.all[what] else "   –"


def measure() -> Tally:
    """Judge all tables, with their names and without."""
    words, scanner, tally = Words(pathlib.Path(__file__).with_suffix(".txt")), Scanner(), Tally()
    for language, columns in tables(words):
        tally.table(scanner, language, columns, opaque=False)
        tally.table(scanner, language, columns, opaque=True)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="each miss and false alarm")
    parser.add_argument("--json", type=pathlib.Path, help="(confidence, right) of each finding, for calibration.py")
    args = parser.parse_args()
    tally = measure()
    print(f"{'kind':14} telling  opaque")
    for kind in RIGHT:
        print(f"{kind:14} {tally.share(f'{kind} telling'):>7} {tally.share(f'{kind} opaque'):>7}")
    print(f"{'all':14} {tally.share('all telling'):>7} {tally.share('all opaque'):>7}")
    for how in ("telling", "opaque"):
        wrong, of = tally.all[f"harmless {how}"] - tally.right[f"harmless {how}"], tally.all[f"harmless {how}"]
        print(f"false alarms, {how}: {wrong} of {of}, {1000 * wrong / of:.1f} of 1,000")
    if args.show:
        print(*tally.misses, sep="\n")
    if args.json:
        args.json.write_text(json.dumps(tally.sure))


if __name__ == "__main__":
    main()
