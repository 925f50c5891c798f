"""What a camera notes in a picture: EXIF (CIPA DC-008, a TIFF of tags), IPTC (IIM 4.2). Bounded: offsets may lie."""

from __future__ import annotations

import struct
from typing import Any

from plainview.files.encodings.declared import decoded

USER = "camera_user"  # whose place and device it is
ENTRIES = 1_000  # tags of one directory
DIRECTORIES = 16
VALUE = 64 << 10  # bytes of one value
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 9: 4, 10: 8, 13: 4}
_POINTERS = frozenset({0x8769, 0x8825})
_TEXTS = {
    0x010E: "description", 0x010F: "make", 0x0110: "model", 0x013B: "author", 0x013C: "host_computer",
    0x8298: "copyright", 0x9003: "taken", 0xA420: "image_unique_id", 0xA430: "camera_user.name",
    0xA431: "camera_user.device_serial_number", 0xA435: "lens_serial_number",
    0xC62F: "camera_user.device_serial_number",
}  # fmt: skip
_WIDE = {0x9C9B: "title", 0x9C9C: "comment", 0x9C9D: "author", 0x9C9E: "keywords", 0x9C9F: "subject"}
_MARKED = {0x9286: "user_comment", 0x001C: "gps_area"}  # with its encoding in the first eight bytes
_PLACES = {
    2: ("gps_latitude", 1, b"S"),
    4: ("gps_longitude", 3, b"W"),
    20: ("gps_dest_latitude", 19, b"S"),
    22: ("gps_dest_longitude", 21, b"W"),
}
_IPTC = {
    5: "title", 25: "keywords", 55: "created", 80: "author", 85: "author_title", 90: "city", 92: "sublocation",
    95: "state", 101: "country", 105: "headline", 110: "credit", 115: "source", 116: "copyright", 118: "contact",
    120: "caption", 122: "writer",
}  # fmt: skip
Row = dict[str, Any]


def exif(data: bytes, row: Row) -> tuple[bytes, bytes]:
    """Add the tags of a TIFF to a row; return the XMP and the IPTC in it."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    packets = {0x02BC: b"", 0x83BB: b""}
    if not order or len(data) < 8:
        return b"", b""
    waiting = [(struct.unpack_from(order + "I", data, 4)[0], False)]
    seen: set[int] = set()
    while waiting and len(seen) < DIRECTORIES:
        at, gps = waiting.pop(0)
        if at in seen or at + 2 > len(data):
            continue
        seen.add(at)
        tags = _directory(data, at, order)
        for tag, (kind, value) in tags.items():
            if tag in _POINTERS and len(value) == 4:
                waiting.append((struct.unpack(order + "I", value)[0], tag == 0x8825))
            elif tag in packets and not gps:
                packets[tag] = value
            elif not gps or tag == 0x001C:
                _text(tag, kind, value, row)
        if gps:
            _position(tags, order, row)
        else:
            count = struct.unpack_from(order + "H", data, at)[0]
            follow = at + 2 + 12 * count
            if follow + 4 <= len(data):
                waiting.append((struct.unpack_from(order + "I", data, follow)[0], False))
    return packets[0x02BC], packets[0x83BB]


def _directory(data: bytes, at: int, order: str) -> dict[int, tuple[int, bytes]]:
    found: dict[int, tuple[int, bytes]] = {}
    (count,) = struct.unpack_from(order + "H", data, at)
    for start in range(at + 2, at + 2 + 12 * min(count, ENTRIES), 12):
        if start + 12 > len(data):
            break
        tag, kind, number = struct.unpack_from(order + "HHI", data, start)
        size = _SIZES.get(kind, 0) * number
        if size > 4:
            (start,) = struct.unpack_from(order + "I", data, start + 8)
            found[tag] = (kind, data[start : start + min(size, VALUE)])
        elif size:
            found[tag] = (kind, data[start + 8 : start + 8 + size])
    return found


def _text(tag: int, kind: int, value: bytes, row: Row) -> None:
    if tag in _TEXTS and kind in {1, 2, 7}:
        name, text = _TEXTS[tag], decoded(value.split(b"\0", 1)[0])[0]
    elif tag in _WIDE:
        name, text = _WIDE[tag], value.decode("utf-16-le", "replace")
    elif tag in _MARKED:
        name = _MARKED[tag]
        text = decoded(value[8:], "utf-16" if value.startswith(b"UNICODE") else "")[0]
    else:
        return
    if text := text.replace("\0", " ").strip():
        of_user, _, name = name.rpartition(".")
        place = row.setdefault(of_user, {}) if of_user else row
        if isinstance(known := place.setdefault(name, text), list) and text not in known:
            known.append(text)  # beside what another part of the file says


def _position(tags: dict[int, tuple[int, bytes]], order: str, row: Row) -> None:
    """Add a position in degrees, as it is written in tables; no place is looked up."""
    for tag, (name, side, below) in _PLACES.items():
        kind, value = tags.get(tag, (0, b""))
        if kind != 5 or len(value) < 24:
            continue
        parts = struct.unpack(order + "6I", value[:24])
        degrees = sum(
            up / down / 60**at for at, (up, down) in enumerate(zip(parts[::2], parts[1::2], strict=True)) if down
        )
        if degrees <= 180:
            row.setdefault(USER, {})[name] = f"{-degrees if tags.get(side, (0, b''))[1][:1] == below else degrees:.6f}"


def iptc(data: bytes, row: Row) -> None:
    """Add the fields of record 2 to a row."""
    at = data.find(b"\x1c\x02")
    while at >= 0 and at + 5 <= len(data) and data[at] == 0x1C:
        field, size = data[at + 2], int.from_bytes(data[at + 3 : at + 5], "big")
        if size > 0x7FFF:
            return
        text = decoded(data[at + 5 : at + 5 + size])[0].strip()
        if field in _IPTC and text:
            row.setdefault(f"iptc_{_IPTC[field]}", []).append(text)
        at += 5 + size


__all__ = ["USER", "Row", "exif", "iptc"]
