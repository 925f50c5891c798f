"""Make src/plainview/files/encodings/letters.json: how often letters follow each other, for telling encodings apart.

Sources: word frequencies of `wordfreq` 3 (Apache-2.0, data CC BY-SA 4.0, https://github.com/rspeer/wordfreq) and the
lists of personal names and places of `faker` (MIT), both development dependencies. Only counts of letter pairs
and of Chinese, Japanese and Korean characters are kept.

    python tools/letter_statistics.py
"""

import importlib
import json
import math
import unicodedata
from collections import Counter
from pathlib import Path

import wordfreq

OUT = Path(__file__).parents[1] / "src/plainview/files/encodings/letters.json"
PAIRS = {  # language: locales of names
    "de": "de_DE de_AT", "fr": "fr_FR", "es": "es_ES es_MX", "pt": "pt_PT pt_BR", "it": "it_IT", "nl": "nl_NL",
    "sv": "sv_SE", "da": "da_DK", "nb": "no_NO", "fi": "fi_FI", "is": "is_IS", "ca": "es_CA",
    "pl": "pl_PL", "cs": "cs_CZ", "sk": "sk_SK", "hu": "hu_HU", "ro": "ro_RO", "hr": "hr_HR", "sl": "sl_SI",
    "ru": "ru_RU", "uk": "uk_UA", "bg": "bg_BG", "sr": "", "el": "el_GR", "tr": "tr_TR", "he": "he_IL",
    "ar": "ar_SA ar_AA", "fa": "fa_IR", "lt": "lt_LT", "lv": "lv_LV", "et": "et_EE", "th": "th_TH", "mk": "",
}  # fmt: skip
SIGNS = {"zh": "zh_CN", "zh-Hant": "zh_TW", "ja": "ja_JP", "ko": "ko_KR"}
CYRILLIC = str.maketrans("abvgdđežzijklmnoprstćufhcčš", "абвгдђежзијклмнопрстћуфхцчш")
KEEP = {"zh": 2500, "zh-Hant": 2500, "ja": 1800, "ko": 1100}


def names(locales: str) -> Counter[str]:
    """Return the names and places of locales, each once for every list that holds it."""
    found: Counter[str] = Counter()
    for locale in locales.split():
        for kind in ("person", "address"):
            try:
                provider = importlib.import_module(f"faker.providers.{kind}.{locale}").Provider
            except ImportError:
                continue
            for attribute in dir(provider):
                value = getattr(provider, attribute)
                if attribute.startswith("_") or not isinstance(value, (list, tuple, dict)):
                    continue
                for item in value:
                    texts = item if isinstance(item, (list, tuple)) else [item]
                    for text in texts:
                        if isinstance(text, str) and "{" not in text:
                            found.update(text.lower().split())
    return found


def words(language: str, locales: str) -> dict[str, float]:
    """Return words with weights: two thirds from running text (damped), one third from names."""
    try:
        plain = wordfreq.get_frequency_dict(language.split("-", maxsplit=1)[0], "small")
    except LookupError:
        plain = {}
    common = {unicodedata.normalize("NFC", w): math.sqrt(f) for w, f in plain.items()}
    own = names(locales)
    if language == "sr":  # wordfreq has Serbian in Latin letters
        digraphs = (("lj", "љ"), ("nj", "њ"), ("dž", "џ"))
        for latin, sign in digraphs:
            common = {w.replace(latin, sign): f for w, f in common.items()}
        common = {w.translate(CYRILLIC): f for w, f in common.items() if not set("qwxy") & set(w)}
    total, own_total = sum(common.values()), sum(own.values())
    weights = {w: f / total for w, f in common.items()}
    for word, count in own.items():
        word = unicodedata.normalize("NFC", word)
        weights[word] = weights.get(word, 0) + 0.5 * count / own_total
    return weights


def pairs(language: str, locales: str) -> dict[str, str]:
    """Return {level: pairs}: level is -log2 of P(second | first), "^" is the edge of a word."""
    counts: Counter[str] = Counter()
    for word, weight in words(language, locales).items():
        for first, second in zip(f"^{word}", f"{word}^", strict=True):
            a = first if first.isalpha() or unicodedata.combining(first) else "^"
            b = second if second.isalpha() or unicodedata.combining(second) else "^"
            counts[a + b] += weight
    starts: Counter[str] = Counter()
    for pair, weight in counts.items():
        starts[pair[0]] += weight
    levels: dict[str, list[str]] = {}
    for pair, weight in sorted(counts.items()):
        level = round(-math.log2(weight / starts[pair[0]]))
        if level <= 12 and weight > 1e-6 and not pair.isascii():
            levels.setdefault(str(level), []).append(pair)
    return {level: "".join(found) for level, found in sorted(levels.items(), key=lambda item: int(item[0]))}


def signs(language: str, locales: str) -> dict[str, str]:
    """Return {level: characters}: level is -log2 of P(character)."""
    counts: Counter[str] = Counter()
    source = words(language, locales)
    if language == "zh-Hant":  # wordfreq writes Chinese in simplified characters: those that Big5 has are shared
        simple = Counter({c: w for c, w in _characters(words("zh", "zh_CN")).items() if _in_big5(c)})
        own = Counter(c for word in names(locales) for c in word)
        size = sum(own.values())
        counts = Counter({c: 0.7 * w for c, w in simple.items()}) + Counter({c: 0.3 * w / size for c, w in own.items()})
    else:
        counts = _characters(source)
    counts = Counter({c: w for c, w in counts.items() if not c.isascii() and c.isalnum()})
    total = sum(counts.values())
    levels: dict[str, list[str]] = {}
    for sign, weight in counts.most_common(KEEP[language]):
        levels.setdefault(str(round(-math.log2(weight / total))), []).append(sign)
    return {level: "".join(sorted(found)) for level, found in sorted(levels.items(), key=lambda item: int(item[0]))}


def _characters(source: dict[str, float]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, weight in source.items():
        for sign in word:
            counts[sign] += weight
    size = sum(counts.values())
    return Counter({sign: weight / size for sign, weight in counts.items()})


def _in_big5(sign: str) -> bool:
    try:
        sign.encode("big5")
    except UnicodeEncodeError:
        return False
    return True


def main() -> None:
    """Write the file."""
    data = {
        "source": "letter counts of wordfreq 3 (https://github.com/rspeer/wordfreq, CC BY-SA 4.0) and faker (MIT)",
        "pairs": {language: pairs(language, locales) for language, locales in PAIRS.items()},
        "signs": {language: signs(language, locales) for language, locales in SIGNS.items()},
    }
    OUT.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
