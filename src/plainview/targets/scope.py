"""The scope file `plainview.toml`: which addresses are the owner's, so that no other is ever asked.

Loopback needs no scope. Without a file, loopback and local files are all there is. docs/scope.md has
an example. Addresses that are nobody's store (link-local with its metadata services, multicast,
unspecified, broadcast) are refused unless the very address is written in the file.

What counts is the address that a packet goes to. An IPv6 address with an IPv4 address inside (6to4, NAT64 and the
like) goes to whoever announces it, so the inner address allows nothing; it can only forbid. A name is looked up
only when the file lists it: the question would leave this machine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NoReturn

from plainview.errors import ScopeError, TargetError
from plainview.targets.parsing import parse_target
from plainview.targets.quoting import nearest, quotable
from plainview.targets.target import Target

IP = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What an entry may permit beyond the ordinary questions; docs/scope.md explains each.
PERMISSIONS = frozenset({"try_mysql_root", "trino_query", "unverified_tls"})
KEYS = ("allow", "targets", "names", "networks", "ports", "permit", "note")
# Metadata services of clouds outside the link-local range: AWS, EKS, Google and Scaleway (IPv6), Alibaba, Azure.
METADATA = frozenset(
    map(
        ip_address,
        ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "100.100.100.200", "168.63.129.16"),
    )
)
# IPv6 ranges whose addresses hold an IPv4 address, and by how many bits it is shifted (RFC 3056, 6052, 8215, 4291)
HOLDING = tuple(
    (IPv6Network(network), shift)
    for network, shift in (
        ("2002::/16", 80),  # 6to4
        ("64:ff9b::/96", 0),  # NAT64
        ("::/96", 0),  # IPv4-compatible
        ("::ffff:0:0:0/96", 0),  # IPv4-translated
    )
)
TEREDO = IPv6Network("2001::/32")
ISATAP = frozenset({0x5EFE, 0x02005EFE})  # the first half of the interface's identifier (RFC 5214)
# RFC 8215 leaves the length of the prefix to the network: /48, /56, /64 (around the zero byte of RFC 6052) or /96.
LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[allow]]` of the file, or one of its targets. Empty `ports` means all of them."""

    names: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: tuple[range, ...] = ()
    permit: frozenset[str] = frozenset()

    def covers(self, host: str, ip: IP, port: int) -> bool:
        """Tell whether this entry names the host or the address, on that port."""
        if not self._on(port):
            return False
        inner = _inside(ip)
        if _special(ip) or any(_special(each) or not each.is_global for each in inner):
            return any(network.num_addresses == 1 and ip in network for network in self.networks)
        return (not inner and self.names_host(host, port)) or any(ip in network for network in self.networks)

    def names_host(self, host: str, port: int) -> bool:
        """Tell whether this entry lists the name of a host, on that port."""
        return self._on(port) and any(_matches(pattern, host) for pattern in self.names)

    def _on(self, port: int) -> bool:
        return not self.ports or any(port in ports for ports in self.ports)


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be asked. `Scope()` allows loopback only."""

    entries: tuple[Entry, ...] = ()
    targets: tuple[Target, ...] = ()
    path: str = ""
    granted: frozenset[str] = frozenset()

    def granting(self, permission: str) -> Scope:
        """Return the same scope with a permission for all that it allows: what a flag of the command gives."""
        if permission not in PERMISSIONS:
            raise ValueError(f"no such permission: {permission}")
        return replace(self, granted=self.granted | {permission})

    def allows(self, host: str, ip: str | IP, port: int) -> bool:
        """Tell whether `ip`, which the host name resolved to, may be connected to on `port`."""
        address = _plain(ip)
        return address.is_loopback or any(entry.covers(host, address, port) for entry in self.entries)

    def looks_up(self, host: str, port: int) -> bool:
        """Tell whether a name may be asked of the system's name servers: one that the file lists."""
        return any(entry.names_host(host, port) for entry in self.entries)

    def permits(self, permission: str, host: str, ip: str | IP, port: int) -> bool:
        """Tell whether an entry that covers this address carries the permission, or a flag gave it."""
        if permission not in PERMISSIONS:
            raise ValueError(f"no such permission: {permission}")
        if permission in self.granted and self.allows(host, ip, port):
            return True
        address = _plain(ip)
        return any(permission in entry.permit and entry.covers(host, address, port) for entry in self.entries)


