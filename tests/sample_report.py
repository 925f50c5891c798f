"""A report with everything in it: an open store, a closed one, a folder with skipped items, hostile names."""

from __future__ import annotations

from plainview.names import safe_name
from plainview.report.model import (
    Column,
    Coverage,
    Exposure,
    Factor,
    Fix,
    Law,
    People,
    PeopleGroup,
    Report,
    Request,
    Severity,
    Skipped,
    TableReport,
    TargetReport,
    Tls,
    Tool,
)

PEOPLE = People(
    low=24_600,
    estimate=25_000,
    high=25_400,
    examples=3,
    minors=(
        PeopleGroup(name="under 18", low=310, estimate=320, high=331),
        PeopleGroup(name="under 13", high=4, estimate=None, few=True),
    ),
    by_country=(
        PeopleGroup(name="DE", low=20_000, estimate=20_300, high=20_600),
        PeopleGroup(name="unknown", low=1, estimate=2, high=3),
    ),
    reasons=(
        "about 25,000 different e-mail addresses (contact.email)",
        "3 with a reserved example address are counted apart",
    ),
)
SEVERITY = Severity(
    score=4.5,
    level="very high",
    meaning="People may meet significant or even irreversible consequences, which they may not overcome.",
    as_if=False,
    dpc=Factor(name="data processing context", value=4, reasons=("sensitive data: 4", "beside it: simple data: 1")),
    ei=Factor(name="ease of identification", value=1, reasons=("names stand beside what finds a person",)),
    cb=(Factor(name="confidentiality", value=0.5, reasons=("anybody may read it",)), Factor(name="integrity", value=0)),
    flags=("more than 100 individuals",),
    assumed=("individuals=minors: the people are children",),
    method="ENISA, 2013",
    note="A calculator, not the law.",
)

HOSTILE = (
    "<script>alert(1)</script>.csv",
    "[red]not markup[/red] :smile:.csv",
    "line\nbreak\x1b[31m.csv",
    "cod\u202efdp.exe.csv",
    "\"quoted\" & <b>bold</b>, 'single'.csv",
    "患者/名簿 2024.csv",
    "{{ 7*7 }}{% raw %}.csv",
    "x" * 300 + ".csv",
)


def column(path: str, category: str, confidence: float = 0.99, matched: int = 990, **more: object) -> Column:
    given: dict[str, object] = {
        "concept": "pd:" + category.title().replace("_", ""),
        "special": False,
        "checked": 1000,
        "evidence": (
            f"field name {path} means {category.replace('_', ' ')} (en)",
            f"{matched:,} of 1,000 pass the check; chance would be 0.3",
        ),
    }
    return Column(path=path, category=category, confidence=confidence, matched=matched, **(given | more))  # type: ignore[arg-type]


def open_search() -> TargetReport:
    patients = TableReport(
        name="patients-2024",
        kind="elasticsearch",
        rows=1_204_558,
        rows_read=1_204_558,
        columns_total=14,
        people=PEOPLE,
        columns=(
            column("contact.email", "email_address"),
            column("contact.backup_mail", "email_address", 0.93, 112),
            column("name", "person_name", 0.95),
            column("icd10", "health", 0.92, special=True),
            column("konfession", "religion", 0.75, 433, special=True),
            column("notes", "telephone_number", 0.81, 57, in_text=True),
            column("iban", "bank_account"),
            column("verurteilung", "criminal", 0.55, 0, checked=0, evidence=("field name verurteilung (de)",)),
        ),
    )
    orders = TableReport(
        name="orders",
        kind="elasticsearch",
        rows=88_000,
        rows_read=88_000,
        columns_total=9,
        columns=(
            column("ship_to.city", "city", 0.9),
            column("ship_to.street", "postal_address", 0.97),
            column("client_ip", "ip_address"),
        ),
    )
    empty = TableReport(name="metrics", kind="elasticsearch", rows=5, rows_read=5, columns_total=3)
    exposure = Exposure(
        state="writes",
        rights_basis="rights_api",
        confidence="proved",
        evidence=(
            "the list of indices came without a credential",
            "a search that returns no documents was accepted on 3 of 3 indices",
            "a random index name was refused, so the store does not say yes to everything",
        ),
        footprint=(
            Request(
                probe="es.root",
                template="GET /",
                count=1,
                statuses=("200",),
                footprint="one line in an access log",
            ),
            Request(
                probe="es.search",
                template="GET /{index}/_search?size=0&track_total_hits=true",
                count=3,
                statuses=("200", "404"),
                footprint="search counters rise by one for each index",
            ),
        ),
        tls=Tls(offered=False),
        product="Elasticsearch",
        version="7.10.2",
        prior_access=("an index has the name of a known ransom note",),
        points_elsewhere=("2 nodes publish other addresses",),
        not_tried=("writing: the rights were asked for instead",),
    )
    coverage = Coverage(
        tables_listed=4,
        tables_read=3,
        rows_listed=1_300_000,
        rows_read=1_292_563,
        bytes_read=920_113_000,
        read_as="stranger",
        skipped=(Skipped(what=".security-7", why="the store refused it to a stranger"),),
    )
    return TargetReport(
        target="elasticsearch://10.20.0.5:9200",
        kind="elasticsearch",
        exposure=exposure,
        coverage=coverage,
        tables=(empty, orders, patients),
        people=PEOPLE,
        severity=SEVERITY,
        laws=(
            Law(
                id="gdpr-33",
                name="GDPR Art. 33",
                where="EU",
                applies="the controller is there",
                named=("health",),
                seen=("DE",),
                clock="72 hours",
                hours=72,
                starts="aware",
                threshold="risk",
                as_of="2026-12-01",
                source="a table",
                open="a proposal",
            ),
            Law(id="x", name="Another law", where="elsewhere", applies="always", clock="soon", as_of="2026-12-01"),
        ),
        fix=(
            Fix(
                do="Close it first.", setting="network.host: 127.0.0.1\n# <script>", page="docs/stores/elasticsearch.md"
            ),
            Fix(do="Keep the logs."),
        ),
    )


