"""Targets: what reads addresses, names, running text, and the files that a user writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from plainview.detectors import load_detectors, parse_detector
from plainview.detectors.fieldnames import NameIndex, people_word, tokens
from plainview.errors import UsageError
from plainview.matching.texts import default_finder
from plainview.names import LIMIT, safe_name
from plainview.targets.parsing import parse_target
from plainview.targets.scope import parse_scope

from . import seeds
from .harness import CANARY, Target, law

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"


def text_of(data: bytes) -> str:
    """Return the bytes as the text that a file system or a terminal would make of them."""
    return data.decode("utf-8", "surrogateescape")


def addresses(data: bytes) -> None:
    """A target: its text shows no secret, wherever the address has one; and it can always be written."""
    text = text_of(data)
    if "hunter2" in text.casefold():
        return
    scheme, _, rest = text.partition("://")
    for given in (
        text,
        f"{scheme or 'redis'}://u:hunter2@{rest}",
        f"{text}{'&' if '?' in text else '?'}password=hunter2",
    ):
        try:
            target = parse_target(given)
        except UsageError as error:
            law("hunter2" not in str(error), "a secret is shown")
            continue
        str(target).encode("utf-8", "surrogateescape")
        if target.is_local_file:  # an address that is none is a name of a file
            continue
        law("hunter2" not in str(target), "a secret is shown")
        law(0 < target.port < 65536, "no port")
        law(target.host, "no host")


def scopes(data: bytes) -> None:
    """The scope file."""
    try:
        scope = parse_scope(data.decode("utf-8", "replace"))
    except UsageError as error:
        law("line" in str(error) or "TOML" in str(error), "no line")
        return
    for ip in ("169.254.169.254", "8.8.8.8", "127.0.0.1", "::1", "::ffff:10.0.0.1"):
        scope.allows("host.example.org", ip, 9200)
    law(scope.allows("x", "127.0.0.1", 1), "loopback needs no scope")


def detectors(data: bytes) -> None:
    """A detector file: loads, or is refused with the name of the file."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder, "mine.toml")
        path.write_bytes(data)
        try:
            parse_detector(path)
        except UsageError as error:
            law("mine.toml" in str(error), "the file is not named")


def names(data: bytes) -> None:
    """A name made safe: short, printable, without an address, and the same when made safe again."""
    for text in (text_of(data), data.decode("latin-1")):
        name = safe_name(text)
        law(len(name) <= LIMIT, "too long")
        law(CANARY not in name, "an address is shown")
        law(not any(char in name for char in BIDI), "a bidi control is shown")
        law(
            name.isprintable() or not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in name),
            "a control character",
        )
        name.encode()  # no lone surrogate


def found(data: bytes) -> None:
    """`find`: spans in order, inside the text, without overlap."""
    text = data.decode("utf-8", "replace")
    last = 0
    for match in default_finder().find(text):
        law(last <= match.start < match.end <= len(text), "spans out of order")
        law(0 < match.confidence <= 1, "a confidence out of range")
        last = match.end


INDEX = NameIndex(load_detectors())


def fields(data: bytes) -> None:
    """Field names and table names."""
    text = text_of(data)
    path, _, table = text.partition("\n")
    for match in INDEX.match(path, table):
        law(0 < match.strength <= 1, "a strength out of range")
    law(all(tokens(text)), "an empty token")
    people_word(table)


TARGETS = (
    Target("target", addresses, seeds.TARGET_WORDS, (b"://", b"%40", b"?password=", b"@", b"[::1]", b"endpoint=")),
    Target("scope", scopes, seeds.SCOPE, (b"[[allow]]\n", b"targets = [", b"ports = [", b"'''", b"nan", b"0x1F", b"\\u0000")),
    Target("detector", detectors, seeds.DETECTOR, (b"patterns = [", b"matches = [", b"[x]\n", b"nan", b"{1000}", b"\\pL")),
    Target("names", names, seeds.WORDS, (b"@", b"%40", b"\xcc\x81", b"\xe2\x80\xae", b"4111", b"DE89", b"+49", b"\xd9\xa0")),
    Target("find", found, seeds.WORDS, (b"IBAN: ", b"Tel: ", b"@example.org", b" 1990-01-02 ", b"192.168.0.1")),
    Target("fieldnames", fields, seeds.WORDS, (b"_", b"E-Mail", "电话".encode(), b"customer", b"[]", b".", b"\n")),
)  # fmt: skip

__all__ = ["TARGETS"]
