"""MongoDB: SecantusDB and mongo-java-server, the stand-ins; documented bytes; hostile servers."""

from __future__ import annotations

import pytest

from plainview.errors import RefusedError
from plainview.pipeline import Options, Scanner
from plainview.sources.base import ReadLog
from servers import CANARY, SECRET
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of
from servers.mongo import ODD, PEOPLE, Mongo, MongoJava, Secantus

server = server_fixture(Secantus, MongoJava)


def test_verdict(server: Mongo) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    verdict = (exposure.state, exposure.rights_basis, exposure.confidence)
    if server.mode == "open":
        assert verdict == ("admin", "rights_api", "proved")
        assert any("2,503 documents" in line for line in exposure.evidence), exposure.evidence
    else:
        assert verdict == ("auth_required", "unknown", "proved")
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    assert (exposure.product, exposure.version) == ("MongoDB", server.version)
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read(server: Mongo) -> None:
    before = server.dump()
    source = source_of(server, login=password("root"))
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert {name: frame.height for name, frame in frames.items() if name.startswith(("shop.", "empty."))} == {
        "shop.customers": PEOPLE,
        f"shop.{ODD}": 1,
        "shop.fs.files": 1,
        "empty.nothing": 0,
    }
    people = frames["shop.customers"]
    assert people.columns == [
        "_id", "email", "born", "address.street", "address.city", "cards[]", "device", "balance", "visits"
    ]  # fmt: skip
    assert people["email"].to_list().count(CANARY) == 1
    assert set(people["visits"]) == set(range(PEOPLE))
    assert people["device"][3] == "00000000-0000-0000-0000-000000000003"
    assert [why for what, why in log.skipped if what == "shop.fs.chunks"]
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)
