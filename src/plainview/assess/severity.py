"""How bad a breach of a target would be, by the method of ENISA: SE = DPC × EI + CB, every factor with its reason.

The steps, rules and sources are data (`data/severity.toml`). What a person knows better is said by assumptions.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from plainview.errors import UsageError
from plainview.report.model import Factor, Severity

CIRCUMSTANCES = ("confidentiality", "integrity", "availability", "intent")
CREDENTIALS = "(by system opened)"
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. `state` is that of `Exposure`, `file` or `loopback`; `rows_each` the most rows of one person."""

    categories: Collection[str]
    state: str = "file"
    people: int = 0
    minors: bool = False
    rows_each: float = 0.0
    visited: bool = False
    doubtful: Collection[str] = field(default_factory=tuple)  # possible only, not taken into account
    together: Collection[str] = field(default_factory=tuple)  # names of combinations


@cache
def rules() -> Mapping[str, Any]:
    """Return the tables of the method."""
    return tomllib.loads(files(__package__).joinpath("data/severity.toml").read_text("utf-8"))


@cache
def classes() -> Mapping[str, str]:
    """Return the class of each category, as its row in the list of categories says."""
    source = files("plainview").joinpath("detectors", "categories.csv").read_text("utf-8")
    return {row["category"]: row["enisa_class"] for row in csv.DictReader(source.splitlines())}


def assumptions(said: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules of assumptions. Raises UsageError for one that is not known."""
    known = {rule["say"]: rule for rule in rules()["assume"]}
    found = []
    for text in said:
        if text not in known:
            same = [say for say in known if say.partition("=")[0] == text.partition("=")[0]]
            raise UsageError("an assumption that is not known", hint=f"one of: {', '.join(same or known)}")
        found.append(known[text])
    return tuple(found)


def severity(facts: Facts, assumed: Sequence[Rule] = ()) -> Severity | None:
    """Return how bad it is, None where no personal data was found."""
    if not facts.categories:
        return None
    dpc, ei = _context(facts, assumed), _identification(facts, assumed)
    cb = tuple(_circumstance(name, facts, assumed) for name in CIRCUMSTANCES)
    score = dpc.value * ei.value + sum(part.value for part in cb)
    level = next(level for level in rules()["level"] if score < level["below"])
    return Severity(
        score=round(score, 2),
        level=level["name"],
        meaning=level["words"],
        as_if=facts.state == "file",
        dpc=dpc,
        ei=ei,
        cb=cb,
        flags=tuple(_flags(facts, assumed)),
        assumed=tuple(f"{rule['say']}: {rule['words']}" for rule in assumed),
        method=f"{rules()['method']['name']} ({rules()['method']['date']}; {rules()['method']['basis']})",
        note=rules()["method"]["note"],
    )


# -- DPC: in which context the data stands ---------------------------------------------------------------


def _context(facts: Facts, assumed: Sequence[Rule]) -> Factor:
    """Score each class of data that was found; the highest counts."""
    found: dict[str, set[str]] = {}
    for category in facts.categories:
        found.setdefault(classes().get(category, "simple"), set()).add(category)
    scored = [_scored(rule, found, facts, assumed) for rule in rules()["class"] if rule["name"] in found]
    if CREDENTIALS in found:
        scored.append(_credentials(assumed))
    if not scored:  # what raises only
        scored = [_scored(rules()["class"][0], found, facts, assumed)]
    best = max(scored, key=lambda factor: factor.value)
    others = [reason for factor in scored if factor is not best for reason in factor.reasons[:1]]
    doubtful = [f"possible only, so left aside: {', '.join(sorted(facts.doubtful))}"] if facts.doubtful else []
    return Factor(
        name="data processing context",
        value=best.value,
        reasons=(*best.reasons, *(f"beside it: {reason}" for reason in others), *doubtful),
        basis=best.basis,
    )


def _scored(rule: Rule, found: Mapping[str, set[str]], facts: Facts, assumed: Sequence[Rule]) -> Factor:
    name, basic = rule["name"], int(rule["basic"])
    reasons, basis = [f"{rule['words']}: {basic}"], "standard"
    steps = [step for step in rules()["step"] if step["class"] == name and _fits(step, found, facts)]
    up = max((step for step in steps if step["by"] > 0), key=lambda step: int(step["by"]), default=None)
    down = min((step for step in steps if step["by"] < 0), key=lambda step: int(step["by"]), default=None)
    value = basic
    for step in (up, down):
        if step is not None:
            value += int(step["by"])
            reasons.append(f"{step['words']}: {step['by']:+d}")
            basis = step["basis"]
    for said in assumed:
        by = int(said.get("steps", {}).get(name, 0))
        if by:
            value += by
            reasons.append(f"assumed that {said['words']}: {by:+d}")
    return Factor(name=name, value=float(min(4, max(1, value))), reasons=tuple(reasons), basis=basis)


def _fits(step: Rule, found: Mapping[str, set[str]], facts: Facts) -> bool:
    every = set(facts.categories)
    own = found.get(step["class"], set())
    return (
        (not step.get("minors") or facts.minors)
        and (facts.rows_each >= step.get("rows_each", 0))
        and ("together" not in step or step["together"] in facts.together)
        and ("beside" not in step or step["beside"] in found)
        and ("only" not in step or own <= set(step["only"]))
        and ("any" not in step or not every.isdisjoint(step["any"]))
        and every.issuperset(step.get("all", ()))
        and len(every.intersection(step.get("of", ()))) >= step.get("least", 0)
    )


def _credentials(assumed: Sequence[Rule]) -> Factor:
    rule = rules()["credentials"]
    said = next((one for one in assumed if "opens" in one), None)
    words = f"assumed that {said['words']}" if said else rule["words"]
    return Factor(
        name="credentials",
        value=float(said["opens"] if said else rule["default"]),
        reasons=(words,),
        basis="standard" if said else rule["basis"],
    )


# -- EI: how easily people are identified ------------------------------------------------------------------


def _identification(facts: Facts, assumed: Sequence[Rule]) -> Factor:
    said = next((one for one in assumed if "identification" in one), None)
    if said:
        words = f"assumed that {said['words']}"
        return Factor(name="ease of identification", value=said["identification"], reasons=(words,), basis="assumed")
    every = set(facts.categories)
    fitting = [
        rule for rule in rules()["identify"]
        if every.issuperset(rule.get("all", ())) and ("any" not in rule or not every.isdisjoint(rule["any"]))
    ]  # fmt: skip
    best = max(fitting, key=lambda rule: float(rule["value"]))
    return Factor(name="ease of identification", value=best["value"], reasons=(best["words"],), basis=best["basis"])


# -- CB: the circumstances of the breach -------------------------------------------------------------------


def _circumstance(name: str, facts: Facts, assumed: Sequence[Rule]) -> Factor:
    said = next((one for one in assumed if name in one.get("circumstance", {})), None)
    if said:
        value = float(said["circumstance"][name])
        return Factor(name=name, value=value, reasons=(f"assumed that {said['words']}",), basis="assumed")
    rule = next(
        rule for rule in rules()[name]
        if facts.state in rule.get("states", (facts.state,)) and (not rule.get("visited") or facts.visited)
    )  # fmt: skip
    return Factor(name=name, value=float(rule["value"]), reasons=(rule["words"],), basis=rule["basis"])


def _flags(facts: Facts, assumed: Sequence[Rule]) -> Iterable[str]:
    if facts.people > rules()["flags"]["many"]:
        yield rules()["flags"]["words"]
    yield from (rule["flag"] for rule in assumed if "flag" in rule)
