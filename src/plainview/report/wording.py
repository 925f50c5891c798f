"""Plain words, shared by the reports that people read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from math import fsum
from pathlib import Path

from plainview.report.model import (
    Column,
    Combination,
    Coverage,
    Explained,
    Exposure,
    Guess,
    Law,
    People,
    PeopleGroup,
    Report,
    Severity,
    TableReport,
    TargetReport,
    Tls,
)

SPECIAL = "special category (GDPR Art. 9)"
CONVICTIONS = "criminal convictions (GDPR Art. 10)"
MARKED = {SPECIAL: "special categories (GDPR Art. 9)", CONVICTIONS: CONVICTIONS}

# The verdict word, and what it means for the owner. The order is the order of harm.
STATES: dict[str, tuple[str, str]] = {
    "admin": ("OPEN", "A stranger can read, change and delete everything, and run the store."),
    "writes": ("OPEN", "A stranger can read and change the data."),
    "reads": ("OPEN", "A stranger can read the data."),
    "lists": ("OPEN IN PART", "A stranger can list what is stored. That they can read it was not shown."),
    "unknown": ("UNKNOWN", "What a stranger may do could not be found out. Do not take it for closed."),
    "reachable_metadata": ("ANSWERS", "A stranger can reach it and learn what it is, but was shown no data."),
    "unreachable": (
        "NOT REACHED",
        "Nothing of that name answered from here. It may still answer from elsewhere, so this does not mean closed.",
    ),
    "auth_required": ("CLOSED", "It asks a stranger for a credential."),
}
STRANGER, NEIGHBOUR = "A stranger", "Any user of this machine"
HERE = {
    "loopback": "It listens on this machine's loopback only.",
    "here": "It was reached over loopback; whether it can be reached from elsewhere was not seen.",
}
RIGHTS = {
    "rights_api": "the store was asked for them and told them",
    "config": "its configuration grants them",
    "by_design": "the product has no access control in this state, so reaching it is enough",
    "unknown": "not known; only what was read without a credential is shown",
}
CONFIDENCE = {
    "proved": "proved by requests that only read",
    "probable": "probable, not proved",
    "inconclusive": "inconclusive",
    "looks_like_honeypot": "it looks like a trap for intruders (a honeypot), so all it says may be invented",
}
EXITS = {
    0: "everything was looked at, and neither personal data nor an open store was found",
    1: "personal data or an open store was found",
    2: "not everything could be looked at",
}
WAS_STOPPED = "The run was stopped; what was finished stands here, and NOT EXAMINED names the rest"
READ_AS = {
    "stranger": "as a stranger, without any credential",
    "credential": "with the credential that was given",
    "file": "as files",
}

ACRONYMS = {"ip": "IP", "mac": "MAC", "gps": "GPS", "id": "ID", "uid": "UID", "vin": "VIN", "or": "or"}


@cache
def _labels() -> dict[str, str]:
    """Return the plain words for each category id; empty while the list is not installed."""
    source = Path(__file__).parent.with_name("detectors") / "categories.csv"
    if not source.is_file():
        return {}
    rows = csv.DictReader(source.read_text("utf-8").splitlines())
    return {row["category"]: row["label"] for row in rows if row.get("label")}


@cache
def label(category: str) -> str:
    """Return a category in plain words: "e-mail address" for `email_address`."""
    return _labels().get(category) or " ".join(ACRONYMS.get(word, word) for word in category.split("_"))


def sure(confidence: float) -> str:
    """Return a confidence from 0 to 1 as a word."""
    if confidence >= 0.98:
        return "certain"
    if confidence >= 0.9:
        return "very likely"
    return "likely" if confidence >= 0.7 else "possible"


def mark(column: Column) -> str:
    """Return the words that set a column apart by law, or an empty text."""
    if column.special:
        return SPECIAL
    return CONVICTIONS if column.category in ("criminal", "criminal_charge") else ""


def number(value: int) -> str:
    """Return a count with thousands separated: 12,345."""
    return f"{value:,}"


def count(value: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 table", "2 tables"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def size(value: int) -> str:
    """Return bytes in a unit that people read: "220.0 MB"."""
    amount = float(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{value:,} bytes" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def cells(column: Column) -> str:
    """Return on how much a finding rests: "in 599 of 600 cells", or that there were no values."""
    if not column.checked:
        return "by its name, no cell was checked"
    return f"in {column.matched:,} of {count(column.checked, 'cell')}{''.join(_nobodys(column))}"


def looked_at(one: Explained) -> str:
    """Return of how much a column was judged: "128 distinct values of 400 filled cells were looked at"."""
    return f"{count(one.sampled, 'distinct value')} of {count(one.cells, 'filled cell')} looked at"


def guessed(one: Guess) -> str:
    """Return what a column may be: "said: e-mail address (certain, 0.993), in 10 of 10 cells, by email_address"."""
    where = "inside free text, " if one.in_text else ""
    how = f"{sure(one.confidence)}, {one.confidence:.3f}" if one.said else f"{one.confidence:.3f}"
    found = f"in {one.matched:,} of {count(one.checked, 'cell')}"
    return f"{'said' if one.said else 'not said'}: {label(one.category)} ({how}), {where}{found}, by {one.detector}"


def together(one: Combination) -> str:
    """Return what columns say together: "where people were, and when (certain): plate, camera_id, seen_at"."""
    return f"{one.label} ({sure(one.confidence)}): {', '.join(one.columns)}"


def _nobodys(column: Column) -> Iterator[str]:
    """Yield how many cells hold what is nobody's: ", all kept for examples"."""
    for number, words in ((column.reserved, "kept for examples"), (column.roles, "of a role (info@)")):
        if number:
            yield f", {'all' if number >= column.matched else f'{number:,}'} {words}"


