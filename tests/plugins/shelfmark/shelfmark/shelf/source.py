"""What a stranger may do at a shelf, and its rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from secrets import token_hex

import polars as pl

from plainview.extend import (
    Batch,
    NetworkSource,
    ProtocolError,
    ReadLog,
    RefusedError,
    Table,
    Unit,
    Verdict,
    dressed,
)


class ShelfSource(NetworkSource):
    """All tables of a shelf, each a unit."""

    kind = "shelf"

    def ask(self, verdict: Verdict) -> None:
        with closing(self.wire.http()) as http:
            root = http.detect("shelf.root")
            if not root.header("server").startswith("Shelf/"):
                raise ProtocolError("GET / was not answered as a shelf does")
            verdict.product = "Shelf"
            verdict.saw("reachable_metadata", "GET / was answered without a credential")
            if http.ask("shelf.control", nowhere=f"plainview-{token_hex(8)}").ok:
                verdict.doubt("a table that cannot exist was given: it may answer everything", honeypot=True)
            tables = http.ask("shelf.tables")
            if not tables.ok:
                raise RefusedError(f"GET /tables was refused without a credential ({tables.status})")
            names = tables.shaped(list[str], "GET /tables gave no list of names")
            verdict.saw("reads", f"{len(names)} tables can be read without a credential")
            verdict.rights("by_design")

    def _http(self):
        login = self.credential
        return self.wire.http(credential=login, dress=dressed(login) if login else None)

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        with closing(self._http()) as http:
            for name in http.ask("shelf.tables").shaped(list[str], "GET /tables gave no list of names"):
                yield Unit(name)

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        with closing(self._http()) as http:
            reply = http.ask("shelf.rows", table=unit.name)
        if not reply.ok:
            raise RefusedError(f"a table was refused ({reply.status})")
        log.read(len(reply.body))
        rows = reply.shaped(list[dict[str, str]], "a table is no list of texts by column")
        frame = pl.DataFrame(rows)
        log.listed(1, frame.height)
        table = Table(unit.name, self.kind)
        if sample is not None and sample < frame.height:
            frame, table = frame.sample(sample), table.drawn("rows drawn at random")
        yield Batch(table, frame)
