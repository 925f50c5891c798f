"""What leaves the machine: packets counted on the interface of a network of the test's own, which leads nowhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"),
    reason="makes a network namespace: Linux, root, iproute2 and util-linux",
)

# Runs in the namespace: an interface with default routes whose other end is listened to.
INSIDE = r"""
import json, os, socket, subprocess, sys, threading, time

def ip(*words):
    subprocess.run(["ip", *words], check=True)

for words in (
    "link set lo up", "link add out type veth peer name far", "link set out up", "link set far up",
    "addr add 192.0.2.1/24 dev out", "-6 addr add 2001:db8::1/64 dev out nodad",
    "neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev out", "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev out",
    "route add default via 192.0.2.2", "-6 route add default via 2001:db8::2",
):
    ip(*words.split())
heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
heard.bind(("far", 0))
heard.settimeout(0.2)
seen, done = [], False

def listen():
    while not done:
        try:
            frame = heard.recv(65536)
        except TimeoutError:
            continue
        kind = frame[12:14].hex()
        if kind == "0800":
            seen.append([frame[23], socket.inet_ntop(socket.AF_INET, frame[30:34])])
        elif kind == "86dd" and frame[20] not in (0, 58):  # neither hop-by-hop (MLD) nor ICMPv6 of the link
            seen.append([frame[20], socket.inet_ntop(socket.AF_INET6, frame[38:54])])

thread = threading.Thread(target=listen)
thread.start()
time.sleep(0.3)
said = []
for target, scope in json.loads(sys.argv[1]):
    before = len(seen)
    options = ["--scope", scope] if scope else []
    ran = subprocess.run([sys.executable, "-m", "plainview", "scan", target, *options], capture_output=True, text=True)
    time.sleep(0.1)
    said.append([target, ran.returncode, sorted({tuple(each) for each in seen[before:]}), ran.stdout])
done = True
thread.join()
print(json.dumps(said))
"""
SCOPE = """
[[allow]]
names = ["listed.internal"]
networks = ["10.0.0.0/8", "127.0.0.0/8", "2001:db8:7::/64"]
"""
UDP, TCP = 17, 6


def test_nothing_leaves_but_to_what_is_listed(tmp_path: Path) -> None:
    """Loopback inside 6to4 or NAT64 is somebody else's address, and the question for a name is a packet, too."""
    (tmp_path / "plainview.toml").write_text(SCOPE)
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.53\noptions timeout:1 attempts:1\n")
    (tmp_path / "hosts").write_text("2002:7f00:1::1 listed.internal\n")
    file = str(tmp_path / "plainview.toml")
    refused = [
        ("redis://[2002:7f00:1::1]:6379", ""),
        ("redis://[64:ff9b::7f00:1]:6379", ""),
        ("redis://[64:ff9b:1::7f00:1]:6379", ""),
        ("elasticsearch://[2002:a01:203::5]:9200", file),  # 10.1.2.3 inside
        ("[2002:7f00:1::1]:6379", file),
        ("redis://listed.internal:6379", file),  # a listed name that leads to such an address
        ("redis://other.example:6379", ""),
        ("redis://other.example:6379", file),
        ("postgresql://db.other.example/shop", file),
        ("s3://bucket", file),
        ("http://2130706433/", file),
        ("[64:ff9b:1:7f00:0:100::]:6379", file),
    ]
    here = [("redis://localhost:1", ""), ("redis://cache.localhost:1", file)]  # not in the file of hosts below
    allowed = [("redis://[2001:db8:7::9]:6379", file), ("redis://10.9.8.7:6379", file)]
    command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c"]
    mounts = (
        f"mount --bind {tmp_path}/resolv.conf $(realpath /etc/resolv.conf) && mount --bind {tmp_path}/hosts /etc/hosts"
    )
    inner = f'{mounts} && exec "$0" -c "$1" "$2"'
    ran = subprocess.run(
        [*command, inner, sys.executable, INSIDE, json.dumps(refused + here + allowed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    if ran.returncode and "Operation not permitted" in ran.stderr:
        pytest.skip("this machine lets nobody make a network namespace")
    assert not ran.returncode, ran.stderr
    said = json.loads(ran.stdout)
    assert len(said) == len(refused) + len(here) + len(allowed)
    for target, status, packets, out in said[: len(refused)]:
        assert (status, packets) == (2, []), target
        assert "not in the scope file" in " ".join(out.split()), target
    for target, status, packets, out in said[len(refused) : len(refused) + len(here)]:
        assert (status, packets) == (2, []), target
        assert "the port is closed" in " ".join(out.split()), target
    reached = {tuple(packet) for _, _, packets, _ in said[len(refused) + len(here) :] for packet in packets}
    assert reached == {(TCP, "2001:db8:7::9"), (TCP, "10.9.8.7")}  # so that silence above means something
