"""Addresses of crypto currencies. They need hashes, so they are checked one by one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from plainview.detectors.checks.kernel import Function, per_value

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE58 = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VERSIONS: Final = {
    "bitcoin": (b"\x00", b"\x05", b"\x6f", b"\xc4"),  # the last two: test network
    "other": (
        *(b"\x30", b"\x32", b"\x3a"),  # Litecoin
        *(b"\x1e", b"\x16"),  # Dogecoin
        *(b"\x4c", b"\x10"),  # Dash
        *(b"\x1c\xb8", b"\x1c\xbd"),  # Zcash, transparent
        b"\x41",  # TRON
    ),
}
_PREFIXES: Final = {
    "bitcoin": ("bc", "tb"),
    "other": ("ltc", "addr", "stake", "cosmos", "osmo", "bnb", "terra", "zs"),
}


def _base58(text: str, alphabet: str) -> bytes | None:
    """Return the bytes behind the text without its checksum, or None when that is wrong."""
    value = 0
    for letter in text:
        place = alphabet.find(letter)
        if place < 0:
            return None
        value = value * 58 + place
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    data = b"\0" * zeros + value.to_bytes((value.bit_length() + 7) // 8, "big")
    payload, checksum = data[:-4], data[-4:]
    right = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return payload if checksum == right else None


def _polymod(values: Iterator[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> place & 1:
                state ^= generator
    return state


def _is_bech32(text: str, prefixes: tuple[str, ...]) -> bool:
    """Return whether the text is Bech32 or Bech32m (BIP 173, 350) with one of the prefixes."""
    if text not in (text.lower(), text.upper()):
        return False
    prefix, _, data = text.lower().rpartition("1")
    if prefix not in prefixes or not 14 <= len(data) <= 110 or any(c not in _BECH32 for c in data):
        return False
    numbers = [_BECH32.index(c) for c in data]
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    constant = _polymod(iter(spread + numbers))
    if prefix not in ("bc", "tb", "ltc"):
        return constant in (1, 0x2BC830A3)
    # version 0 has the first constant and 20 or 32 bytes, later versions the second (BIP 350)
    size = (len(numbers) - 7) * 5 // 8
    return constant == (0x2BC830A3 if numbers[0] else 1) and (size in (20, 32) if numbers[0] == 0 else 2 <= size <= 40)


def _is_address(text: str, kind: str) -> bool:
    if not text.isascii() or not 25 <= len(text) <= 120:
        return False
    if len(text) <= 36:
        payload = _base58(text, _BASE58)
        versions = _VERSIONS[kind]
        if payload is not None and any(payload.startswith(v) and len(payload) == len(v) + 20 for v in versions):
            return True
    return _is_bech32(text, _PREFIXES[kind])


def _is_ripple(text: str) -> bool:
    if not re.fullmatch(r"r[1-9A-HJ-NP-Za-km-z]{24,34}", text):
        return False
    payload = _base58(text, _RIPPLE58)
    return payload is not None and len(payload) == 21 and payload[0] == 0


def _round_constants() -> list[int]:
    constants, state = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if state & 1:
                constant |= 1 << ((1 << power) - 1)
            state = state << 1 ^ (0x171 if state & 0x80 else 0)
        constants.append(constant)
    return constants


_ROUNDS = _round_constants()
_MASK = (1 << 64) - 1


def _turn(value: int, places: int) -> int:
    places %= 64
    return (value << places | value >> (64 - places)) & _MASK if places else value


def _permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes (FIPS 202, section 3)."""
    for constant in _ROUNDS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [columns[(x - 1) % 5] ^ _turn(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        x, y, current = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            place = x + 5 * y
            current, lanes[place] = lanes[place], _turn(current, (step + 1) * (step + 2) // 2)
        for row in range(0, 25, 5):
            line = lanes[row : row + 5]
            lanes[row : row + 5] = [line[i] ^ (~line[(i + 1) % 5] & line[(i + 2) % 5]) & _MASK for i in range(5)]
        lanes[0] ^= constant
    return lanes


def keccak_256(data: bytes) -> bytes:
    """Return Keccak-256 as Ethereum uses it: the padding differs from hashlib's SHA3. At most 135 bytes."""
    block = bytearray(136)
    block[: len(data)] = data
    block[len(data)] ^= 0x01
    block[135] ^= 0x80
    lanes = [int.from_bytes(block[i : i + 8], "little") for i in range(0, 136, 8)] + [0] * 8
    return b"".join(lane.to_bytes(8, "little") for lane in _permute(lanes)[:4])


def _is_ethereum(text: str) -> bool:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        return False
    body = text[2:]
    if body.isdigit() or body in (body.lower(), body.upper()):
        return True
    digest = keccak_256(body.lower().encode()).hex()
    return all(c.isdigit() or c.isupper() == (int(h, 16) > 7) for c, h in zip(body, digest, strict=False))


WALLETS: Final[dict[str, Function]] = {
    "bitcoin_address": per_value(lambda text: _is_address(text, "bitcoin")),
    "base58_address": per_value(lambda text: _is_address(text, "other")),
    "ethereum_address": per_value(_is_ethereum),
    "ripple_address": per_value(_is_ripple),
}
