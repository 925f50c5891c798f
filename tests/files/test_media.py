"""What is kept about pictures, sound and video: found wherever it stands, counted, and the rest is told.

Pictures are made by Pillow, which fpdf2 brings; sound and video by hand, after their specifications.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.work import LINEAR, growth
from conftest import CANARIES
from files.test_mail import scan
from plainview.files.formats.media import read as media
from plainview.tables import Deadline, Input, Limits, ReadLog
from plainview.tables.families import template

MAIL, NAME, PHONE, IBAN = CANARIES
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description xmlns:dc="d"><dc:creator><rdf:Seq>'
    f"<rdf:li>{NAME}</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def tiff(order: str = "<") -> bytes:
    """Return EXIF with an artist, a serial number and a position."""
    artist, serial = NAME.encode() + b"\0", b"SN-0042-7731\0"
    place = struct.pack(order + "6I", 52, 1, 31, 1, 1272, 100)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    start = 8 + 2 + 3 * 12 + 4
    exif_at, gps_at = start + len(artist), start + len(artist) + 2 + 12 + 4 + len(serial)
    one = struct.pack(order + "HHHII", 3, 0x013B, 2, len(artist), start)
    one += struct.pack(order + "HHIIHHII", 0x8769, 4, 1, exif_at, 0x8825, 4, 1, gps_at) + bytes(4)
    two = struct.pack(order + "HHHII", 1, 0xA431, 2, len(serial), exif_at + 18) + bytes(4) + serial
    at = gps_at + 2 + 4 * 12 + 4
    south = struct.pack(order + "HHI4s", 1, 2, 2, b"S\0\0\0") + struct.pack(order + "HHII", 2, 5, 3, at)
    west = struct.pack(order + "HHI4s", 3, 2, 2, b"W\0\0\0") + struct.pack(order + "HHII", 4, 5, 3, at)
    return head + one + artist + two + struct.pack(order + "H", 4) + south + west + bytes(4) + place


def segment(mark: int, body: bytes) -> bytes:
    return bytes((0xFF, mark)) + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments: bytes) -> bytes:
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
        + b"".join(segments)
        + b"\xff\xda\0\2"
        + bytes(30)
        + b"\xff\xd9"
    )


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + bytes(4)


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I", len(body) + 8) + name + body


def row_of(tmp_path: Path, name: str, data: bytes) -> dict:
    found, log = scan(tmp_path / name, data)
    assert log.skipped, "the picture itself is told"
    assert all(what == name for what, _ in log.skipped)
    return found[name][0] if found else {}


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_of_jpeg(tmp_path: Path, order: str) -> None:
    row = row_of(tmp_path, "a.jpg", jpeg(segment(0xE1, b"Exif\0\0" + tiff(order))))
    assert row["author"] == NAME
    assert row["camera_user.device_serial_number"] == "SN-0042-7731"
    assert (row["camera_user.gps_latitude"], row["camera_user.gps_longitude"]) == ("-52.520200", "-52.520200")


def test_other_texts_of_jpeg(tmp_path: Path) -> None:
    packet = (
        b"\x1c\x02\x50"
        + struct.pack(">H", len(NAME))
        + NAME.encode()
        + b"\x1c\x02\x76"
        + struct.pack(">H", len(MAIL))
        + MAIL.encode()
    )
    row = row_of(
        tmp_path,
        "a.jpg",
        jpeg(
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP.encode()),
            segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x40" + packet),
            segment(0xFE, f"call {PHONE}".encode()),
        ),
    )
    assert row["iptc_author[]"] == [NAME]
    assert row["iptc_contact[]"] == [MAIL]
    assert row["comment[]"] == [f"call {PHONE}"]
    assert NAME in str({key: value for key, value in row.items() if key.startswith("xmp")})


def test_pictures_of_pillow(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    from PIL.PngImagePlugin import PngInfo

    tags = image.Exif()
    tags[0x013B] = NAME
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, 0.0)})
    picture = image.new("RGB", (9, 9), "red")
    texts = PngInfo()
    texts.add_text("Author", NAME)
    texts.add_text("Comment", MAIL, zip=True)
    texts.add_itxt("Description", "Grüße")
    for ending, form in (("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF")):
        out = io.BytesIO()
        picture.save(out, form, exif=tags.tobytes(), **({"pnginfo": texts} if form == "PNG" else {}))
        row = row_of(tmp_path, f"a.{ending}", out.getvalue())
        assert NAME in (row.get("author"), *row.get("author[]", ()))
        assert (row["camera_user.gps_latitude"], row["camera_user.gps_longitude"]) == ("48.208333", "16.366667")
    row = row_of(tmp_path, "a.png", (tmp_path / "a.png").read_bytes())
    assert (row["author[]"], row["comment[]"], row["description[]"]) == ([NAME], [MAIL], ["Grüße"])
    found, log = scan(tmp_path / "b.gif", b"GIF89a" + bytes(30))
    assert not found
    assert "OCR is off" in log.skipped[0][1]


def test_heic_and_what_is_packed_in_png(tmp_path: Path) -> None:
    data = b"\0\0\0\x18ftypheic" + bytes(40) + b"\0\0\0\6Exif\0\0" + tiff() + XMP.encode()
    row = row_of(tmp_path, "a.heic", data)
    assert (row["author"], row["camera_user.gps_latitude"]) == (NAME, "-52.520200")
    bomb = zlib.compress(bytes(50_000_000))
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", bytes(13))
        + chunk(b"zTXt", b"Comment\0\0" + bomb)
        + chunk(b"tEXt", b"Author\0" + NAME.encode())
    )
    assert row_of(tmp_path, "a.png", data)["author[]"] == [NAME]


def test_sound(tmp_path: Path) -> None:
    frame = b"TPE1" + struct.pack(">I", len(NAME) + 1) + b"\0\0\3" + NAME.encode()
    comment = b"COMM" + struct.pack(">I", len(MAIL) + 5) + b"\0\0\3eng\0" + MAIL.encode()
    size = len(frame + comment)
    data = b"ID3\3\0\0" + bytes((0, 0, size >> 7, size & 127)) + frame + comment + b"\xff\xfb" + bytes(90)
    row = row_of(tmp_path, "a.mp3", data)
    assert row["artist[]"] == [NAME]
    assert MAIL in row["comment[]"][0]
    said = f"ARTIST={NAME}".encode()
    notes = struct.pack("<I", 3) + b"abc" + struct.pack("<II", 1, len(said)) + said
    data = b"fLaC\0\0\0\x22" + bytes(34) + b"\x84" + len(notes).to_bytes(3, "big") + notes
    assert row_of(tmp_path, "a.flac", data)["artist[]"] == [NAME]
    assert row_of(tmp_path, "a.ogg", b"OggS" + bytes(24) + b"\x03vorbis" + notes)["artist[]"] == [NAME]
    listed = b"INFOIART" + struct.pack("<I", len(NAME)) + NAME.encode()
    data = b"RIFF\0\1\0\0WAVELIST" + struct.pack("<I", len(listed)) + listed
    assert row_of(tmp_path, "a.wav", data)["artist[]"] == [NAME]


def test_video(tmp_path: Path) -> None:
    place = b"+48.2082+016.3738+151.0/"
    kept = box(
        b"udta",
        box(b"\xa9xyz", struct.pack(">HH", len(place), 0) + place),
        box(b"\xa9ART", box(b"data", b"\0\0\0\1\0\0\0\0", NAME.encode())),
    )
    data = box(b"ftyp", b"isom\0\0\0\1") + box(b"mdat", bytes(5000)) + box(b"moov", kept)
    row = row_of(tmp_path, "a.mp4", data)
    assert row["artist[]"] == [NAME]
    assert (row["camera_user.gps_latitude[]"], row["camera_user.gps_longitude[]"]) == (["48.2082"], ["016.3738"])


def test_a_folder_of_photographs_is_one_table() -> None:
    assert {template(f"DCIM/{name}") for name in ("IMG_0001.JPG", "IMG_2.JPG")} == {"DCIM/IMG_{}.JPG"}
    assert {template(f"in/{name}.jpg") for name in ("holiday", "us")} == {"in/{}.jpg"}


def test_a_position_is_found(plainview: object, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(segment(0xE1, b"Exif\0\0" + tiff())))
    ran = plainview("scan", tmp_path / "a.jpg")  # type: ignore[operator]
    assert "geographic position" in ran.out
    assert ran.status == 2
    assert "52.5" not in ran.everything
    assert NAME not in ran.everything


STARTS = (b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypmp42", b"ID3\4\0\0\0\0\x7f\x7f", b"fLaC\4", b"OggS\0\x03vorbis", b"GIF89a")  # fmt: skip


def read(data: bytes) -> None:
    source = Input("a", data[: 64 << 10], lambda: io.BytesIO(data), len(data), None, Limits(), Deadline(60))
    for _ in media.read(source, ReadLog()):
        pass


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_any_bytes_end_well(start: bytes, body: bytes) -> None:
    read(start + body)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    "unit",
    [
        b"\xff\xe1\0\2",
        b"\0\0\0\0tEXt\0\0\0\0",
        b"desc",
        b"\0\0\0\x10desc\0\1\0\0a\0\0\0",
        b"<x:xmpmeta",
        b"\0",
        b"\1\0\0\0",
        b"Exif\0\0II*\0",
    ],
)
def test_work_grows_with_the_bytes(start: bytes, unit: bytes) -> None:
    assert growth(read, lambda size: start + unit * (size // len(unit)), 200_000) < LINEAR


def test_each_cut_ends_well() -> None:
    data = jpeg(segment(0xE1, b"Exif\0\0" + tiff()))
    for end in range(3, len(data)):
        read(data[:end])
    for at in range(20, len(data) - 4):
        read(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
