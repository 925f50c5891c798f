"""Inputs to begin with: small, and each with something that the parser has to know about."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile

import bson
import polars as pl

from plainview.files.kinds.signatures import NAMED, READ

from .harness import CANARY

MAIL = CANARY.encode()

CSV = (
    b'id,name,email\n1,Anna,canary.7f3a@example.org\n2,Bob,\n3,"Muster, Eva",x@y.zz\n',
    b'a;b;c\r\n"1";"two ""words""";"three\r\nlines"\r\n4;5;6\r\n',
    b"sep=|\r\na|b\r\n1|2\r\n3|4\r\n",
    b"# a title\n# more\n\nname\temail\nAnna\tcanary.7f3a@example.org\nEva\tb@c.dd\n",
    b"1,2,3\n4,5,6\n7,8\n9,10,11,12\n",
    b"name,text\nA,'it''s'\nB,'x,y'\n",
    b'name,text\nA,"a \\"quoted\\" word"\nB,"x\n',
    b'a,b\n1,"x" y\n2,"unclosed\n3,4\n',
    b'a, b, c\n1, "x, y", 3\n',
    b"a\rb\rc\r",
    b"\xef\xbb\xbfname,stra\xc3\x9fe\nJ\xc3\xb6rg,Allee\n",
    b"name,stra\xdfe\nJ\xf6rg,Allee\nK\xe4the,Weg\n",
    "name,город\nАнна,Москва\n".encode("cp1251"),
    "name,mail\nA,canary.7f3a@example.org\n".encode("utf-16"),
    "name,市\n王,北京\n".encode("gb18030"),
    b"a,b\n" + b"1,2\n" * 40 + b'3,"4\n' + b"5,6\n" * 10,
    b"a,b\n\0,1\n\x1a",
)
ENCODINGS = (
    b"plain ascii, canary.7f3a@example.org\n" * 3,
    "Käthe Müller, Straße 5, Zürich, façade, niño\n".encode("cp1252") * 3,
    "Zażółć gęślą jaźń\n".encode("cp1250") * 3,
    "Съешь же ещё этих мягких французских булок\n".encode("koi8-r"),
    "Съешь же ещё этих мягких\n".encode("cp1251"),
    "我能吞下玻璃而不伤身体\n".encode("gb18030"),
    "我能吞下玻璃而不傷身體\n".encode("big5"),
    "私はガラスを食べられます。ｱｲｳ\n".encode("shift_jis"),
    "私はガラスを食べられます。\n".encode("euc-jp"),
    "나는 유리를 먹을 수 있어요\n".encode("euc-kr"),
    "γνωρίζω\n".encode("iso8859-7"),
    "mixed ä\n".encode() + "mixed ä\n".encode("latin-1"),
    "utf-16 ü\n".encode("utf-16"),
    "utf-16 ü\n".encode("utf-16-be"),
    "utf-32 ü\n".encode("utf-32"),
    b"\x1b$B;d\x1b(B iso-2022-jp\n",
    b"+/v8-utf-7",
)
TEXT = (
    b"a line\nanother, canary.7f3a@example.org\n\nlast without an end",
    b"a\rb\rc",
    b"\x1b[31mred\x1b[0m 2024-01-01 ERROR\n",
    bytes(range(1, 256)),
    b"word " * 400,
    b"x" * 2000 + b"\ny\n",
    "Käse\n".encode("cp1252") * 4,
    b"",
)
JSON = (
    b'{"id":1,"name":"Anna","email":"canary.7f3a@example.org"}\n{"id":2,"name":null}\n',
    b'[{"a":1,"b":[1,2,{"c":"x"}]},{"a":"two"}]',
    b'{"users":[{"id":1},{"id":2}],"next":null}',
    b'{"canary.7f3a@example.org":{"age":3},"b@c.dd":{"age":4},"e@f.gg":{"age":5}}',
    b'{"index":{"_index":"people","_id":"1"}}\n{"name":"Anna"}\n{"create":{}}\n{"name":"Bob"}\n{"delete":{"_id":"3"}}\n',
    b'{"_id":{"$oid":"5f1d7f3a5f1d7f3a5f1d7f3a"},"at":{"$date":{"$numberLong":"1"}},"n":{"$numberInt":"3"}}\n',
    b'{"a":1}{"a":2}\n{"a":3}',
    b'{"a":1}\n{"a":\n{"a":3}\nnot json\n',
    b'{"a":1.5e300,"b":-0,"c":123456789012345678901234567890,"d":true}\n{"a":"x"}\n{"a":[]}\n{"a":{}}\n',
    b'["a",1,null,[1,[2]],{}]',
    b'{"text":"{\\"inner\\":[1,2]}","xml":"<a b=\\"c\\">d</a>"}',
    b'{"a":"\\u00e9\\ud83d\\ude00\\ud800"}',
    b'{"a":1,"a":2}\n{"A":1}\n{"":0}\n{"a.b":1,"a[]":2,"x\'y":3}\n',
    b"[1,2,3",
    b'[{"a":[{"b":[{"c":[1,2]}]}]}]',
    '﻿{"ä":1}'.encode(),
)
NESTED = (
    b'[{"v":[[1,2],[3]],"s":[{"x":1},{"y":[{"z":null}]}]},{"v":null,"s":[]}]',
    b'{"e":[' + b",".join(b"0.5" for _ in range(20)) + b"]}",
    b"[" * 100 + b"]" * 100,
    b'{"a":' * 80 + b"1" + b"}" * 80,
    b'[{"users":[' + b",".join(b'{"id":%d,"tags":["a","b"]}' % i for i in range(20)) + b'],"m":"x"}]',
)
XML = (
    b"<?xml version='1.0' encoding='utf-8'?><db><row id='1'><mail>canary.7f3a@example.org</mail></row><row id='2'/></db>",
    b"<a>text <b>bold</b> tail <!-- comment --><![CDATA[raw <x>]]></a>",
    b"<!DOCTYPE a [<!ENTITY e 'canary.7f3a@example.org'>]><a><b>&e;</b><b>2</b></a>",
    b"<n:a xmlns:n='urn:x'><n:b n:c='1'>&#228;&amp;</n:b><n:b/></n:a>",
    b"<a><b><c><d>1</d></c></b><b><c><d>2</d></c></b>rest</a>",
    "<?xml version='1.0' encoding='windows-1251'?><a><b>ж</b><b>я</b></a>".encode("cp1251"),
    "<?xml version='1.0'?><a><b>é</b></a>".encode("utf-16"),
    b"<a><b>1</b><b>2</a>",
    b"<a>" * 300,
)
HTML = (
    b"<!doctype html><title>T</title><table><tr><th>name<th>mail<tr><td>Anna<td>canary.7f3a@example.org</table><p>after",
    b"<html><body><a href='mailto:canary.7f3a@example.org'>x</a><form><input value='v'></form><!-- c --><script>s()</script>",
    b"<table><tr><td><table><tr><td colspan=3>in</table></table>",
    b"<meta charset='windows-1252'><p>K\xe4the",
    b"<table>" + b"<tr><td>1<td>2" * 5,
    b"<div>" * 400,
)
SQL = (
    b"CREATE TABLE t (id integer, name text, primary key (id));\nINSERT INTO t VALUES (1,'canary.7f3a@example.org'),(2,'it''s');\n",
    (
        b"--\n-- PostgreSQL database dump\n--\nSET client_encoding = 'UTF8';\nCREATE TABLE public.p (\n    id integer NOT NULL,\n    n text\n);\n"
        b"COPY public.p (id, n) FROM stdin;\n1\tAnna\\tB\n2\t\\N\n3\tcanary.7f3a@example.org\n\\.\n\n"
    ),
    (
        b"-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\nCREATE TABLE `u` (\n  `id` int(11) NOT NULL,\n  `b` blob,\n  KEY `k` (`id`)\n) ENGINE=InnoDB;\n"
        b"LOCK TABLES `u` WRITE;\nINSERT INTO `u` VALUES (1,_binary 'a\\'b\\0\\\\'),(2,0xCAFE),(3,NULL);\nUNLOCK TABLES;\n"
    ),
    b'PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE "a b"(x, y);\nINSERT INTO "a b" VALUES(1,X\'ffd8\');\nINSERT INTO "a b" VALUES(unistr(\'\\u00e9\'),2.5);\nCOMMIT;\n',
    (
        b"REM INSERTING into EMP\nSET DEFINE OFF;\nInsert into EMP (ID,NAME,HIRED) values (1,'King',to_date('17-11-81','DD-MM-RR'));\n"
        b"Insert into EMP (ID,NAME,HIRED) values (2,q'[O'Neil]',null);\n"
    ),
    b"SET IDENTITY_INSERT [dbo].[T] ON\nINSERT [dbo].[T] ([Id], [Name]) VALUES (1, N'Anna')\nGO\nINSERT [dbo].[T] ([Id], [Name]) VALUES (CAST(2 AS Int), N'O''x')\nGO\n",
    b"INSERT INTO t (a, b) VALUES\n(1, 'x'),\n(2, 'y')\nON CONFLICT DO NOTHING;\nINSERT INTO t SELECT 1, 'z' UNION ALL SELECT 2, 'w';\n",
    b"INSERT INTO t VALUES (E'a\\nb', $$dollar 'quoted'$$, '\\x4142'::bytea, ARRAY[1,2], -3e5, 'a' || 'b', now());\n",
    b"INSERT INTO t VALUES (1,'unclosed\nINSERT INTO t VALUES (2,'y');\n",
    b"CREATE FUNCTION f() RETURNS int AS $body$ BEGIN INSERT INTO x VALUES (1); END $body$ LANGUAGE plpgsql;\nINSERT INTO t VALUES (1);\n",
    b'REPLACE INTO `r` VALUES (1,"double\\"d");\nINSERT IGNORE INTO r SET a=1, b=\'x\';\n',
    b"SET NAMES latin1;\nINSERT INTO t VALUES ('K\xe4the');\n",
    b"INSERT INTO t VALUES ('),(', ');\n', '--', '/*'),\n (',', 0x41, 0x);\n",
)
BSON = (
    bson.encode({"_id": 1, "name": "Anna", "email": CANARY}) + bson.encode({"_id": 2, "tags": ["a", {"b": 1}]}),
    bson.encode({"a": {"b": {"c": [1.5, None, True, b"bin"]}}}),
    bson.encode(
        {"r": bson.Regex("x"), "o": bson.ObjectId(b"1" * 12), "t": bson.Timestamp(1, 2), "d": bson.Decimal128("1.5")}
    ),
    bson.encode({"c": bson.Code("f()", {"x": 1}), "m": bson.MinKey(), "l": bson.Int64(1 << 60)}),
    b"\x05\0\0\0\0",
    b"\x02a\0\x02\0\0\0x\0\x10b\0\x01\0\0\0",
    b"\x09d\0\xff\xff\xff\xff\xff\xff\xff\x7f\x03s\0\x05\0\0\0\0",
)
_COLUMN = b"email".ljust(11, b"\0") + b"C" + bytes(4) + b"\x1e" + bytes(15)
DBF = (
    b"\x03\x7c\x01\x02\x02\0\0\0\x41\0\x1f\0"
    + bytes(20)
    + _COLUMN
    + b"\r"
    + (b" " + CANARY.encode().ljust(30)) * 2
    + b"\x1a",
)
REDIS_FILES = (
    b"\x00\x01a" + b"\x17" + CANARY.encode() + b"\xff" + bytes(8),
    b"\x12\x01a\x01\x02\x0e" + b"\x0e\0\0\0\x02\0\x82hi\x03\x05\x01\xff" + b"\xff" + bytes(8),
    b"\x0d\x01h\x12" + b"\x12\0\0\0\x0a\0\0\0\x02\0\0\x01a\x03\xf2\xff\xff\xff" + b"\xff" + bytes(8),
    b"\x00\x01l\xc3\x05\x20\x02ab\xe0\x14\x01\xff" + bytes(8),
    b"*3\r\n$4\r\nSADD\r\n$1\r\na\r\n$23\r\n" + CANARY.encode() + b"\r\n",
    b"#TS:1600000000\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n",
)

