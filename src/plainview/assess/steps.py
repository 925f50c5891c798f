"""What to do about a target: the shortest safe steps for its store, version and state, from `fixes/*.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from plainview.report.model import Fix

EVERY = "every"
CREDENTIALS = frozenset({"password", "secret", "security_code"})
Rule = Mapping[str, Any]


@cache
def rules(store: str) -> Mapping[str, Any]:
    """Return the table of a kind of store; an empty one where there is none."""
    source = files(__package__).joinpath("fixes", f"{store}.toml")
    return tomllib.loads(source.read_text("utf-8")) if re.fullmatch("[a-z0-9_]+", store) and source.is_file() else {}


def stores() -> Sequence[str]:
    """Return the kinds of store that have a table."""
    found = (entry.name.removesuffix(".toml") for entry in files(__package__).joinpath("fixes").iterdir())
    return sorted(set(found) - {EVERY})


def steps(
    store: str,
    state: str,
    *,
    product: str | None = None,
    version: str | None = None,
    visited: bool = False,
    credentials: bool = False,
) -> tuple[Fix, ...]:
    """Return the steps in their order; none where nothing is open. `state` is that of `Exposure`, or `file`."""
    every = rules(EVERY)
    if state in every["closed"]:
        return ()
    own = rules(store)
    chosen = [rule for rule in own.get("fix", ()) if state in rule["states"] and fits(rule, product, version)]
    around = {"visited": visited, "credentials": credentials}

    def common(part: str) -> Iterator[Rule]:
        for rule in every[part]:
            if state in rule["states"] and all(not rule.get(need) or there for need, there in around.items()):
                yield rule

    return tuple(
        Fix(do=rule["do"], setting=rule.get("setting", ""), page=own.get("page", "") if rule in chosen else "")
        for rule in (*common("before"), *chosen, *common("after"))
    )


def fits(rule: Rule, product: str | None, version: str | None) -> bool:
    """Tell whether a rule is for a product and version. What is not known is taken for each of the versions."""
    wanted = rule.get("product")
    if wanted == "":
        return not product
    if wanted and not (product and wanted.casefold() in product.casefold()):
        return False
    number = parts(version or "")
    if not number:
        return True
    return parts(rule.get("from", "0")) <= number and ("below" not in rule or number < parts(rule["below"]))


def parts(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; of an odd one none."""
    found = re.match(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}", version)
    return tuple(int(number) for number in found[0].split(".")) if found else ()
