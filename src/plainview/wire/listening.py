"""From where a store may be reached that was reached over loopback: what this machine's kernel says of its port.

Loopback is not the internet: such a store is open to the users of this machine. Whether others get there is told by the
addresses at which the port listens, of which Linux keeps a list for everybody. No request is sent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Literal

Reach = Literal["", "network", "here", "loopback"]

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTENS = "0A"
LONGEST = 16 << 20  # bytes of a table that are read


def reach(ip: str, port: int) -> Reach:
    """Return from where the store at an address may be reached.

    `network`: over an address of a network, or it listens at one as well; `loopback`: it listens on loopback alone;
    `here`: over loopback, and where else it listens is not known.
    """
    if not is_loopback(ip_address(ip.partition("%")[0])):
        return "network"
    listening = list(_listening(port))
    if not listening:
        return "here"
    return "loopback" if all(map(is_loopback, listening)) else "network"


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one of loopback, also where it is an IPv4 address in an IPv6 one."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (inner or address).is_loopback


def _listening(port: int) -> Iterator[IPv4Address | IPv6Address]:
    """Yield the addresses at which something listens on a port; nothing where the system does not say it."""
    if not sys.platform.startswith("linux"):
        return
    for table in TABLES:
        try:
            with table.open(encoding="ascii") as lines:
                text = lines.read(LONGEST)
        except (OSError, UnicodeError):
            continue
        for line in text.splitlines()[1:]:
            words = line.split()
            if len(words) < 4 or words[3] != LISTENS:
                continue
            address, _, at = words[1].partition(":")
            if int(at, 16) == port:
                yield ip_address(_bytes(address))


def _bytes(words: str) -> bytes:
    """Return the bytes of an address that the kernel writes in words of its own byte order."""
    parts = (int(words[at : at + 8], 16) for at in range(0, len(words), 8))
    return b"".join(part.to_bytes(4, sys.byteorder) for part in parts)


__all__ = ["Reach", "is_loopback", "reach"]
