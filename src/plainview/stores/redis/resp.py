"""RESP2, the protocol of Redis and compatible servers, over `wire`: small, quick, and safe against lying lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.errors import ProtocolError, RefusedError
from plainview.wire import probes
from plainview.wire.stream import Connection

if TYPE_CHECKING:
    from plainview.targets.credential import Credential
    from plainview.wire import Wire

NESTING = 32
ITEMS = 200_000  # of one answer, its inner lists counted in; our pages ask for 1,000
LINE = 1 << 16
BULK = 32 << 20  # of one text: values are asked for up to the limit of a cell, which is less
END = b"\r\n"
HEADS = [b"$%d" % size for size in range(2048)]
LISTS = {b"*%d" % size: size for size in range(2048)}
CODES = frozenset(
    [
        "ERR",
        "NOAUTH",
        "NOPERM",
        "DENIED",
        "WRONGTYPE",
        "WRONGPASS",
        "MOVED",
        "ASK",
        "CLUSTERDOWN",
        "LOADING",
        "BUSY",
        "MASTERDOWN",
        "READONLY",
        "MISCONF",
        "NOPROTO",
        "OOM",
        "TRYAGAIN",
    ]
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: its code, never its text, which may quote what was asked."""

    code: str
    unknown_command: bool = False
    place: str = ""  # of MOVED and ASK


# What an answer can be; lists nest.
Answer = bytes | int | None | Refusal | list["Answer"]


def pack(words: Sequence[bytes]) -> bytes:
    """Return a command as RESP bytes."""
    return b"*%d\r\n%b" % (len(words), b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))


class Resp:
    """A client on one connection; sends declared probes only."""

    def __init__(self, wire: Wire, *, tls: bool | None = None, credential: Credential | None = None) -> None:
        self._connection: Connection = wire.connect(tls=tls, credential=credential)
        self._wire = wire
        self._tokens: list[bytes] = [b""]
        self._at = 0
        self._items = 0
        self.received = 0

    def ask(self, probe_id: str, **params: object) -> Answer:
        """Send one command and return its answer. Raises ProtocolError."""
        with self._connection.exchange(probe_id) as step:
            self._connection.send(pack(probes.get(probe_id).arguments(**params)))
            answer = self._next()
            step.done(answer.code if isinstance(answer, Refusal) else "OK")
            self.received += step.received
            return answer

    def login(self, credential: Credential) -> None:
        """Send the credential that the connection was opened for. Raises RefusedError where it is not accepted."""
        if credential.secret is None:
            return
        words = [credential.user] * bool(credential.user) + [self._connection.reveal(credential.secret)]
        if isinstance(self.ask("redis.auth", login=words), Refusal):
            raise RefusedError(f"the credential was not accepted ({credential.origin})")

    def for_keys(self, probe_id: str, keys: Sequence[bytes], **fixed: object) -> list[Answer]:
        """Send the same command for many keys, rendered once; return the answers in order."""
        if not keys:
            return []
        mark = b"\0key\0"
        words = probes.get(probe_id).arguments(key=mark, **fixed)
        at = words.index(mark)
        before = b"*%d\r\n%b" % (len(words), pack(words[:at]).partition(b"\r\n")[2])
        after = pack(words[at + 1 :]).partition(b"\r\n")[2]
        sent = [b"%b$%d\r\n%b\r\n%b" % (before, len(key), key, after) for key in keys]
        with self._connection.exchange(probe_id, len(sent)) as step:
            self._connection.send(b"".join(sent))
            answers = [self._next() for _ in sent]
            for code in {answer.code for answer in answers if isinstance(answer, Refusal)} or {"OK"}:
                step.done(code)
            self.received += step.received
            return answers

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Resp:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- parsing --------------------------------------------------------------------------------------
    #
    # What arrives is cut at every CR LF at once, which is quick; a text that itself holds CR LF is put
    # together again, since its length is known. The last token is what has no end yet.

    def _more(self) -> None:
        chunk = self._connection.receive()
        if not chunk:
            raise ProtocolError("the connection ended in the middle of an answer")
        fresh = (self._tokens[-1] + chunk).split(END)
        self._tokens = self._tokens[self._at : -1] + fresh
        self._at = 0

    def _line(self) -> bytes:
        while self._at >= len(self._tokens) - 1:
            if len(self._tokens[-1]) > LINE:
                raise ProtocolError("a line without an end")
            self._more()
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self) -> Answer:
        self._items = 0
        return self._value(0)

    def _value(self, depth: int) -> Answer:
        line = self._line()
        if (count := LISTS.get(line)) is not None:  # nearly all lists
            return self._list(count, depth + 1)
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return self._refusal(rest)
        if kind not in (b":", b"$", b"*") or not rest.removeprefix(b"-").isdigit() or len(rest) > 20:
            raise ProtocolError("not an answer of the Redis protocol")
        number = int(rest)
        if kind == b":":
            return number
        if number == -1:
            return None
        if number < 0:
            raise ProtocolError("a negative length")
        return self._bulk(number) if kind == b"$" else self._list(number, depth + 1)

    def _bulk(self, size: int) -> bytes:
        if self._at < len(self._tokens) - 1 and len(self._tokens[self._at]) == size:
            self._at += 1
            return self._tokens[self._at - 1]
        if size > LINE:
            return self._long_bulk(size)
        text = self._line()
        while len(text) < size:
            text += END + self._line()
        if len(text) != size:
            raise ProtocolError("a text longer than its announced length")
        return text

    def _long_bulk(self, size: int) -> bytes:
        """Collect a large text; the wire refuses it before that when it is above the cap."""
        if size > BULK:
            raise ProtocolError(f"a text longer than {BULK >> 20} MiB")
        parts = bytearray(END.join(self._tokens[self._at :]))
        self._connection.expect(size - len(parts))
        while len(parts) < size + 2:
            chunk = self._connection.receive()
            if not chunk:
                raise ProtocolError("the connection ended in the middle of an answer")
            parts += chunk
        if parts[size : size + 2] != END:
            raise ProtocolError("a text longer than its announced length")
        self._tokens, self._at = bytes(parts[size + 2 :]).split(END), 0
        return bytes(parts[:size])

    def _list(self, count: int, depth: int) -> list[Answer]:
        self._items += count
        if depth > NESTING or self._items > ITEMS:
            raise ProtocolError("an answer nested too deeply or with too many items")
        return self._short_texts(count) or [self._value(depth) for _ in range(count)]

    def _short_texts(self, count: int) -> list[Answer] | None:
        """Return the items when all are short texts that are here already: nearly all lists are."""
        stop = self._at + 2 * count
        if stop >= len(self._tokens):
            return None
        texts: list[Answer] = self._tokens[self._at + 1 : stop : 2]  # type: ignore[assignment]
        try:
            heads = list(map(HEADS.__getitem__, map(len, texts)))  # type: ignore[arg-type]
        except IndexError:
            return None
        if heads != self._tokens[self._at : stop : 2]:
            return None
        self._at = stop
        return texts

    def _refusal(self, text: bytes) -> Refusal:
        words = text.split(b" ")
        code = words[0].decode("ascii", "replace")
        if code not in CODES:
            code = "ERR"
        place = words[2].decode("ascii", "replace") if code in ("MOVED", "ASK") and len(words) > 2 else ""
        if place:
            self._wire.points_elsewhere(code, place)
        unknown = b"unknown command" in text[:40].lower() or b"unknown subcommand" in text[:40].lower()
        return Refusal(code, unknown, place)
