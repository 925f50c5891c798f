"""The report model, version 1: names, shapes and counts. No type here can hold a value of the data.

Every text that came from a target has gone through `names.safe_name` before it enters this model:
what looks like a value is printed as its shape, control and bidirectional characters are gone.
"""

from __future__ import annotations

from itertools import chain
from typing import Literal

import msgspec

SCHEMA = "plainview.report/1"

State = Literal["unreachable", "auth_required", "reachable_metadata", "lists", "reads", "writes", "admin", "unknown"]
RightsBasis = Literal["rights_api", "config", "by_design", "unknown"]
Confidence = Literal["proved", "probable", "inconclusive", "looks_like_honeypot"]
Reach = Literal["", "network", "here", "loopback"]


class Base(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Shared settings of all parts of the report."""


class Request(Base, frozen=True, kw_only=True):
    """One request that was sent: its template, how often, what came back, the trace that it leaves."""

    probe: str
    template: str
    count: int = 1
    statuses: tuple[str, ...] = ()
    footprint: str = ""


class Tls(Base, frozen=True, kw_only=True):
    """What the connection said of itself. `certificate` facts are shapes ("self-signed", "expired")."""

    offered: bool
    used: bool = False
    version: str | None = None
    certificate: tuple[str, ...] = ()


class Exposure(Base, frozen=True, kw_only=True):
    """What a stranger without any secret may do at a store, and how that is known."""

    state: State
    rights_basis: RightsBasis = "unknown"
    confidence: Confidence = "inconclusive"
    evidence: tuple[str, ...] = ()
    footprint: tuple[Request, ...] = ()
    tls: Tls | None = None
    product: str | None = None
    version: str | None = None
    prior_access: tuple[str, ...] = ()
    points_elsewhere: tuple[str, ...] = ()
    not_tried: tuple[str, ...] = ()
    reach: Reach = ""


class Skipped(Base, frozen=True, kw_only=True):
    """Something that was not examined."""

    what: str
    why: str


class Coverage(Base, frozen=True, kw_only=True):
    """How much of the target was looked at."""

    tables_listed: int = 0
    tables_read: int = 0
    rows_listed: int = 0
    rows_read: int = 0
    bytes_read: int = 0
    sampled: bool = False
    read_as: Literal["stranger", "credential", "file"] = "file"
    credential: str = ""
    skipped: tuple[Skipped, ...] = ()
    noted: tuple[Skipped, ...] = ()
    isolation: str = ""


class Column(Base, frozen=True, kw_only=True):
    """One kind of personal data in one column. `matched` of `checked` non-empty cells hold it.

    `where` says of which rows or objects: `meta_key = billing_phone`. `form`: `pseudonymised` (hashes) or `masked`,
    "" in clear. Of the matched, `reserved` hold only what standards keep for examples, tests or drama, and `roles`
    only mailboxes of a role (info@); both are at least so many.
    """

    path: str
    category: str
    concept: str
    special: bool
    confidence: float
    matched: int
    checked: int
    evidence: tuple[str, ...] = ()
    in_text: bool = False
    detector: str = ""
    where: str = ""
    form: str = ""
    reserved: int = 0
    roles: int = 0

    @property
    def nobodys(self) -> bool:
        """True where all values that were found are kept for examples, tests or drama."""
        return 0 < self.matched <= self.reserved


class Combination(Base, frozen=True, kw_only=True):
    """What several columns of a table say together, and none of them alone. `category` is "" for none of the list."""

    name: str
    label: str
    category: str = ""
    concept: str = ""
    confidence: float = 0.0
    columns: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    reference: str = ""


class Weight(Base, frozen=True, kw_only=True):
    """A piece of evidence in words, and what it adds to the logit of the confidence."""

    words: str
    value: float


class Guess(Base, frozen=True, kw_only=True):
    """What a column may be: `said` in the report or not, the counts, and each piece of evidence."""

    category: str
    detector: str
    said: bool
    confidence: float
    matched: int
    checked: int
    in_text: bool = False
    weights: tuple[Weight, ...] = ()


class Explained(Base, frozen=True, kw_only=True):
    """Why a column was taken for what it was. `cells` are filled; `sampled` distinct values were looked at."""

    path: str
    cells: int
    sampled: int
    guesses: tuple[Guess, ...] = ()


class PeopleGroup(Base, frozen=True, kw_only=True):
    """How many people of some kind: under an age, of a country (ISO 3166-1), or of none that is known.

    `few`: fewer than five, of which no number is given. `estimate` is None where none can be.
    """

    name: str
    low: int = 0
    estimate: int | None = 0
    high: int | None = 0
    few: bool = False


class People(Base, frozen=True, kw_only=True):
    """How many different people: at least, about, at most. None where no number can be given."""

    low: int = 0
    estimate: int | None = None
    high: int | None = None
    examples: int = 0
    minors: tuple[PeopleGroup, ...] = ()
    by_country: tuple[PeopleGroup, ...] = ()
    reasons: tuple[str, ...] = ()


class Factor(Base, frozen=True, kw_only=True):
    """One factor of the severity, with its reasons. `basis`: `standard`, `judgement` of ours, or `assumed`."""

    name: str
    value: float
    reasons: tuple[str, ...] = ()
    basis: str = "standard"


Level = Literal["low", "medium", "high", "very high"]


class Severity(Base, frozen=True, kw_only=True):
    """How bad a breach is, by the method of ENISA: score = dpc × ei + the sum of cb. `as_if`: no leak is known."""

    score: float
    level: Level
    meaning: str
    as_if: bool
    dpc: Factor
    ei: Factor
    cb: tuple[Factor, ...]
    flags: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    method: str = ""
    note: str = ""


class Law(Base, frozen=True, kw_only=True):
    """A law that may set a clock. `named` are the categories that it protects more; `seen` countries of its people."""

    id: str
    name: str
    where: str
    applies: str
    named: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    clock: str = ""
    hours: int | None = None
    starts: str = ""
    threshold: str = ""
    as_of: str = ""
    source: str = ""
    open: str = ""


class Fix(Base, frozen=True, kw_only=True):
    """One step of what to do. `setting`: the exact lines or command; `page`: where the documentation says more."""

    do: str
    setting: str = ""
    page: str = ""


class TableReport(Base, frozen=True, kw_only=True):
    """A table with the personal data found in it; `columns_total` counts all its columns.

    `parts`: how many tables of the target it is made of: partitions, a series by date, shards. Its name has `{}` for
    what differs from one to the next. `copy_of`: the name of the table of a file with the same bytes, which was read
    and counted in the place of this one; its findings are those of that table, `rows_read` is 0.
    """

    name: str
    kind: str
    rows: int
    rows_read: int
    parts: int = 1
    copy_of: str = ""
    columns_total: int = 0
    notes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    combinations: tuple[Combination, ...] = ()
    explained: tuple[Explained, ...] = ()
    people: People | None = None


class TargetReport(Base, frozen=True, kw_only=True):
    """All that was learned of one target."""

    target: str
    kind: str
    exposure: Exposure | None = None
    coverage: Coverage = Coverage()
    tables: tuple[TableReport, ...] = ()
    people: People | None = None
    severity: Severity | None = None
    laws: tuple[Law, ...] = ()
    fix: tuple[Fix, ...] = ()

    @property
    def counted(self) -> list[TableReport]:
        """The tables without those of copies."""
        return [table for table in self.tables if not table.copy_of]


class Tool(Base, frozen=True, kw_only=True):
    """The program that wrote the report."""

    name: str = "plainview"
    version: str = ""


class Report(Base, frozen=True, kw_only=True):
    """The whole answer. `started` and `finished` are UTC in ISO 8601; `stopped`: somebody ended the run before.

    `allowed`: what the user lets pass; `reserved` are values that are kept for examples.
    """

    schema: str = SCHEMA
    tool: Tool = Tool()
    started: str = ""
    finished: str = ""
    targets: tuple[TargetReport, ...] = ()
    people: People | None = None
    stopped: bool = False
    allowed: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """True when personal data or an open store was found."""
        open_states = ("lists", "reads", "writes", "admin")
        return any(
            any(map(self._counts, chain.from_iterable(table.columns for table in target.tables)))
            or (target.exposure is not None and target.exposure.state in open_states)
            for target in self.targets
        )

    def _counts(self, column: Column) -> bool:
        return not column.nobodys or "reserved" not in self.allowed

    @property
    def complete(self) -> bool:
        """True when nothing was left out: no line in `skipped`, and every store answered the question."""
        unanswered = ("unreachable", "unknown")
        return all(
            not target.coverage.skipped and (target.exposure is None or target.exposure.state not in unanswered)
            for target in self.targets
        )

    @property
    def exit_status(self) -> int:
        """0 looked at everything and found nothing, 1 found something, 2 could not look at everything."""
        if not self.complete:
            return 2
        return 1 if self.found else 0