MONGO_ARCHIVE = (
    b"\x6d\xe2\x99\x81"
    + bson.encode({"version": "0.1"})
    + bson.encode({"db": "d", "collection": "c", "metadata": CANARY})
    + b"\xff\xff\xff\xff"
    + bson.encode({"db": "d", "collection": "c", "EOF": False}),
    bson.encode({"version": "0.1"}) + b"\xff\xff\xff\xff" + bson.encode({"db": 1}) + b"\xff\xff\xff\xff",
)

WORDS = (
    b"address.street", b"anna@example.org", b"+49 30 90182357", b"phones[]", b"DE89370400440532013000", b"4111 1111 1111 1111",
    b"customerE-Mail2", "客户姓名".encode(), b"date de naissance", b"user.id", b"\x1b]0;x\x07", "a\u202eb".encode(),
    b"s3://bucket/a?X-Amz-Signature=1", b"https://user:pw@host/x", b"123-45-6789", b"00:1b:44:11:3a:b7", b"eyJabcdefghijkl.eyJxxxx.sig",
    b"email=canary.7f3a@example.org; IBAN: DE89 3704 0044 0532 0130 00, born 1990-01-02", "Tel.: ٠١٢٣٤٥٦٧٨٩".encode(),
)  # fmt: skip
MAGIC = [magic for _, magic, _ in (*READ, *NAMED)]
HEADS = (
    *tuple(bytes(offset) + magic + bytes(600) for offset, magic, _ in READ),
    bytes(3000),
    b"MZ" + bytes(600),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1200),
)
TARGET_WORDS = (
    b"redis://user:pw@127.0.0.1:6379/0?password=x", b"s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=eu",
    b"postgresql://[::1]:5432/db?sslmode=require", b"127.0.0.1:9200", b"[fe80::1%25eth0]:1", b"file:///tmp/a%20b", b"user:secret@host:1",
    b"mongodb://a,b/x", b"azure://acc/cont?sig=canary.7f3a@example.org", b"http://ex%41mple.org:99999/", "redis://höst/".encode(), b"a://b",
)  # fmt: skip
SCOPE = (
    b'targets = ["redis://127.0.0.1:6379"]\n[[allow]]\nnames = ["*.example.org"]\nports = [9200, "5432-5440"]\nnote = "x"\n',
    b'[[allow]]\nnetworks = ["10.0.0.0/8", "fd00::/8"]\npermit = ["try_mysql_root"]\n',
    b'targets = ["redis://u:p@h:1"]\n', b"[allow]\nnames = []\n", b'[[allow]]\nports = [true, "1-0", -1]\nnames = ["a"]\n', b"x = 1979-05-27T07:32:00Z\n",
)  # fmt: skip
DETECTOR = (
    (b'label = "X"\ncategory = "email_address"\nnames = ["email"]\npatterns = ["[a-z]+@[a-z]+"]\nmatches = ["a@b"]\nnon_matches = ["a"]\n'
    b'name_matches = ["email"]\nname_non_matches = ["age"]\n'),
    b'label = "Y"\ncategory = "city"\nvocabulary = "cities"\nmatches = ["x"]\nnon_matches = ["y"]\n',
    b'label = "Y"\ncategory = "city"\npattern = "("\nmatches = ["x"]\nnon_matches = ["y"]\ncheck = "luhn"\nin_text = true\n',
    b'pattern = ["x"]\npatterns = "y"\nlabel = 1\n',
)  # fmt: skip


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes]) -> bytes:
    """Return a tar archive with a link in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


def _frame() -> pl.DataFrame:
    return pl.DataFrame({"id": list(range(50)), "mail": [CANARY] * 50, "list": [[1, 2]] * 50})


def _binary(kind: str) -> bytes:
    buffer = io.BytesIO()
    {
        "parquet": lambda: _frame().write_parquet(buffer, row_group_size=20),
        "ipc": lambda: _frame().write_ipc(buffer),
        "stream": lambda: _frame().write_ipc_stream(buffer),
        "avro": lambda: _frame().drop("list").write_avro(buffer),
    }[kind]()
    return buffer.getvalue()


def sqlite() -> bytes:
    """Return a small database."""
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA page_size = 512")
    db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, photo BLOB)")
    db.execute("CREATE VIEW v AS SELECT 1")
    db.executemany("INSERT INTO people (mail, photo) VALUES (?, ?)", [(CANARY, b"\xff\xd8" * 9)] * 20)
    db.commit()
    data: bytes = db.serialize()
    db.close()
    return data


CELLS = "".join(
    f'<row r="{r}"><c r="A{r}" t="inlineStr"><is><t>{CANARY}</t></is></c><c r="B{r}"><v>{r}</v></c></row>'
    for r in range(1, 5)
)
WORKBOOK = (
    ("[Content_Types].xml", b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'),
    ("_rels/.rels", b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'),
    ("xl/_rels/workbook.xml.rels", b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'),
    ("xl/workbook.xml", b'<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'),
)  # fmt: skip
SHEET = f'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{CELLS}</sheetData></worksheet>'.encode()
PACKED = (
    gzip.compress(CSV[0]),
    gzip.compress(CSV[0])[:-9],
    bz2.compress(CSV[0]),
    lzma.compress(CSV[0], preset=0),
    lzma.compress(CSV[0], format=lzma.FORMAT_ALONE, preset=0),
    zipped(("a.csv", CSV[0]), ("../../b.json", JSON[0]), ("dir/", b"")),
    zipped(("a.csv.gz", gzip.compress(CSV[0])), method=zipfile.ZIP_STORED),
    zipped(("a.txt", TEXT[0]), method=zipfile.ZIP_LZMA),
    zipped(("a.txt", TEXT[0]), method=zipfile.ZIP_BZIP2),
    tarred(("a.csv", CSV[0]), ("x" * 150 + "/b.csv", CSV[1])),
    gzip.compress(tarred(("c.txt", TEXT[0]))),
    gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"deep")))),
    gzip.compress(bytes(3 << 20)),
)
PARQUET, IPC, STREAM, AVRO = map(_binary, ("parquet", "ipc", "stream", "avro"))

MAILS = (
    b"From: Anna <canary.7f3a@example.org>\nTo: b@c.dd\nMessage-ID: <1>\nSubject: =?utf-8?q?J=C3=B6rg?=\n\nHello\n",
    (
        b"From: a@b.cc\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\npre\n--b\n\ncanary.7f3a@example.org\n"
        b"--b\nContent-Type: text/html\n\n<p>x\n--b\nContent-Type: text/csv; name=a.csv\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment\n\nYSxiCjEsMgo=\n--b--\nend\n"
    ),
    b"From a@b.cc Tue Jan  1 00:00:00 2024\nFrom: a@b.cc\nReceived: x\n\none\n\nFrom b@c.dd Tue Jan  1 00:00:00 2024\nTo: b\n\ntwo\n",
    b"Date: x\nContent-Type: message/rfc822\n\nFrom: c@d.ee\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\nc\n",
)
CARDS = (
    b"BEGIN:VCARD\nVERSION:3.0\nN:Muster;Eva;;;\nFN:Eva Muster\nitem1.EMAIL;TYPE=a:canary.7f3a@example.org\nNOTE:a\n b\\, c\nEND:VCARD\n",
    b"BEGIN:VCARD\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6=\nrg\nPHOTO;ENCODING=b:/9j/4AAQ\nEND:VCARD\n",
    b'BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE;CN="A, B":mailto:canary.7f3a@example.org\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n',
    b"version: 1\n# x\ndn: uid=a\nmail: canary.7f3a@example.org\ncn:: SsO2cmc=\nx:< file:///y\n\ndn: uid=b\n-\n",
)
RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset204 A;}}{\info{\author canary.7f3a@example.org}}\f0 Gr\'fc\par{\*\annotation x}}",
    rb"{\rtf1\uc2 \u8364??\line{\field{\*\fldinst{HYPERLINK x}}{\fldrslt y}}{\pict 89504e}{\*\unknown z}\bin3 abc\cell\row}",
)
OFFICE = (
    b"<w:p><w:t>canary.7f3a@example.org</w:t><w:tab/><w:t>b</w:t></w:p><w:tbl><w:tr><w:tc><w:p><w:t>c</w:t></w:p></w:tc></w:tr></w:tbl></d>",
    b"<w:p><w:del w:author='a'><w:delText>b</w:delText></w:del></w:p><w:comment w:author='c'><w:p><w:t>d</w:t></w:p></w:comment></d>",
    b"<o:d xmlns:o='urn:oasis:x'><o:p>a<o:annotation><o:creator>b</o:creator><o:p>c</o:p></o:annotation></o:p></o:d>",
)
MEDIA = (
    b"\x03\0\x3b\x01\x02\0\x08\0\0\0\x32\0\0\0\x25\x88\x04\0\x01\0\0\0\x20\0\0\0canary.7f3a@example.org\0",
    b"\0\0\0\x1dtEXtAuthor\0canary.7f3a@example.org\0\0\0\0\0\0\0\4zTXtab\0\0\0\0\0\0",
    b"\0\0\0\x18ftypmp42\0\0\0\0\0\0\0\0\0\0\0\x48moov\0\0\0\x20\xa9ARTdata\0\0\0\1\0\0\0\0canary.7f3a@example.org+48.2+016.3/",
    b"TPE1\0\0\0\x20\0\0\3canary.7f3a@example.orgCOMM\0\0\0\x08\0\0\1eng\xff\xfea\0",
    b"RIFF\0\1\0\0WAVELIST\x20\0\0\0INFOIART\x18\0\0\0canary.7f3a@example.org",
    b"OggS\0\x03vorbis\3\0\0\0abc\1\0\0\0\x1e\0\0\0ARTIST=canary.7f3a@example.org",
)
