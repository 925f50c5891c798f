"""What to do about a target: the shortest safe steps for its store, version and state.

Those of a store are the lists `[[fix]]` of its `store.toml`; those around them, for all stores, `data/steps.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from plainview.catalog import FILE, ours, store_of
from plainview.errors import StoreError
from plainview.report.model import Fix, State

CREDENTIALS = frozenset({"password", "secret", "security_code"})
Rule = Mapping[str, Any]


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    """One `[[fix]]`: in which states of `Exposure`, for which product, from which version on and below which."""

    do: str
    states: list[State]
    setting: str = ""
    product: str = ""
    first: str = msgspec.field(name="from", default="")
    below: str = ""


@cache
def common_rules() -> Mapping[str, Any]:
    """Return the steps for all stores."""
    return tomllib.loads(files(__package__).joinpath("data", "steps.toml").read_text("utf-8"))


@cache
def rules(kind: str) -> Sequence[Rule]:
    """Return the steps of a kind of store; none where it is no store, as for files, or they do not load."""
    store = store_of(kind)
    try:
        return fixes(store.lists) if store else []
    except StoreError:  # of another package, whose `check_store` tells
        return []


def fixes(lists: Mapping[str, Sequence[Rule]]) -> Sequence[Rule]:
    """Return the steps of one store. Raises StoreError where one is not as it has to be."""
    found = lists.get("fix", [])
    try:
        msgspec.convert(found, list[_Step])
    except msgspec.ValidationError as error:
        raise StoreError(f"{FILE}: {error}") from None
    return found


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
    every = common_rules()
    if state in every["closed"]:
        return ()
    own = rules(store)
    page = f"docs/stores/{store}.md" if own and store in ours() else ""
    chosen = [rule for rule in own if state in rule["states"] and fits(rule, product, version)]
    around = {"visited": visited, "credentials": credentials}

    def common(part: str) -> Iterator[Rule]:
        for rule in every[part]:
            if state in rule["states"] and all(not rule.get(need) or there for need, there in around.items()):
                yield rule

    return tuple(
        Fix(do=rule["do"], setting=rule.get("setting", ""), page=page if rule in chosen else "")
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