def is_open(exposure: Exposure | None) -> bool:
    """Return whether a stranger can at least list what is stored."""
    return exposure is not None and STATES[exposure.state][0].startswith("OPEN")


def is_here(exposure: Exposure | None) -> bool:
    """Return whether it is open to the users of this machine, as far as is known to them alone."""
    return is_open(exposure) and exposure is not None and exposure.reach in HERE


def openness(exposure: Exposure) -> tuple[str, str]:
    """Return the verdict word of a store, and what it means: who may do what."""
    word, meaning = STATES[exposure.state]
    if not is_here(exposure):
        return word, meaning
    return f"{word} TO THIS MACHINE", f"{meaning.replace(STRANGER, NEIGHBOUR)} {HERE[exposure.reach]}"


def verdict(target: TargetReport) -> list[str]:
    """Return the answer for a target in a few sentences, the exposure first."""
    parts = []
    if target.exposure is not None:
        word, meaning = openness(target.exposure)
        parts.append(f"{word}. {meaning}")
    found = [table for table in target.counted if table.columns]
    marks = sorted({mark(column) for table in found for column in table.columns} - {""}, reverse=True)
    read = max(target.coverage.tables_read, len(target.counted))
    if found and all(column.nobodys for table in found for column in table.columns):
        parts.append(f"ONLY EXAMPLES FOUND, values that standards keep for them, in {count(len(found), 'table')}.")
    elif found:
        parts.append(
            f"PERSONAL DATA FOUND in {len(found):,} of {count(read, 'table')} read"
            + (f", among it {' and '.join(MARKED[text] for text in marks)}." if marks else ".")
        )
    elif read:
        parts.append(f"No personal data found in the {count(read, 'table')} read.")
    else:
        parts.append("No table was read, so nothing can be said of its content.")
    if target.coverage.skipped:
        parts.append(f"NOT COMPLETE: {count(len(target.coverage.skipped), 'item')} could not be examined.")
    return parts


def headline(report: Report) -> str:
    """Return the answer of the whole report in a few words."""
    is_exposed = any(is_open(target.exposure) for target in report.targets)
    has_data = any(table.columns for target in report.targets for table in target.tables)
    if is_exposed:
        far = any(is_open(target.exposure) and not is_here(target.exposure) for target in report.targets)
        words = "Open to strangers" if far else "Open to any user of this machine"
        words += ", with personal data" * has_data
    elif has_data and all(c.nobodys for target in report.targets for table in target.tables for c in table.columns):
        words = "Only values kept for examples found"
    elif has_data:
        words = "Personal data found"
    else:
        words = "No personal data found" if report.complete else "Nothing found in what could be read"
    return words if report.complete else words + "; not everything could be looked at"


def columns(table: TableReport) -> str:
    """Return how many columns of a table hold personal data: "personal data in 3 of 6 columns"."""
    named = len({column.path for column in table.columns})
    if table.columns_total < named:
        return f"personal data in {count(named, 'column')}"
    return f"personal data in {named:,} of {count(table.columns_total, 'column')}"


def coverage(seen: Coverage) -> str:
    """Return what was read, in sentences."""
    if not seen.tables_read:
        return "No table was read."
    tables = f"{seen.tables_read:,} of {count(max(seen.tables_listed, seen.tables_read), 'table')}"
    if seen.rows_listed > seen.rows_read:
        rows = f"{seen.rows_read:,} of {seen.rows_listed:,} rows"
    else:
        rows = count(seen.rows_read, "row")
    eyes = f"with the credential from {seen.credential}" if seen.credential else READ_AS[seen.read_as]
    text = f"Read {eyes}: {tables}, {rows}, {size(seen.bytes_read)}."
    if seen.sampled:
        return text + " SAMPLED: only some rows of each table were read."
    return text + " Not sampled."


