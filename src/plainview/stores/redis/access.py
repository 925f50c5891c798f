"""The stranger's question to Redis and compatible servers: what a connection without a secret may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plainview.errors import ProtocolError
from plainview.stores.redis.resp import Answer, Refusal, Resp

if TYPE_CHECKING:
    from plainview.stores.base import Verdict

PRODUCTS = {"valkey": "Valkey", "redis": "Redis", "keydb": "KeyDB", "dragonfly": "Dragonfly"}
VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,30}")
# Names and places that intruders have left in open Redis servers since 2015.
INTRUDER_KEY = re.compile(rb"(?i)crackit|backup[1-4]|(please_)?read_?me(_to_recover.*)?|recover_your_.*")
INTRUDER_PLACE = re.compile(rb"/\.ssh|/cron|/etc/cron")
LOOPBACK = frozenset({"127.0.0.1", "-127.0.0.1", "::1", "-::1", "localhost"})


def ask(client: Resp, verdict: Verdict) -> None:
    """Fill the verdict. Raises NetworkErrors."""
    pong = client.ask("redis.ping")
    control = client.ask("redis.control")
    if isinstance(pong, Refusal):
        _refused(pong, verdict)
    elif pong != b"PONG":
        raise ProtocolError("PING was not answered with PONG: not Redis")
    else:
        verdict.saw("reachable_metadata", "PING was answered without a password")
        client.ask("redis.name")
        _info(client.ask("redis.info"), verdict)
        _contents(client, verdict)
        _rights(client, verdict)
        _config(client, verdict)
    if not isinstance(control, Refusal):
        verdict.doubt("a command that no Redis has was not refused: it may answer everything", honeypot=True)


def _refused(answer: Refusal, verdict: Verdict) -> None:
    if answer.code == "NOAUTH":
        verdict.saw("auth_required", "PING was refused without a password (NOAUTH)")
    elif answer.code == "DENIED":
        verdict.saw("auth_required", "protected mode refuses every machine but its own (DENIED)")
    elif answer.code == "NOPERM":
        verdict.saw("auth_required", "the user of a connection without a password may not even PING (NOPERM)")
        verdict.confidence = "probable"
    else:
        raise ProtocolError(f"PING was refused for another reason than a password ({answer.code})")


def _info(answer: Answer, verdict: Verdict) -> None:
    if not isinstance(answer, bytes):
        verdict.note("INFO was refused")
        return
    info = parse_info(answer)
    name = next((key for key in ("valkey", "dragonfly", "keydb") if f"{key}_version" in info), "redis")
    name = info.get("server_name", name)
    verdict.product = PRODUCTS.get(name, "Redis")
    version = info.get(f"{name}_version", "") or info.get("redis_version", "")
    verdict.version = version if VERSION.fullmatch(version) else None
    mode = info.get("server_mode") or info.get("redis_mode")
    if mode == "sentinel":
        verdict.note("a Sentinel: it holds no data, and says where the servers are that do")
    if mode == "cluster":
        verdict.note("one node of a cluster: it holds a part of the keys, the other nodes were not asked")
    if info.get("role") in ("slave", "replica"):
        only = info.get("slave_read_only", info.get("replica_read_only")) == "1"
        verdict.note(
            "a replica, read-only until an administrator changes that" if only else "a replica that takes writes"
        )


def parse_info(data: bytes) -> dict[str, str]:
    """Return the lines `name:value` of INFO."""
    lines = (line.partition(":") for line in data.decode("utf-8", "replace").splitlines() if line[:1] != "#")
    return {name: value.strip() for name, colon, value in lines if colon}


def _contents(client: Resp, verdict: Verdict) -> None:
    """May key names be listed, may values be read? One read of zero bytes, no value."""
    count = client.ask("redis.dbsize")
    listed = client.ask("redis.list")
    keys: list[Answer] = []
    if isinstance(listed, list) and len(listed) == 2 and isinstance(listed[1], list):
        keys = listed[1]
        number = f"{count:,}" if isinstance(count, int) else "an unknown number of"
        verdict.saw("lists", f"SCAN lists key names without a password: {number} keys in the first database")
        names = [key for key in keys if isinstance(key, bytes) and INTRUDER_KEY.fullmatch(key)]
        if names:
            verdict.prior_access.append(f"strong: {len(names)} key names that intruders leave behind")
    else:
        verdict.note("SCAN was refused")
    key = next((key for key in keys if isinstance(key, bytes)), b"plainview")
    zero = client.ask("redis.zero_read", key=key)
    if zero == b"" or (isinstance(zero, Refusal) and zero.code == "WRONGTYPE"):
        verdict.saw("reads", "a read of zero bytes (GETRANGE) is allowed without a password")
    else:
        verdict.note("GETRANGE was refused")


def _rights(client: Resp, verdict: Verdict) -> None:
    """Read the rights: from the ACL (6 on), simulated by the server (7 on), by design before."""
    user = client.ask("redis.whoami")
    if isinstance(user, Refusal) and user.unknown_command:
        verdict.rights("by_design")
        verdict.saw("admin", "this version knows no users: who may connect may do everything")
        return
    if not isinstance(user, bytes):
        verdict.note("ACL WHOAMI was refused: rights beyond reading are not known")
        return
    commands, keys = _acl(client.ask("redis.getuser", user=user))
    shown = "default" if user == b"default" else "another than default"
    may_write = client.ask("redis.dryrun_write", user=user)
    if may_write == b"OK":
        verdict.rights("rights_api")
        verdict.saw("writes", f"ACL DRYRUN of the user ({shown}): SET would be allowed")
    elif isinstance(may_write, bytes):
        verdict.rights("rights_api")
        verdict.note(f"ACL DRYRUN of the user ({shown}): SET would be refused")
    if commands is None:
        verdict.note("ACL GETUSER was refused")
        return
    verdict.rights("rights_api")
    if "+@all" in commands and not any(word.startswith("-") for word in commands) and keys:
        verdict.saw("admin", f"ACL GETUSER: the user ({shown}) has all commands on all keys")
    elif isinstance(may_write, Refusal) and {"+@all", "+@write", "+set"} & commands:
        verdict.saw("writes", f"ACL GETUSER: the user ({shown}) has commands that write", confidence="probable")


def _acl(answer: Answer) -> tuple[frozenset[str] | None, bool]:
    """Return the command rules of ACL GETUSER, and whether all keys are covered."""
    if not isinstance(answer, list):
        return None, False
    pairs = dict(zip(answer[0::2], answer[1::2], strict=False)) if all_names(answer) else {}
    rules = pairs.get(b"commands")
    keys = pairs.get(b"keys")
    names = keys.split() if isinstance(keys, bytes) else keys if isinstance(keys, list) else []
    commands = rules.decode("utf-8", "replace").lower().split() if isinstance(rules, bytes) else []
    return frozenset(commands), b"~*" in names or b"*" in names


def all_names(answer: list[Answer]) -> bool:
    """Tell whether each first of two is a text, as in a map."""
    return all(isinstance(name, bytes) for name in answer[0::2])


def _config(client: Resp, verdict: Verdict) -> None:
    """CONFIG GET is an administrator's command: that it answers is the finding, bind says who can come."""
    bind = _setting(client.ask("redis.config", name="bind"))
    if bind is None:
        verdict.note("CONFIG GET was refused")
        return
    if verdict.rights_basis == "unknown":
        verdict.rights("config")
    verdict.saw("admin", "CONFIG GET is answered without a password: an administrator's command")
    addresses = set(bind.decode("utf-8", "replace").split())
    if addresses and addresses <= LOOPBACK:
        verdict.note("it listens on loopback only: other machines cannot connect")
    protected = _setting(client.ask("redis.config", name="protected-mode"))
    # Before version 7 an explicit bind switched protected mode off, whatever the setting said.
    if protected == b"yes" and (not addresses or int((verdict.version or "0").split(".")[0]) >= 7):
        verdict.note("protected mode is on: machines other than its own are refused while no password is set")
    place = _setting(client.ask("redis.config", name="dir")) or b""
    if INTRUDER_PLACE.search(place):
        verdict.prior_access.append("strong: the data directory was moved to where keys or cron jobs lie")


def _setting(answer: Answer) -> bytes | None:
    if not isinstance(answer, list):
        return None
    value = answer[1] if len(answer) > 1 else b""
    return value if isinstance(value, bytes) else b""
