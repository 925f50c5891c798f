"""The canaries in a file of every format: as cells, keys, headers, names and comments, sound and damaged."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import bson
import fastavro
import polars as pl
import xlsxwriter

from conftest import CANARIES
from fakes.compound import message, streams

MAIL, NAME, PHONE, IBAN = CANARIES
ROWS = [{"name": NAME, "email": MAIL, "phone": PHONE, "iban": IBAN, "note": f"call {NAME} at {PHONE} or {MAIL}"}] * 3
FRAME = pl.DataFrame(ROWS)


def _sql_dump() -> bytes:
    return (
        f"-- {MAIL}\nCREATE TABLE `people` (`name` text, `email` text);\n"
        f"INSERT INTO `people` VALUES ('{NAME}','{MAIL}');\nINSERT INTO `people` VALUES ('{NAME}',{MAIL} broken;\n"
    ).encode()


def _xml() -> bytes:
    return f"<r><!-- {MAIL} --><p email='{MAIL}'><n>{NAME}</n></p><p><n>{NAME}</n></p><broken></r>".encode()


def _avro() -> bytes:
    fields = [{"name": name, "type": "string"} for name in FRAME.columns]
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "people", "doc": MAIL, "fields": fields}, ROWS)
    return out.getvalue()


def _mongo_archive() -> bytes:
    end, place = b"\xff" * 4, {"db": MAIL, "collection": "people"}
    rows = b"".join(bson.encode(row) for row in ROWS)
    head = bson.encode({"version": "0.1"}) + bson.encode({**place, "metadata": MAIL, "size": 3}) + end
    return b"\x6d\xe2\x99\x81" + head + bson.encode({**place, "EOF": False, "CRC": 0}) + rows + end


def _dbf() -> bytes:
    row = b" " + MAIL.encode().ljust(40)
    column = b"WORD".ljust(11, b"\0") + b"C"  # ten bytes hold no address: a part of one looks like any word
    column += bytes(4) + b"\x28" + bytes(15)
    return b"\x03\x7c\x01\x02" + struct.pack("<IHH", 3, 65, 41) + bytes(20) + column + b"\r" + row * 3 + b"\x1a"


def _rdb() -> bytes:
    mail = bytes([len(MAIL)]) + MAIL.encode()
    return b"REDIS0009" + b"\x00" + mail + mail + b"\x04" + mail + b"\x01" + mail + mail + b"\xff" + bytes(8)


def _xlsx() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet(MAIL)
        sheet.write_row(0, 0, [*FRAME.columns, MAIL])
        for number, row in enumerate(FRAME.rows(), 1):
            sheet.write_row(number, 0, row)
    return out.getvalue()


def _ods() -> bytes:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document, table = OpenDocumentSpreadsheet(), Table(name=MAIL)
    for row in (FRAME.columns, *FRAME.rows()):
        line = TableRow()
        for value in row:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=value))
            line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def _mail() -> bytes:
    message = EmailMessage()
    message["From"] = message["To"] = message["X-Other"] = f"{NAME} <{MAIL}>"
    message["Message-ID"] = message["Subject"] = MAIL
    message.set_content(f"{NAME} {PHONE} {IBAN}")
    message.add_attachment(FRAME.write_csv().encode(), maintype="text", subtype="csv", filename=f"{MAIL}.csv")
    message.add_attachment(b"\0\1\2", maintype="application", subtype="pkcs7-mime", filename=f"{MAIL}.p7m")
    return bytes(message) + f"--broken {MAIL}".encode()


def _packed(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def _docx() -> bytes:
    said = f"<w:p><w:t>{NAME} {MAIL}</w:t></w:p><w:tbl><w:tr><w:tc><w:p><w:t>{MAIL}</w:t></w:p></w:tc></w:tr></w:tbl>"
    return _packed(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f"<w:d xmlns:w='w'>{said * 2}</w:d>",
            "word/comments.xml": f"<w:c xmlns:w='w'><w:comment w:author='{NAME}'>{said}</w:comment></w:c>",
            f"word/{MAIL}.xml": f"<broken>{MAIL}",
            f"word/embeddings/{MAIL}.csv": FRAME.write_csv(),
            "docProps/custom.xml": f"<p><property name='{MAIL}'><lpwstr>{MAIL}</lpwstr></property></p>",
        }
    )


def _pptx() -> bytes:
    slide = f"<p:s xmlns:a='a' xmlns:p='p'><a:p><a:t>{NAME} {MAIL}</a:t></a:p></p:s>"
    return _packed({"[Content_Types].xml": "<Types/>", "ppt/slides/slide1.xml": slide, f"ppt/media/{MAIL}.bin": MAIL})


def _odf(sort: str) -> bytes:
    said = f"<t:p>{NAME} {MAIL}<o:annotation><d:creator>{NAME}</d:creator><t:p>{MAIL}</t:p></o:annotation></t:p>"
    names = "xmlns:o='urn:oasis:o' xmlns:t='urn:oasis:t' xmlns:d='d'"
    meta = f"<o:m {names}><o:user-defined o:name='{MAIL}'>{MAIL}</o:user-defined></o:m>"
    kind = f"application/vnd.oasis.opendocument.{sort}"
    return _packed({"mimetype": kind, "content.xml": f"<o:c {names}>{said * 3}</o:c>", "meta.xml": meta})


def _msg() -> bytes:
    file = {"__attach_version1.0_#00000000": streams(P3707=f"{MAIL}.csv", P3701=FRAME.write_csv().encode())}
    return message(f"{NAME} {PHONE} {IBAN}", file, P0037=MAIL, P0C1A=NAME, P5D01=MAIL, P1013=f"<p>{MAIL}")


def _pdf() -> bytes:
    text = f"BT /F1 9 Tf 50 700 Td ({NAME} {MAIL} {PHONE}) Tj ET"
    note = f"/Annots[<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents({MAIL})/T({NAME})>>]"
    parts = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R{note}"
            "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        ),
        f"<</Length {len(text)}>>stream\n{text}\nendstream",
        f"<</Author({NAME})/Title({MAIL})>>",
    )
    body = "".join(f"{number} 0 obj\n{part}\nendobj\n" for number, part in enumerate(parts, 1))
    return f"%PDF-1.7\n{body}trailer<</Root 1 0 R/Info 5 0 R>>\n%%EOF {MAIL}\n".encode()


def _jpeg() -> bytes:
    name = NAME.encode() + b"\0"
    tags = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x013B, 2, len(name), 26) + bytes(4) + name
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x40\x1c\x02\x50" + struct.pack(">H", len(MAIL)) + MAIL.encode()
    xmp = (
        f"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='x'><{NAME.split()[0]}>{MAIL}</broken></x:xmpmeta>".encode()
    )
    parts = ((0xE1, b"Exif\0\0" + tags), (0xED, iptc), (0xE1, xmp), (0xFE, f"{MAIL} {PHONE}".encode()))
    return b"\xff\xd8" + b"".join(bytes((255, mark)) + struct.pack(">H", len(body) + 2) + body for mark, body in parts)


def _frame(write: str) -> Callable[[], bytes]:
    def made() -> bytes:
        out = io.BytesIO()
        getattr(FRAME, write)(out)
        return out.getvalue()

    return made


# kind, as `files.formats.FORMATS` names it -> the ending of the file, its content
FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "csv": ("csv", _frame("write_csv")),
    "tsv": ("tsv", lambda: FRAME.write_csv(separator="\t").encode()),
    "text": ("log", lambda: f"2025-01-01 login {MAIL} from 203.0.113.9\n".encode() * 5),
    "json": ("json", lambda: json.dumps({"people": {MAIL: ROWS[0], "b@example.org": ROWS[0]}}).encode()),
    "ndjson": ("ndjson", _frame("write_ndjson")),
    "bson": ("bson", lambda: b"".join(bson.encode({**row, MAIL: {MAIL: 1}}) for row in ROWS)),
    "xml": ("xml", _xml),
    "html": ("html", lambda: f"<table><tr><th>mail</th></tr><tr><td>{MAIL}</td></tr></table>".encode()),
    "sql_dump": ("sql", _sql_dump),
    "parquet": ("parquet", _frame("write_parquet")),
    "arrow": ("arrow", _frame("write_ipc")),
    "avro": ("avro", _avro),
    "rdb": ("rdb", _rdb),
    "dbf": ("dbf", _dbf),
    "mongo_archive": ("archive", _mongo_archive),
    "aof": (
        "aof",
        lambda: b"*3\r\n$3\r\nSET\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(m), m) for m in [MAIL.encode()] * 2),
    ),
    "xlsx": ("xlsx", _xlsx),
    "ods": ("ods", _ods),
    "mail": ("eml", _mail),
    "msg": ("msg", _msg),
    "pdf": ("pdf", _pdf),
    "media": ("jpg", _jpeg),
    "docx": ("docx", _docx),
    "pptx": ("pptx", _pptx),
    "odt": ("odt", lambda: _odf("text")),
    "odp": ("odp", lambda: _odf("presentation")),
    "odg": ("odg", lambda: _odf("graphics")),
    "rtf": (
        "rtf",
        lambda: f"{{\\rtf1{{\\info{{\\author {NAME}}}}}{{\\*\\annotation {MAIL}}}{MAIL}\\par {{\\{MAIL}".encode(),
    ),
    "vcard": ("vcf", lambda: f"BEGIN:VCARD\nFN:{NAME}\nEMAIL:{MAIL}\n{MAIL}\nX-{MAIL}:a\nEND:VCARD\n".encode()),
    "icalendar": ("ics", lambda: f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nORGANIZER;CN={NAME}:mailto:{MAIL}\n".encode()),
    "ldif": ("ldif", lambda: f"# {MAIL}\ndn: uid={MAIL}\nmail: {MAIL}\n{NAME}: x\njpegPhoto:: {MAIL}\n".encode()),
}


def sqlite(path: Path) -> None:
    """Write a database of SQLite."""
    with sqlite3.connect(path) as db:
        db.execute(f'CREATE TABLE "{MAIL}" (email TEXT)')
        db.execute(f'INSERT INTO "{MAIL}" VALUES (?)', (MAIL,))
    db.close()


def duckdb(path: Path) -> None:
    """Write a database of DuckDB."""
    import duckdb as library

    with library.connect(path) as db:
        db.execute(f'CREATE TABLE "{MAIL}" (email TEXT)')
        db.execute(f'INSERT INTO "{MAIL}" VALUES (?)', (MAIL,))


DATABASES: dict[str, Callable[[Path], None]] = {"sqlite": sqlite, "duckdb": duckdb}


def plant(folder: Path) -> None:
    """Write all of them, and the same damaged in the ways in which a message might quote them."""
    for ending, content in FILES.values():
        (folder / f"a.{ending}").write_bytes(content())
    for kind, make in DATABASES.items():
        make(folder / f"a.{kind}")
    (folder / "headerless.csv").write_text(f"{NAME},{MAIL},{PHONE}\n" * 4)
    (folder / "ragged.csv").write_text(f'a,b\n1,2,{MAIL},{PHONE}\n"unclosed {MAIL}\n{NAME}\n')
    (folder / "broken.json").write_text('{"a": "' + MAIL + '", ')
    (folder / "broken.ndjson").write_text(json.dumps(ROWS[0]) + "\n{" + MAIL + "\n" + json.dumps(ROWS[0]) + "\n")
    with zipfile.ZipFile(folder / "a.zip", "w") as out:
        out.writestr(f"inside/{MAIL}.csv", f"email\n{MAIL}\n")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(FRAME.write_csv().encode() * 500)[:-40])
    (folder / "mislabelled.parquet").write_bytes(b"PAR1" + MAIL.encode() * 9 + b"PAR1")
    (folder / "long.csv").write_text("a,b\n" + MAIL * 50_000 + ",1\n")
    (folder / f"{MAIL}.txt").write_text(NAME)