def rows(table: TableReport) -> str:
    """Return how many rows of a table were read: "599 rows read", "100 of 599 rows read", "24 parts, 900 rows read"."""
    parts = f"{table.parts:,} parts, " if table.parts > 1 else ""
    if table.rows > table.rows_read:
        return f"{parts}{table.rows_read:,} of {table.rows:,} rows read"
    return f"{parts}{count(table.rows_read, 'row')} read"


def persons(people: People) -> str:
    """Return how many people, in words: "about 25,000 people; at least 24,600, at most 25,400"."""
    low, high = people.low, people.high
    if people.estimate is None:
        return f"at least {count(low, 'person', 'people')}" + _most(high)
    if low == people.estimate == high:
        return count(low, "person", "people")
    likely = likely_number(people.estimate, low, high)
    return f"about {count(likely, 'person', 'people')}; at least {low:,}{_most(high)}"


def likely_number(estimate: int, low: int, high: int | None) -> int:
    """Return an estimate rounded to what its bounds allow: 3,499 between 2,700 and 23,600 is 3,500."""
    away = min(estimate - low, (high if high is not None else estimate * 2) - estimate)
    step = 10 ** (len(str(away)) - 1) if away >= 10 and estimate >= 1000 else 1
    return max(low, round(estimate / step) * step)


def about(people: People) -> str:
    """Return how many people, as short as a heading needs it: "about 25,000", "40", "at least 4"."""
    if people.estimate is None:
        return f"at least {people.low:,}"
    if people.low == people.estimate == people.high:
        return f"{people.estimate:,}"
    return f"about {likely_number(people.estimate, people.low, people.high):,}"


def children(people: People | None) -> str:
    """Return how many are under 18, as short as a heading needs it; "not known" where no age is."""
    under = next((one for one in people.minors if one.name == "under 18"), None) if people else None
    if under is None:
        return "not known"
    if under.few:
        return "fewer than 5"
    if under.low == under.estimate == under.high or under.estimate is None:
        return f"{under.low:,}" if under.estimate is not None else f"at least {under.low:,}"
    return f"about {likely_number(under.estimate, under.low, under.high):,}"


def _most(high: int | None) -> str:
    return f", at most {high:,}" if high is not None else ", how many more is open"


def group(one: PeopleGroup) -> str:
    """Return how many people are of a kind: "under 18: 312", "DE: fewer than 5"."""
    if one.few:
        return f"{one.name}: fewer than 5"
    if one.low == one.estimate == one.high:
        return f"{one.name}: {one.low:,}"
    likely = f"about {likely_number(one.estimate, one.low, one.high):,}; " if one.estimate is not None else ""
    return f"{one.name}: {likely}at least {one.low:,}{_most(one.high)}"


def minors(people: People) -> str:
    """Return how many children, in words; an empty text where no age is known."""
    if not people.minors:
        return ""
    under = [one for one in people.minors if one.high != 0]
    return "; ".join(map(group, under)) or "nobody whose age is known is under 18"


def severity(found: Severity) -> str:
    """Return how bad it is with the sum behind it: "very high, 4.5 of 6 (ENISA: 4 × 1 + 0.5)"."""
    circumstances = fsum(part.value for part in found.cb)
    leak = ", if it leaked" if found.as_if else ""
    sum_of = f"{found.dpc.value:g} × {found.ei.value:g} + {circumstances:g}"
    return f"{found.level.upper()}{leak}: {found.score:g} of 6 by ENISA's method ({sum_of})"


def laws_title(target: TargetReport) -> str:
    """Return the title of the laws."""
    return "Which clocks may run" + (", if it leaked" if target.exposure is None else "")


def about_law(law: Law) -> Iterator[tuple[str, str]]:
    """Yield what is to be known of a law beside its clock: a word, and a sentence."""
    yield "applies where", law.applies
    yield "starts", law.starts
    if law.hours:
        yield "shortest time", f"{law.hours:,} hours"
    if law.threshold:
        yield "not for every breach", law.threshold
    if law.named:
        yield "names more than others", ", ".join(map(label, law.named))
    if law.seen:
        yield "people seen of", ", ".join(law.seen)
    if law.open:
        yield "open", law.open
    yield "source", law.source


def fix_title(target: TargetReport) -> str:
    """Return the title of the steps: what is open is closed first."""
    return "How to close it" if target.exposure is not None else "What to do about it"


def tls(seen: Tls) -> str:
    """Return what was seen of transport encryption, in words."""
    if seen.used:
        words = f"yes, {seen.version}" if seen.version else "yes"
    else:
        words = "offered, but not demanded" if seen.offered else "none"
    return "; certificate ".join([words, *seen.certificate])


def moment(text: str) -> str:
    """Return an ISO 8601 time as "2026-11-24 09:40 UTC"; another text stays as it is."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return text