def closed_database() -> TargetReport:
    exposure = Exposure(
        state="auth_required",
        rights_basis="config",
        confidence="proved",
        evidence=("the server asked for a password by SCRAM-SHA-256",),
        tls=Tls(offered=True, used=True, version="TLSv1.3", certificate=("self-signed",)),
        product="PostgreSQL",
    )
    return TargetReport(
        target="postgresql://db.internal:5432/shop",
        kind="postgresql",
        exposure=exposure,
        coverage=Coverage(read_as="stranger"),
    )


def folder() -> TargetReport:
    tables = [
        TableReport(
            name="hr/people.csv",
            kind="csv",
            rows=1000,
            rows_read=1000,
            columns_total=6,
            notes=("read as GB18030",),
            columns=(
                column("民族", "ethnic_origin", 0.99, special=True),
                column("身份证号", "national_id", 1.0, 1000),
                column("password_hash", "password", 0.98),
            ),
        ),
        TableReport(name="prices.csv", kind="csv", rows=40, rows_read=40, columns_total=4),
    ]
    tables += [
        TableReport(
            name=safe_name(name),
            kind="csv",
            rows=2,
            rows_read=2,
            columns_total=1,
            columns=(column(safe_name(name), "email_address", 0.7, 2, checked=2, evidence=()),),
        )
        for name in HOSTILE
    ]
    skipped = [Skipped(what=f"scans/page_{n}.pdf", why="documents are not read by this version") for n in range(234)]
    skipped += [
        Skipped(what="broken.parquet", why="the footer is cut off (copy the file again)"),
        Skipped(what=safe_name("<img src=x onerror=alert(1)>.zip"), why="unpacks to more than 200 times its size"),
        Skipped(what="dump.sql rows 10,001 to the end", why="stopped after 600 s (raise --file-seconds)"),
    ]
    return TargetReport(
        target="file:exports",
        kind="folder",
        coverage=Coverage(
            tables_listed=250,
            tables_read=len(tables),
            rows_listed=1056,
            rows_read=1056,
            bytes_read=220_400,
            sampled=True,
            skipped=tuple(skipped),
        ),
        tables=tuple(tables),
    )


def sample() -> Report:
    """Return the report."""
    return Report(
        tool=Tool(version="0.1.0"),
        started="2026-11-24T09:40:00Z",
        finished="2026-11-24T09:41:12Z",
        targets=(folder(), closed_database(), open_search()),
        people=PEOPLE,
    )


def many_tables(count: int) -> Report:
    """Return a report of one target with that many tables."""
    tables = tuple(
        TableReport(
            name=f"db.table_{number}",
            kind="postgresql",
            rows=10,
            rows_read=10,
            columns_total=9,
            columns=(
                column("email", "email_address"),
                column("billing.street_and_house_number", "postal_address", 0.93),
                column("diagnosis", "health", special=True),
            ),
        )
        for number in range(count)
    )
    return Report(
        targets=(TargetReport(target="file:big", kind="folder", tables=tables, coverage=Coverage(tables_read=count)),)
    )