def _plain(ip: str | IP) -> IP:
    """Return the address that packets go to: the system sends IPv4 for a mapped address, and for no other form."""
    address = ip_address(ip.partition("%")[0]) if isinstance(ip, str) else ip
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _inside(ip: IP) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address may be a tunnel or a translation to."""
    if isinstance(ip, IPv4Address) or int(ip) < 2:  # ::, ::1
        return []
    number = int(ip)
    found = [number >> shift for network, shift in HOLDING if ip in network]
    if ip in LOCAL_NAT64:
        found += _of_local_nat64(number & (1 << 80) - 1)
    if ip in TEREDO:
        found += [number >> 64, ~number]  # the server, and the client with its bits turned
    if number >> 32 & 0xFFFFFFFF in ISATAP:
        found.append(number)
    return [IPv4Address(each & 0xFFFFFFFF) for each in found]


def _of_local_nat64(rest: int) -> list[int]:
    """Return the IPv4 addresses that the last 80 bits may be: behind one, all bits are zero."""
    bare = rest >> 64 << 56 | rest & (1 << 56) - 1  # without the zero byte
    found = [rest, *(bare >> shift for shift in (40, 32, 24) if not bare & (1 << shift) - 1)]
    return [each for each in found if each & 0xFFFFFFFF] or [0]


def _special(ip: IP) -> bool:
    return (
        ip.is_link_local
        or ip.is_multicast
        or ip.is_unspecified
        or ip in METADATA
        or (isinstance(ip, IPv4Address) and (ip.is_reserved or ip in IPv4Network("0.0.0.0/8")))
    )


def _matches(pattern: str, host: str) -> bool:
    host = host.rstrip(".").lower()
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def load_scope(path: str | Path) -> Scope:
    """Read and check a scope file. Raises ScopeError naming the file, the line and the key."""
    path = Path(path)
    try:
        return parse_scope(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeError) as error:
        why = type(error).__name__  # its text quotes the path, so it is dropped, context and all
    raise ScopeError(f"{quotable(path, 'the scope file')}: cannot be read ({why})")


def parse_scope(text: str, path: str = "plainview.toml") -> Scope:
    """Return the scope that the text of a file describes."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line [0-9]+, column [0-9]+|at end of document", str(error))
        raise ScopeError(f"{path}: not valid TOML, {found[0] if found else 'somewhere'}") from None
    return _Reader(text, path).scope(data)


class _Reader:
    """Checks the parsed file key by key; knows on which line a key stands."""

    def __init__(self, text: str, path: str) -> None:
        self.lines = text.splitlines()
        self.path = path

    def scope(self, data: Mapping[str, object]) -> Scope:
        for key in data:
            if key not in ("allow", "targets"):
                self.fail(key, "unknown key", "known: targets, [[allow]]")
        targets = tuple(self.targets(data.get("targets", [])))
        allow = data.get("allow", [])
        if not isinstance(allow, list):
            self.fail("allow", "must be written [[allow]]")
        entries = [self.entry(item, number) for number, item in enumerate(allow)]
        entries += [self.of_target(target) for target in targets if not target.is_local]
        return Scope(tuple(entries), targets, self.path)

    def targets(self, values: object) -> Iterator[Target]:
        for value in self.strings("targets", values, None):
            try:
                target = parse_target(value)
            except TargetError as error:
                self.fail("targets", error.message, error.hint)
            if target.carries_secret:
                self.fail("targets", "holds a secret", "put it into the credentials file: docs/credentials.md")
            yield target

    def of_target(self, target: Target) -> Entry:
        ports = (range(target.port, target.port + 1),)
        try:
            return Entry(networks=(ip_network(target.host),), ports=ports)
        except ValueError:
            return Entry(names=(target.host,), ports=ports)

    def entry(self, item: object, number: int) -> Entry:
        if not isinstance(item, dict):
            self.fail("allow", "must be written [[allow]]")
        for key in item:
            if key not in ("names", "networks", "ports", "permit", "note"):
                self.fail(key, "unknown key", "known: names networks ports permit note", number)
        names = tuple(self.name(text, number) for text in self.strings("names", item.get("names", []), number))
        networks = tuple(
            self.network(text, number) for text in self.strings("networks", item.get("networks", []), number)
        )
        if not names and not networks:
            self.fail("allow", "names neither names nor networks", at=number)
        permit = frozenset(self.strings("permit", item.get("permit", []), number))
        if permit - PERMISSIONS:
            self.fail(
                "permit",
                "an unknown permission",
                "known: " + " ".join(sorted(PERMISSIONS)),
                number,
            )
        return Entry(names, networks, tuple(self.ports(item.get("ports", []), number)), permit)

    def strings(self, key: str, values: object, at: int | None) -> list[str]:
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            self.fail(key, "must be a list of texts", at=at)
        return values

    def name(self, text: str, at: int) -> str:
        if not NAME.fullmatch(text) or text.replace(".", "").isdigit():
            self.fail("names", "an entry is no host name", "an address belongs into networks", at)
        return text.rstrip(".").lower()

    def network(self, text: str, at: int) -> Network:
        try:
            return ip_network(text)
        except ValueError:
            pass
        return self.fail("networks", "an entry is no address or CIDR", 'like "10.0.0.0/24"; host bits must be zero', at)

    def ports(self, values: object, at: int) -> Iterator[range]:
        if not isinstance(values, list):
            self.fail("ports", "must be a list", 'like [9200, "5432-5440"]', at)
        for value in values:
            found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", str(value))
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
            if isinstance(value, bool) or not 0 < first <= last < 65536:
                self.fail("ports", "an entry is no port or range", 'like 9200 or "5432-5440"', at)
            yield range(first, last + 1)

    def fail(self, key: str, problem: str, hint: str = "", at: int | None = None) -> NoReturn:
        shown = key if nearest(key, KEYS) else "a key"  # what is not like one of ours could be anything
        raise ScopeError(f"{self.path}, line {self.line(key, at)}: {shown}: {problem}", hint=hint)

    def line(self, key: str, at: int | None) -> int:
        """Return the line of a key, in the `at`-th [[allow]] when given; else the header's."""
        seen, header = -1, 1
        for number, line in enumerate(self.lines, 1):
            if re.match(r"\s*\[\[\s*allow\s*\]\]", line):
                seen += 1
                header = number if seen == (at or 0) else header
            elif (at is None or seen == at) and re.match(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*[=\].]", line):
                return number
        return header
