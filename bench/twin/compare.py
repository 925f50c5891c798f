"""Hold a report against the truth of the invented city."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from city import THE_COUNTRY, City
from indices import INDICES
from make import documents

OFF = 0.02  # how far a number of people may be off
PLANTED = 400  # documents of each index whose values are looked for in every output


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    what: str
    truth: str
    found: str
    right: bool


def compared(
    city: City, report: dict[str, Any], texts: Mapping[str, str], names: Mapping[str, str], state: str = ""
) -> list[Line]:
    """Return the table. `names`: what each index is called in the report; `state`: of exposure, where there is one."""
    (target,) = report["targets"]
    tables = {table["name"]: table for table in target["tables"]}
    mine = {index.name: tables.get(names[index.name], {"columns": [], "people": None}) for index in INDICES}
    lines = [*_kinds(mine), *_people(city, target, mine)]
    if state:
        lines.append(Line("state", state, target["exposure"]["state"], target["exposure"]["state"] == state))
    lines += [_severity(target), _draft(texts), _silent(city, texts)]
    left = [one["what"] for one in target["coverage"]["skipped"]]
    lines.append(Line("not examined", "nothing", ", ".join(left) or "nothing", not left))
    return lines


def _kinds(tables: Mapping[str, Any]) -> Iterator[Line]:
    for index in INDICES:
        found = {(column["path"], column["category"]) for column in tables[index.name]["columns"]}
        missing = {(path, kind) for path, kind in index.kinds.items()} - found
        beside = {f"{path}: {kind}" for path, kind in found if path not in index.kinds}
        words = f"{len(index.kinds) - len(missing)} right"
        words += f"; missing {', '.join(f'{p}: {k}' for p, k in sorted(missing))}" if missing else ""
        words += f"; beside {', '.join(sorted(beside))}" if beside else ""
        harmless = not index.kinds and bool(found)
        yield Line(f"kinds of {index.name}", f"{len(index.kinds)} kinds", words, not missing and not harmless)


def _near(what: str, truth: int, group: Mapping[str, Any] | None) -> Line:
    if group is None:
        return Line(what, f"{truth:,}", "not told", right=False)
    low, likely, high = group["low"], group["estimate"], group["high"]
    words = f"{likely} (at least {low}, at most {high})"
    within = (
        likely is not None and abs(likely - truth) <= OFF * truth and low <= truth and (high is None or high >= truth)
    )
    return Line(what, f"{truth:,}", words, within or (group.get("few", False) and truth < 5))


def _people(city: City, target: Mapping[str, Any], tables: Mapping[str, Any]) -> Iterator[Line]:
    truth = city.truth
    people = target["people"] or {"low": 0, "estimate": None, "high": None, "minors": [], "by_country": []}
    yield _near("people in all", truth["people"], people)
    minors = {group["name"]: group for group in people["minors"]}
    yield _near("children under 18", truth["children"], minors.get("under 18"))
    yield _near("foreign visitors", truth["foreigners"], tables["foreign_visitor"]["people"])
    for where, of in (("of all", target), ("of the visitors", tables["foreign_visitor"])):
        countries = {group["name"]: group for group in (of["people"] or people)["by_country"]}
        yield _near(f"of one country, {where}", truth["of the one country"], countries.get(THE_COUNTRY[1]))
    firms = tables["企业登记"]["people"]
    none = firms is None or firms["high"] == 0
    yield Line("people among the companies", "0", "0" if none else f"{firms['low']} to {firms['high']}", none)
    for name in ("居民信息", "qiye_yuangong"):
        number = len(city.residents) if name == "居民信息" else city.of(18_000)
        yield _near(f"people of {name}", number, tables[name]["people"])


def _severity(target: Mapping[str, Any]) -> Line:
    found = target["severity"] or {"level": "none", "score": 0}
    reasons = found["level"] != "none" and all(
        factor["reasons"] for factor in (found["dpc"], found["ei"], *found["cb"]) if factor["value"]
    )
    words = (
        f"{found['level']}, {found['score']}, {'each factor with its reason' if reasons else 'a factor has no reason'}"
    )
    return Line("severity", "very high, with reasons", words, found["level"] == "very high" and bool(reasons))


def _draft(texts: Mapping[str, str]) -> Line:
    """Check the draft of the notification against its published form."""
    from jsonschema import Draft202012Validator

    from plainview.report.drafting import template

    form = Draft202012Validator({key: value for key, value in template().items() if key != "required"})
    drafts = json.loads(texts["edpb"])["drafts"]
    wrong = [error.message for draft in drafts for error in form.iter_errors(draft["fields"])] or ["none"] * (
        not drafts
    )
    return Line("draft of the notification", "valid", "; ".join(wrong) or "valid", not wrong)


def _silent(city: City, texts: Mapping[str, str]) -> Line:
    """Look for values of the documents in every output. Short words and names of countries say nothing."""
    everything = "\n".join(texts.values())
    planted = set()
    for index in INDICES:
        for doc in itertools.islice(documents(city, index), PLANTED):
            for name in index.kinds.keys() - {"nationality"}:
                value: Any = doc
                for part in name.split("."):
                    value = value.get(part) if isinstance(value, dict) else None
                if isinstance(value, str) and (len(value) >= 8 or (len(value) >= 3 and not value.isascii())):
                    planted.add(value)
    found = sum(value in everything for value in planted)
    return Line("values of the data in any output", f"0 of {len(planted):,}", f"{found:,}", not found)
