"""Every error that plainview raises on purpose. Messages never hold a value of the data.

    PlainviewError
    ├── UsageError              the command or a file the user wrote is wrong (exit status 64)
    │   ├── TargetError         an address that is no target
    │   ├── ScopeError          the scope file
    │   ├── DetectorError       a detector file that does not load
    │   └── StoreError          a `store.toml` that does not load
    ├── ReadError               a piece could not be examined: one line in NOT EXAMINED
    │   ├── DamagedError        the bytes are not what their kind says
    │   ├── LimitError          a limit stopped it (size, ratio, depth, time)
    │   ├── UnsupportedError    known, and not read by this version
    │   ├── MissingExtraError   a library has to be installed first
    │   └── DeniedError         no permission to read
    └── NetworkError            a store could not be asked
        ├── OutOfScopeError     the address is not in the scope file
        ├── UnreachableError    nothing answered
        ├── RefusedError        the store asked for a credential or refused it
        ├── WithheldError       the credential was not sent: the way to the store is not safe for it
        └── ProtocolError       the answer is not what the protocol says
            └── LostError       the connection ended or broke

Libraries quote rows in their messages. `translate` is the one place that turns a foreign
exception into one of these, by its type alone, so a quoted value never travels on.
"""

from __future__ import annotations


class PlainviewError(Exception):
    """Base of all. `message` says what failed, `hint` what to do; neither holds a value."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(PlainviewError):
    """The command line, or a file that the user wrote, is wrong."""


class TargetError(UsageError):
    """The text is no address of a store, and no file."""


class ScopeError(UsageError):
    """The scope file does not load; the message names line and key."""


class DetectorError(UsageError):
    """A detector file does not load; the message names the file and the key."""


class StoreError(UsageError):
    """The `store.toml` of a store does not load; the message names the key."""


class ReadError(PlainviewError):
    """A table, file or part of one could not be examined."""


class DamagedError(ReadError):
    """The bytes do not follow the format."""


class LimitError(ReadError):
    """A limit of size, ratio, depth or time stopped the reading."""


class UnsupportedError(ReadError):
    """A known kind of thing that this version does not read."""


class MissingExtraError(ReadError):
    """An optional library is needed; the hint holds the install command."""


class DeniedError(ReadError):
    """The operating system or the store refused to let it be read."""


class NetworkError(PlainviewError):
    """A store could not be asked."""


class OutOfScopeError(NetworkError):
    """The address is not among those that the owner listed."""


class UnreachableError(NetworkError):
    """Nothing answered at the address within the time limit."""


class RefusedError(NetworkError):
    """The store asked for a credential, or refused the one it was given."""


class WithheldError(NetworkError):
    """A credential was there and was not sent, since the connection is not what was promised for it."""


class ProtocolError(NetworkError):
    """The answer does not follow the protocol, or breaks a limit."""


class LostError(ProtocolError):
    """The connection ended or was reset before the answer was complete."""


def translate(error: BaseException, what: str = "") -> PlainviewError:
    """Return an error of ours for any exception, using its type and never its text."""
    if isinstance(error, PlainviewError):
        return error
    where = f" in {what}" if what else ""
    if isinstance(error, PermissionError):
        return DeniedError(f"no permission to read{where}", hint="run as a user who may read it")
    if isinstance(error, FileNotFoundError):
        return ReadError(f"not found{where}", hint="is the path right, or did it vanish meanwhile?")
    if isinstance(error, MemoryError):
        return LimitError(f"not enough memory{where}")
    if isinstance(error, RecursionError):
        return LimitError(f"nested too deeply{where}")
    if isinstance(error, UnicodeError):
        return DamagedError(f"text is not valid in its encoding{where}")
    if isinstance(error, TimeoutError):
        return LimitError(f"took too long{where}")
    if isinstance(error, OSError):
        return ReadError(f"read error{where} ({type(error).__name__} {error.errno or ''})".replace(" )", ")"))
    return DamagedError(f"could not be read{where} ({type(error).__name__})")


def place_of(error: BaseException) -> str:
    """Return the last line of our own code that an error came through."""
    place, trace = "?", error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("plainview"):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
